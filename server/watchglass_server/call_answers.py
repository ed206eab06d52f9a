"""What the journal and the processes answer → acknowledgements that are typed and not too large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from watchglass_server import host_answers as h
from watchglass_server import json_wire
from watchglass_server import replies as r
from watchglass_server.fields import MAX_ANSWER_BYTES
from watchglass_server.host_answers import read_answer
from watchglass_server.measure import json_bytes
from watchglass_server.pictures import Child, Execution, StreamPart
from watchglass_server.session_fold import Fold
from watchglass_server.session_state import Session
from watchglass_server.session_variables import told_variable
from watchglass_server.session_view import bounded_executions, execution_bytes
from watchglass_sync.journal import Journal
from watchglass_sync.records import VariableChange

ROOM_BYTES = MAX_ANSWER_BYTES * 7 // 8
EVENTS_AT_ONCE = 1000
MATCHES_MOST = 5000
MATCH_CHARACTERS = 500
PROBLEM_CHARACTERS = 1000
DOCSTRING_MOST = 200_000
REPR_BYTES = 3 * 2**20


def completions(answer: Mapping[str, Any]) -> r.CompleteReply:
    """As many matches as are of use; none that is too long to be typed."""
    read = read_answer(answer, h.CompleteAnswer)
    matches = [
        r.Match(text=one.text, type=one.type)
        for one in read.matches[:MATCHES_MOST]
        if len(one.text) <= MATCH_CHARACTERS
    ]
    return r.CompleteReply(matches=matches, start=read.start, end=read.end)


def inspection(answer: Mapping[str, Any]) -> r.InspectReply:
    """Signature and docstring, not longer than anybody reads."""
    read = read_answer(answer, h.InspectAnswer)
    return r.InspectReply(
        found=read.found,
        signature=None if read.signature is None else read.signature[:DOCSTRING_MOST],
        docstring=None if read.docstring is None else read.docstring[:DOCSTRING_MOST],
        type=read.type,
    )


def completeness(answer: Mapping[str, Any]) -> r.IsCompleteReply:
    """Whether the code can run as it is."""
    read = read_answer(answer, h.IsCompleteAnswer)
    return r.IsCompleteReply(status=read.status, indent=read.indent)


def variable_now(answer: Mapping[str, Any]) -> r.VariableReply:
    """The variable after it was set."""
    return r.VariableReply(variable=told_variable(read_answer(answer, h.VariableAnswer).variable))


def variable_page(answer: Mapping[str, Any]) -> r.VariableGetReply:
    """The children that fit: first their exact values go, then the last of them."""
    read = read_answer(answer, h.GetAnswer)
    reply = r.VariableGetReply(
        variable=told_variable(read.variable),
        children=[
            Child(key=one.key, label=one.label, variable=told_variable(one))
            for one in read.children
        ],
        total=read.total,
    )
    if json_bytes(msgspec.to_builtins(reply)) <= ROOM_BYTES:
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


def repr_text(answer: Mapping[str, Any]) -> r.VariableReprReply:
    """The text, or as much of it as an answer may have."""
    read = read_answer(answer, h.ReprAnswer)
    text = read.text
    while json_size(text) > REPR_BYTES:
        text = text[: len(text) * REPR_BYTES // json_size(text) - 1]
    return r.VariableReprReply(text=text, truncated=read.truncated or text != read.text)


def running_frames(answer: Mapping[str, Any], state: Session) -> r.FrameReply:
    """The frames, with their locals as far as these fit."""
    read = read_answer(answer, h.FramesAnswer)
    room = ROOM_BYTES
    frames = []
    for one in read.frames:
        shown = [told_variable(variable) for variable in one.locals]
        room -= sum(json_bytes(msgspec.to_builtins(variable)) for variable in shown)
        frames.append(
            r.Frame(
                name=one.name,
                file=one.file,
                number=one.number,
                execution=None if one.number is None else state.numbers.get(one.number),
                line=one.line,
                locals=shown if room > 0 else [],
            )
        )
    return r.FrameReply(frames=frames, omitted=read.omitted)


def watch_problems(answer: Mapping[str, Any]) -> Mapping[str, str]:
    """What is wrong with the sources of a watch, by their fields."""
    problems = read_answer(answer, h.WatchCheckAnswer).problems
    return {field: problem[:PROBLEM_CHARACTERS] for field, problem in problems.items()}


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
