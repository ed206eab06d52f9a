"""Attempts to get out of a session, made for real, and judged from the host's side.

The probes are files of Python that run inside a session (tests/security/probes/); a wheel has them
too, for `watchglass doctor` shows with them that the jail holds on the machine it runs on.
"""

import ast
import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchglass_server.assets import find_probes
from watchglass_server.errors import ProcessStartError
from watchglass_server.escape_decoys import Decoys
from watchglass_server.host_messages import Finished, Stream
from watchglass_server.process import PyodideProcess

__all__ = ["HOST_KINDS", "Probe", "ProbeResult", "find_escape_probes", "run_probes"]

# The folders of those that reach for the host; bombs, frames and markup are judged elsewhere.
HOST_KINDS: Final = ("files", "network", "processes", "sessions")
LANES: Final = 2
PROBE_S: Final = 8.0
# What still comes after the probe's last line: a connection to be accepted, a child to write.
SETTLE_S: Final = 0.05

Start = Callable[[], Awaitable[PyodideProcess]]


@dataclass(frozen=True, slots=True)
class Probe:
    """One file: its kind is its folder, its first line says what it attempts."""

    name: str
    kind: str
    attempt: str
    source: str


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What came of one attempt; `evidence` is what the host saw of it, None: nothing."""

    probe: Probe
    evidence: str | None
    said: str

    @property
    def escaped(self) -> bool:
        """Whether it got through."""
        return self.evidence is not None


def find_escape_probes(kinds: Iterable[str] = HOST_KINDS) -> list[Probe]:
    """Return the probes of these kinds. Raises AssetsError when there are no files."""
    folder = find_probes()
    paths = [path for kind in kinds for path in sorted((folder / kind).glob("*.py"))]
    return [_read(path) for path in paths]


def _read(path: Path) -> Probe:
    source = path.read_text("utf-8")
    attempt = ast.get_docstring(ast.parse(source)) or path.stem
    return Probe(path.stem, path.parent.name, attempt.splitlines()[0], source)


async def run_probes(
    start: Start,
    probes: Sequence[Probe] | None = None,
    *,
    lanes: int = LANES,
    on_result: Callable[[ProbeResult], None] = lambda result: None,
) -> list[ProbeResult]:
    """Run the probes in processes that `start` makes, and return their results in their order.

    A process serves many probes; one that a probe has ended is replaced. Raises ProcessStartError.
    """
    probes = find_escape_probes() if probes is None else probes
    waiting = list(reversed(list(enumerate(probes))))
    results: dict[int, ProbeResult] = {}

    async def work() -> None:
        async with _Lane(start) as lane:
            while waiting:
                index, probe = waiting.pop()
                results[index] = await lane.run(probe)
                on_result(results[index])

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(lanes, len(probes))):
                group.create_task(work())
    except ExceptionGroup as failed:  # one of them is enough to say why
        raise failed.exceptions[0] from failed
    return [results[index] for index in range(len(probes))]


class _Lane:
    """One process after another, with one probe at a time in it."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._session: _Session | None = None

    async def __aenter__(self) -> "_Lane":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def run(self, probe: Probe) -> ProbeResult:
        """Let one probe loose and say what came of it."""
        session = await self._ready()
        places = _places(session.process)
        async with Decoys(Decoys.named_in(probe.source), places) as decoys:
            await session.execute(decoys.assignments())
            evidence = decoys.evidence(await session.execute(probe.source))
            if evidence is None:
                await asyncio.sleep(SETTLE_S)
                evidence = decoys.evidence(session.said)
        return ProbeResult(probe, evidence, session.said)

    async def _ready(self) -> "_Session":
        if self._session is not None and not await self._session.answers():
            await self._end()
        if self._session is None:
            self._session = _Session(await self._start())
        return self._session

    async def _end(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()


def _places(process: PyodideProcess) -> list[Path]:
    """Return the folders of the runtime, where a probe may leave a file."""
    config = process.config
    images = [config.image.parent] if config.image else []
    return [config.host_dir, config.pyodide_dir, config.monitor_dir, *images]


class _Session:
    """A conversation with one process: executes, and keeps what it says."""

    def __init__(self, process: PyodideProcess) -> None:
        self.process = process
        self._said: list[str] = []
        self._number = 0
        self._ended = asyncio.Event()
        self._reading = asyncio.create_task(self._read(), name="reading a probe's process")

    async def _read(self) -> None:
        async for batch in self.process.events():
            for event in batch:
                # Pieces of a text are put together: a secret may lie across two of them.
                self._said.append(event.text if isinstance(event, Stream) else f"\n{event}\n")
                if isinstance(event, Finished) and event.request_id == self._number:
                    self._ended.set()

    @property
    def said(self) -> str:
        """All that was said since the last execution began."""
        return "".join(self._said)

    async def execute(self, code: str) -> str:
        """Execute and return all that was said until its end, or the end of its time."""
        self._said.clear()
        self._ended.clear()
        self._number += 1
        self.process.execute(self._number, self._number, code)
        end = asyncio.create_task(self._ended.wait())
        try:
            waited = (end, self._reading)
            done, _ = await asyncio.wait(
                waited, timeout=PROBE_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            end.cancel()
        if not done:
            self.process.kill("timeout", "A probe took too long.")
        return self.said

    async def answers(self) -> bool:
        """Whether it still executes what it is told."""
        return not self.process.is_ending and "2718" in await self.execute("2717 + 1")

    async def close(self) -> None:
        """Stop the process."""
        await self.process.stop(grace=0)
        with contextlib.suppress(ProcessStartError):
            await self._reading
