"""A file that was read in → a session in the journal, asleep, as if it had run here."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from watchglass_server.clock import Clock
from watchglass_server.session_fold import Fold, decode_event, fold
from watchglass_server.session_records import asleep_row, event_records
from watchglass_server.tokens import new_id
from watchglass_sync.imports import Imported, import_events
from watchglass_sync.journal import Journal
from watchglass_sync.records import (
    OutputRecord,
    Record,
    SessionRecord,
    StateRecord,
)

AT_ONCE = 200


async def import_session(journal: Journal, clock: Clock, imported: Imported, name: str) -> str:
    """Write it and return the new session's id."""
    session = new_id()
    now = clock.now().time
    log = import_events(imported, None, lambda: new_id("e"))
    known = Fold(session=session, name=name, created_at=now, last_active_at=now)
    await journal.append(session, [SessionRecord(asleep_row(known))])
    for first in range(0, len(log.events), AT_ONCE):
        records: list[Record] = []
        for type, data in log.events[first : first + AT_ONCE]:
            event = decode_event(known.seq + 1, now, type, data)
            known = fold(known, event)
            records += event_records(event, known)
        await journal.append(session, records)
    await _store_outputs(journal, session, log.outputs)
    ending: list[Record] = [
        StateRecord(known.seq, msgspec.to_builtins(known)),
        SessionRecord(asleep_row(known)),
    ]
    await journal.append(session, ending)
    return session


async def _store_outputs(journal: Journal, session: str, outputs: Sequence[OutputRecord]) -> None:
    for first in range(0, len(outputs), AT_ONCE):
        await journal.append(session, outputs[first : first + AT_ONCE])
        await journal.room()
