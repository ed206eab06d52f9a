"""Database → page: rows as JSON, the newest of each for everyone who looks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from spacetimedb_client import Connection

# Of each table: which columns the page is sent. The first is its primary key.
ARENA_TABLES = {
    "unit": "name x y heading score",
    "food": "id x y",
    "player": "unit session script colour",
}
MIRROR_TABLES = {
    "process": "session state",
    "execution": "key session execution number code author status result error",
    "output": "key session execution place kind text",
    "command_result": "key command session execution ok message",
    "variable": "key session name type preview version",
}

Json = dict[str, Any]


class Viewer:
    """One page, and what it has not been sent yet: never more than one version of a row."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, object], Json | None] = {}
        self._some = asyncio.Event()

    def put(self, table: str, key: object, row: Json | None) -> None:
        self._waiting[table, key] = row
        self._some.set()

    async def take(self) -> list[tuple[str, object, Json | None]]:
        """All that has changed, once something has; None stands for a row that is gone."""
        await self._some.wait()
        self._some.clear()
        taken, self._waiting = self._waiting, {}
        return [(table, key, row) for (table, key), row in taken.items()]


class Rows:
    """The rows of some tables of several databases, as they are now."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, object], Json] = {}
        self._viewers: set[Viewer] = set()

    async def follow(self, connection: Connection, tables: Mapping[str, str]) -> None:
        """From now on, all rows of these tables, and every change of them."""
        for name, columns in tables.items():
            self._follow_table(connection.db[name], name, columns.split())
        await connection.subscribe(*(f"SELECT * FROM {name}" for name in tables))

    def join(self) -> Viewer:
        """Somebody who is sent everything, and then what changes."""
        viewer = Viewer()
        for (table, key), row in self._rows.items():
            viewer.put(table, key, row)
        self._viewers.add(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)

    def _follow_table(self, table: Any, name: str, columns: list[str]) -> None:
        def put(row: object, told: Json | None) -> None:
            self._put(name, getattr(row, columns[0]), told)

        def told(row: object) -> Json:
            return {column: getattr(row, column) for column in columns}

        for row in table:  # what somebody has subscribed to before us is not inserted again
            put(row, told(row))
        table.on_insert(lambda _, row: put(row, told(row)))
        table.on_update(lambda _, _old, row: put(row, told(row)))
        table.on_delete(lambda _, row: put(row, None))

    def _put(self, table: str, key: object, row: Json | None) -> None:
        if row is None:
            self._rows.pop((table, key), None)
        else:
            self._rows[table, key] = row
        for viewer in self._viewers:
            viewer.put(table, key, row)
