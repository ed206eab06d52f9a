"""Browser ⇄ server: every call and every event of the wire, as closed unions.

`CALLS` and `EVENTS` are the one definition: the gateway, docs/protocol.md, the JSON Schemas and
the page's types come from them (`python -m watchglass_server.schema`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from watchglass_server import commands as c
from watchglass_server import notifications as n
from watchglass_server import replies as r
from watchglass_server.fields import (
    MAX_CODE_BYTES,
    MAX_EXACT_INTEGER,
    MAX_VALUE_DEPTH,
    PathElement,
)
from watchglass_server.refusals import Refused, bad_request

MAX_VALUES = 500_000


@dataclass(frozen=True, slots=True)
class Call:
    """What one call takes and is acknowledged with."""

    command: type[c.Command]
    reply: type[r.Reply]


CALLS: dict[str, Call] = {
    "server.info": Call(c.ServerInfoCommand, r.ServerInfoReply),
    "session.create": Call(c.SessionCreateCommand, r.SessionCreateReply),
    "session.list": Call(c.SessionListCommand, r.SessionListReply),
    "session.join": Call(c.SessionJoinCommand, r.SessionJoinReply),
    "session.leave": Call(c.SessionLeaveCommand, r.EmptyReply),
    "session.rename": Call(c.SessionRenameCommand, r.EmptyReply),
    "session.destroy": Call(c.SessionDestroyCommand, r.EmptyReply),
    "session.share": Call(c.SessionShareCommand, r.SessionShareReply),
    "session.shares": Call(c.SessionSharesCommand, r.SessionSharesReply),
    "session.revoke": Call(c.SessionRevokeCommand, r.EmptyReply),
    "participant.remove": Call(c.ParticipantRemoveCommand, r.EmptyReply),
    "session.fork": Call(c.SessionForkCommand, r.SessionCreateReply),
    "session.usage": Call(c.SessionUsageCommand, r.SessionUsageReply),
    "session.hibernate": Call(c.SessionHibernateCommand, r.EmptyReply),
    "execution.list": Call(c.ExecutionListCommand, r.ExecutionListReply),
    "execute": Call(c.ExecuteCommand, r.ExecuteReply),
    "interrupt": Call(c.InterruptCommand, r.InterruptReply),
    "restart": Call(c.RestartCommand, r.EmptyReply),
    "input.reply": Call(c.InputReplyCommand, r.EmptyReply),
    "complete": Call(c.CompleteCommand, r.CompleteReply),
    "inspect": Call(c.InspectCommand, r.InspectReply),
    "is_complete": Call(c.IsCompleteCommand, r.IsCompleteReply),
    "variable.get": Call(c.VariableGetCommand, r.VariableGetReply),
    "variable.set": Call(c.VariableSetCommand, r.VariableReply),
    "variable.repr": Call(c.VariableReprCommand, r.VariableReprReply),
    "frames": Call(c.FramesCommand, r.FrameReply),
    "view.set": Call(c.ViewSetCommand, r.EmptyReply),
    "variable.delete": Call(c.VariableDeleteCommand, r.EmptyReply),
    "variable.history": Call(c.VariableHistoryCommand, r.VariableHistoryReply),
    "watch.add": Call(c.WatchAddCommand, r.WatchReply),
    "watch.remove": Call(c.WatchRemoveCommand, r.WatchReply),
    "watch.history": Call(c.WatchHistoryCommand, r.VariableHistoryReply),
    "session.bind": Call(c.SessionBindCommand, r.SessionBindReply),
    "session.unbind": Call(c.SessionUnbindCommand, r.EmptyReply),
    "output.read": Call(c.OutputReadCommand, r.OutputReadReply),
    "checkpoint.list": Call(c.CheckpointListCommand, r.CheckpointListReply),
    "checkpoint.restore": Call(c.CheckpointRestoreCommand, r.CheckpointRestoreReply),
    "checkpoint.name": Call(c.CheckpointNameCommand, r.EmptyReply),
    "script.list": Call(c.ScriptListCommand, r.ScriptListReply),
    "script.load": Call(c.ScriptLoadCommand, r.ScriptLoadReply),
    "script.set": Call(c.ScriptSetCommand, r.EmptyReply),
}

EVENTS: dict[str, type[Any]] = {
    "execution.queued": n.ExecutionQueuedNotification,
    "execution.started": n.ExecutionStartedNotification,
    "stream": n.StreamNotification,
    "stream.truncated": n.StreamTruncatedNotification,
    "display_data": n.DisplayDataNotification,
    "update_display_data": n.UpdateDisplayDataNotification,
    "execute_result": n.ExecuteResultNotification,
    "error": n.ErrorNotification,
    "execution.finished": n.ExecutionFinishedNotification,
    "input.requested": n.InputRequestedNotification,
    "input.answered": n.InputAnsweredNotification,
    "variables.changed": n.VariablesChangedNotification,
    "state.reset": n.StateResetNotification,
    "watches.changed": n.WatchesChangedNotification,
    "watch.alert": n.WatchAlertNotification,
    "packages.changed": n.PackagesChangedNotification,
    "bindings.changed": n.BindingsChangedNotification,
    "process.state": n.ProcessStateNotification,
    "checkpoint.created": n.CheckpointNotification,
    "checkpoint.restored": n.CheckpointNotification,
    "participant.joined": n.ParticipantNotification,
    "participant.left": n.ParticipantNotification,
    "session.renamed": n.SessionRenamedNotification,
    "session.destroyed": n.SessionDestroyedNotification,
    "session.forked": n.SessionForkedNotification,
    "script.changed": n.ScriptChangedNotification,
    "script.mode": n.ScriptModeNotification,
    "mirror.state": n.MirrorStateNotification,
}

# Calls whose command is defined and checked, but which this version does not perform yet.
NOT_AVAILABLE: dict[str, str] = {
    "session.fork": "forking needs exact images of a session, which this version does not take",
    "session.hibernate": "a session is put to sleep by the idle limit only in this version",
    "checkpoint.list": "this version takes no checkpoints",
    "checkpoint.restore": "this version takes no checkpoints",
    "checkpoint.name": "this version takes no checkpoints",
}

Notification = (
    n.ExecutionQueuedNotification
    | n.ExecutionStartedNotification
    | n.StreamNotification
    | n.StreamTruncatedNotification
    | n.DisplayDataNotification
    | n.UpdateDisplayDataNotification
    | n.ExecuteResultNotification
    | n.ErrorNotification
    | n.ExecutionFinishedNotification
    | n.InputRequestedNotification
    | n.InputAnsweredNotification
    | n.VariablesChangedNotification
    | n.StateResetNotification
    | n.WatchesChangedNotification
    | n.WatchAlertNotification
    | n.PackagesChangedNotification
    | n.BindingsChangedNotification
    | n.ProcessStateNotification
    | n.CheckpointNotification
    | n.ParticipantNotification
    | n.SessionRenamedNotification
    | n.SessionDestroyedNotification
    | n.SessionForkedNotification
    | n.ScriptChangedNotification
    | n.ScriptModeNotification
    | n.MirrorStateNotification
)


def decode_command(event: str, payload: object) -> c.Command:
    """Return the checked command of a call; refuse with the field that is wrong."""
    call = CALLS.get(event)
    if call is None:
        raise bad_request(
            "event",
            f"There is no call '{event[:100]}'.",
            "See docs/protocol.md for the calls there are.",
        )
    if payload is None:
        payload = {}
    if not isinstance(payload, dict):
        raise bad_request(
            "payload",
            f"'{event}' takes one object, not {_kind(payload)}.",
            "Send the fields as one JSON object.",
        )
    check_depth(payload)
    try:
        command = msgspec.convert(payload, call.command)
    except msgspec.ValidationError as error:
        raise _refusal(event, str(error)) from None
    except UnicodeEncodeError:
        raise bad_request(
            "payload",
            f"'{event}' has half of a surrogate pair in a field's name, or in a word of ours.",
            "Send text that is well-formed Unicode there.",
        ) from None
    for field in ("code", "text", "expression"):
        _check_code_size(field, getattr(command, field, None))
    return command


def check_depth(payload: dict[str, Any]) -> None:
    """Refuse what is nested deeper, or has more parts, than a call can need."""
    for field, value in payload.items():
        level: list[Any] = [value]
        depth = seen = 0
        while level := [part for outer in level for part in _parts(outer)]:
            depth += 1
            seen += len(level)
            if depth > MAX_VALUE_DEPTH:
                raise bad_request(
                    str(field)[:100],
                    f"`{str(field)[:100]}` is nested more than {MAX_VALUE_DEPTH} deep.",
                    "Send a flatter value, or set it with an expression.",
                )
            if seen > MAX_VALUES:
                raise Refused(
                    "too_large",
                    f"`{str(field)[:100]}` has more than {MAX_VALUES:,} parts.",
                    "Send less at a time, or set it with an expression.",
                    field=str(field)[:100],
                )


def tagged(value: Any) -> Any:
    """The same JSON with integers beyond 2**53 tagged, which JavaScript would round."""
    if isinstance(value, dict):
        return {key: tagged(part) for key, part in value.items()}
    if isinstance(value, list):
        return [tagged(part) for part in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_EXACT_INTEGER:
        return {"$type": "int", "value": str(value)}
    return value


def plain_path(path: list[PathElement]) -> list[Any]:
    """The path as JSON."""
    return [tagged(step) for step in msgspec.to_builtins(path)]


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _kind(value: object) -> str:
    names = {str: "a string", list: "a list", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "binary data")


def _check_code_size(field: str, text: object) -> None:
    if isinstance(text, str) and len(text) > MAX_CODE_BYTES // 4:
        size = len(text.encode("utf-8", "surrogatepass"))
        if size > MAX_CODE_BYTES:
            raise _code_too_large(field)


def _code_too_large(field: str) -> Refused:
    return Refused(
        "too_large",
        f"`{field}` has more than 1 MiB.",
        "Send less code at a time; let code read large data from a variable.",
        field=field,
    )


def _refusal(event: str, message: str) -> Refused:
    """Turn msgspec's words into ours: which field, and what it should have been."""
    if found := re.fullmatch(
        r"Object (?:missing required|contains unknown) field `(.*?)`.*", message
    ):
        field = found[1]
        problem = "is missing" if "missing" in message[:20] else "is no field of this call"
        where = _place(message)
        return bad_request(
            f"{where}.{field}" if where else field, f"'{event}': `{field}` {problem}."
        )
    words = message.split(" - at `")[0]
    named = re.search(r"`(\w+)`", words) if not words.startswith("Expected") else None
    field = _place(message) or (named[1] if named else "payload")
    if f"length <= {MAX_CODE_BYTES}" in words and field in ("code", "text", "expression"):
        return _code_too_large(field)
    return bad_request(field, f"'{event}', field `{field}`: {words[:1].lower()}{words[1:]}.")


def _place(message: str) -> str:
    found = re.search(r" - at `\$\.?(.*?)`$", message)
    return found[1] if found else ""
