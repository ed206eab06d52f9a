"""What the demonstration starts: a database server and a Watchglass, both ended with it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from scripts.spacetimedb_server import BINARY
from spacetimedb_client import (
    AuthError,
    Connection,
    DatabaseNotFound,
    FileCredentials,
    connect,
)
from spacetimedb_client.testing import Server

MIRROR = "watchglass"  # the name of the mirror's database
START_S = 60
STOP_S = 10
READY = "watchglass is ready at "


class NotStarted(Exception):
    """Something that the arena needs is not there; the message says what to do."""


@contextmanager
def database_server(folder: Path, *, keep: bool) -> Iterator[str]:
    """Its address; what is kept is found by the same one the next time."""
    binary = BINARY if BINARY.exists() else None  # or the one in PATH
    noted = folder / "database-port"
    port = int(noted.read_text()) if noted.exists() else 0
    with Server(folder / "database", binary=binary, in_memory=not keep, port=port) as server:
        noted.write_text(str(server.port))
        yield server.uri


@asynccontextmanager
async def watchglass(folder: Path, *arguments: str) -> AsyncIterator[str]:
    """A server on a free port; the address that it printed, with its token."""
    log = folder / "watchglass.log"
    program = Path(sys.executable).with_name("watchglass")
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            program, "serve", "--port", "0", "--data-dir", folder / "watchglass", *arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            line = (await process.stdout.readline()).decode()
        if not line.startswith(READY):
            raise NotStarted(f"watchglass serve did not start; it said:\n{log.read_text()}")
        yield line.removeprefix(READY).strip()
    finally:
        await end(process)


async def end(process: asyncio.subprocess.Process) -> None:
    """As an operator ends it; by force where that takes too long."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


@asynccontextmanager
async def connect_to_mirror(uri: str, folder: Path) -> AsyncIterator[Connection]:
    """As the owner of its rows, once Watchglass has made its tables."""
    credentials = FileCredentials(folder / "watchglass" / "spacetimedb")
    async with asyncio.timeout(START_S):
        while (token := credentials.load(uri, MIRROR)) is None:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.1)
        while True:
            try:
                connection = await connect(uri, MIRROR, token=token)
                break
            except (AuthError, DatabaseNotFound):
                await asyncio.sleep(0.1)
    try:
        yield connection
    finally:
        await connection.close()
