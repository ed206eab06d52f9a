"""A real server for all tests of a run, and databases on it."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.spacetimedb_server import BINARY
from spacetimedb_client import Admin, Credentials
from spacetimedb_client.module import Module
from spacetimedb_client.testing import Server

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server_program() -> Path:
    """The program that make test has built; without cargo there is none."""
    named = os.environ.get("SPACETIMEDB_BIN")
    program = Path(named) if named else BINARY
    if not program.exists() and os.environ.get("CI") != "true":
        pytest.skip("no SpacetimeDB server: make spacetimedb")
    return program


@pytest.fixture(scope="session")
def database_server(
    server_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("spacetimedb"), binary=server_program) as server:
        yield server


@dataclass(frozen=True)
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
        return Admin(self.uri, token=self.owner.token)


Publish = Callable[[Module], Awaitable[Database]]


@pytest.fixture
async def publish(database_server: Server) -> AsyncIterator[Publish]:
    """Makes a database of a module; deleted after the test."""
    made: list[Database] = []

    async def publish_module(module: Module) -> Database:
        async with Admin(database_server.uri) as admin:
            owner = await admin.create_identity()
        database = Database(database_server.uri, f"test-{next(NUMBERS)}", owner)
        async with database.admin() as admin:
            await admin.publish(database.name, module.build(owner.identity))
        made.append(database)
        return database

    yield publish_module
    for database in made:
        async with database.admin() as admin:
            await admin.delete(database.name)
