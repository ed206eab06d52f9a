"""Rules ⇄ database: five times a second, rows are read, moved on, and written."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from examples.arena import rules
from examples.arena.rules import Food, Unit
from examples.arena.tables import arena_module
from spacetimedb_client import Admin, Connection, FileCredentials, connect

DATABASE = "arena"
TABLES = ("unit", "food", "sight", "player", "steering")


@asynccontextmanager
async def open_arena(uri: str, folder: Path) -> AsyncIterator[Connection]:
    """Put the module into a database of its own, and connect as its owner, who makes the rules."""
    credentials = FileCredentials(folder / "owner")
    token = credentials.load(uri, DATABASE)
    if token is None:
        async with Admin(uri) as admin:
            token = (await admin.create_identity()).token
        credentials.save(uri, DATABASE, token)
    async with Admin(uri, token=token) as admin:
        await admin.publish(DATABASE, arena_module())
    async with connect(uri, DATABASE, token=token) as connection:
        await connection.subscribe(*(f"SELECT * FROM {table}" for table in TABLES))
        yield connection


class Game:
    """The rules' own connection to the arena."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chance = random.Random()

    async def enter(self, name: str) -> None:
        """Put a unit somewhere, unless it is there."""
        if self._connection.db.unit.name.find(name) is None:
            unit = Unit(name, *rules.anywhere(self._chance), heading=self._chance.randrange(360))
            await self._write(unit=[asdict(unit)])
            await self._write(steering=[{"unit": name, "heading": unit.heading}])
            await self._write(sight=[{"unit": name, "others": [], "food": []}])

    async def leave(self, names: Collection[str]) -> None:
        """Take away these units, if an earlier game has left them."""
        gone = [row.name for row in self._connection.db.unit if row.name in names]
        call = self._connection.reducers
        for name in gone:
            for table in ("unit", "sight", "player"):
                await call[f"{table}_delete"](name)

    async def note_player(self, unit: str, session: str, script: str, colour: int) -> None:
        """Everyone may know who steers a unit."""
        row = {"unit": unit, "session": session, "script": script, "colour": colour}
        await self._write(player=[row])

    async def run(self) -> None:
        """Go on until cancelled, or until the database is gone."""
        while True:
            began = time.monotonic()
            await self._tick()
            await asyncio.sleep(max(0.0, rules.TICK_S - (time.monotonic() - began)))

    async def _tick(self) -> None:
        db = self._connection.db
        units = [Unit(row.name, row.x, row.y, row.heading, row.score) for row in db.unit]
        food = [Food(row.id, row.x, row.y) for row in db.food]
        known = set(food)
        food += [Food(i, *rules.anywhere(self._chance)) for i in range(len(food), rules.FOOD)]
        wanted = {row.unit: row.heading for row in db.steering}
        moved, left = rules.step(units, food, wanted, self._chance)
        await self._write(
            unit=[asdict(each) for each in moved],
            food=[asdict(each) for each in left if each not in known],
            sight=[sight(each, moved, left) for each in moved],
        )

    async def _write(self, **rows: Sequence[Mapping[str, object]]) -> None:
        """All of them are on their way before the first is waited for."""
        call = self._connection.reducers
        await asyncio.gather(
            *(call[f"{table}_upsert"](row) for table, each in rows.items() for row in each)
        )


def sight(unit: Unit, units: Sequence[Unit], food: Sequence[Food]) -> dict[str, object]:
    """The row of what a unit's script is told."""
    others = rules.seen(unit, units)
    bites = rules.seen(unit, food)
    return {
        "unit": unit.name,
        "others": [asdict(each) for each in others],
        "food": [{"x": each.x, "y": each.y} for each in bites],
    }
