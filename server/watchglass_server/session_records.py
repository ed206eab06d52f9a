"""A session that was not live here → the journal's records of what happened in it. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from watchglass_server.session_fold import Fold, SessionEvent
from watchglass_sync.records import EventRecord, ExecutionRecord, Record


def event_records(event: SessionEvent, known: Fold) -> Iterator[Record]:
    """The event, and the execution that ended with it; `known` is the session after it."""
    data = msgspec.to_builtins(event.data)
    yield EventRecord(event.seq, event.time, event.type, data)
    if event.type == "execution.finished":
        one = known.execution(data["execution"])
        if one is not None:
            yield ExecutionRecord(one.execution, one.number, msgspec.to_builtins(one))


def asleep_row(known: Fold) -> dict[str, object]:
    """The fields of the row of a session that has no process yet."""
    return {
        "name": known.name,
        "status": "hibernated",
        "created_at": known.created_at,
        "last_active_at": known.last_active_at,
        "executions": known.execution_count,
    }
