"""What many tests share: a running server, a client of it, a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.browsing import chromium
from tests.support.client import Client
from tests.support.serving import Serving
from watchglass_server.child import Launcher
from watchglass_server.jail_launcher import JailLauncher


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="random tests with their full counts")


@pytest.fixture(scope="session")
def soak(request: pytest.FixtureRequest) -> bool:
    """True in `make soak`: take the count that a release asks for."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all servers of a run: the base image is built once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
async def launcher() -> AsyncIterator[Launcher]:
    """Starts processes in their jails, as `--isolation strict` does."""
    launcher = JailLauncher()
    yield launcher
    await launcher.close()


@pytest.fixture
def server(tmp_path: Path, cache_dir: Path) -> Iterator[Serving]:
    with Serving(tmp_path, "--pool-min-size", "1", cache_dir=cache_dir) as serving:
        yield serving


@pytest.fixture
def lasting_server(tmp_path: Path, cache_dir: Path) -> Iterator[Serving]:
    """One whose token is the same after each start."""
    fixed = ("--token", "fixed-for-this-test")
    with Serving(tmp_path, *fixed, cache_dir=cache_dir) as serving:
        yield serving


@pytest.fixture
async def client(server: Serving) -> AsyncIterator[Client]:
    async with Client(server.url, server.token) as connected:
        yield connected


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started
