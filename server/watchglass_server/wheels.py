"""A wheel's bytes → what is in it, once it is known to be harmless to unpack.

Nothing of a wheel is run or unpacked here: it is read, within limits, and handed on as it is.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from packaging.metadata import parse_email
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

MAX_WHEEL_BYTES: Final = 64 * 2**20
MAX_UNPACKED_BYTES: Final = 256 * 2**20
MAX_FILES: Final = 20_000
MAX_PATH_CHARACTERS: Final = 500
MAX_METADATA_BYTES: Final = 2 * 2**20
MAX_DEPENDENCIES: Final = 2000
MAX_REQUIREMENT_CHARACTERS: Final = 4000  # below what Python refuses to read as a number
_CHUNK_BYTES = 2**18
_ENCRYPTED = 0x1
_MEMBER = b"PK\x01\x02"  # begins each entry of an archive's list of its members


class WheelRefused(Exception):
    """A wheel that is not given to sessions; says why, behind its name."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a wheel says of itself, as far as it matters for choosing it."""

    project: str
    version: Version
    requires: tuple[Requirement, ...] = ()
    extras: frozenset[str] = frozenset()
    requires_python: SpecifierSet | None = None


@dataclass(frozen=True, slots=True)
class WheelContent:
    """A wheel that was read."""

    metadata: Metadata
    unpacked_bytes: int
    files: int
    modules: frozenset[str]  # what can be imported from it, at the top


def read_metadata(data: bytes) -> Metadata:
    """Understand the METADATA of a wheel. Raises WheelRefused."""
    raw, _ = parse_email(data)
    try:
        requires_python = raw.get("requires_python")
        requires = raw.get("requires_dist", [])
        if len(requires) > MAX_DEPENDENCIES:
            raise WheelRefused(f"asks for {len(requires):,} others; at most {MAX_DEPENDENCIES:,}")
        if any(len(one) > MAX_REQUIREMENT_CHARACTERS for one in (*requires, requires_python or "")):
            raise WheelRefused("asks for something in more words than anybody can mean")
        return Metadata(
            project=str(canonicalize_name(raw.get("name", ""))),
            version=Version(raw.get("version", "")),
            requires=tuple(Requirement(one) for one in requires),
            extras=frozenset(str(canonicalize_name(one)) for one in raw.get("provides_extra", [])),
            requires_python=SpecifierSet(requires_python) if requires_python else None,
        )
    except (ValueError, RecursionError) as error:
        raise WheelRefused(f"has metadata that cannot be read ({error})") from None


def metadata_of(path: Path) -> bytes:
    """The METADATA of a wheel, without looking at the rest. Raises WheelRefused."""
    try:
        _must_be_short(path)
        with zipfile.ZipFile(path) as archive:
            return _metadata_bytes(archive)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError) as error:
        raise WheelRefused(f"is no zip archive ({error})") from None


def read_wheel(path: Path, filename: str) -> WheelContent:
    """Read all of a wheel, and hold it against its limits and its name. Blocks.

    Raises WheelRefused. The declared sizes are not believed: every byte is unpacked once, to
    nowhere.
    """
    if path.stat().st_size > MAX_WHEEL_BYTES:
        size = path.stat().st_size
        raise WheelRefused(f"has {size:,} bytes; at most {MAX_WHEEL_BYTES:,} are taken")
    try:
        _must_be_short(path)
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_members(members)
            metadata = read_metadata(_metadata_bytes(archive))
            _check_name(metadata, filename)
            unpacked = _unpacked_bytes(archive, members)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError) as error:
        raise WheelRefused(f"is no sound zip archive ({error})") from None
    modules = frozenset(filter(None, (_module(one.filename) for one in members)))
    return WheelContent(metadata, unpacked, len(members), modules)


def _must_be_short(path: Path) -> None:
    """Refuse too long a list of members unread: ZipFile would make objects of 600 MB of it."""
    count, last = 0, b""
    with path.open("rb") as file:
        while data := file.read(_CHUNK_BYTES):
            count += (last + data).count(_MEMBER)
            last = (last + data)[1 - len(_MEMBER) :]
    if count > 2 * MAX_FILES:  # it may stand in a member, too, by chance or in an archive
        raise WheelRefused(f"holds about {count:,} files; at most {MAX_FILES:,} are taken")


def _check_members(members: Sequence[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_FILES:
        raise WheelRefused(f"holds {len(members):,} files; at most {MAX_FILES:,} are taken")
    declared = sum(one.file_size for one in members)
    if declared > MAX_UNPACKED_BYTES:
        raise WheelRefused(_too_much(declared))
    names: set[str] = set()
    for one in members:
        _check_path(one)
        if one.filename in names:
            raise WheelRefused(f"holds {one.filename!r} twice")
        names.add(one.filename)


def _check_path(member: zipfile.ZipInfo) -> None:
    name = member.orig_filename  # ZipFile cuts a name at a null byte
    shown = repr(name[:100])
    if len(name) > MAX_PATH_CHARACTERS or not name.isprintable() or "\\" in name:
        raise WheelRefused(f"holds a file by the name {shown}")
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or ":" in name:
        raise WheelRefused(f"holds {shown}, which leads out of the folder it is unpacked to")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise WheelRefused(f"holds {shown}, which is a link or no ordinary file")
    if member.flag_bits & _ENCRYPTED:
        raise WheelRefused(f"holds {shown} encrypted")


def _metadata_bytes(archive: zipfile.ZipFile) -> bytes:
    found = [
        one
        for one in archive.infolist()
        if one.filename.count("/") == 1 and one.filename.endswith(".dist-info/METADATA")
    ]
    if len(found) != 1:
        raise WheelRefused(f"has {len(found)} files METADATA where a wheel has one")
    with archive.open(found[0]) as file:
        data = file.read(MAX_METADATA_BYTES + 1)
    if len(data) > MAX_METADATA_BYTES:
        raise WheelRefused(f"has more than {MAX_METADATA_BYTES:,} bytes of metadata")
    return data


def _check_name(metadata: Metadata, filename: str) -> None:
    project, version, _, _ = parse_wheel_filename(filename)
    if (metadata.project, metadata.version) != (project, version):
        raise WheelRefused(f"says inside that it is {metadata.project} {metadata.version}")


def _unpacked_bytes(archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]) -> int:
    unpacked = 0
    for one in members:
        with archive.open(one) as file:
            unpacked = _count(file, unpacked)
    return unpacked


def _count(file: IO[bytes], before: int) -> int:
    while data := file.read(_CHUNK_BYTES):
        before += len(data)
        if before > MAX_UNPACKED_BYTES:
            raise WheelRefused(_too_much(before))
    return before


def _too_much(size: int) -> str:
    return f"unpacks to {size:,} bytes or more; at most {MAX_UNPACKED_BYTES:,} are taken"


def _module(name: str) -> str | None:
    first, _, rest = name.partition("/")
    if first.endswith((".dist-info", ".data")):
        return None
    stem = first if rest else first.partition(".")[0] if first.endswith((".py", ".so")) else ""
    return stem if stem.isidentifier() else None
