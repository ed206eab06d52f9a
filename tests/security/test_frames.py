"""What a session forges on its connection to the server ends that session, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.node_host import Conversation
from tests.support.probing import open_config, starting
from watchglass_server.escape_probes import Probe, Start, find_escape_probes

pytestmark = pytest.mark.slow

PROBES = find_escape_probes(("frames",))
WAIT_S = 10


@pytest.fixture
async def start(cache_dir: Path) -> Start:
    """Node forbids nothing here: the server alone has to see through them."""
    return starting(await open_config(cache_dir))


@pytest.fixture
async def bystander(start: Start) -> AsyncIterator[Conversation]:
    conversation = Conversation(await start())
    yield conversation
    await conversation.close()


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
async def test_a_forged_frame_ends_its_session_and_no_other(
    start: Start, bystander: Conversation, probe: Probe
) -> None:
    forger = Conversation(await start())
    try:
        forger.start(probe.source)
        ended = await forger.process.wait()
    finally:
        await forger.close()
    assert ended.cause == "protocol", ended
    assert await bystander.evaluate("6 * 7") == "42"


def test_there_is_a_probe_for_each_way_to_break_the_protocol() -> None:
    assert len(PROBES) >= 25
