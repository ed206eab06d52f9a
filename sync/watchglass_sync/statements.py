"""Records → the statements that store them. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from watchglass_sync.errors import JournalOutOfOrder
from watchglass_sync.group_commit import Statement
from watchglass_sync.migrations import changed_names
from watchglass_sync.records import (
    DumpRecord,
    EventRecord,
    ExecutionRecord,
    OutputRecord,
    Record,
    SessionDeleted,
    SessionRecord,
    ShareRecord,
    ShareRevoked,
    StateRecord,
)
from watchglass_sync.text import encode_json, encode_output, key

EVENT = "INSERT INTO events VALUES (?, ?, ?, ?, ?)"
CHANGE = "INSERT INTO variable_changes VALUES (?, ?, ?, ?)"
LAST_SEQ = "UPDATE sessions SET last_seq = ? WHERE session = ?"
SESSION = (
    "INSERT INTO sessions (session, fields) VALUES (?, ?)"
    " ON CONFLICT (session) DO UPDATE SET fields = excluded.fields"
)
OUTPUT = (
    "INSERT INTO outputs SELECT ?1, ?2, coalesce((SELECT start + length FROM outputs"
    " WHERE session = ?1 AND execution = ?2 ORDER BY start DESC LIMIT 1), 0), ?3, ?4, ?5"
)
EXECUTION = "INSERT OR REPLACE INTO executions VALUES (?, ?, ?, ?)"
STATE = "INSERT OR REPLACE INTO states VALUES (?, ?, ?)"
DUMP = "INSERT OR REPLACE INTO dumps VALUES (?, ?, ?, ?)"
SHARE = "INSERT OR REPLACE INTO shares VALUES (?, ?, ?)"
REVOKE = "DELETE FROM shares WHERE session = ? AND share = ?"
TABLES = (
    "sessions",
    "events",
    "states",
    "executions",
    "outputs",
    "dumps",
    "shares",
    "variable_changes",
)


def seq_range(records: Sequence[Record]) -> tuple[int, int]:
    """The first and last `seq` of the events among `records`; (0, 0) when there is none."""
    seqs = [record.seq for record in records if isinstance(record, EventRecord)]
    if any(after != before + 1 for before, after in pairwise(seqs)):
        raise JournalOutOfOrder(f"the events of one append are not consecutive: {seqs[:10]}")
    return (seqs[0], seqs[-1]) if seqs else (0, 0)


def statements(session: str, records: Sequence[Record]) -> list[Statement]:
    """What to run, in order: the session's row comes first, so that the rest has an owner."""
    ordered = sorted(records, key=lambda record: not isinstance(record, SessionRecord))
    last_seq = seq_range(records)[1]
    found = [statement for record in ordered for statement in _of(key(session), record)]
    return [*found, (LAST_SEQ, (last_seq, key(session)))] if last_seq else found


def _of(session: str, record: Record) -> Iterator[Statement]:
    match record:
        case EventRecord(seq, time, kind, data):
            yield EVENT, (session, seq, time, kind, encode_json(dict(data)))
            if kind == "variables.changed":
                for position, name in changed_names(data):
                    yield CHANGE, (session, key(name), seq, position)
        case OutputRecord(execution, name, text):
            if text:
                yield OUTPUT, (session, key(execution), len(text), name, encode_output(text))
        case ExecutionRecord(execution, number, data):
            yield EXECUTION, (session, key(execution), number, encode_json(dict(data)))
        case DumpRecord(number, data, entries):
            yield DUMP, (session, number, encode_json([dict(entry) for entry in entries]), data)
        case SessionRecord(fields):
            yield SESSION, (session, encode_json(dict(fields)))
        case StateRecord(seq, state):
            yield STATE, (session, seq, encode_json(dict(state)))
        case ShareRecord(share, fields):
            yield SHARE, (session, key(share), encode_json(dict(fields)))
        case ShareRevoked(share):
            yield REVOKE, (session, key(share))
        case SessionDeleted():
            for table in TABLES:
                yield f"DELETE FROM {table} WHERE session = ?", (session,)
