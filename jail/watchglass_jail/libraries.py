"""What a program needs to start: its loader and its libraries, asked of the loader itself."""

import os
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from watchglass_jail.errors import JailError

__all__ = ["libraries_of"]

# elf.h, of 64 bits: where the program headers are told of, and one of them.
HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER: Final = struct.Struct("<IIQQQQQQ")
PT_INTERP: Final = 3
NAMED: Final = re.compile(r"(?:=>\s*)?(/\S+)\s+\(0x[0-9a-f]+\)$")
# Where every loader looks; for other folders it reads a list.
USUAL: Final = re.compile(r"(/usr)?/lib(64)?(/[\w-]+-linux-\w+)?/[^/]+$")
LIST_OF_FOLDERS: Final = "/etc/ld.so.cache"


def libraries_of(program: str) -> tuple[str, ...]:
    """Return the program, its loader and its libraries, by each name that it needs them by."""
    loader = _loader(program)
    named = [program, os.path.realpath(program)]
    if loader is not None:
        libraries = list(_listed(loader, program))
        named += [loader, *libraries]
        if not all(USUAL.match(path) for path in libraries):
            named.append(LIST_OF_FOLDERS)
    return tuple(dict.fromkeys(named))


def _loader(program: str) -> str | None:
    """Return the loader that the program names; one that names none has all it needs in itself."""
    try:
        with open(program, "rb") as file:
            return next(_loaders(file), None)
    except (OSError, struct.error) as error:
        raise JailError(
            "libraries",
            f"{program} cannot be read as a program: {error}",
            "Name Node's own executable, not a script that starts it.",
        ) from error


def _loaders(file: BinaryIO) -> Iterator[str]:
    start = file.read(HEADER.size)
    if start[:6] != b"\x7fELF\x02\x01":
        raise struct.error("no ELF of 64 bits")
    headers = HEADER.unpack(start)
    offset, size, count = headers[5], headers[9], headers[10]
    for index in range(count):
        file.seek(offset + index * size)
        kind, _, where, _, _, length, _, _ = PROGRAM_HEADER.unpack(file.read(PROGRAM_HEADER.size))
        if kind == PT_INTERP:
            file.seek(where)
            yield os.fsdecode(file.read(length).rstrip(b"\0"))


def _listed(loader: str, program: str) -> Iterator[str]:
    output, status = _run(loader, "--list", program)
    if status != 0:
        raise JailError(
            "libraries",
            f"{loader} --list {program} failed: {output.strip()[-200:]}",
            "Look whether Node starts on this machine at all.",
        )
    for line in output.splitlines():
        if named := NAMED.search(line):
            yield named[1]


def _run(*words: str) -> tuple[str, int]:
    reading, writing = os.pipe()
    with open(reading, errors="replace") as output:
        try:
            both = [(os.POSIX_SPAWN_DUP2, writing, number) for number in (1, 2)]
            pid = os.posix_spawn(words[0], words, {}, file_actions=both)
        finally:
            os.close(writing)
        told = output.read()
    _, status = os.waitpid(pid, 0)
    return told, os.waitstatus_to_exitcode(status)
