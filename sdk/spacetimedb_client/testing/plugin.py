"""Fixtures for pytest: a real server, and databases on it.

pytest_plugins = ["spacetimedb_client.testing.plugin"]

async def test_joining(publish):
    database = await publish(my_module)
    async with connect(*database.address) as conn: ...
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from spacetimedb_client.http import Admin
from spacetimedb_client.http_answers import Credentials
from spacetimedb_client.module import Module
from spacetimedb_client.testing.server import Server, ServerNotFound, server_binary

NUMBERS: Final = itertools.count()


@dataclass(frozen=True, slots=True)
class Database:
    """One database, and who owns it."""

    uri: str
    name: str
    owner: Credentials

    @property
    def address(self) -> tuple[str, str]:
        """The first arguments of `connect`."""
        return self.uri, self.name

    def admin(self) -> Admin:
        """As its owner."""
        return Admin(self.uri, token=self.owner.token)


Publish = Callable[[Module | bytes], Awaitable[Database]]


@pytest.fixture(scope="session")
def server_program() -> Path:
    """The server's program; tests that need it are skipped where there is none."""
    try:
        return server_binary()
    except ServerNotFound as problem:
        pytest.skip(str(problem))


@pytest.fixture(scope="session")
def database_server(
    server_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One for all tests of a run, in memory."""
    with Server(tmp_path_factory.mktemp("spacetimedb"), binary=server_program) as server:
        yield server


@pytest_asyncio.fixture
async def publish(database_server: Server) -> AsyncIterator[Publish]:
    """Makes a database of a module, or of WebAssembly; deleted after the test."""
    made: list[Database] = []

    async def publish_module(module: Module | bytes) -> Database:
        async with Admin(database_server.uri) as admin:
            owner = await admin.create_identity()
        built = module if isinstance(module, bytes) else module.build(owner.identity)
        database = Database(database_server.uri, f"test-{next(NUMBERS)}", owner)
        async with database.admin() as admin:
            await admin.publish(database.name, built)
        made.append(database)
        return database

    yield publish_module
    for database in made:
        async with database.admin() as admin:
            await admin.delete(database.name)
