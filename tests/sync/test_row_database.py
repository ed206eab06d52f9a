"""Single rows that are followed and written, at a real database."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from spacetimedb_client import Admin
from spacetimedb_client.testing import Server
from tests.support.bound import Game, game
from tests.support.databases import database, server_program
from tests.support.waiting import until_true
from watchglass_sync.row_database import RowDatabase
from watchglass_sync.row_form import Bytes, RowAddress, RowForm

__all__ = ["database", "server_program"]


class Listener:
    """What is told of a row, newest last."""

    def __init__(self) -> None:
        self.address = RowAddress("arena", "unit", 3, None)
        self.told: list[Bytes | None] = []
        self.is_connected = False

    def connected(self, form: RowForm, row: Bytes | None) -> None:
        self.is_connected = True
        self.told.append(row)

    def row_came(self, row: Bytes | None) -> None:
        self.told.append(row)

    def disconnected(self) -> None:
        self.is_connected = False

    def refused(self, words: str) -> None:
        raise AssertionError(words)

    async def until_connected(self) -> None:
        async def is_there() -> bool:
            return self.is_connected

        await until_true(is_there, timeout=15)


@asynccontextmanager
async def rows_of(arena: Game, uri: str) -> AsyncIterator[RowDatabase]:
    """As a server follows them, by an identity that does not own the database."""
    async with Admin(uri) as admin:
        token = (await admin.create_identity()).token
    rows = RowDatabase(uri, "arena", lambda: token, is_mirror=False)
    await arena.put(hp=10)
    try:
        yield rows
    finally:
        await rows.close()


def x_of(number: int) -> Bytes:
    return {"x": struct.pack("<d", number)}


async def until_least(arena: Game, x: float, hp: int = 0) -> None:
    await arena.until(lambda: arena.unit().x >= x and arena.unit().hp >= hp, f"{x} and {hp}")


async def test_what_others_change_while_a_row_is_written_whole_is_not_lost(
    database: Server,
) -> None:
    written = 0

    async def write_without_end(rows: RowDatabase, listener: Listener) -> None:
        nonlocal written
        while True:
            await rows.write(listener, x_of(written + 1))
            written += 1

    async with game(database.uri) as arena, rows_of(arena, database.uri) as rows:
        listener = Listener()
        rows.follow(listener)
        await listener.until_connected()
        writing = asyncio.create_task(write_without_end(rows, listener))
        for hp in range(100):
            await asyncio.gather(arena.put(hp=hp + 100), arena.put(hp=hp))
            # Two that were begun too early for it put it right themselves; the third knows it.
            await until_least(arena, written + 3)
            assert arena.unit().hp == hp
            assert not writing.done()
        writing.cancel()


async def test_two_who_write_one_row_at_once_keep_what_the_other_has_written(
    database: Server,
) -> None:
    async with game(database.uri) as arena, rows_of(arena, database.uri) as rows:
        one, other = Listener(), Listener()
        for each in (one, other):
            rows.follow(each)
            await each.until_connected()
        for number in range(1, 50):
            await asyncio.gather(
                rows.write(one, x_of(number)), rows.write(other, {"hp": bytes([number])})
            )
            await until_least(arena, number, hp=number)
            assert one.told[-1] == other.told[-1]
