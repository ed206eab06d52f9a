"""A mirrored session → records that put it into the journal, asleep, as if it had run here."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from watchglass_server.session_fold import Fold, decode_event, fold
from watchglass_server.session_records import asleep_row, event_records
from watchglass_sync.mirrored_session import MirroredSession
from watchglass_sync.records import (
    RESUMED_FROM,
    Record,
    SessionRecord,
    StateRecord,
)


@dataclass(frozen=True, slots=True)
class Resumed:
    """What to append, all at once, and how many of the mirror's rows are not in it."""

    records: list[Record]
    name: str
    executions: int
    variables: int
    values: int
    bad: int


def resumed(session: str, found: MirroredSession, origin: str) -> Resumed:
    """The session under its own id; `origin` is the data directory whose rows these are."""
    known = Fold(
        session=session,
        name=found.name,
        created_at=found.created_at,
        last_active_at=found.last_active_at,
        resumed_from=origin,
    )
    records: list[Record] = []
    bad = found.bad
    for time, type, data in found.events:
        try:
            event = decode_event(known.seq + 1, time, type, data)
        except msgspec.ValidationError:
            bad += 1
            continue
        known = fold(known, event)
        records += event_records(event, known)
    known = msgspec.structs.replace(known, last_active_at=found.last_active_at)
    state = StateRecord(known.seq, msgspec.to_builtins(known))
    row = SessionRecord({**asleep_row(known), RESUMED_FROM: known.resumed_from})
    return Resumed(
        [row, *records, *found.outputs, found.dump, state],
        name=found.name,
        executions=known.execution_count,
        variables=len(known.variables),
        values=sum(entry["stored"] is True for entry in found.dump.entries),
        bad=bad,
    )
