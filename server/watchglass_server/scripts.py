"""Disk → server: the Python files of the folder of `--watch`, read within limits."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath

from watchglass_server.fields import ScriptKind

MAX_SCRIPT_BYTES = 1_000_000  # as code, with a line before it, it has to fit into one execution
MAX_SCRIPTS = 1000
MAX_ALL_BYTES = 8 * 2**20
MAX_FOLDERS = 10_000
MAX_PATH_CHARACTERS = 500
VERSION_CHARACTERS = 12
_NOT_LOOKED_INTO = frozenset({"__pycache__", "node_modules", "venv"})


class ScriptRefused(Exception):
    """A file that is not given to sessions; says why, behind its name."""


@dataclass(frozen=True, slots=True)
class Script:
    """One file: its path below the folder, its text, and a short hash of that."""

    path: str
    text: str
    version: str

    @property
    def module(self) -> str | None:
        """The name by which it can be imported, if there is one."""
        parts = list(PurePosixPath(self.path).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None

    def code(self, kind: ScriptKind) -> str:
        """What is executed to load it: its own text, so that the record holds what ran."""
        if kind == "script":
            return self.text
        return f"%%reload {self.path} {self.version}\n{self.text}"


@dataclass(frozen=True, slots=True)
class Catalog:
    """All files of the folder at one moment; `refused`: why a file is not among them."""

    scripts: Mapping[str, Script] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScriptChange:
    """A file has another text, is new, or (None) is gone."""

    path: str
    script: Script | None


def differences(before: Catalog, after: Catalog) -> list[ScriptChange]:
    """What has to be told when one catalog replaces another."""
    gone = [ScriptChange(path, None) for path in before.scripts if path not in after.scripts]
    known = {path: script.version for path, script in before.scripts.items()}
    return gone + [
        ScriptChange(path, script)
        for path, script in after.scripts.items()
        if known.get(path) != script.version
    ]


def version_of(text: str) -> str:
    """A short name of this very text."""
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_CHARACTERS]


def read_catalog(folder: Path) -> Catalog:
    """Read all files that may be given to sessions. Blocks, but never on what is no file."""
    scripts: dict[str, Script] = {}
    refused: dict[str, str] = {}
    room = MAX_ALL_BYTES
    for path in _paths(folder):
        try:
            if len(scripts) >= MAX_SCRIPTS:
                raise ScriptRefused(f"comes after the first {MAX_SCRIPTS:,} files")
            script = _read(folder, path)
            size = len(script.text.encode())
            if size > room:
                raise ScriptRefused(f"is beyond the first {MAX_ALL_BYTES // 2**20} MiB in all")
        except ScriptRefused as why:
            if len(refused) < MAX_SCRIPTS:
                refused[path] = str(why)
        else:
            room -= size
            scripts[path] = script
    return Catalog(scripts, refused)


def _paths(folder: Path) -> Iterator[str]:
    """In the order of their names, so that the same ones are within the limits each time."""
    for directory, folders, files in islice(os.walk(folder), MAX_FOLDERS):
        folders[:] = sorted(name for name in folders if _is_looked_into(name))
        for name in sorted(files):
            if name.endswith(".py") and not name.startswith("."):
                path = Path(directory, name).relative_to(folder).as_posix()
                if len(path) <= MAX_PATH_CHARACTERS and path.isprintable():
                    yield path


def _is_looked_into(name: str) -> bool:
    return not name.startswith(".") and name not in _NOT_LOOKED_INTO


def _read(folder: Path, path: str) -> Script:
    try:
        root = folder.resolve()
        real = Path(os.path.realpath(root / path, strict=True))
        if not real.is_relative_to(root):
            raise ScriptRefused("is a link that leads out of the watched folder")
        text = _content(real).decode("utf-8-sig")
    except OSError as error:
        raise ScriptRefused(f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ScriptRefused("is not UTF-8") from None
    return Script(path, text, version_of(text))


def _content(real: Path) -> bytes:
    # A pipe by this name would never end, a link made just now leads anywhere.
    handle = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ScriptRefused("is no ordinary file")
        content = file.read(MAX_SCRIPT_BYTES + 1)
        if len(content) > MAX_SCRIPT_BYTES:
            size = max(status.st_size, len(content))
            raise ScriptRefused(f"has {size:,} bytes; at most {MAX_SCRIPT_BYTES:,} are given")
    return content
