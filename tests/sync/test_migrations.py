"""A file of an older version becomes one of this version, with all that is in it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from watchglass_sync.errors import JournalBroken
from watchglass_sync.journal import Journal
from watchglass_sync.journal_reader import FILE_NAME
from watchglass_sync.migrations import APPLICATION_ID, SCHEMA_VERSION
from watchglass_sync.records import EventRecord, SessionRecord

# As version 1 wrote it: typed in here, not taken from the code, which must not change it.
VERSION_1 = f"""
CREATE TABLE sessions (session TEXT PRIMARY KEY, fields TEXT NOT NULL,
  last_seq INTEGER NOT NULL DEFAULT 0);
CREATE TABLE events (session TEXT NOT NULL, seq INTEGER NOT NULL, time TEXT NOT NULL,
  type TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (session, seq));
CREATE TABLE states (session TEXT PRIMARY KEY, seq INTEGER NOT NULL, state TEXT NOT NULL);
CREATE TABLE executions (session TEXT NOT NULL, execution TEXT NOT NULL,
  number INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (session, execution));
CREATE INDEX executions_by_number ON executions (session, number);
CREATE TABLE outputs (session TEXT NOT NULL, execution TEXT NOT NULL, start INTEGER NOT NULL,
  length INTEGER NOT NULL, name TEXT NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (session, execution, start));
CREATE TABLE dumps (session TEXT PRIMARY KEY, number INTEGER NOT NULL,
  entries TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE shares (session TEXT NOT NULL, share TEXT NOT NULL, fields TEXT NOT NULL,
  PRIMARY KEY (session, share));
PRAGMA application_id = {0x57474C4A};
PRAGMA user_version = 1;
"""


def write_version_1(path: Path) -> None:
    db = sqlite3.connect(path)
    db.executescript(VERSION_1)
    db.execute("""INSERT INTO sessions VALUES ('s', '{"name": "old"}', 3)""")
    for seq, name in enumerate(("x", "é", "x"), start=1):
        variable = {"preview": "nan", "value": {"$type": "float", "value": "nan"}}
        change = {"op": "set", "name": name, "execution": f"e{seq}", "variable": variable}
        data = json.dumps({"changes": [change], "running": False})
        db.execute("INSERT INTO events VALUES ('s', ?, 't', 'variables.changed', ?)", (seq, data))
    db.commit()
    db.close()


async def test_a_file_of_version_1_is_brought_to_this_version(tmp_path: Path) -> None:
    assert APPLICATION_ID == 0x57474C4A
    write_version_1(tmp_path / FILE_NAME)
    async with await Journal.open(tmp_path) as journal:
        assert (await journal.load("s")).row.fields == {"name": "old"}
        assert [one.seq for one in await journal.history("s", "x", None, 10)] == [3, 1]
        assert [one.seq for one in await journal.history("s", "é", None, 10)] == [2]
        await journal.append("s", [EventRecord(4, "t", "stream", {})])
    db = sqlite3.connect(tmp_path / FILE_NAME)
    assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    indexed = db.execute("SELECT name, nth, execution, kind FROM variable_changes").fetchall()
    assert sorted(indexed) == [
        ("\\u00e9", 1, "e2", "float nan"),
        ("x", 1, "e1", "float nan"),
        ("x", 2, "e3", "float nan"),
    ]
    db.close()


async def test_a_migrated_file_has_the_tables_of_a_fresh_one(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    write_version_1(tmp_path / "old" / FILE_NAME)
    schemas = []
    for name in ("old", "fresh"):
        async with await Journal.open(tmp_path / name) as journal:
            await journal.append("t", [SessionRecord({})])
        db = sqlite3.connect(tmp_path / name / FILE_NAME)
        tables = db.execute("SELECT name FROM sqlite_schema ORDER BY name").fetchall()
        columns = {name: db.execute(f"PRAGMA table_info({name})").fetchall() for (name,) in tables}
        schemas.append(columns)
        db.close()
    assert schemas[0] == schemas[1]


async def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    write_version_1(tmp_path / FILE_NAME)
    db = sqlite3.connect(tmp_path / FILE_NAME)
    db.execute("UPDATE events SET data = 'not JSON' WHERE seq = 2")
    db.commit()
    db.close()
    with pytest.raises(JournalBroken, match="cannot be brought to version 2"):
        await Journal.open(tmp_path)
    db = sqlite3.connect(tmp_path / FILE_NAME)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()
