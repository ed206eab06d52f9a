"""The journal's tables, as steps from each version to the next. Steps are never changed later."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from watchglass_sync.errors import JournalTooNew
from watchglass_sync.text import key

APPLICATION_ID = 0x57474C4A
"""Marks the file as a journal: `PRAGMA application_id`, "WGLJ"."""
KIND_LETTERS = 100


class Connection(Protocol):
    """What a step may do with the database."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Iterable[Any]:
        """Run one statement."""
        ...


def _create(connection: Connection) -> None:
    """Version 1: one row per thing that happened, keyed by its session."""
    for statement in (
        "CREATE TABLE sessions (session TEXT PRIMARY KEY, fields TEXT NOT NULL,"
        " last_seq INTEGER NOT NULL DEFAULT 0)",
        "CREATE TABLE events (session TEXT NOT NULL, seq INTEGER NOT NULL, time TEXT NOT NULL,"
        " type TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (session, seq))",
        "CREATE TABLE states (session TEXT PRIMARY KEY, seq INTEGER NOT NULL, state TEXT NOT NULL)",
        "CREATE TABLE executions (session TEXT NOT NULL, execution TEXT NOT NULL,"
        " number INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (session, execution))",
        "CREATE INDEX executions_by_number ON executions (session, number)",
        # start and length count Unicode code points, data is their UTF-8 (surrogates passed).
        "CREATE TABLE outputs (session TEXT NOT NULL, execution TEXT NOT NULL,"
        " start INTEGER NOT NULL, length INTEGER NOT NULL, name TEXT NOT NULL,"
        " data BLOB NOT NULL, PRIMARY KEY (session, execution, start))",
        "CREATE TABLE dumps (session TEXT PRIMARY KEY, number INTEGER NOT NULL,"
        " entries TEXT NOT NULL, data BLOB NOT NULL)",
        "CREATE TABLE shares (session TEXT NOT NULL, share TEXT NOT NULL, fields TEXT NOT NULL,"
        " PRIMARY KEY (session, share))",
    ):
        connection.execute(statement)


def _index_variable_changes(connection: Connection) -> None:
    """Version 2: which events changed a variable, so that its history needs no scan."""
    connection.execute(
        "CREATE TABLE variable_changes (session TEXT NOT NULL, name TEXT NOT NULL,"
        " seq INTEGER NOT NULL, position INTEGER NOT NULL,"
        " PRIMARY KEY (session, name, seq, position)) WITHOUT ROWID"
    )
    rows = connection.execute(
        "SELECT session, seq, data FROM events WHERE type = 'variables.changed'"
    )
    for session, seq, data in list(rows):
        for position, name in changed_names(json.loads(data)):
            connection.execute(
                "INSERT INTO variable_changes VALUES (?, ?, ?, ?)",
                (session, key(name), seq, position),
            )


def _tell_changes_apart(connection: Connection) -> None:
    """Version 3: who made each change, what the value became, and the how manyth it is."""
    for column in ("execution TEXT", "kind TEXT", "nth INTEGER NOT NULL DEFAULT 0"):
        connection.execute(f"ALTER TABLE variable_changes ADD COLUMN {column}")
    rows = connection.execute(
        "SELECT session, seq, data FROM events WHERE type = 'variables.changed'"
        " ORDER BY session, seq"
    )
    counts: Counter[tuple[str, str]] = Counter()
    for session, seq, data in list(rows):
        told = json.loads(data)
        for position, name in changed_names(told):
            change = told["changes"][position]
            counts[session, name] += 1
            connection.execute(
                "UPDATE variable_changes SET execution = ?, kind = ?, nth = ?"
                " WHERE session = ? AND name = ? AND seq = ? AND position = ?",
                (
                    *(execution_of(change), kind_of(change), counts[session, name]),
                    *(session, key(name), seq, position),
                ),
            )


def changed_names(data: Any) -> list[tuple[int, str]]:
    """The names in a `variables.changed` event, each with its place in `changes`."""
    changes = data.get("changes")
    if not isinstance(changes, list):
        return []
    return [
        (position, change["name"])
        for position, change in enumerate(changes)
        if isinstance(change, dict) and isinstance(change.get("name"), str)
    ]


def execution_of(change: Any) -> str | None:
    """The execution that made a change, as a column."""
    execution = change.get("execution")
    return key(execution) if isinstance(execution, str) else None


def kind_of(change: Any) -> str:
    """What the value became, as a column: people ask when it was that for the first time."""
    variable = change.get("variable")
    if not isinstance(variable, dict):
        return "deleted"
    match variable.get("value"):
        case {"$type": "float", "value": "nan" | "inf" | "-inf" as text}:
            return f"float {text}"
        case {"$type": "int", "value": str(text)} if text.startswith("-"):
            return "negative"
        case int() | float() as number if number < 0:
            return "negative"
    return key(str(variable.get("type"))[:KIND_LETTERS])


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    _create,
    _index_variable_changes,
    _tell_changes_apart,
)
SCHEMA_VERSION = len(MIGRATIONS)


def pending(version: int, where: str) -> tuple[tuple[int, Callable[[Connection], None]], ...]:
    """The steps that a file of `version` still needs, each with the version it leads to."""
    if version > SCHEMA_VERSION:
        raise JournalTooNew(
            f"the journal {where} has schema version {version}, this Watchglass knows up to "
            f"{SCHEMA_VERSION}: it was written by a newer one; install that, or choose another "
            "directory with --data-dir"
        )
    return tuple(enumerate(MIGRATIONS, start=1))[version:]
