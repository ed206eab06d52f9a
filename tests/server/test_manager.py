"""Tests of manager.py with the fake host: lending, refilling, failing, closing."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_host import fake_config
from watchglass_server.errors import InvalidState, ProcessStartError
from watchglass_server.manager import (
    PoolClosed,
    PoolStats,
    PoolTimeout,
    ProcessLimits,
    PyodideManager,
    TooManyRequests,
)
from watchglass_server.process import PyodideProcess

IMAGE = Path("/dev/null")  # the fake does not read it; so the pool makes none


def pool_of(*flags: str, **options: Any) -> PyodideManager:
    options = {"min_size": 1, "max_size": 4, "timeout": 10.0, **options}
    return PyodideManager(fake_config(*flags, image=IMAGE), **options)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - many things can make it true
            await asyncio.sleep(0.01)


async def test_a_pool_fills_in_the_background_and_lends_at_once() -> None:
    async with pool_of(min_size=3) as pool:
        await pool.wait()
        assert (pool.stats().warm, pool.stats().lent) == (3, 0)
        started = time.monotonic()
        process = await pool.acquire()
        assert time.monotonic() - started < 0.05
        assert process.exit is None
        assert pool.stats().lent == 1
        await until(lambda: pool.stats().warm == 3)


async def test_a_process_is_never_lent_twice() -> None:
    async with pool_of() as pool:
        seen: set[int] = set()
        for _ in range(5):
            process = await pool.acquire()
            assert process.pid not in seen
            seen.add(process.pid)
            await pool.release(process)
            assert process.exit is not None
            assert process.exit.cause == "shutdown"


async def test_acquire_waits_for_the_first_process() -> None:
    async with pool_of("--slow-start", min_size=0) as pool:
        process = await pool.acquire()
        assert process.exit is None


async def test_who_comes_first_is_served_first() -> None:
    async with pool_of("--slow-start", min_size=0, max_size=2) as pool:
        order: list[int] = []

        async def ask(number: int) -> None:
            process = await pool.acquire()
            order.append(number)
            await pool.release(process)

        await asyncio.gather(*(ask(number) for number in range(4)))
    assert order == [0, 1, 2, 3]


async def test_no_more_than_max_size_are_there_at_once() -> None:
    largest = 0

    def look(stats: PoolStats) -> None:
        nonlocal largest
        largest = max(largest, stats.warm + stats.starting + stats.lent)

    async with pool_of(min_size=2, max_size=3, on_change=look) as pool:

        async def use() -> None:
            process = await pool.acquire()
            await asyncio.sleep(0.01)
            await pool.release(process)

        await asyncio.gather(*(use() for _ in range(12)))
    assert largest == 3


async def test_a_full_pool_is_told_after_the_timeout() -> None:
    async with pool_of(max_size=1, timeout=0.2) as pool:
        await pool.acquire()
        with pytest.raises(PoolTimeout, match=r"within 0\.2 s \(1 of 1 lent\); raise max_size"):
            await pool.acquire()
        assert pool.stats().waiting == 0


async def test_a_release_serves_who_waits() -> None:
    async with pool_of(max_size=1) as pool:
        first = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await pool.release(first)
        assert (await waiting).pid != first.pid


async def test_too_many_who_wait_are_refused() -> None:
    async with pool_of(max_size=1, max_waiting=2) as pool:
        await pool.acquire()
        waiting = [asyncio.create_task(pool.acquire()) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(TooManyRequests, match="2 are waiting for a process already"):
            await pool.acquire()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert pool.stats().waiting == 0


async def test_giving_up_leaves_the_process_for_the_next() -> None:
    async with pool_of("--slow-start", min_size=0, max_size=1) as pool:
        hasty = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0.05)
        hasty.cancel()
        process = await pool.acquire()
        assert (process.exit, pool.stats().started) == (None, 1)


async def test_giving_up_in_the_very_moment_loses_no_process() -> None:
    waiting: asyncio.Task[PyodideProcess] | None = None

    def give_up(stats: PoolStats) -> None:
        if waiting is not None and stats.waiting == 0 and stats.lent == 1:
            waiting.cancel()

    async with pool_of(max_size=1, on_change=give_up) as pool:
        first = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0.01)
        await pool.release(first)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        waiting = None
        await until(lambda: pool.stats().lent == 0)
        assert (await pool.acquire(timeout=5)).exit is None


async def test_a_process_that_dies_in_the_pool_is_replaced() -> None:
    async with pool_of() as pool:
        await pool.wait()
        (process,) = pool._warm
        process.kill("killed", "by a test")
        await until(lambda: pool.stats().started == 2 and pool.stats().warm == 1)
        assert (await pool.acquire()).pid != process.pid


async def test_a_process_that_no_longer_listens_is_not_lent() -> None:
    async with pool_of("--closes-idle") as pool:
        await pool.wait()
        (process,) = pool._warm
        await until(lambda: process.is_ending)
        assert process in pool._warm
        lending = asyncio.create_task(pool.acquire())
        await until(lambda: process.exit is not None)
        assert (await lending).pid != process.pid


async def test_a_process_that_dies_while_lent_makes_room() -> None:
    async with pool_of(max_size=1) as pool:
        process = await pool.acquire()
        process.kill("killed", "by a test")
        assert (await pool.acquire()).pid != process.pid
        await pool.release(process)  # late, but no fault


async def test_a_process_that_was_not_lent_is_not_taken_back() -> None:
    async with pool_of() as pool, PyodideProcess(fake_config()) as stranger:
        with pytest.raises(InvalidState, match="not lent"):
            await pool.release(stranger)


async def test_starts_that_fail_are_told_to_who_waits_and_slow_down() -> None:
    async with pool_of("--dies-at-start") as pool:
        started = time.monotonic()
        with pytest.raises(ProcessStartError, match="cannot find the thing"):
            await pool.acquire()
        assert time.monotonic() - started < 5
        with pytest.raises(ProcessStartError, match="cannot find the thing"):
            await pool.acquire()
        with pytest.raises(ProcessStartError, match="cannot find the thing"):
            await pool.wait()
        await asyncio.sleep(0.5)
        assert 2 <= pool.stats().failed <= 5
        assert "cannot find the thing" in str(pool.stats().last_error)


async def test_a_pool_recovers_when_starts_work_again(tmp_path: Path) -> None:
    config = fake_config("--dies-at-start", image=IMAGE)
    async with PyodideManager(config, min_size=1) as pool:
        await until(lambda: pool.stats().failed >= 2)
        pool._config = fake_config(image=IMAGE)
        await until(lambda: pool.stats().warm == 1)
        assert pool.stats().last_error is None
        assert (await pool.acquire(ProcessLimits(memory_bytes=10**9))).exit is None


async def test_processes_that_die_as_soon_as_they_are_warm_slow_down() -> None:
    async with pool_of("--dies-idle") as pool:
        await asyncio.sleep(1.5)
        assert 2 <= pool.stats().started <= 5


async def test_another_memory_limit_gets_a_process_of_its_own() -> None:
    async with pool_of(min_size=2, max_size=2) as pool:
        await pool.wait()
        special = await pool.acquire(ProcessLimits(memory_bytes=10**9))
        assert special.config.memory_bytes == 10**9
        await until(lambda: pool.stats().warm == 1)
        assert pool.stats().lent == 1


async def test_the_pools_own_memory_limit_needs_no_other_process() -> None:
    async with pool_of() as pool:
        await pool.wait()
        same = ProcessLimits(memory_bytes=pool._config.memory_bytes)
        started = time.monotonic()
        await pool.acquire(same)
        assert time.monotonic() - started < 0.05


async def test_another_output_limit_is_set_in_a_warm_process() -> None:
    async with pool_of() as pool:
        await pool.wait()
        process = await pool.acquire(ProcessLimits(output_bytes=99))
        async for batch in process.events():
            assert '"output_bytes": 99' in repr(batch)
            break


async def test_idle_processes_beyond_the_reserve_are_ended() -> None:
    async with pool_of("--slow-start", min_size=1, max_idle=0.2) as pool:
        hasty = [asyncio.create_task(pool.acquire()) for _ in range(3)]
        await until(lambda: pool.stats().starting == 2)
        for task in hasty:
            task.cancel()
        await asyncio.gather(*hasty, return_exceptions=True)
        await until(lambda: pool.stats().warm == 2)
        await until(lambda: pool.stats().warm == 1)


async def test_a_closed_pool_says_so_to_who_waits_and_who_asks() -> None:
    async with pool_of(max_size=1) as pool:
        process = await pool.acquire()
        waiting = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0.01)
    with pytest.raises(PoolClosed, match="while you waited"):
        await waiting
    assert process.exit is not None
    with pytest.raises(PoolClosed, match="open it first"):
        await pool.acquire()


async def test_a_pool_can_be_closed_while_it_starts() -> None:
    async with pool_of("--never-ready", min_size=4) as pool:
        await until(lambda: pool.stats().starting == 2)
    assert pool.stats().starting == 0


async def test_a_pool_makes_its_image_first(tmp_path: Path) -> None:
    lines: list[str] = []
    (tmp_path / "package.json").write_text("{}")
    config = fake_config("--needs-image", folder=tmp_path)
    async with PyodideManager(config, cache_dir=tmp_path, on_progress=lines.append) as pool:
        process = await pool.acquire()
        assert process.config.image is not None
    assert lines == ["building the base image, about 2 s"]


async def test_a_pool_goes_on_without_an_image_and_says_so(tmp_path: Path) -> None:
    lines: list[str] = []
    (tmp_path / "package.json").write_text("{}")
    config = fake_config("--no-image", folder=tmp_path)
    async with PyodideManager(config, cache_dir=tmp_path, on_progress=lines.append) as pool:
        assert (await pool.acquire()).config.image is None
    assert "an image cannot be made here" in lines[-1]
    assert "start without it" in lines[-1]


async def test_a_broken_image_is_repaired_before_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    config = fake_config(folder=tmp_path)
    async with PyodideManager(config, cache_dir=tmp_path, min_size=1) as pool:
        await pool.wait()
        (image,) = (tmp_path / "images").glob("*.image")
        whole = image.read_bytes()
        image.write_bytes(b"")
        (process,) = pool._warm
        process.kill("killed", "as one does that starts from a broken image")
        await until(lambda: pool.stats().started == 2)
        assert image.read_bytes() == whole
