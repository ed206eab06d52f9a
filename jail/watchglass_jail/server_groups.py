"""The control groups of one server: one for all of its processes, and in it one for each."""

import contextlib
import fcntl
import os
from collections.abc import Iterable
from typing import Final

from watchglass_jail.cgroups import CgroupLimits, create_cgroups, pass_on, remove_cgroups
from watchglass_jail.choice import PROCESSES
from watchglass_jail.features import Hierarchy
from watchglass_jail.libc import check
from watchglass_jail.policy import JailPolicy

__all__ = ["SLACK_BYTES", "ServerGroups", "process_limits", "sessions_limits"]

PREFIX: Final = "watchglass-"
# Beside what a process may allocate: its stacks, page tables, buffers of pipes and sockets.
SLACK_BYTES: Final = 64 * 2**20
# Of all sessions together on each processor, where the server's one thread weighs 100.
CPU_WEIGHT: Final = 50
MOST_CPU_WEIGHT: Final = 10_000


class ServerGroups:
    """One group for all processes of a server, and in it one for each of them.

    A lock on its folder, which the kernel takes back at any end, says that it is in use: groups
    without one are what a killed server has left, and are removed. Of version 2, each group passes
    on what it can to those below.
    """

    def __init__(self, hierarchies: Iterable[Hierarchy], name: str, limits: CgroupLimits) -> None:
        known = list(hierarchies)
        self._left: list[str] = []
        self._locks: list[int] = []
        self._groups = tuple(f"{folder}/{PREFIX}{name}" for folder, _, _ in known)
        try:
            for hierarchy, group in zip(known, self._groups, strict=True):
                _remove_leftovers(hierarchy.folder)
                self._locks.append(_claim(group))
            create_cgroups(known, f"{PREFIX}{name}", limits)
        except BaseException:
            self.close()
            raise
        self._inside = [
            hierarchy._replace(folder=group)
            for hierarchy, group in zip(known, self._groups, strict=True)
        ]
        for hierarchy in self._inside:
            if hierarchy.version == 2:
                pass_on(hierarchy.folder)

    def add(self, name: str, limits: CgroupLimits) -> tuple[str, ...]:
        """Make the groups of one process. Raises JailError."""
        return create_cgroups(self._inside, name, limits)

    def remove(self, groups: Iterable[str]) -> None:
        """Remove the groups of a process that has ended; what resists is tried again later."""
        self._left = remove_cgroups([*self._left, *groups])

    def close(self) -> list[str]:
        """Remove all that is left; return what is still in use."""
        left = remove_cgroups([*self._left, *self._groups])
        while self._locks:
            os.close(self._locks.pop())
        return left


def sessions_limits() -> CgroupLimits:
    """Return what all processes of a server may use together: less of the processors than it."""
    return CgroupLimits(cpu_weight=min(MOST_CPU_WEIGHT, CPU_WEIGHT * (os.cpu_count() or 1)))


def process_limits(policy: JailPolicy) -> CgroupLimits:
    """Return what the group of a process with this policy may use.

    What it allocates meets the policy's own limit first, as an error that it can handle. The group
    also holds what that limit does not count: what the kernel keeps for it, and stacks.
    """
    _, data_bytes = policy.limits.get("DATA", (-1, -1))
    _, processes = policy.limits.get("NPROC", (-1, -1))
    return CgroupLimits(
        memory_bytes=data_bytes + SLACK_BYTES if data_bytes > 0 else None,
        pids=min(processes, PROCESSES) if processes > 0 else PROCESSES,
    )


def _claim(group: str) -> int:
    """Make the group and lock it; return what holds the lock. Raises JailError."""
    try:
        while True:
            with contextlib.suppress(FileExistsError):
                os.mkdir(group)
            descriptor = _lock(group, fcntl.LOCK_EX)
            if os.path.isdir(group):
                return descriptor
            os.close(descriptor)  # taken for a leftover before it was locked
    except OSError as error:
        step = "Let the server's user write there, or start without cgroups."
        raise check("cgroups", f"{group} cannot be made", error, step) from error


def _remove_leftovers(folder: str) -> None:
    """Remove the groups of servers that were killed."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if name.startswith(PREFIX):
                _remove_unlocked(f"{folder}/{name}")


def _remove_unlocked(group: str) -> None:
    with contextlib.suppress(OSError):  # in use, gone, or somebody else's
        descriptor = _lock(group, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            within = [entry.path for entry in os.scandir(group) if entry.is_dir()]
            remove_cgroups([*within, group])
        finally:
            os.close(descriptor)


def _lock(folder: str, operation: int) -> int:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, operation)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
