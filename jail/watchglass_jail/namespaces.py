"""Namespaces: a network, processes, mounts, users of its own for one child."""

import ctypes
import os
import signal
from collections.abc import Sequence
from typing import Final

from watchglass_jail.libc import LIBC, check, syscall
from watchglass_jail.policy import JailPolicy

__all__ = ["forget_names", "fork_into_namespaces", "map_user", "namespace_flags"]

# linux/sched.h.
CLONE_NEW: Final = {
    "user": 0x10000000,
    "mount": 0x00020000,
    "pid": 0x20000000,
    "net": 0x40000000,
    "ipc": 0x08000000,
    "uts": 0x04000000,
    "cgroup": 0x02000000,
}


def namespace_flags(names: Sequence[str]) -> int:
    """Return the flags of `clone` that make these namespaces."""
    return sum(CLONE_NEW[name] for name in set(names))


def fork_into_namespaces(policy: JailPolicy) -> int:
    """Fork as os.fork does; the child is in the namespaces of the policy. Raises JailError.

    The process that calls it must have one thread. os.fork alone cannot do it: of a namespace of
    processes only children are members, and one process can make it for one child only.
    """
    if not policy.namespaces:
        return os.fork()
    try:
        return syscall("clone", namespace_flags(policy.namespaces) | signal.SIGCHLD, 0, 0, 0, 0)
    except OSError as error:
        raise check(
            "namespaces",
            f"{', '.join(policy.namespaces)} cannot be made",
            error,
            "Run as root or allow user namespaces; or choose a policy without them.",
        ) from error


def forget_names() -> None:
    """Name the machine, in a namespace for that, as any other."""
    name = b"localhost"
    for call in (LIBC.sethostname, LIBC.setdomainname):
        if call(name, len(name)) != 0:
            code = ctypes.get_errno()
            error = OSError(code, os.strerror(code))
            step = "Choose a policy without the namespace 'uts'."
            raise check("namespaces", "the machine cannot be renamed", error, step)


def map_user(uid: int | None, gid: int | None) -> None:
    """Give the only user and group of this new user namespace the ids that they have outside."""
    try:
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    except OSError as error:
        raise check(
            "namespaces",
            f"user {uid} with group {gid} cannot be mapped into the namespace",
            error,
            "Name the ids of whoever starts it; or choose a policy without the namespace 'user'.",
        ) from error


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
