"""Commands that come as rows of the mirror → calls of the gateway, by the roles granted there."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from watchglass_server import json_wire
from watchglass_server.fields import MAX_MESSAGE_BYTES, Role
from watchglass_server.gateway import Gateway
from watchglass_server.refusals import Refused, bad_request
from watchglass_server.replies import ExecuteReply
from watchglass_server.rooms import Caller
from watchglass_server.tokens import SESSION_LENGTH, new_id
from watchglass_sync.permissions import Permissions
from watchglass_sync.remote_commands import KEY_CHARACTERS, CommandOutcome, RemoteCommand

_log = logging.getLogger(__name__)

CALLERS_REMEMBERED: Final = 1000
EVENTS: Final = {
    "Execute": "execute",
    "SetVariable": "variable.set",
    "DeleteVariable": "variable.delete",
    "Interrupt": "interrupt",
    "CreateSession": "session.create",
    "DestroySession": "session.destroy",
}
CREATE: Final = "session.create"
ASK = "Ask the owner of this server for `watchglass mirror grant`."


@dataclass(eq=False, slots=True, kw_only=True)
class IdentityCaller(Caller):
    """An identity of the database, with the roles that it has at the moment it is asked."""

    permissions: Callable[[], Permissions]

    @property
    def is_server(self) -> bool:
        """True for an owner of all sessions."""
        return self.permissions().role_in(self.client, None) == "owner"

    def role_in(self, session: str) -> Role | None:
        """What was granted to it."""
        return cast("Role | None", self.permissions().role_in(self.client, session))


class MirrorCommands:
    """Performs what rows of `command` ask for."""

    def __init__(
        self,
        gateway: Gateway,
        permissions: Callable[[], Permissions],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._gateway = gateway
        self._permissions = permissions
        self._is_stopping = is_stopping
        self._callers: dict[str, IdentityCaller] = {}

    async def perform(self, command: RemoteCommand) -> CommandOutcome:
        """Do it, and say what became of it; raises nothing of its own."""
        if self._is_stopping():
            await asyncio.Event().wait()  # the row stays, and the next start performs it
        session = command.session or None
        try:
            return await self._perform(command)
        except Refused as refusal:
            error = refusal.error
            hint = ASK if error.code in ("forbidden", "unauthorized") else error.hint
            return CommandOutcome(session, None, error.code, f"{error.message} {hint}".strip())
        except Exception:
            number = new_id()
            _log.exception("error %s: a command of the mirror failed", number)
            words = f"The server failed at this command; its log has the details under {number}."
            return CommandOutcome(session, None, "internal", words)

    async def _perform(self, command: RemoteCommand) -> CommandOutcome:
        if not 0 < len(command.key) <= KEY_CHARACTERS:
            raise bad_request(
                "key",
                "`key` is longer than a key may be." if command.key else "`key` is empty.",
                f"Choose a new one, of 1 to {KEY_CHARACTERS}, for each command.",
            )
        caller = self._caller(command.caller)
        event = EVENTS[command.action]
        if event == CREATE:
            if not caller.is_server:
                words = "'CreateSession' needs the role owner in all sessions."
                raise Refused("forbidden", words, ASK)
            session = session_of(command)
            await self._gateway.create(caller, _without_none(command.arguments), session)
            return CommandOutcome(session)
        if command.session and caller.role_in(command.session) is None:
            # The same for one that does not exist: who may not see it learns nothing.
            raise Refused(
                "unauthorized", f"You have no role in session '{command.session[:100]}'.", ASK
            )
        reply = await self._gateway.call(caller, event, _payload(command))
        execution = reply.execution if isinstance(reply, ExecuteReply) else None
        return CommandOutcome(command.session, execution)

    def _caller(self, identity: str) -> IdentityCaller:
        caller = self._callers.pop(identity, None)
        if caller is None:
            caller = IdentityCaller(client=identity, permissions=self._permissions)
        caller.name = self._permissions().name_of(identity)
        self._callers[identity] = caller  # the last used is last
        while len(self._callers) > CALLERS_REMEMBERED:
            del self._callers[next(iter(self._callers))]
        return caller


def execution_of(command: RemoteCommand) -> str:
    """The id of its execution: the same each time, so that it is executed once."""
    return "m" + hashlib.sha256(command.name.encode()).hexdigest()[:31]


def session_of(command: RemoteCommand) -> str:
    """The id of the session that it makes: the same each time, so that it is made once."""
    digest = hashlib.sha256(command.name.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:SESSION_LENGTH]


def _payload(command: RemoteCommand) -> dict[str, Any]:
    payload = {"session": command.session, **command.arguments}
    if command.action == "Execute":
        payload["execution"] = execution_of(command)
    elif command.action == "SetVariable":
        payload["value"] = _value(payload.pop("json"))
    return payload


def _value(text: str) -> Any:
    if len(text) > MAX_MESSAGE_BYTES:
        raise Refused(
            "too_large",
            f"`json` has {len(text):,} characters.",
            "Set a smaller value, or let code make it.",
            field="json",
        )
    try:
        return json_wire.loads(text)
    except (ValueError, RecursionError) as error:
        raise bad_request(
            "json", f"`json` is no JSON: {error}.", "Send a value as 5 or [1, 2]."
        ) from None


def _without_none(arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}
