"""SQLite rows → what the journal gives back. Queries only; the connection comes from outside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from watchglass_sync.errors import SessionUnknown
from watchglass_sync.outputs import cut
from watchglass_sync.records import (
    Chunk,
    Event,
    Loaded,
    SessionRow,
    ShareRow,
    StoredDump,
    StoredExecution,
    VariableChange,
)
from watchglass_sync.text import decode_object, decode_objects, decode_output, key
from watchglass_sync.watches import watch_name

QUICK_CHECK_PAGES = 16384
"""64 MiB: the largest file that is checked whole at every start (about 0.2 s)."""

LARGEST = 2**63 - 1


class Cursor(Iterable[Any], Protocol):
    """What a query answers."""

    def __iter__(self) -> Iterator[Any]: ...
    def fetchone(self) -> Any: ...


class Connection(Protocol):
    """What a query needs of a database."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Cursor: ...


def sessions(db: Connection) -> list[SessionRow]:
    rows = db.execute("SELECT session, fields, last_seq FROM sessions ORDER BY rowid")
    return [_session_row(*row) for row in rows]


def load(db: Connection, session: str) -> Loaded:
    stored = db.execute(
        "SELECT seq, state FROM states WHERE session = ?", (key(session),)
    ).fetchone()
    state_seq, state = (stored[0], decode_object(stored[1])) if stored else (0, None)
    row, later = outbox(db, session, state_seq, LARGEST, None)
    return Loaded(row, state, state_seq, later)


def events(
    db: Connection, session: str, after: int, limit: int, max_bytes: int | None
) -> list[Event]:
    rows = db.execute(
        "SELECT seq, time, type, data FROM events WHERE session = ? AND seq > ?"
        " ORDER BY seq LIMIT ?",
        (key(session), _bounded(after), _bounded(limit)),
    )
    found: list[Event] = []
    size = 0
    for seq, time, kind, data in rows:
        size += len(data)
        if found and max_bytes is not None and size > max_bytes:
            break
        found.append(Event(seq, time, kind, decode_object(data)))
    return found


def outbox(
    db: Connection, session: str, after: int, limit: int, max_bytes: int | None
) -> tuple[SessionRow, list[Event]]:
    row = db.execute(
        "SELECT session, fields, last_seq FROM sessions WHERE session = ?", (key(session),)
    ).fetchone()
    if row is None:
        raise SessionUnknown(f"the journal has no session {session!r}")
    return _session_row(*row), events(db, session, after, limit, max_bytes)


def output(
    db: Connection, session: str, execution: str, offset: int, limit: int
) -> tuple[list[Chunk], int]:
    where = (key(session), key(execution))
    of = "FROM outputs WHERE session = ? AND execution = ?"
    last = db.execute(f"SELECT start + length {of} ORDER BY start DESC LIMIT 1", where).fetchone()
    total: int = last[0] if last else 0
    if not 0 <= offset < total or limit <= 0:
        return [], total
    (first,) = db.execute(f"SELECT max(start) {of} AND start <= ?", (*where, offset)).fetchone()
    rows = db.execute(
        f"SELECT name, data {of} AND start >= ? AND start < ? ORDER BY start",
        (*where, first, min(offset + limit, total)),
    )
    chunks = (Chunk(name, decode_output(data)) for name, data in rows)
    return cut(chunks, offset - first, limit), total


def executions(
    db: Connection, session: str, before: int | None, limit: int
) -> list[StoredExecution]:
    rows = db.execute(
        "SELECT execution, number, data FROM executions WHERE session = ? AND number < ?"
        " ORDER BY number DESC, rowid DESC LIMIT ?",
        (key(session), _bounded(before), _bounded(limit)),
    )
    found = [StoredExecution(_unkey(row[0]), row[1], decode_object(row[2])) for row in rows]
    return found[::-1]


def execution(db: Connection, session: str, execution: str) -> StoredExecution | None:
    row = db.execute(
        "SELECT execution, number, data FROM executions WHERE session = ? AND execution = ?",
        (key(session), key(execution)),
    ).fetchone()
    return StoredExecution(_unkey(row[0]), row[1], decode_object(row[2])) if row else None


def dump(db: Connection, session: str) -> StoredDump | None:
    row = db.execute(
        "SELECT number, data, entries FROM dumps WHERE session = ?", (key(session),)
    ).fetchone()
    return StoredDump(row[0], row[1], decode_objects(row[2])) if row else None


def shares(db: Connection, session: str | None) -> list[ShareRow]:
    rows = db.execute(
        "SELECT session, share, fields FROM shares WHERE ? IS NULL OR session = ? ORDER BY rowid",
        (None if session is None else key(session),) * 2,
    )
    return [ShareRow(_unkey(row[0]), _unkey(row[1]), decode_object(row[2])) for row in rows]


def history(
    db: Connection, session: str, name: str, before_seq: int | None, limit: int
) -> list[VariableChange]:
    rows = _indexed(db, session, key(name), "changes", before_seq, limit)
    return [
        VariableChange(seq, time, nth, decode_object(text), number)
        for seq, time, nth, text, number, _, _ in rows
    ]


def watch_history(
    db: Connection, session: str, watch: str, before_seq: int | None, limit: int
) -> list[VariableChange]:
    """The same of a watch: its events say once for all watches who changed them."""
    rows = _indexed(db, session, watch_name(watch), "watches", before_seq, limit)
    return [
        VariableChange(
            seq,
            time,
            nth,
            {**decode_object(text), "op": "set", "execution": execution, "line": line},
            number,
        )
        for seq, time, nth, text, number, execution, line in rows
    ]


def _indexed(
    db: Connection, session: str, stored_name: str, part: str, before_seq: int | None, limit: int
) -> Cursor:
    """The changes of what has this name in the index, the newest first."""
    # SQLite takes the one change out of an event that may hold a hundred.
    return db.execute(
        f"SELECT seq, time, nth, json_extract(events.data, '$.{part}[' || position || ']'), number,"
        " json_extract(events.data, '$.execution'), json_extract(events.data, '$.line')"
        " FROM variable_changes JOIN events USING (session, seq)"
        " LEFT JOIN executions USING (session, execution)"
        " WHERE session = ?1 AND name = ?2 AND seq IN (SELECT DISTINCT seq FROM variable_changes"
        " WHERE session = ?1 AND name = ?2 AND seq < ?3 ORDER BY seq DESC LIMIT ?4)"
        " ORDER BY seq DESC, position DESC",
        (key(session), stored_name, _bounded(before_seq), _bounded(limit)),
    )


def integrity(db: Connection) -> list[str]:
    """What SQLite finds wrong with the whole file."""
    return [text for (text,) in db.execute("PRAGMA integrity_check(10)") if text != "ok"]


def damage(db: Connection) -> list[str]:
    """The same, but quicker, and nothing for a large file, which would make a start slow."""
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    if pages > QUICK_CHECK_PAGES:
        return []
    return [text for (text,) in db.execute("PRAGMA quick_check(1)") if text != "ok"]


def _session_row(session: str, fields: str, last_seq: int) -> SessionRow:
    return SessionRow(_unkey(session), decode_object(fields), last_seq)


def _unkey(text: str) -> str:
    found: str = json.loads(f'"{text}"')
    return found


def _bounded(number: int | None) -> int:
    """A client's number as SQLite can take it; none is no bound."""
    return LARGEST if number is None else max(0, min(number, LARGEST))
