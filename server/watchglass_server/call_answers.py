"""What the journal and the processes answer → acknowledgements that are typed and not too large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from watchglass_server import json_wire
from watchglass_server import replies as r
from watchglass_server.errors import PeerError
from watchglass_server.fields import MAX_ANSWER_BYTES
from watchglass_server.measure import json_bytes
from watchglass_server.pictures import Execution, StreamPart
from watchglass_server.session_fold import Fold
from watchglass_server.session_state import Session
from watchglass_server.session_view import bounded_executions, execution_bytes
from watchglass_sync.journal import Journal
from watchglass_sync.records import VariableChange

ROOM_BYTES = MAX_ANSWER_BYTES * 7 // 8
EVENTS_AT_ONCE = 1000
MATCHES_MOST = 5000
DOCSTRING_MOST = 200_000
REPR_BYTES = 3 * 2**20

T = TypeVar("T", bound=msgspec.Struct)


class AnswerError(PeerError):
    """A process answered a question with something that is no answer to it."""


def typed_answer(answer: Mapping[str, Any], reply: type[T]) -> T:
    """A process's answer, checked: nothing of it is believed."""
    try:
        return msgspec.convert(dict(answer), reply)
    except msgspec.ValidationError as error:
        raise AnswerError(f"a process's answer is no {reply.__name__}: {error}") from error


def completions(answer: Mapping[str, Any]) -> r.CompleteReply:
    """As many matches as are of use."""
    reply = typed_answer(answer, r.CompleteReply)
    return replace(reply, matches=reply.matches[:MATCHES_MOST])


def inspection(answer: Mapping[str, Any]) -> r.InspectReply:
    """Signature and docstring, not longer than anybody reads."""
    reply = typed_answer(answer, r.InspectReply)
    return replace(
        reply,
        signature=None if reply.signature is None else reply.signature[:DOCSTRING_MOST],
        docstring=None if reply.docstring is None else reply.docstring[:DOCSTRING_MOST],
    )


def variable_page(answer: Mapping[str, Any]) -> r.VariableGetReply:
    """The children that fit: first their exact values go, then the last of them."""
    reply = typed_answer({**answer, "children": _nested(answer)}, r.VariableGetReply)
    if json_bytes(answer) <= ROOM_BYTES:
        return reply
    children = [
        replace(child, variable=replace(child.variable, value=None)) for child in reply.children
    ]
    room = ROOM_BYTES
    for place, child in enumerate(children):
        room -= json_bytes(msgspec.to_builtins(child))
        if room < 0:
            children = children[:place]
            break
    return replace(reply, children=children)


def _nested(answer: Mapping[str, Any]) -> list[Any]:
    """The process sends a child's fields beside its key; clients get them as its `variable`."""
    nested = []
    for child in answer.get("children") or ():
        if not isinstance(child, dict):
            raise AnswerError("a process's answer has a child that is no object")
        variable = {name: part for name, part in child.items() if name not in ("key", "label")}
        nested.append({"key": child.get("key"), "label": child.get("label"), "variable": variable})
    return nested


def repr_text(answer: Mapping[str, Any]) -> r.VariableReprReply:
    """The text, or as much of it as an answer may have."""
    reply = typed_answer(answer, r.VariableReprReply)
    text = reply.text
    while json_size(text) > REPR_BYTES:
        text = text[: len(text) * REPR_BYTES // json_size(text) - 1]
    return r.VariableReprReply(text=text, truncated=reply.truncated or text != reply.text)


def running_frames(answer: Mapping[str, Any], state: Session) -> r.FrameReply:
    """The frames, with their locals as far as these fit."""
    reply = typed_answer(answer, r.FrameReply)
    room = ROOM_BYTES
    frames = []
    for frame in reply.frames:
        room -= json_bytes(msgspec.to_builtins(frame))
        execution = None if frame.number is None else state.numbers.get(frame.number)
        shown = frame.locals if room > 0 else []
        frames.append(replace(frame, execution=execution, locals=shown))
    return replace(reply, frames=frames)


def json_size(text: str) -> int:
    """How many bytes the text has as JSON."""
    return len(json_wire.dumps(text).encode())


async def joined_events(journal: Journal, session: str, since: int, upto: int) -> list[r.Event]:
    """The stored events after `since`, at most 1,000, and not more than fit."""
    if since >= upto:
        return []
    found = await journal.events(
        session, since, min(EVENTS_AT_ONCE, upto - since), max_bytes=ROOM_BYTES // 2
    )
    return [
        r.Event(session=session, seq=one.seq, time=one.time, type=one.type, data=dict(one.data))
        for one in found
    ]


async def executions_page(
    journal: Journal, fold: Fold, before: int | None, limit: int
) -> r.ExecutionListReply:
    """The executions before a number, oldest first: stored ones, and those in memory."""
    stored = await journal.executions(fold.session, before, limit)
    found = {one.number: msgspec.convert(dict(one.data), Execution) for one in stored}
    for live in fold.executions:
        if before is None or live.number < before:
            found[live.number] = live
    newest = sorted(found.values(), key=lambda one: one.number, reverse=True)
    room = ROOM_BYTES
    page: list[Execution] = []
    for one in newest[:limit]:
        if not page:
            one = bounded_executions([one], ROOM_BYTES)[0][0]
        room -= execution_bytes(one)
        if room < 0:
            break
        page.append(one)
    more = len(page) < len(newest) or (bool(page) and len(stored) == limit and page[-1].number > 1)
    return r.ExecutionListReply(executions=page[::-1], more=more)


async def output_page(
    journal: Journal, session: str, execution: str, offset: int, limit: int
) -> r.OutputReadReply:
    """A range of the text; shorter than asked for where it would not fit."""
    while True:
        chunks, total = await journal.output(session, execution, offset, limit)
        parts = [StreamPart(name=_stream(chunk.name), text=chunk.text) for chunk in chunks]
        size = sum(json_size(part.text) + 40 for part in parts)
        if size <= ROOM_BYTES or limit <= 1:
            return r.OutputReadReply(chunks=parts, total=total)
        limit = max(1, limit * ROOM_BYTES // size - 1)


def _stream(name: str) -> Any:
    return "stderr" if name == "stderr" else "stdout"


def changes_page(
    found: Sequence[VariableChange], limit: int, fold: Fold, *, values: bool = True
) -> r.VariableHistoryReply:
    """The changes of a variable or a watch, the newest first; without `values`, only numbers' own.

    `fold` knows the numbers of the executions that are not stored yet.
    """
    numbers = {one.execution: one.number for one in fold.executions}
    changes = []
    room = ROOM_BYTES
    for one in found[:limit]:
        change = _change(one, numbers)
        if not values and not _is_number(change.value):
            change = replace(change, value=None)
        room -= 250 + json_bytes(change.preview) + json_bytes(change.value)
        if room < 0:
            break
        changes.append(change)
    return r.VariableHistoryReply(changes=changes, more=len(changes) < len(found))


def _is_number(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get("$type") in ("int", "float")
    return isinstance(value, (bool, int, float))


def _change(one: VariableChange, numbers: Mapping[str, int]) -> r.HistoryChange:
    change: dict[str, Any] = dict(one.change)
    execution = change.get("execution")
    variable = change.get("variable") or {}
    return r.HistoryChange(
        seq=one.seq,
        time=one.time,
        nth=one.nth,
        op="delete" if change.get("op") == "delete" else "set",
        execution=execution,
        number=numbers.get(str(execution)) or one.number,
        line=change.get("line"),
        author=change.get("author"),
        type=variable.get("type"),
        preview=variable.get("preview"),
        value=variable.get("value"),
        error=change.get("error", UNSET),
    )
