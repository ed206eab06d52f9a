"""Journal → file: a session as .py, .ipynb or .json."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace

from watchglass_sync.archives import write_archive
from watchglass_sync.errors import ExportError
from watchglass_sync.journal import Journal
from watchglass_sync.notebooks import write_notebook
from watchglass_sync.records import Chunk, Event
from watchglass_sync.scripts import write_script
from watchglass_sync.transcript import Transcript, TranscriptExecution, with_text

CONTENT_TYPES = {
    "py": "text/x-python; charset=utf-8",
    "ipynb": "application/x-ipynb+json",
    "json": "application/json",
}
SHOWN_FIELDS = ("name", "created_at", "last_active_at", "limits")
"""What of a session's row may leave the server: never what opens it."""
EVENTS_AT_ONCE = 1000
NOTEBOOK_TEXT = 2**20
"""Code points of one execution's output in a notebook, which a browser must be able to open."""
ARCHIVE_TEXT = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Exported:
    """A file, ready to be sent."""

    filename: str
    content_type: str
    data: bytes


async def export_session(journal: Journal, session: str, file_format: str) -> Exported:
    """The session as a file in one of the formats."""
    if file_format not in CONTENT_TYPES:
        known = ", ".join(CONTENT_TYPES)
        raise ExportError(f"format: there is no {file_format!r}; choose one of {known}")
    loaded = await journal.load(session)
    fields = loaded.row.fields
    events = await _all_events(journal, session)
    transcript = Transcript()
    await asyncio.to_thread(_replay, transcript, events)
    executions = [
        await _complete(journal, session, one, file_format)
        for one in transcript.executions.values()
    ]
    name = str(fields.get("name") or session)
    if file_format == "py":
        data = await asyncio.to_thread(write_script, name, executions)
    elif file_format == "ipynb":
        data = await asyncio.to_thread(write_notebook, name, executions)
    else:
        shown = {field: fields[field] for field in SHOWN_FIELDS if field in fields}
        variables = list(transcript.variables.values())
        data = await asyncio.to_thread(write_archive, shown, executions, variables, events)
    return Exported(f"{_stem(name)}.{file_format}", CONTENT_TYPES[file_format], data)


async def _all_events(journal: Journal, session: str) -> list[Event]:
    found: list[Event] = []
    while page := await journal.events(
        session, found[-1].seq if found else 0, EVENTS_AT_ONCE, max_bytes=8 * 2**20
    ):
        found.extend(page)
    return found


def _replay(transcript: Transcript, events: list[Event]) -> None:
    for event in events:
        transcript.apply(event)


async def _complete(
    journal: Journal, session: str, one: TranscriptExecution, file_format: str
) -> TranscriptExecution:
    """An execution whose streams were cut short gets the text that was kept of them."""
    if not one.truncated or file_format == "py":
        return one
    limit = ARCHIVE_TEXT if file_format == "json" else NOTEBOOK_TEXT
    chunks, total = await journal.output(session, one.execution, 0, limit)
    if total > limit:
        left_out = f"\n… {total - limit} more characters; the .json export has them\n"
        chunks = [*chunks, Chunk("stderr", left_out)]
    return replace(one, outputs=with_text(one.outputs, chunks))


def _stem(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80] or "session"
