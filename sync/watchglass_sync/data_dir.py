"""The data directory: made if it is not there, checked, and held by one process at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from watchglass_sync.errors import DataDirLocked, DataDirUnusable

LOCK_NAME = "lock"


class DataDirLock:
    """A lock on a data directory; the operating system drops it when the process ends."""

    def __init__(self, data_dir: Path) -> None:
        prepare(data_dir)
        path = data_dir / LOCK_NAME
        try:
            self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise _unwritable(data_dir, exc) from exc
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            holder = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
            self.release()
            raise DataDirLocked(
                f"the data directory {data_dir} is in use by another server (process {holder}); "
                "stop that one, or choose another directory with --data-dir"
            ) from exc
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next process in. The file stays: removing it would race with who opens it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def prepare(data_dir: Path) -> None:
    """Make the directory (mode 0700) unless it is there; refuse what cannot be written."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as exc:
        raise DataDirUnusable(
            f"{data_dir} cannot be the data directory: {exc.filename or data_dir} is not a "
            "directory; move it away, or choose another directory with --data-dir"
        ) from exc
    except OSError as exc:
        raise _unwritable(data_dir, exc) from exc
    if not os.access(data_dir, os.R_OK | os.W_OK | os.X_OK):
        raise _unwritable(data_dir, PermissionError("permission denied"))


def _unwritable(data_dir: Path, exc: OSError) -> DataDirUnusable:
    return DataDirUnusable(
        f"the data directory {data_dir} cannot be written ({exc.strerror or exc}); change its "
        "owner or mode, or choose another directory with --data-dir"
    )
