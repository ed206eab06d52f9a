"""Landlock: has the kernel refuse every file, TCP port, abstract socket and signal not allowed."""

import ctypes
import os
import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from watchglass_jail.errors import JailError
from watchglass_jail.libc import check, syscall

__all__ = ["Handled", "handled_by", "landlock_abi", "restrict_files"]

# linux/landlock.h: rights to files, in the order in which kernels learned them.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
TRUNCATE: Final = 1 << 14
OF_A_FILE: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
READING: Final = READ_FILE | READ_DIR
RIGHTS_OF_ABI: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
NETWORK: Final = 0b11  # to bind and to connect TCP sockets
SCOPES: Final = 0b11  # abstract Unix sockets, signals
CREATE_RULESET_VERSION: Final = 1
PATH_BENEATH: Final = 1


class Handled(NamedTuple):
    """What a ruleset refuses unless a rule allows it."""

    files: int
    network: int
    scopes: int

    def encode(self, abi: int) -> bytes:
        """Return struct landlock_ruleset_attr, as long as this version knows it."""
        words = 1 if abi < 4 else 2 if abi < 6 else 3
        return struct.pack("=QQQ", *self)[: 8 * words]


def handled_by(abi: int) -> Handled:
    """Return all that a version of Landlock can refuse."""
    files = (1 << RIGHTS_OF_ABI[min(abi, max(RIGHTS_OF_ABI))]) - 1
    return Handled(files, NETWORK if abi >= 4 else 0, SCOPES if abi >= 6 else 0)


def landlock_abi() -> int:
    """Return the version that this kernel offers, 0 for none."""
    try:
        return syscall("landlock_create_ruleset", None, 0, CREATE_RULESET_VERSION)
    except OSError:
        return 0


def restrict_files(read: Iterable[str], execute: Iterable[str], write: Iterable[str]) -> None:
    """Leave this process these files and folders, no TCP, and nothing that it could signal.

    What does not exist is left out. A refusal is not logged: a program that is executed later
    than the restriction is quiet by the kernel's default (ABI 7), and cannot flood the audit.
    """
    abi = landlock_abi()
    if not abi:
        raise JailError(
            "landlock",
            "this kernel has no Landlock",
            "Boot Linux 5.13 or newer with landlock in its `lsm=`, or use a private root instead.",
        )
    handled = handled_by(abi)
    rights = [(path, READING) for path in read]
    rights += [(path, READING | EXECUTE) for path in execute]
    rights += [(path, handled.files & ~EXECUTE) for path in write]
    try:
        ruleset = _ruleset(handled.encode(abi))
        for path, access in rights:
            _allow(ruleset, path, access & handled.files)
        syscall("landlock_restrict_self", ruleset, 0)
        os.close(ruleset)
    except OSError as error:
        raise check(
            "landlock",
            f"ABI {abi} did not take the rules",
            error,
            "Look whether the paths of the policy can be opened by this user.",
        ) from error


def _ruleset(attributes: bytes) -> int:
    return syscall("landlock_create_ruleset", _buffer(attributes), len(attributes), 0)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            access &= OF_A_FILE
        rule = _buffer(struct.pack("=Qi", access, beneath))
        syscall("landlock_add_rule", ruleset, PATH_BENEATH, rule, 0)
    finally:
        os.close(beneath)


def _buffer(data: bytes) -> "ctypes.Array[ctypes.c_char]":
    return ctypes.create_string_buffer(data, len(data))
