"""Bench ⇄ plain Pyodide in Node: the same interpreter, flags and programs, and nobody who looks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.contender import BenchFailed
from bench.processes import ended
from watchglass_server.assets import find_assets

SCRIPT = Path(__file__).with_name("plain_pyodide.mjs")
LINE_BYTES = 2**20
# Those that let Node see only a few files, which is no part of what is compared.
_CONFINING = ("--permission", "--allow-")


class Plain:
    """One plain interpreter."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    async def run(self, code: str) -> str:
        """What the program prints."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"code": code}).encode() + b"\n")
        answer = json.loads(await self._line())
        if answer["error"] is not None:
            raise BenchFailed(f"plain Pyodide: {answer['error']}")
        return str(answer["text"])

    async def ready(self) -> None:
        if await self._line() != b"ready\n":
            raise BenchFailed("plain Pyodide did not start")

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        return await asyncio.wait_for(self._process.stdout.readline(), 120)


@asynccontextmanager
async def plain() -> AsyncIterator[Plain]:
    assets = find_assets()
    flags = [flag for flag in assets.node_flags if not flag.startswith(_CONFINING)]
    flags = [flag for flag in flags if "{" not in flag]
    process = await asyncio.create_subprocess_exec(
        str(assets.node),
        *flags,
        str(SCRIPT),
        str(assets.pyodide_dir),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_BYTES,
    )
    try:
        interpreter = Plain(process)
        await interpreter.ready()
        yield interpreter
    finally:
        await ended(process)
