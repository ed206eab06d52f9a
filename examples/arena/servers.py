"""What the demonstration starts: a database server and a Watchglass, both ended with it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NoReturn

from scripts.spacetimedb_server import BINARY
from spacetimedb_client.testing import Server

PROGRAM = Path(sys.executable).with_name("watchglass")
DATA = "watchglass"  # its folder in ours
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
    server = Server(folder / "database", binary=binary, in_memory=not keep, port=port)
    try:
        server.start()
        noted.write_text(str(server.port))
        yield server.uri
    finally:  # also when it was interrupted while it started
        server.stop()


class Watchglass:
    """A server of its own, on a free port: `address` has its token."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        """Call `started` instead."""
        self.address = ""
        self._process = process
        self._log = log

    @classmethod
    @asynccontextmanager
    async def started(cls, folder: Path, *flags: str) -> AsyncIterator[Watchglass]:
        """Until it is left, and not a moment longer."""
        log = folder / "watchglass.log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                PROGRAM, "serve", "--port", "0", "--data-dir", folder / DATA, *flags,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors,
            )  # fmt: skip
        server = cls(process, log)
        try:
            await server._wait_until_ready()
            yield server
        finally:
            await end(process)

    async def _wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        try:
            line = (await asyncio.wait_for(self._process.stdout.readline(), START_S)).decode()
        except TimeoutError:
            raise NotStarted(f"watchglass serve did not start within {START_S} s") from None
        if not line.startswith(READY):
            await self.ended()
        self.address = line.removeprefix(READY).strip()

    async def ended(self) -> NoReturn:
        """Wait until it has ended by itself, which nobody wanted."""
        status = await self._process.wait()
        said = self._log.read_text(errors="replace").strip()
        raise NotStarted(f"watchglass serve ended with status {status}; it said:\n{said[-2000:]}")


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


async def watchglass_command(folder: Path, *arguments: str) -> tuple[int, str]:
    """Another command of Watchglass about the same server: its exit status, and what it said."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM, *arguments, "--data-dir", folder / DATA,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        said, _ = await process.communicate()
    finally:
        await end(process)
    return process.returncode or 0, said.decode().strip()
