"""Tests of manager.py against the real Node host: a warm pool, and what it costs."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.node_host import Conversation, node_config
from watchglass_server.assets import find_assets
from watchglass_server.child import Launcher
from watchglass_server.image import ensure_image
from watchglass_server.manager import ProcessLimits, PyodideManager
from watchglass_server.process import ProcessConfig, PyodideProcess

pytestmark = pytest.mark.slow


async def until(condition: Callable[[], bool], timeout: float = 20) -> None:
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110 - many things can make it true
            await asyncio.sleep(0.01)


async def value_of(process: PyodideProcess, code: str) -> str:
    talk = Conversation(process)
    try:
        return await talk.evaluate(code)
    finally:
        await talk.close()


async def test_a_pool_builds_its_image_and_lends_warm_processes(tmp_path: Path) -> None:
    lines: list[str] = []
    config = ProcessConfig.from_assets(find_assets())
    async with PyodideManager(config, cache_dir=tmp_path, on_progress=lines.append) as pool:
        await pool.wait()
        assert lines == ["building the base image, about 2 s"]
        started = time.monotonic()
        process = await pool.acquire()
        assert time.monotonic() - started < 0.05
        assert process.ready.image
        assert await value_of(process, "1 + 1") == "2"
        assert time.monotonic() - started < 1
        await pool.release(process)


async def test_a_damaged_image_is_built_again(tmp_path: Path) -> None:
    config = ProcessConfig.from_assets(find_assets())
    image = await ensure_image(config, tmp_path)
    with image.open("r+b") as file:
        file.truncate(10_000_000)
    async with PyodideManager(config, cache_dir=tmp_path, min_size=1) as pool:
        assert await value_of(await pool.acquire(), "1 + 1") == "2"


async def test_a_pool_refills_after_many_were_taken(cache_dir: Path, launcher: Launcher) -> None:
    config = await node_config(cache_dir, launcher)
    async with PyodideManager(config, min_size=3, max_size=6) as pool:
        await pool.wait()
        taken = await asyncio.gather(*(pool.acquire() for _ in range(3)))
        assert len({process.pid for process in taken}) == 3
        started = time.monotonic()
        await until(lambda: pool.stats().warm == 3)
        assert time.monotonic() - started < 10  # 0.6 s where nothing else runs
        await asyncio.gather(*map(pool.release, taken))


async def test_sessions_share_nothing(cache_dir: Path, launcher: Launcher) -> None:
    config = await node_config(cache_dir, launcher)
    async with PyodideManager(config) as pool:
        first = await pool.acquire()
        assert await value_of(first, "import sys; sys.flag = x = 1; x") == "1"
        await pool.release(first)
        second = await pool.acquire()
        assert await value_of(second, "import sys; (hasattr(sys, 'flag'), 'x' in globals())") == (
            "(False, False)"
        )


async def test_a_memory_limit_of_ones_own_holds(cache_dir: Path, launcher: Launcher) -> None:
    config = await node_config(cache_dir, launcher)
    async with PyodideManager(config, min_size=1) as pool:
        small = await pool.acquire(ProcessLimits(memory_bytes=64 * 2**20))
        code = "try: held = bytearray(10**8)\nexcept MemoryError: held = None\nheld is None"
        assert await value_of(small, code) == "True"
        usual = await pool.acquire()
        assert await value_of(usual, code) == "False"


async def test_a_memory_limit_that_is_too_small_is_told(
    cache_dir: Path, launcher: Launcher
) -> None:
    config = await node_config(cache_dir, launcher)
    async with PyodideManager(config, min_size=1) as pool:
        with pytest.raises(Exception, match="memory_bytes must be between"):
            await pool.acquire(ProcessLimits(memory_bytes=2**20))
        assert (await pool.acquire()).exit is None


async def test_a_warm_process_that_is_killed_is_replaced(
    cache_dir: Path, launcher: Launcher
) -> None:
    config = await node_config(cache_dir, launcher)
    async with PyodideManager(config, min_size=1) as pool:
        await pool.wait()
        (process,) = pool._warm
        os.kill(process.pid, signal.SIGKILL)
        await until(lambda: pool.stats().started == 2 and pool.stats().warm == 1)
        lent = await pool.acquire()
        assert lent.pid != process.pid
        assert await value_of(lent, "1 + 1") == "2"
