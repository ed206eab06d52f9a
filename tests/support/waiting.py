"""Waiting for something to become true."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

MOST_SECONDS = 10.0


async def until(condition: Callable[[], object]) -> None:
    """Returns as soon as it holds; the test fails if it never does."""
    async with asyncio.timeout(MOST_SECONDS):
        while not condition():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0.005)
