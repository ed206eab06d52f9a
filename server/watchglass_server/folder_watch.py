"""Disk → server: says that something below a folder has changed. The only import of watchfiles."""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import AsyncGenerator
from pathlib import Path, PurePath

from watchfiles import Change, DefaultFilter, awatch

# Told when nothing has changed for one step, and at the latest after the whole time.
STEP_MS = 100
LONGEST_MS = 1600
# How often it is looked whether the folder is still the same; so long a stop may have to wait.
LOOK_UP_MS = 500

_ordinary = DefaultFilter()


def matters(change: Change, path: str) -> bool:
    """Python files, and what may be a folder: not the data that a program writes meanwhile."""
    return PurePath(path).suffix in ("", ".py") and _ordinary(change, path)


async def changes(folder: Path) -> AsyncGenerator[None, None]:
    """Yield whenever something has changed, until another folder, or none, has its name.

    Yields once at the beginning, too: what changed before the watch began has to be looked for.

    Raises OSError when it is not there, and RuntimeError when the system has no watch left.
    """
    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it tells of every change
    known = _identity(folder)
    if known is None:
        raise FileNotFoundError(errno.ENOENT, "There is no such folder", str(folder))
    found = awatch(
        folder,
        watch_filter=matters,
        debounce=LONGEST_MS,
        step=STEP_MS,
        rust_timeout=LOOK_UP_MS,
        yield_on_timeout=True,
        recursive=True,
        ignore_permission_denied=True,
    )
    is_first = True
    async with contextlib.aclosing(found):
        async for some in found:
            if some or is_first:
                is_first = False
                yield
            if _identity(folder) != known:
                return


def _identity(folder: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        status = folder.stat()
        return status.st_dev, status.st_ino
    return None
