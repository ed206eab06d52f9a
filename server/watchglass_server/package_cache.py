"""Wheels on disk, each under its own hash: what is here was checked and never changes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

KEPT_BYTES: Final = 2 * 2**30
HALF_WRITTEN_S: Final = 86_400.0
_CHUNK_BYTES = 2**20


class PackageCache:
    """The folder `packages` of `cache_dir`; may be shared by servers, and deleted at any time."""

    def __init__(self, cache_dir: Path, kept_bytes: int = KEPT_BYTES) -> None:
        self.folder = cache_dir / "packages"
        self._kept_bytes = kept_bytes

    def find(self, sha256: str) -> Path | None:
        """The wheel of this hash, which now counts as used. Blocks."""
        path = self.folder / f"{sha256}.whl"
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def read(self, sha256: str) -> bytes | None:
        """Its bytes, if they still are those of the hash. Blocks."""
        path = self.find(sha256)
        try:
            data = path.read_bytes() if path is not None else None
        except OSError:
            return None
        if data is None or hashlib.sha256(data).hexdigest() == sha256:
            return data
        with contextlib.suppress(OSError):
            (self.folder / f"{sha256}.whl").unlink()
        return None

    def forget(self, sha256: str) -> None:
        """Take a wheel out again."""
        (self.folder / f"{sha256}.whl").unlink(missing_ok=True)

    @contextlib.contextmanager
    def incoming(self) -> Iterator[Path]:
        """A file to write a wheel into; gone afterwards, unless it was kept."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".incoming-", dir=self.folder)
        os.close(handle)
        path = Path(name)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def keep(self, incoming: Path, sha256: str) -> Path:
        """Let a file that has this hash stay, and drop what has not been used longest. Blocks."""
        path = self.folder / f"{sha256}.whl"
        os.replace(incoming, path)
        self.prune()
        return path

    def adopt(self, file: Path) -> tuple[str, Path]:
        """Take in a copy of a file; returns its hash. Blocks."""
        with self.incoming() as incoming:
            shutil.copyfile(file, incoming)
            sha256 = hash_of(incoming)
            known = self.find(sha256)
            return sha256, known or self.keep(incoming, sha256)

    def prune(self) -> None:
        """Keep the newest that fit, and nothing that a server left half written. Blocks."""
        for half in self.folder.glob(".incoming-*"):
            with contextlib.suppress(OSError):
                if half.stat().st_mtime < time.time() - HALF_WRITTEN_S:
                    half.unlink()
        room = self._kept_bytes
        for used, size, path in sorted(self._files(), reverse=True):
            del used
            room -= size
            if room < 0:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self.folder.glob("*.whl"):
            with contextlib.suppress(OSError):
                status = path.stat()
                yield status.st_mtime, status.st_size, path


def hash_of(path: Path) -> str:
    """The sha256 of a file. Blocks."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_CHUNK_BYTES):
            found.update(data)
    return found.hexdigest()
