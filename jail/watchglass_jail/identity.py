"""Who a process is: its user, its groups, and no capabilities."""

import contextlib
import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from typing import Final

from watchglass_jail.errors import JailError
from watchglass_jail.libc import check, prctl, syscall
from watchglass_jail.syscalls import machine_here

__all__ = ["become", "drop_capabilities", "expect_in_reach"]

PR_CAPBSET_DROP: Final = 24
PR_SET_SECUREBITS: Final = 28
PR_CAP_AMBIENT: Final = 47
AMBIENT_CLEAR_ALL: Final = 4
HIGHEST_CAPABILITY: Final = 63
# linux/securebits.h: user 0 gets no capabilities, a change of user neither takes nor gives any,
# none are kept, none are raised; and each of these is locked.
SECURE_BITS: Final = 0x01 | 0x02 | 0x04 | 0x08 | 0x20 | 0x40 | 0x80
CAPABILITY_VERSION_3: Final = 0x20080522


def become(uid: int | None, gid: int | None, *, is_mapped: bool = False) -> None:
    """Become this user with this group alone, and nobody who may do more than other users.

    In a user namespace without privileges (`is_mapped`) the further groups cannot be left.
    """
    try:
        if machine_here() is not None:  # elsewhere there are none, or no call that is known
            _lock_capabilities()
        if gid is not None:
            if not is_mapped:
                os.setgroups([])
            os.setresgid(gid, gid, gid)
        if uid is not None:
            os.setresuid(uid, uid, uid)
        if machine_here() is not None:
            drop_capabilities()
    except OSError as error:
        raise check(
            "user",
            f"the process cannot become user {uid} with group {gid}",
            error,
            "Run as root, or choose a policy without another user.",
        ) from error


def _lock_capabilities() -> None:
    # An ordinary user may do neither, and has nothing that could be taken away.
    with contextlib.suppress(PermissionError):
        for capability in range(HIGHEST_CAPABILITY + 1):
            if not _drop_from_bounds(capability):
                break
        prctl(PR_SET_SECUREBITS, SECURE_BITS)
    with contextlib.suppress(OSError):  # Linux before 4.3 has no ambient ones
        prctl(PR_CAP_AMBIENT, AMBIENT_CLEAR_ALL)


def _drop_from_bounds(capability: int) -> bool:
    try:
        prctl(PR_CAPBSET_DROP, capability)
    except OSError as error:
        if error.errno == errno.EINVAL:  # the kernel knows no more
            return False
        raise
    return True


def drop_capabilities() -> None:
    """Give up every capability. Raises OSError."""
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    syscall("capset", ctypes.create_string_buffer(header, 8), ctypes.create_string_buffer(24))


def expect_in_reach(paths: Iterable[str]) -> None:
    """Make sure that the user that this process has become can read what it needs."""
    for path in paths:
        if not os.access(path, os.R_OK) and not _is_absent(path):
            raise JailError(
                "user",
                f"{path} is closed to user {os.geteuid()}",
                "Let others read it (chmod o+rX), or install where they can.",
            )


def _is_absent(path: str) -> bool:
    # Below a folder that is closed to this user, nobody knows.
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno in (errno.ENOENT, errno.ENOTDIR)
    return False
