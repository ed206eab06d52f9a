"""Tests of folder_watch.py on a real folder."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from watchfiles import Change

from watchglass_server.folder_watch import changes, matters

# By then the thread that listens has begun to.
BEGUN_S = 0.5


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("/w/units.py", True),
        ("/w/game", True),
        ("/w/journal.db", False),
        ("/w/units.pyc", False),
        ("/w/.git/index", False),
        ("/w/__pycache__/units.py", False),
        ("/w/.venv/lib/units.py", False),
    ],
)
def test_only_what_may_be_a_script_or_a_folder_counts(path: str, counts: bool) -> None:
    assert matters(Change.modified, path) is counts


async def next_change(watching: AsyncIterator[None]) -> bool:
    """True when there was one, False at the end."""
    async with asyncio.timeout(5):
        with contextlib.suppress(StopAsyncIteration):
            await anext(watching)
            return True
    return False


async def test_a_burst_of_writes_in_any_depth_is_one_change(tmp_path: Path) -> None:
    async with contextlib.aclosing(changes(tmp_path)) as watching:
        assert await next_change(watching), "what changed before has to be looked for"
        first = asyncio.create_task(next_change(watching))
        await asyncio.sleep(BEGUN_S)
        (tmp_path / "game/levels").mkdir(parents=True)
        for number in range(20):
            (tmp_path / "game/levels" / f"l{number}.py").write_text("x = 1")
        assert await first
        (tmp_path / "notes.txt").write_text("not told")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(watching), 1.5)


async def test_it_ends_when_the_folder_is_another_one(tmp_path: Path) -> None:
    folder = tmp_path / "scripts"
    folder.mkdir()
    async with contextlib.aclosing(changes(folder)) as watching:
        first = asyncio.create_task(next_change(watching))
        await asyncio.sleep(BEGUN_S)
        folder.rename(tmp_path / "old")
        folder.mkdir()
        if await first:
            assert not await next_change(watching)


async def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        await next_change(changes(tmp_path / "missing"))
