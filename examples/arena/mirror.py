"""Demonstration ⇄ mirror: sessions as rows, and code that runs because a row asks for it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from examples.arena.servers import NotStarted, watchglass_command
from spacetimedb_client import Admin, Connection, DatabaseNotFound, connect

DATABASE = "watchglass"
PUBLISHED_S = 30


@asynccontextmanager
async def open_mirror(uri: str, folder: Path, game: Connection) -> AsyncIterator[Connection]:
    """As the game's own identity, once the owner of the sessions has made it an editor of all."""
    await published(uri)
    grant = ("mirror", "grant", str(game.identity), "editor", "--name", "the arena")
    status, said = await watchglass_command(folder, *grant)
    if status != 0:
        raise NotStarted(said)
    async with connect(uri, DATABASE, token=game.token) as connection:
        yield connection


async def published(uri: str) -> None:
    """Wait until Watchglass has put its tables there."""
    deadline = time.monotonic() + PUBLISHED_S
    async with Admin(uri) as admin:
        while time.monotonic() < deadline:
            try:
                await admin.schema(DATABASE)
                return
            except DatabaseNotFound:
                await asyncio.sleep(0.1)
    raise NotStarted(f"Watchglass made no tables in the database within {PUBLISHED_S} s")


async def execute(mirror: Connection, session: str, code: str, key: str | None = None) -> None:
    """Ask for it; what becomes of it are rows of `command_result` and `execution`."""
    types = mirror.bindings.types
    action = types.Action.Execute(types.Execute(code))
    await mirror.reducers.command(key or secrets.token_hex(8), session, action)
