"""What an index or a folder has of a project: wheels that run in a session, and what else. Pure.

What is no wheel for a session is only counted, so that an error can say what there is instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from watchglass_server.session_python import is_for_this_python, rank

MAX_FILES = 100_000
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class IndexFile(msgspec.Struct, frozen=True, rename="kebab"):
    """One file of a project, as the index tells of it."""

    filename: Annotated[str, Meta(max_length=500)]
    url: Annotated[str, Meta(max_length=4000)]
    hashes: dict[str, str] = {}
    requires_python: str | None = None
    core_metadata: bool | dict[str, str] = False
    data_dist_info_metadata: bool | dict[str, str] = False
    yanked: bool | str = False
    size: int | None = None


class IndexPage(msgspec.Struct, frozen=True):
    """The page of a project."""

    name: str
    files: Annotated[list[IndexFile], Meta(max_length=MAX_FILES)]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One wheel that would run in a session."""

    project: str
    version: Version
    filename: str
    sha256: str
    rank: int
    origin: Literal["index", "folder", "installed"]
    url: str = ""
    size: int | None = None
    yanked: bool = False
    metadata_sha256: str | None = None  # None: the metadata is not to be had by itself


@dataclass(frozen=True, slots=True)
class Project:
    """A project: its wheels for sessions, and what else there was."""

    name: str
    candidates: tuple[Candidate, ...] = ()
    other_versions: tuple[Version, ...] = ()  # with files, none of which runs here
    other_platforms: tuple[str, ...] = ()  # of wheels of the newest such version
    has_source: bool = False
    other_python: int = 0  # files that ask for another Python
    unhashed: int = 0
    why: str = ""  # why the index has nothing to say


@dataclass(slots=True)
class _Seen:
    candidates: list[Candidate] = field(default_factory=list)
    versions: set[Version] = field(default_factory=set)
    platforms: dict[Version, Counter[str]] = field(default_factory=dict)
    has_source: bool = False
    other_python: int = 0
    unhashed: int = 0


def read_page(name: str, page: IndexPage) -> Project:
    """Sort the files of a page."""
    seen = _Seen()
    for file in page.files:
        _sort(name, file, seen)
    usable = {one.version for one in seen.candidates}
    others = tuple(sorted(seen.versions - usable, reverse=True))
    newest = max(seen.platforms, default=None)
    platforms = () if newest is None else tuple(name for name, _ in seen.platforms[newest].items())
    return Project(
        name,
        candidates=best_first(seen.candidates),
        other_versions=others,
        other_platforms=platforms,
        has_source=seen.has_source,
        other_python=seen.other_python,
        unhashed=seen.unhashed,
    )


def best_first(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The newest first; of one version, the folder's before the index's, then the best tag."""
    return tuple(
        sorted(
            sorted(candidates, key=lambda one: (one.origin == "index", one.rank)),
            key=lambda one: one.version,
            reverse=True,
        )
    )


def _sort(name: str, file: IndexFile, seen: _Seen) -> None:
    try:
        if file.filename.endswith(".whl"):
            _sort_wheel(name, file, seen)
        elif file.filename.endswith((".tar.gz", ".zip")):
            project, version = parse_sdist_filename(file.filename)
            if project == name:
                seen.has_source = True
                seen.versions.add(version)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion, ValueError):
        return  # old indexes are full of files that no tool can read any more


def _sort_wheel(name: str, file: IndexFile, seen: _Seen) -> None:
    project, version, _, tags = parse_wheel_filename(file.filename)
    if project != name:
        return
    place = rank(tags)
    seen.versions.add(version)
    if place is None:
        seen.platforms.setdefault(version, Counter()).update(_kind(tag.platform) for tag in tags)
        return
    if not _fits_python(file.requires_python):
        seen.other_python += 1
        return
    sha256 = file.hashes.get("sha256", "").lower()
    if not _is_sha256(sha256):
        seen.unhashed += 1
        return
    seen.candidates.append(
        Candidate(
            project=name,
            version=version,
            filename=file.filename,
            sha256=sha256,
            rank=place,
            origin="index",
            url=file.url,
            size=file.size,
            yanked=file.yanked is not False,
            metadata_sha256=_metadata_sha256(file),
        )
    )


def _kind(platform: str) -> str:
    """`manylinux_2_28_x86_64` → `manylinux`."""
    if platform.startswith(("pyemscripten", "pyodide", "emscripten", "wasi")):
        return platform
    return platform.partition("_")[0].rstrip("0123456789")


def _fits_python(requires_python: str | None) -> bool:
    try:
        return is_for_this_python(SpecifierSet(requires_python) if requires_python else None)
    except InvalidSpecifier:
        return False


def _metadata_sha256(file: IndexFile) -> str | None:
    for told in (file.core_metadata, file.data_dist_info_metadata):
        if isinstance(told, dict) and _is_sha256(told.get("sha256", "")):
            return told["sha256"].lower()
    return None


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and all(letter in "0123456789abcdefABCDEF" for letter in text)


def merged(name: str, *parts: Project | None) -> Project:
    """What several places have of one project."""
    known = [one for one in parts if one is not None]
    candidates = best_first([one for part in known for one in part.candidates])
    told = max(known, key=lambda one: (len(one.other_versions), one.has_source), default=None)
    if told is None:
        return Project(name)
    return Project(
        name,
        candidates,
        told.other_versions,
        told.other_platforms,
        told.has_source,
        told.other_python,
        told.unhashed,
        next((one.why for one in known if one.why), ""),
    )


def canonical(name: str) -> str:
    """The name by which an index knows a project."""
    return str(canonicalize_name(name))
