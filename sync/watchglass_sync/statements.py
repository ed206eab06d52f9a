"""Records → what is stored of them: rows of tables, printed text, removals. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from watchglass_sync.errors import JournalOutOfOrder
from watchglass_sync.migrations import changed_names, execution_of, kind_of
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
from watchglass_sync.text import encode_json, key
from watchglass_sync.watches import changed_watches, watch_name


@dataclass(frozen=True, slots=True)
class Into:
    """A table that rows are put into, many with one statement."""

    head: str
    columns: int
    tail: str = ""

    def sql(self, rows: int) -> str:
        """The statement for that many rows."""
        row = f"({', '.join('?' * self.columns)})"
        return f"{self.head} VALUES {', '.join([row] * rows)}{self.tail}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row, in the order of its table's columns."""

    into: Into
    values: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Print:
    """Text behind what an execution printed so far."""

    execution: tuple[str, str]
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of a variable, for the index: told at `place`, the event's `seq` and where in it."""

    variable: tuple[str, str]
    place: tuple[int, int]
    execution: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Removal:
    """Rows that go."""

    sql: str
    values: tuple[object, ...]


Statement = Row | Print | Changed | Removal

SESSIONS = Into(
    "INSERT INTO sessions (session, fields)",
    2,
    " ON CONFLICT (session) DO UPDATE SET fields = excluded.fields",
)
EVENTS = Into("INSERT INTO events", 5)
CHANGES = Into("INSERT INTO variable_changes", 7)
EXECUTIONS = Into("INSERT OR REPLACE INTO executions", 4)
STATES = Into("INSERT OR REPLACE INTO states", 3)
DUMPS = Into("INSERT OR REPLACE INTO dumps", 4)
SHARES = Into("INSERT OR REPLACE INTO shares", 3)
OUTPUTS = Into("INSERT INTO outputs", 6)
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
    """What to store, in order."""
    return [one for record in records for one in _of(key(session), record)]


def size_bytes(statement: Statement) -> int:
    """About how much memory it holds while it waits."""
    if isinstance(statement, Print):
        return 64 + len(statement.text)
    if isinstance(statement, Changed):
        return 128 + len(statement.variable[1])
    return 64 + sum(len(value) for value in statement.values if isinstance(value, (str, bytes)))


def _of(session: str, record: Record) -> Iterator[Statement]:
    match record:
        case EventRecord(seq, time, kind, data):
            yield Row(EVENTS, (session, seq, time, kind, encode_json(dict(data))))
            if kind == "variables.changed":
                yield from _changes(session, seq, data)
            elif kind == "watches.changed":
                yield from _watch_changes(session, seq, data)
        case OutputRecord(execution, name, text):
            yield Print((session, key(execution)), name, text)
        case ExecutionRecord(execution, number, data):
            yield Row(EXECUTIONS, (session, key(execution), number, encode_json(dict(data))))
        case DumpRecord(number, data, entries):
            yield Row(DUMPS, (session, number, encode_json([dict(one) for one in entries]), data))
        case SessionRecord(fields):
            yield Row(SESSIONS, (session, encode_json(dict(fields))))
        case StateRecord(seq, state):
            yield Row(STATES, (session, seq, encode_json(dict(state))))
        case ShareRecord(share, fields):
            yield Row(SHARES, (session, key(share), encode_json(dict(fields))))
        case ShareRevoked(share):
            yield Removal(REVOKE, (session, key(share)))
        case SessionDeleted():
            for table in TABLES:
                yield Removal(f"DELETE FROM {table} WHERE session = ?", (session,))


def _changes(session: str, seq: int, data: Any) -> Iterator[Statement]:
    for position, name in changed_names(data):
        change = data["changes"][position]
        variable = session, key(name)
        yield Changed(variable, (seq, position), execution_of(change), kind_of(change))


def _watch_changes(session: str, seq: int, data: Any) -> Iterator[Statement]:
    for position, watch in changed_watches(data):
        change = data["watches"][position]
        named = session, watch_name(watch)
        yield Changed(named, (seq, position), execution_of(data), kind_of(change))
