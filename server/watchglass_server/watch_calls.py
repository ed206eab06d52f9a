"""What the calls about watches do: kept with the session, checked and followed by its process."""

from __future__ import annotations

from collections.abc import Mapping

from watchglass_server import commands as c
from watchglass_server import replies as r
from watchglass_server import session_inputs as i
from watchglass_server.call_answers import changes_page, watch_problems
from watchglass_server.live_session import LiveSession
from watchglass_server.pictures import Watch
from watchglass_server.refusals import bad_request
from watchglass_server.rooms import Client
from watchglass_server.session_fold import Fold
from watchglass_server.sessions import Sessions
from watchglass_server.tokens import new_id
from watchglass_server.variable_calls import Perform
from watchglass_sync.journal import Journal

CHECK_S = 10.0
# The process looks when it comes to a safe point; the event tells of it if that is later.
SEEN_S = 1.0


class WatchCalls:
    """Everything about watches."""

    def __init__(self, sessions: Sessions, journal: Journal) -> None:
        self._sessions = sessions
        self._journal = journal
        self.performs: Mapping[type[c.Command], Perform] = {
            c.WatchAddCommand: self._add,
            c.WatchRemoveCommand: self._remove,
            c.WatchHistoryCommand: self._history,
        }

    async def _add(self, _: Client, command: c.WatchAddCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        expression = command.expression.strip()
        condition = None if command.condition is None else command.condition.strip()
        known = _followed(live.state.fold, expression, condition)
        if not known or known[0].suspended:
            await self._check(live, expression, condition)
            live.apply(i.AddWatch(new_id("w"), expression, condition))
        watch = _followed(live.state.fold, expression, condition)[0]
        await live.until(lambda session: _is_seen(session.fold.watch(watch.watch)), SEEN_S)
        await live.durable()
        return _shown(live.state.fold.watch(watch.watch) or watch)

    async def _check(self, live: LiveSession, expression: str, condition: str | None) -> None:
        sources = {"expression": expression}
        if condition is not None:
            sources["condition"] = condition
        problems = await live.link.ask("watch_check", sources, CHECK_S, watch_problems)
        for field, problem in problems.items():
            raise bad_request(
                field,
                f"`{field}` is no Python expression: {problem}.",
                "Send one expression; a statement is for `execute`.",
            )

    async def _remove(self, _: Client, command: c.WatchRemoveCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        watch = _meant(live.state.fold, command)
        live.apply(i.RemoveWatch(watch.watch))
        await live.durable()
        return _shown(watch)

    async def _history(self, _: Client, command: c.WatchHistoryCommand) -> r.Reply:
        live = await self._sessions.open(command.session)
        await live.durable()
        found = await self._journal.watch_history(
            live.session, command.watch, command.before_seq, command.limit + 1
        )
        return changes_page(found, command.limit, live.state.fold)


def _followed(known: Fold, expression: str, condition: str | None) -> list[Watch]:
    return [
        watch
        for watch in known.watches
        if (watch.expression, watch.condition) == (expression, condition)
    ]


def _is_seen(watch: Watch | None) -> bool:
    return watch is None or watch.variable is not None or watch.error is not None


def _meant(known: Fold, command: c.WatchRemoveCommand) -> Watch:
    """The watch with this id, or with this expression."""
    if command.watch is not None:
        found = [watch for watch in known.watches if watch.watch == command.watch]
        return _only(found, "watch", f"no watch '{command.watch}'")
    expression = (command.expression or "").strip()
    exact = _followed(known, expression, command.condition and command.condition.strip())
    if exact or command.condition is not None:
        return _only(exact, "expression", f"no watch of `{expression[:100]}` with this condition")
    found = [watch for watch in known.watches if watch.expression == expression]
    return _only(found, "expression", f"no watch of `{expression[:100]}`")


def _only(found: list[Watch], field: str, none: str) -> Watch:
    if not found:
        raise bad_request(field, f"There is {none}.", "See `watches` in the session's state.")
    if len(found) > 1:
        raise bad_request(
            field,
            f"{len(found)} watches have this expression, with different conditions.",
            "Name one by `watch`, its id.",
        )
    return found[0]


def _shown(watch: Watch) -> r.WatchReply:
    return r.WatchReply(
        watch=watch.watch,
        expression=watch.expression,
        condition=watch.condition,
        variable=watch.variable,
        error=watch.error,
        met=watch.met,
        condition_error=watch.condition_error,
    )
