"""Waiting for something to become true."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

MOST_SECONDS = 10.0


async def until(condition: Callable[[], object]) -> None:
    """Returns as soon as it holds; the test fails if it never does."""
    async with asyncio.timeout(MOST_SECONDS):
        while not condition():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0.005)


async def until_true(
    holds: Callable[[], Awaitable[object]], timeout: float = 30, interval: float = 0.05
) -> None:
    """Returns as soon as something that has to be asked for is so."""
    async with asyncio.timeout(timeout):
        while not await holds():  # noqa: ASYNC110 - it is asked for, and nobody tells it
            await asyncio.sleep(interval)
