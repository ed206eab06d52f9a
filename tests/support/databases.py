"""Real database servers as fixtures; a test file imports those that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from spacetimedb_client.testing import Server
from tests.sdk.conftest import server_program
from tests.support.serving import Serving

__all__ = ["database", "lasting", "server_program", "serving"]


@pytest.fixture(scope="module")
def database(server_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all tests of a file."""
    with Server(tmp_path_factory.mktemp("db"), binary=server_program) as server:
        yield server


@pytest.fixture(scope="module")
def serving(
    database: Server, tmp_path_factory: pytest.TempPathFactory, cache_dir: Path
) -> Iterator[Serving]:
    """A Watchglass that mirrors into `database`."""
    mirror = ("--spacetimedb", f"{database.uri}/watchglass", "--pool-min-size", "1")
    with Serving(tmp_path_factory.mktemp("bound"), *mirror, cache_dir=cache_dir) as started:
        yield started


@pytest.fixture
def lasting(server_program: Path, tmp_path: Path) -> Iterator[Server]:
    """One that keeps its rows on disk."""
    with Server(tmp_path / "db", binary=server_program, in_memory=False) as server:
        yield server
