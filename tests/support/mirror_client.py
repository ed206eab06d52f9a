"""A SpacetimeDB client of the mirror, and the command line of its owner."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from spacetimedb_client import Admin, Connection, DatabaseNotFound, connect
from tests.support.waiting import until, until_true
from watchglass_sync.mirror_tables import OF_SESSIONS


class MirrorClient:
    """Somebody who reads the tables and asks by rows of `command`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.db = connection.db
        self.identity = str(connection.identity)

    @classmethod
    @asynccontextmanager
    async def opened(cls, uri: str, database: str) -> AsyncIterator[MirrorClient]:
        """Connect as a new identity, and look at all that it may see."""
        await until_published(uri, database)
        async with connect(uri, database) as connection:
            await connection.subscribe(*(f"SELECT * FROM {table}" for table in OF_SESSIONS))
            await connection.subscribe("SELECT * FROM command_result", "SELECT * FROM access")
            yield cls(connection)

    def seen(self) -> dict[str, int]:
        """How many rows of which tables."""
        return {table: len(self.db[table]) for table in OF_SESSIONS if len(self.db[table])}

    def values(self, session: str) -> dict[str, str | None]:
        """The variables of a session, as JSON."""
        return {row.name: row.json for row in self.db.variable if row.session == session}

    async def ask(self, key: str, session: str, kind: str, *arguments: str) -> Any:
        """Send a command, and wait for its answer."""
        types = self.connection.bindings.types
        payload = (getattr(types, kind)(*arguments),) if arguments else ()
        await self.connection.reducers.command(key, session, getattr(types.Action, kind)(*payload))
        name = f"{self.identity}/{key}"
        results = self.db.command_result.key
        await until(lambda: results.find(name) is not None)
        return results.find(name)


async def until_published(uri: str, database: str) -> None:
    """A server does not wait for its mirror, which makes the database."""

    async def is_there() -> bool:
        with contextlib.suppress(DatabaseNotFound):
            async with Admin(uri) as admin:
                await admin.schema(database)
                return True
        return False

    await until_true(is_there)


async def mirror_command(data_dir: Path, *arguments: str) -> tuple[int | None, str]:
    """What `watchglass mirror` ends with and says."""
    command: Sequence[str] = (sys.executable, "-m", "watchglass_server", "mirror", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, "--data-dir", str(data_dir), stdout=PIPE, stderr=PIPE
    )
    said, problem = await process.communicate()
    return process.returncode, (said + problem).decode()
