"""The fixtures of `spacetimedb_client.testing.plugin`, with the server that make has built.

Where SPACETIMEDB_2X_BIN names the program of a server from 2.0 on, each test with a server runs
against that one, too.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.spacetimedb_server import BINARY
from spacetimedb_client.testing.plugin import Database, Publish, database_server, publish

__all__ = ["Database", "Publish", "database_server", "publish"]

SECOND_VARIABLE = "SPACETIMEDB_2X_BIN"
FIXTURE = "server_program"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    second = os.environ.get(SECOND_VARIABLE)
    if second and FIXTURE in metafunc.fixturenames:
        programs, names = [None, Path(second)], ["1.2.0", "2.x"]
        metafunc.parametrize(FIXTURE, programs, indirect=True, scope="session", ids=names)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not os.environ.get(SECOND_VARIABLE):
        terminalreporter.write_line(f"no 2.x server: {SECOND_VARIABLE} names none")


@pytest.fixture(scope="session")
def server_program(request: pytest.FixtureRequest) -> Path:
    """Without cargo there is none: with CI=true, that is an error."""
    second: Path | None = getattr(request, "param", None)
    if second is not None:
        return second  # asked for by name: where it is not there, the test fails
    named = os.environ.get("SPACETIMEDB_BIN")
    program = Path(named) if named else BINARY
    if not program.exists() and os.environ.get("CI") != "true":
        pytest.skip("no SpacetimeDB server: make spacetimedb")
    return program
