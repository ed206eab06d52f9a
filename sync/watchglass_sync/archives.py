"""A whole session ⇄ its .json file: code, outputs, variables and every event. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from watchglass_sync.errors import ImportFormatError
from watchglass_sync.places import Place
from watchglass_sync.records import Event
from watchglass_sync.transcript import OUTPUT_TYPES, Output, TranscriptExecution

FORMAT = "watchglass-session"
VERSION = 1
STATUSES = ("ok", "error", "interrupted", "cancelled", "died", "timeout", "queued", "running")
OUTPUT_FIELDS: Mapping[str, Sequence[str]] = {
    "stream": ("name", "text"),
    "error": ("name", "message", "traceback"),
    "display_data": ("bundle",),
    "execute_result": ("bundle",),
    "input": ("request", "prompt", "password", "text"),
}


def write_archive(
    fields: Mapping[str, object],
    executions: Sequence[TranscriptExecution],
    variables: Sequence[Mapping[str, object]],
    events: Sequence[Event],
) -> bytes:
    """The file. ASCII, so that nothing that a JSON string can hold is lost."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "session": dict(fields),
        "executions": [_written(one) for one in executions],
        "variables": list(variables),
        "events": [
            {"seq": one.seq, "time": one.time, "type": one.type, "data": one.data} for one in events
        ],
    }
    return json.dumps(document, allow_nan=False).encode() + b"\n"


def _written(one: TranscriptExecution) -> dict[str, object]:
    return {
        "execution": one.execution,
        "number": one.number,
        "code": one.code,
        "author": one.author,
        "status": one.status,
        "duration_ms": one.duration_ms,
        "outputs": [{"type": output.type, "data": output.data} for output in one.outputs],
    }


def read_archive(data: bytes) -> tuple[str | None, list[TranscriptExecution]]:
    """The session's name and its executions with all their outputs."""
    root = Place.parse(data, "the file")
    if root.get("format", None).value != FORMAT:
        raise ImportFormatError(
            f'format: expected "{FORMAT}"; this is no session that Watchglass exported'
        )
    version = root.get("version").integer()
    if version > VERSION:
        raise ImportFormatError(
            f"version: {version} is newer than {VERSION}; import it with a newer Watchglass"
        )
    executions = [_read(place) for place in root.get("executions").items("execution")]
    name = root.get("session", {}).get("name", None).value
    return name if isinstance(name, str) else None, executions


def _read(place: Place) -> TranscriptExecution:
    duration_ms: Any = place.get("duration_ms", None).value
    return TranscriptExecution(
        execution=place.get("execution", "").string(),
        number=place.get("number").integer(),
        code=place.get("code").string(),
        author=place.get("author", None).value,
        status=place.get("status").one_of(*STATUSES),
        duration_ms=float(duration_ms) if isinstance(duration_ms, (int, float)) else None,
        outputs=[_read_output(output) for output in place.get("outputs").items("output")],
    )


def _read_output(place: Place) -> Output:
    kind = place.get("type").one_of(*sorted(OUTPUT_TYPES))
    data = place.get("data")
    for name in OUTPUT_FIELDS[kind]:
        data.get(name)
    if kind == "stream":
        data.get("name").one_of("stdout", "stderr")
        data.get("text").string()
    elif kind == "error":
        data.get("name").string()
        data.get("message").string()
        for line in data.get("traceback").items("line"):
            line.string()
    elif kind == "input":
        data.get("prompt").string()
    else:
        data.get("bundle").object()
    return Output(kind, data.object())
