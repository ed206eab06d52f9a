"""Processes that write anything at all to their socket: each ends, and touches no other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from tests.support.fake_host import fake_config
from tests.support.hostile_host import HostileHost
from tests.support.node_host import Conversation, node_config, without_second_layer
from watchglass_server.host_messages import ExecuteResult, Finished
from watchglass_server.process import PyodideProcess

pytestmark = pytest.mark.slow

LONGEST_STREAM = 2**20
PATIENCE_S = 1.0
# How a process ends that breaks the rules, or that says so itself; None: it could go on.
ENDS = {"protocol", "fatal", "memory", "stack", None}


@pytest.fixture
async def neighbour() -> AsyncIterator[Conversation]:
    talk = Conversation(PyodideProcess(fake_config()))
    await talk.process.start()
    yield talk
    await talk.close()


async def cause_of(stream: bytes) -> str | None:
    """How a process ends that writes these bytes while it executes."""
    async with PyodideProcess(fake_config()) as process:
        process.execute(1, 1, "nothing")
        ended = asyncio.create_task(_until_it_ends(process, stream))
        await asyncio.wait({ended}, timeout=PATIENCE_S)  # half a frame: it may go on for ever
        cause = process.exit.cause if process.exit else None
        ended.cancel()
        await asyncio.gather(ended, return_exceptions=True)
        return cause


async def _until_it_ends(process: PyodideProcess, stream: bytes) -> None:
    finished = 0
    async for batch in process.events():
        finished += sum(isinstance(event, Finished) for event in batch)
        if finished == 1 and process.running is None:
            process.execute(2, 2, f"raw {stream.hex()}")
        if finished == 2:
            return


@pytest.mark.timeout(3600)
async def test_a_process_that_says_anything_ends_alone(neighbour: Conversation, soak: bool) -> None:
    host = HostileHost()
    ends: Counter[str | None] = Counter()
    for seed in range(1000 if soak else 25):
        stream = host.stream(Random(seed))
        if len(stream) < LONGEST_STREAM:
            ends[await cause_of(stream)] += 1
        assert await neighbour.evaluate(f"result {seed}") == str(seed)
    assert ends.keys() <= ENDS
    assert ends["protocol"] > 10


FORGING = """
import js, json
from pyodide.ffi import to_js
socket = json.loads(js.process.argv[2])["fd"]
js.process.getBuiltinModule("fs").writeSync(socket, to_js(bytes.fromhex({digits!r})))
"""


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("00000000", "empty frame"),
        ("ffffffff4a", "too long"),
        ("020000004a7b", "not JSON"),
        ("0d0000004a7b2274797065223a2278227d00", "x"),
    ],
)
async def test_code_that_forges_frames_in_node_ends_its_own_process(
    cache_dir: Path, digits: str, words: str
) -> None:
    config = await node_config(cache_dir)
    forger, other = PyodideProcess(without_second_layer(config)), PyodideProcess(config)
    async with forger, other:
        talk = Conversation(other)
        forger.execute(1, 1, FORGING.format(digits=digits))
        async with asyncio.timeout(20):
            async for _ in forger.events():
                pass
        ended = await forger.wait()
        assert (ended.cause, ended.signal) == ("protocol", 9)
        assert words in ended.message
        assert await talk.evaluate("1 + 1") == "2"
        assert any(isinstance(event, ExecuteResult) for event in talk.seen)
        await talk.close()
