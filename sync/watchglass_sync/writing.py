"""A group of appends → few statements in one transaction; the connection comes from outside.

Each statement lets another thread run, and a busy event loop gives the interpreter back only after
some milliseconds: with a statement for each row, a flood would wait for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from watchglass_sync.errors import JournalError, JournalOutOfOrder, SessionUnknown
from watchglass_sync.group_commit import Append, Outcome
from watchglass_sync.outputs import joined
from watchglass_sync.reading import Connection
from watchglass_sync.records import Chunk
from watchglass_sync.statements import CHANGES, OUTPUTS, Changed, Into, Print, Removal, Row
from watchglass_sync.text import encode_output, key
from watchglass_sync.thinning import Thinning

ROWS_AT_ONCE = (1000, 100, 10, 1)
"""Few sizes, so that their statements stay prepared."""
PIECE_LETTERS = 64 * 2**10
Execution = tuple[str, str]


@dataclass(slots=True)
class _Stage:
    """What the group has said so far and no statement has stored yet."""

    thinning: Thinning
    rows: dict[Into, list[tuple[object, ...]]] = field(default_factory=dict)
    changes: list[Changed] = field(default_factory=list)
    printed: dict[Execution, list[Chunk]] = field(default_factory=dict)
    last_seqs: dict[str, int] = field(default_factory=dict)


def write_group(db: Connection, group: Sequence[Append], thinning: Thinning) -> list[Outcome]:
    """Store what can be stored; one outcome for each append, in order."""
    last_seqs = _last_seqs(db, {key(append.session) for append in group})
    stage = _Stage(thinning)
    outcomes: list[Outcome] = []
    for append in group:
        session = key(append.session)
        problem = _problem(append, last_seqs.get(session))
        outcomes.append(problem)
        if problem is not None or append.is_barrier:
            continue
        _put(db, stage, append)
        last_seqs[session] = max(last_seqs.get(session, 0), append.last_seq)
        if append.last_seq:
            stage.last_seqs[session] = append.last_seq
        if append.deletes:
            _flush(db, stage)
            del last_seqs[session]
    _flush(db, stage)
    return outcomes


def _last_seqs(db: Connection, sessions: set[str]) -> dict[str, int]:
    sql = "SELECT session, last_seq FROM sessions WHERE session = ?"
    rows = (db.execute(sql, (session,)).fetchone() for session in sorted(sessions))
    return {row[0]: row[1] for row in rows if row is not None}


def _problem(append: Append, last_seq: int | None) -> JournalError | None:
    if append.is_barrier:
        return None
    if last_seq is None and not append.creates:
        return SessionUnknown(f"the journal has no session {append.session!r}")
    if append.first_seq and append.first_seq != (last_seq or 0) + 1:
        return JournalOutOfOrder(
            f"session {append.session!r}: event {append.first_seq} does not follow the last "
            f"stored one, {last_seq or 0}; append the missing ones first"
        )
    return None


def _put(db: Connection, stage: _Stage, append: Append) -> None:
    for statement in append.statements:
        match statement:
            case Row(into, values):
                stage.rows.setdefault(into, []).append(values)
            case Changed():
                stage.changes.append(statement)
            case Print(execution, name, text):
                stage.printed.setdefault(execution, []).append(Chunk(name, text))
            case Removal(sql, values):
                _flush(db, stage)
                db.execute(sql, values)


def _flush(db: Connection, stage: _Stage) -> None:
    for into, rows in stage.rows.items():
        _insert(db, into, rows)
    if stage.changes:
        _insert(db, CHANGES, stage.thinning.numbered(db, stage.changes))
        stage.thinning.thin(db, stage.changes)
    for execution, chunks in stage.printed.items():
        _insert(db, OUTPUTS, list(_pieces(execution, _end(db, execution), joined(chunks))))
    for session, last_seq in stage.last_seqs.items():
        db.execute("UPDATE sessions SET last_seq = ? WHERE session = ?", (last_seq, session))
    stage.rows.clear()
    stage.changes.clear()
    stage.printed.clear()
    stage.last_seqs.clear()


def _insert(db: Connection, into: Into, rows: Sequence[tuple[object, ...]]) -> None:
    done = 0
    for size in ROWS_AT_ONCE:
        while len(rows) - done >= size:
            values = [value for row in rows[done : done + size] for value in row]
            db.execute(into.sql(size), values)
            done += size


def _end(db: Connection, execution: Execution) -> int:
    row = db.execute(
        "SELECT start + length FROM outputs WHERE session = ? AND execution = ?"
        " ORDER BY start DESC LIMIT 1",
        execution,
    ).fetchone()
    end: int = row[0] if row else 0
    return end


def _pieces(
    execution: Execution, start: int, chunks: Iterable[Chunk]
) -> Iterator[tuple[object, ...]]:
    for chunk in chunks:
        for first in range(0, len(chunk.text), PIECE_LETTERS):
            text = chunk.text[first : first + PIECE_LETTERS]
            yield (*execution, start, len(text), chunk.name, encode_output(text))
            start += len(text)
