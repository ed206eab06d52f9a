"""What a session forges on its connection to the server ends that session, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.node_host import Conversation
from tests.support.probing import open_config, starting
from watchglass_server.escape_probes import Probe, Start, find_escape_probes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PROBES = find_escape_probes(("frames",))
WAIT_S = 15


class Forgers:
    """Sessions of forgers, two at a time, beside one that takes no part."""

    def __init__(self, start: Start, bystander: Conversation) -> None:
        self._start = start
        self._bystander = bystander
        self._places = asyncio.Semaphore(2)
        self._asking = asyncio.Lock()  # the bystander answers one at a time

    async def cause_of_end(self, probe: Probe) -> str:
        """How the session of this forger ended; the other one goes on."""
        async with self._places:
            forger = Conversation(await self._start())
            try:
                forger.start(probe.source)
                ended = await asyncio.wait_for(forger.process.wait(), WAIT_S)
            finally:
                await forger.close()
        async with self._asking:
            assert await self._bystander.evaluate("6 * 7") == "42"
        return ended.cause


async def test_a_forged_frame_ends_its_session_and_no_other(cache_dir: Path) -> None:
    # Node forbids nothing here: the server alone has to see through them.
    start = starting(await open_config(cache_dir))
    bystander = Conversation(await start())
    try:
        forgers = Forgers(start, bystander)
        async with asyncio.TaskGroup() as group:
            ends = {p.name: group.create_task(forgers.cause_of_end(p)) for p in PROBES}
    finally:
        await bystander.close()
    # An end in the middle of a frame is an end like any other: nothing of it was believed.
    expected = {probe.name: "protocol" for probe in PROBES} | {"half_a_frame": "exited"}
    assert {name: end.result() for name, end in ends.items()} == expected


def test_there_is_a_probe_for_each_way_to_break_the_protocol() -> None:
    assert len(PROBES) >= 25
