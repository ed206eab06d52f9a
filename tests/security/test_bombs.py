"""What a session takes without end is bounded, and the sessions beside it go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.bounds import Taken
from tests.support.node_host import Conversation
from tests.support.probing import open_config, starting
from watchglass_server.child import Launcher
from watchglass_server.escape_decoys import Decoys
from watchglass_server.escape_probes import Probe, Start, find_escape_probes
from watchglass_server.exit_info import ExitInfo
from watchglass_server.process import PyodideProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PROBES = find_escape_probes(("bombs",))
MEMORY_BYTES = 128 * 2**20
BURNING_S = 1.0
ENDED_S = 3.0
ANSWERED_S = 1.0
# Node itself takes 10 threads and 25 descriptors.
MOST_THREADS, MOST_DESCRIPTORS, MOST_CHILDREN = 64, 64, 0


class Burning:
    """Bombs, two at a time, beside a session that is asked all the while."""

    def __init__(self, start: Start, bystander: Conversation) -> None:
        self._start = start
        self._bystander = bystander
        self._places = asyncio.Semaphore(2)
        self.slowest_answer_s = 0.0

    async def ask(self) -> None:
        """Ask the bystander what one and one is, until this is cancelled."""
        while True:
            asked = time.monotonic()
            assert await self._bystander.evaluate("1 + 1") == "2"
            self.slowest_answer_s = max(self.slowest_answer_s, time.monotonic() - asked)
            await asyncio.sleep(0.05)

    async def burn(self, probe: Probe) -> tuple[Taken, ExitInfo, str | None]:
        """Let one bomb go off; return what it took, how it ended and what it left behind."""
        async with self._places, Decoys(Decoys.named_in(probe.source)) as decoys:
            process, taken = await self._start(), Taken()
            reading = asyncio.create_task(_read(process))
            try:
                process.execute(1, 1, f"{decoys.assignments()}\n{probe.source}")
                end = time.monotonic() + BURNING_S
                while time.monotonic() < end and process.running is not None:
                    await asyncio.sleep(0.05)
                    taken = taken.and_of(process.pid)
                if process.exit is None:
                    process.kill("limit", "It burnt long enough.")
                ended = await asyncio.wait_for(process.wait(), ENDED_S)
            finally:
                await process.stop(grace=0)
                await reading
            return taken, ended, decoys.evidence("")

    async def burn_all(self, probes: Sequence[Probe]) -> list[tuple[Taken, ExitInfo, str | None]]:
        """The same for many; when one fails, the others end, too."""
        async with asyncio.TaskGroup() as group:
            burning = [group.create_task(self.burn(probe)) for probe in probes]
        return [task.result() for task in burning]


async def _read(process: PyodideProcess) -> None:
    """Take what it says and keep nothing, as the server does."""
    async for _ in process.events():
        pass


async def test_bombs_are_bounded_and_hurt_nobody_else(cache_dir: Path, launcher: Launcher) -> None:
    config = replace(await open_config(cache_dir, launcher), memory_bytes=MEMORY_BYTES)
    start = starting(config)
    bystander = Conversation(await start())
    burning = Burning(start, bystander)
    asking = asyncio.create_task(burning.ask())
    try:
        burnt = await burning.burn_all(PROBES)
    finally:
        asking.cancel()
        await asyncio.wait([asking])
        await bystander.close()
    for probe, (taken, ended, left_behind) in zip(PROBES, burnt, strict=True):
        assert left_behind is None, probe.name
        assert taken.memory_bytes <= (config.data_bytes or 0), (probe.name, taken)
        assert taken.threads <= MOST_THREADS, (probe.name, taken)
        assert taken.descriptors <= MOST_DESCRIPTORS, (probe.name, taken)
        assert taken.children <= MOST_CHILDREN, (probe.name, taken)
        assert ended.message, probe.name
    assert asking.cancelled(), "the bystander fell silent"
    assert burning.slowest_answer_s < ANSWERED_S


async def test_without_a_jail_the_same_bombs_go_beyond_these_bounds(cache_dir: Path) -> None:
    start = starting(await open_config(cache_dir))
    bystander = Conversation(await start())
    try:
        burning = Burning(start, bystander)
        probes = {probe.name: probe for probe in PROBES}
        names = ("descriptors", "processes", "disk")
        descriptors, processes, disk = await burning.burn_all([probes[name] for name in names])
    finally:
        await bystander.close()
    assert descriptors[0].descriptors > MOST_DESCRIPTORS
    assert processes[0].children > MOST_CHILDREN
    assert disk[2] is not None
