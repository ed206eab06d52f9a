"""What the calls about code and variables do: questions that go to the session's process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from watchglass_server import commands as c
from watchglass_server import replies as r
from watchglass_server.call_answers import (
    changes_page,
    completeness,
    completions,
    inspection,
    repr_text,
    running_frames,
    variable_now,
    variable_page,
)
from watchglass_server.edits import edited
from watchglass_server.live_session import LiveSession
from watchglass_server.live_views import LiveViews
from watchglass_server.messages import plain_path, tagged
from watchglass_server.refusals import Refused, bad_request
from watchglass_server.rooms import Caller, Client
from watchglass_server.sessions import Sessions
from watchglass_sync.journal import Journal

ASSIST_S = 5.0
GET_S = 10.0
REPR_S = 10.0
AFTER_S = 3600.0

R = TypeVar("R", bound=r.Reply)
Perform = Callable[[Client, Any], Awaitable[r.Reply]]
PerformForAny = Callable[[Caller, Any], Awaitable[r.Reply]]


class VariableCalls:
    """Completion, inspection, and everything about variables."""

    def __init__(self, sessions: Sessions, journal: Journal, views: LiveViews) -> None:
        self._sessions = sessions
        self._journal = journal
        self._views = views
        self.performs_for_any: Mapping[type[c.Command], PerformForAny] = {
            c.VariableSetCommand: self._set,
            c.VariableDeleteCommand: self._delete,
        }
        self.performs: Mapping[type[c.Command], Perform] = {
            **self.performs_for_any,
            c.CompleteCommand: self._complete,
            c.InspectCommand: self._inspect,
            c.IsCompleteCommand: self._is_complete,
            c.VariableGetCommand: self._get,
            c.VariableReprCommand: self._repr,
            c.VariableHistoryCommand: self._history,
            c.ViewSetCommand: self._look,
            c.FramesCommand: self._frames,
        }

    # --- assistance

    async def _complete(self, _: Client, command: c.CompleteCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        args = {"code": command.code, "cursor": command.cursor}
        return await live.link.ask("complete", args, ASSIST_S, completions)

    async def _inspect(self, _: Client, command: c.InspectCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        args = {"code": command.code, "cursor": command.cursor}
        return await live.link.ask("inspect", args, ASSIST_S, inspection)

    async def _is_complete(self, _: Client, command: c.IsCompleteCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        return await live.link.ask("is_complete", {"code": command.code}, ASSIST_S, completeness)

    # --- variables

    async def _get(self, _: Client, command: c.VariableGetCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        args = {
            "path": plain_path(command.path),
            "offset": command.offset,
            "limit": command.limit,
        }
        return await live.link.ask("variable_get", args, GET_S, variable_page)

    async def _set(self, caller: Caller, command: c.VariableSetCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        if command.when == "after":
            await self._until_finished(live)
        path = [command.name] if command.name is not None else plain_path(command.path or [])
        args: dict[str, Any] = {"path": path}
        if command.expression is not None:
            args["expression"] = command.expression
        else:
            args["value"] = tagged(command.value)
        if command.if_version is not None:
            args["if_version"] = command.if_version
        return await self._edit(caller, live, "variable_set", args, str(path[0]), variable_now)

    async def _edit(
        self,
        caller: Caller,
        live: LiveSession,
        op: str,
        args: Mapping[str, Any],
        name: str,
        read: Callable[[Mapping[str, Any]], R],
    ) -> R:
        reply = await edited(live, op, args, name, author_of(caller, live), read)
        await live.durable()
        return reply

    async def _until_finished(self, live: LiveSession) -> None:
        running = live.state.running
        if running is None:
            return
        number = running.number
        if not await live.until(
            lambda state: state.running is None or state.running.number != number, AFTER_S
        ):
            raise Refused(
                "timeout",
                f"The execution still runs after {AFTER_S:g} s.",
                "Interrupt it, or set the variable with `when`: `now`.",
            )

    async def _repr(self, _: Client, command: c.VariableReprCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        args = {"path": plain_path(command.path)}
        return await live.link.ask("variable_repr", args, REPR_S, repr_text)

    async def _delete(self, caller: Caller, command: c.VariableDeleteCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        args = {"name": command.name}
        return await self._edit(
            caller, live, "variable_delete", args, command.name, lambda _: r.EmptyReply()
        )

    async def _history(self, _: Client, command: c.VariableHistoryCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        await live.durable()
        found = await self._journal.history(
            live.session, command.name, command.before_seq, command.limit + 1
        )
        return changes_page(found, command.limit, live.state.fold, values=command.values)

    # --- while code runs

    async def _look(self, client: Client, command: c.ViewSetCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        if live.session not in client.memberships:
            raise bad_request(
                "session",
                f"This connection has not joined session '{live.session}'.",
                "Call session.join first: who looks also needs the record.",
            )
        self._views.look(client, live, command)
        return r.EmptyReply()

    async def _frames(self, _: Client, command: c.FramesCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        if live.state.running is None:
            return r.FrameReply(frames=[])
        return await live.link.ask(
            "frames", {}, ASSIST_S, lambda answer: running_frames(answer, live.state)
        )


def author_of(caller: Caller, live: LiveSession) -> str | None:
    """The name by which a caller is known in a session."""
    participant = caller.participant_in(live.session)
    if participant is None:
        return caller.name
    known = live.state.fold.participants.get(participant)
    return known.name if known else None
