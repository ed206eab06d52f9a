"""The fixtures of `spacetimedb_client.testing.plugin`, with the server that make has built."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.spacetimedb_server import BINARY
from spacetimedb_client.testing.plugin import Database, Publish, database_server, publish

__all__ = ["Database", "Publish", "database_server", "publish"]


@pytest.fixture(scope="session")
def server_program() -> Path:
    """Without cargo there is none: with CI=true, that is an error."""
    named = os.environ.get("SPACETIMEDB_BIN")
    program = Path(named) if named else BINARY
    if not program.exists() and os.environ.get("CI") != "true":
        pytest.skip("no SpacetimeDB server: make spacetimedb")
    return program
