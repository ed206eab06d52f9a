"""Eight sessions do their worst at once, and the ninth answers as if it were alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.support.client import Client
from tests.support.serving import Serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

FORK_BOMB = """
import os, subprocess, threading
ways = (
    os.fork,
    lambda: os.system("sleep 60"),
    lambda: subprocess.Popen(["sleep", "60"]),
    lambda: threading.Thread(target=print).start(),
    lambda: __import__("js").Worker.new("data:text/javascript,for(;;);"),
)
while True:
    for way in ways:
        try:
            way()
        except BaseException:
            pass
"""
MEMORY_BOMB = """
while True:
    held = []
    try:
        while True:
            held.append(bytearray(10**7))
    except MemoryError:
        pass
"""
BOMBS = {
    "a busy loop": "while True: pass",
    "a fork bomb": FORK_BOMB,
    "a memory bomb": MEMORY_BOMB,
    "a flood of output": "while True: print('x' * 1000)",
    "a storm of variables": "n = 0\nwhile True:\n    n += 1\n    globals()[f'v{n % 20_000}'] = n",
}
# What is promised (docs/limits.md).
ANSWER_S = 1.0


@pytest.fixture
def serving(tmp_path: Path, cache_dir: Path) -> Iterator[Serving]:
    arguments = ("--pool-max-size", "12", "--memory-limit", "128M", "--cpu-limit", "10m")
    with Serving(tmp_path, *arguments, cache_dir=cache_dir) as server:
        yield server


@pytest.mark.parametrize(
    "names",
    [["a busy loop"], ["a fork bomb"], ["a memory bomb"], list(BOMBS)],
    ids=["busy loops", "fork bombs", "memory bombs", "all kinds"],
)
async def test_the_ninth_session_answers_in_under_a_second(
    serving: Serving, names: list[str]
) -> None:
    async with (
        Client(serving.url, serving.token) as bomber,
        Client(serving.url, serving.token) as client,
    ):
        for n in range(8):
            session = await bomber.create()
            await bomber.submit(session, BOMBS[names[n % len(names)]])
        await asyncio.sleep(3)
        ninth = await client.create()
        took: list[float] = []
        for _ in range(9):
            begun = time.monotonic()
            assert (await client.run(ninth, "1 + 1")).result == "2"
            took.append(time.monotonic() - begun)
            await asyncio.sleep(0.2)
        assert median(took) < ANSWER_S, took
