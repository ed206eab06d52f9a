"""File → events: what a new session starts with. Pure; nothing of the file is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from watchglass_sync.archives import read_archive
from watchglass_sync.errors import ImportFormatError
from watchglass_sync.notebooks import read_notebook
from watchglass_sync.outputs import cut
from watchglass_sync.records import Chunk, OutputRecord
from watchglass_sync.scripts import read_script
from watchglass_sync.text import encode_output
from watchglass_sync.transcript import Output, TranscriptExecution

READERS: dict[str, Callable[[bytes], tuple[str | None, list[TranscriptExecution]]]] = {
    "py": read_script,
    "ipynb": read_notebook,
    "json": read_archive,
}
STREAM_TEXT = 64 * 2**10
SHOWN_TEXT = 256 * 2**10
TAIL_TEXT = 16 * 2**10
LARGEST = 2**62
FINISHED = frozenset({"ok", "error", "interrupted", "cancelled", "died", "timeout"})


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds."""

    name: str | None
    executions: list[TranscriptExecution]


@dataclass(frozen=True, slots=True)
class ImportedLog:
    """The (type, data) of the events to append, in order, and the text behind their streams."""

    events: list[tuple[str, dict[str, object]]]
    outputs: list[OutputRecord]


def read_import(data: bytes, file_format: str) -> Imported:
    """The file's executions; an ImportFormatError names the place that is wrong."""
    reader = READERS.get(file_format)
    if reader is None:
        raise ImportFormatError(
            f"format: there is no {file_format!r}; choose one of {', '.join(READERS)}"
        )
    return Imported(*reader(data))


def import_events(imported: Imported, author: object, new_id: Callable[[], str]) -> ImportedLog:
    """The events of the executions, numbered from 1, under ids of their own."""
    log = ImportedLog([], [])
    for number, one in enumerate(imported.executions, start=1):
        execution = new_id()
        about = {"execution": execution, "number": number, "code": one.code, "author": author}
        log.events.extend([("execution.queued", about), ("execution.started", about)])
        log.events.extend(_output_events(execution, number, one))
        log.outputs.extend(_texts(execution, one.outputs))
        finished = {
            "execution": execution,
            "status": one.status if one.status in FINISHED else "cancelled",
            "duration_ms": one.duration_ms or 0.0,
            "checkpoint": None,
        }
        log.events.append(("execution.finished", finished))
    return log


def _output_events(
    execution: str, number: int, one: TranscriptExecution
) -> Iterator[tuple[str, dict[str, object]]]:
    room = SHOWN_TEXT
    for output in one.outputs:
        data = {**output.data, "execution": execution}
        if output.type == "stream":
            yield from (("stream", {**data, "text": piece}) for piece in _pieces(output, room))
            room = max(0, room - len(_text(output)))
        elif output.type == "execute_result":
            yield "execute_result", {**data, "number": number}
        elif output.type == "input":
            asked = {name: data[name] for name in ("execution", "request", "prompt", "password")}
            yield "input.requested", asked
            yield "input.answered", data
        else:
            yield output.type, data
    if hidden := cut(_chunks(one), SHOWN_TEXT, LARGEST):
        yield "stream.truncated", {"execution": execution, **_without_middle(hidden)}


def _pieces(output: Output, room: int) -> Iterator[str]:
    text = _text(output)[:room]
    for start in range(0, len(text), STREAM_TEXT):
        yield text[start : start + STREAM_TEXT]


def _without_middle(hidden: Sequence[Chunk]) -> dict[str, object]:
    """What `stream.truncated` says of text that no `stream` event carries."""
    dropped = max(0, sum(len(chunk.text) for chunk in hidden) - TAIL_TEXT)
    tail = cut(hidden, dropped, TAIL_TEXT)
    return {
        "dropped_bytes": sum(len(encode_output(one.text)) for one in cut(hidden, 0, dropped)),
        "tail": [{"name": chunk.name, "text": chunk.text} for chunk in tail],
    }


def _chunks(one: TranscriptExecution) -> list[Chunk]:
    return [
        Chunk(output.data["name"], output.data["text"])
        for output in one.outputs
        if output.type == "stream"
    ]


def _texts(execution: str, outputs: list[Output]) -> Iterator[OutputRecord]:
    for output in outputs:
        text = _text(output)
        for start in range(0, len(text), STREAM_TEXT):
            yield OutputRecord(execution, output.data["name"], text[start : start + STREAM_TEXT])


def _text(output: Output) -> str:
    return str(output.data["text"]) if output.type == "stream" else ""
