"""Bench ⇄ SpacetimeDB: another client of the mirror, in a process of its own.

python -m bench.mirror_reader URI DATABASE CREDENTIALS stamps|changes SESSIONS DONE

Says that it is ready, ends when so many sessions have a variable `done` with this number, and says
what it has seen.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.mirror_programs import DONE, STAMP, UNIT
from spacetimedb_client import Connection, FileCredentials, connect

QUERIES = {
    "stamps": [f"SELECT * FROM variable WHERE name = '{name}'" for name in (STAMP, DONE)],
    "changes": ["SELECT * FROM variable", "SELECT * FROM variable_change"],
}


class Seen:
    """What came as rows, and when."""

    def __init__(self, sessions: int, number: int) -> None:
        self.latencies_ms: list[float] = []
        self.done: dict[str, float] = {}
        self.changes: Counter[str] = Counter()
        self.all_done = asyncio.Event()
        self._sessions = sessions
        self._number = number

    def variable(self, row: Any) -> None:
        """A row of `variable`, inserted or in the place of an older one."""
        now = time.time()
        if row.name == STAMP:
            self.latencies_ms.append((now - row.value.value) * 1000)
        elif row.name == DONE and row.value.value == self._number:
            self.done[row.session] = now
            if len(self.done) == self._sessions:
                self.all_done.set()

    def change(self, row: Any) -> None:
        """A row of `variable_change`."""
        self.changes[row.session] += 1


async def read(
    uri: str, database: str, folder: str, what: str, sessions: str, number: str
) -> dict[str, Any]:
    credentials = FileCredentials(Path(folder))
    async with connect(uri, database, token=credentials, light=True) as conn:
        seen = Seen(int(sessions), int(number))
        await conn.subscribe(*QUERIES[what])
        conn.db.variable.on_insert(lambda _, row: seen.variable(row))
        conn.db.variable.on_update(lambda _, __, row: seen.variable(row))
        conn.db.variable_change.on_insert(lambda _, row: seen.change(row))
        gc.collect()
        print("ready", flush=True)
        await seen.all_done.wait()
        return {
            "latencies_ms": seen.latencies_ms,
            "done": seen.done,
            "changes": seen.changes,
            "places": places(conn),
            "values": values(conn),
        }


def places(conn: Connection) -> dict[str, int]:
    """How many changes each session has had, as the last of its rows says."""
    found: dict[str, int] = {}
    for row in conn.db.variable_change:
        found[row.session] = max(found.get(row.session, 0), row.place + 1)
    return found


def values(conn: Connection) -> dict[str, list[int]]:
    """Which values the variables of each session have at the end."""
    found: dict[str, set[int]] = {}
    for row in conn.db.variable:
        if row.name.startswith(UNIT):
            found.setdefault(row.session, set()).add(row.value.value)
    return {session: sorted(of) for session, of in found.items()}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(read(*sys.argv[1:]))))
