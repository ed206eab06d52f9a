"""Disk → sessions: the wheels in the folder of `--wheel-dir`, read within limits."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion

from watchglass_server.package_cache import PackageCache
from watchglass_server.package_pages import Candidate, Project, best_first
from watchglass_server.session_python import RUNS_HERE, is_for_this_python, rank
from watchglass_server.wheels import Metadata, WheelContent, WheelRefused, read_wheel

MAX_WHEELS: Final = 1000


@dataclass(frozen=True, slots=True)
class WheelFolder:
    """The wheels of the folder; `refused`: why a file is not among them."""

    projects: Mapping[str, Project] = field(default_factory=dict)
    metadata: Mapping[str, Metadata] = field(default_factory=dict)  # by the hash of the wheel
    modules: Mapping[str, str] = field(default_factory=dict)  # what to import → its project
    refused: Mapping[str, str] = field(default_factory=dict)


class WheelFolderReader:
    """Reads the folder whenever it is asked, and each file of it once."""

    def __init__(self, folder: Path, cache: PackageCache) -> None:
        self.folder = folder
        self._cache = cache
        self._known: dict[tuple[str, int, int], tuple[Candidate, WheelContent] | str] = {}

    def read(self) -> WheelFolder:
        """What the folder holds now. Blocks. Raises OSError when it is gone."""
        seen: dict[tuple[str, int, int], tuple[Candidate, WheelContent] | str] = {}
        for entry in sorted(os.scandir(self.folder), key=lambda one: one.name)[:MAX_WHEELS]:
            if not entry.name.endswith(".whl") or entry.name.startswith("."):
                continue
            status = entry.stat(follow_symlinks=False)
            key = (entry.name, status.st_mtime_ns, status.st_size)
            seen[key] = self._known.get(key) or self._read(Path(entry.path), status)
        self._known = seen
        return _folder({key[0]: one for key, one in seen.items()})

    def _read(self, path: Path, status: os.stat_result) -> tuple[Candidate, WheelContent] | str:
        try:
            if not stat.S_ISREG(status.st_mode):
                raise WheelRefused("is a link or no ordinary file")
            project, version, _, tags = parse_wheel_filename(path.name)
            place = rank(tags)
            if place is None:
                raise WheelRefused(f"does not run in a session: only {RUNS_HERE} do")
            sha256, copy = self._cache.adopt(path)
            content = read_wheel(copy, path.name)
            if not is_for_this_python(content.metadata.requires_python):
                raise WheelRefused(f"asks for Python {content.metadata.requires_python}")
        except (WheelRefused, OSError) as error:
            return str(error)
        except (InvalidWheelFilename, InvalidVersion):
            return "has a name that is none of a wheel"
        return Candidate(str(project), version, path.name, sha256, place, "folder"), content


def _folder(files: Mapping[str, tuple[Candidate, WheelContent] | str]) -> WheelFolder:
    candidates: dict[str, list[Candidate]] = {}
    metadata: dict[str, Metadata] = {}
    modules: dict[str, str] = {}
    refused: dict[str, str] = {}
    for name, one in files.items():
        if isinstance(one, str):
            refused[name] = one
            continue
        candidate, content = one
        candidates.setdefault(candidate.project, []).append(candidate)
        metadata[candidate.sha256] = content.metadata
        modules |= dict.fromkeys(content.modules, candidate.project)
    projects = {name: Project(name, best_first(found)) for name, found in candidates.items()}
    return WheelFolder(projects, metadata, modules, refused)
