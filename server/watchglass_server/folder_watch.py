"""Disk → server: says that something below a folder has changed. The only import of watchfiles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path, PurePath

from watchfiles import Change, DefaultFilter, awatch

# Told when nothing has changed for one step, and at the latest after the whole time.
STEP_MS = 100
LONGEST_MS = 1600
# How long a stop may have to wait for the thread that listens.
LOOK_UP_MS = 500

_ordinary = DefaultFilter()


def matters(change: Change, path: str) -> bool:
    """Python files, and what may be a folder: not the data that a program writes meanwhile."""
    return PurePath(path).suffix in ("", ".py") and _ordinary(change, path)


async def changes(folder: Path) -> AsyncIterator[None]:
    """Yield whenever something has changed. Raises OSError when the folder is not there."""
    async for _ in awatch(
        folder,
        watch_filter=matters,
        debounce=LONGEST_MS,
        step=STEP_MS,
        rust_timeout=LOOK_UP_MS,
        recursive=True,
        ignore_permission_denied=True,
    ):
        yield
