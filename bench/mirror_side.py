"""Bench ⇄ the mirror: a server that has one, its database, and another client of that."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.contender import BenchFailed
from bench.processes import command_of, descendants_of, ended
from bench.watchglass_side import Watchglass
from spacetimedb_client import Admin, FileCredentials
from watchglass_server.mirror_process import PROGRAM

ROOT: Final = Path(__file__).parents[1]
DATABASE: Final = "bench"
ANSWER_S: Final = 120
GRANTS_TRIED: Final = 20
ANSWER_BYTES: Final = 2**24


@dataclass(frozen=True)
class Reader:
    """A client in a process of its own."""

    process: asyncio.subprocess.Process

    async def line(self) -> bytes:
        assert self.process.stdout is not None
        return await asyncio.wait_for(self.process.stdout.readline(), ANSWER_S)

    async def answer(self) -> dict[str, Any]:
        """What it has seen, when all sessions are done."""
        told: dict[str, Any] = json.loads(await self.line())
        return told


async def grant(uri: str, data: Path, folder: Path) -> None:
    """A new identity that may see all sessions, whose token is kept in a folder."""
    async with Admin(uri) as admin:
        somebody = await admin.create_identity()
    FileCredentials(folder).save(uri, DATABASE, somebody.token)
    program = str(Path(sys.executable).with_name("watchglass"))
    command = ("mirror", "grant", str(somebody.identity), "viewer", "--data-dir", str(data))
    said = problem = b""
    for _ in range(GRANTS_TRIED):
        granting = await asyncio.create_subprocess_exec(program, *command, stdout=PIPE, stderr=PIPE)
        said, problem = await granting.communicate()
        if granting.returncode == 0:
            return
        await asyncio.sleep(0.5)  # the server has not made the database yet
    raise BenchFailed(f"nothing could be granted: {(said + problem).decode()}")


@dataclass(frozen=True)
class Mirrored:
    """A server with a mirror, and where another client finds what it needs."""

    server: Watchglass
    uri: str
    database_pid: int
    credentials: Path

    @asynccontextmanager
    async def reader(self, sessions: int, what: str, done: int = 1) -> AsyncIterator[Reader]:
        """Another client, which has subscribed, and ends when so many sessions are done."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.mirror_reader",
            self.uri, DATABASE, str(self.credentials), what, str(sessions), str(done),
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, limit=ANSWER_BYTES,
        )  # fmt: skip
        try:
            reader = Reader(process)
            if await reader.line() != b"ready\n":
                raise BenchFailed("the reader of rows did not start (see above)")
            yield reader
        finally:
            await ended(process)

    def pids(self, reader: Reader) -> dict[str, list[int]]:
        """The processes that have a part in it."""
        others = descendants_of(self.server.server_pid)
        mirror = [pid for pid in others if PROGRAM in command_of(pid)]
        return {
            "server": [self.server.server_pid],
            "mirror": mirror,
            "database": [self.database_pid],
            "reader": [reader.process.pid],
            "sessions": [pid for pid in others if pid not in mirror],
        }
