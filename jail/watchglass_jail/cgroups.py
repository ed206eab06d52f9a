"""Control groups, of version 1 and 2: what a process and all its threads may use together."""

import contextlib
import errno
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from watchglass_jail.features import CONTROLLERS, Hierarchy
from watchglass_jail.libc import check

__all__ = [
    "CgroupLimits",
    "create_cgroups",
    "enter_cgroups",
    "find_hierarchies",
    "parse_hierarchies",
    "pass_on",
    "remove_cgroups",
    "was_out_of_memory",
]

OWN_GROUP: Final = "watchglass-server"
CPU_SHARES_OF_WEIGHT: Final = 1024 / 100  # the two versions' words for an ordinary share


@dataclass(frozen=True, slots=True)
class CgroupLimits:
    """What one group may use. A weight of 100 is the ordinary share of the processors."""

    memory_bytes: int | None = None
    pids: int | None = None
    cpu_weight: int | None = None

    def files(self, version: int) -> list[tuple[str, str, str]]:
        """Return controller, file and value of each limit; what comes first is written first."""
        swap_too = str(self.memory_bytes)
        shares = max(2, round((self.cpu_weight or 0) * CPU_SHARES_OF_WEIGHT))
        named = {
            1: [
                ("memory", "memory.limit_in_bytes", self.memory_bytes),
                ("memory", "memory.memsw.limit_in_bytes", self.memory_bytes and swap_too),
                ("pids", "pids.max", self.pids),
                ("cpu", "cpu.shares", self.cpu_weight and shares),
            ],
            2: [
                ("memory", "memory.max", self.memory_bytes),
                ("memory", "memory.swap.max", self.memory_bytes and "0"),
                ("memory", "memory.oom.group", self.memory_bytes and "1"),
                ("pids", "pids.max", self.pids),
                ("cpu", "cpu.weight", self.cpu_weight),
            ],
        }[version]
        return [(owner, file, str(value)) for owner, file, value in named if value is not None]


def parse_hierarchies(mounts: str, membership: str) -> list[Hierarchy]:
    """Return what /proc/self/mountinfo and /proc/self/cgroup tell, newest version last."""
    groups = dict(_memberships(membership))
    found: dict[str, Hierarchy] = {}
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        root, point = before.split()[3:5]
        kind, _, options = after.split()[:3]
        if kind == "cgroup":
            ours = tuple(c for c in CONTROLLERS if c in options.split(","))
            group = next((groups[c] for c in ours if c in groups), None)
            if group is not None:
                found.setdefault(point, Hierarchy(_below(point, root, group), ours, 1))
        elif kind == "cgroup2" and "" in groups:
            found.setdefault(point, Hierarchy(_below(point, root, groups[""]), (), 2))
    return sorted(found.values(), key=lambda hierarchy: hierarchy.version)


def find_hierarchies(movable: Collection[int] = ()) -> list[Hierarchy]:
    """Return where this process may make groups with a limit: tried, and removed again.

    Version 2 has no processes in a group with limited groups below. Where the processes in ours
    are all `movable`, they are moved into a group beside those of the sessions.
    """
    try:
        with open("/proc/self/mountinfo") as mounts, open("/proc/self/cgroup") as membership:
            known = parse_hierarchies(mounts.read(), membership.read())
    except OSError:
        return []
    return [usable for hierarchy in known for usable in _usable(hierarchy, movable)]


def create_cgroups(
    hierarchies: Iterable[Hierarchy], name: str, limits: CgroupLimits
) -> tuple[str, ...]:
    """Make one group in each hierarchy, limited, and return their folders. Raises JailError.

    A slash in the name makes a group in a group; a limit that a kernel does not know is left out.
    """
    made: list[str] = []
    for folder, controllers, version in hierarchies:
        group = os.path.join(folder, name)
        try:
            os.makedirs(group, exist_ok=True)
            made.append(group)
            _write_limits(group, controllers, limits, version)
        except OSError as error:
            remove_cgroups(made)
            raise check(
                "cgroups",
                f"{error.filename} cannot be set",
                error,
                "Let the server's user write there, or start without cgroups.",
            ) from error
    return tuple(made)


def enter_cgroups(groups: Iterable[str], pid: int = 0) -> None:
    """Move a process, or this one, into the groups. Raises JailError."""
    for group in groups:
        try:
            _write(f"{group}/cgroup.procs", str(pid))
        except ProcessLookupError:
            return  # it has ended
        except OSError as error:
            raise check(
                "cgroups",
                f"{group} cannot be entered",
                error,
                "Look whether it was made, and may be written to by the server's user.",
            ) from error


def remove_cgroups(groups: Iterable[str]) -> list[str]:
    """Remove groups whose processes have ended; return those that are still there."""
    for group in groups:
        with contextlib.suppress(OSError):
            os.rmdir(group)
    return [group for group in groups if os.path.isdir(group)]


def was_out_of_memory(groups: Iterable[str]) -> bool:
    """Whether the kernel has ended a process in these groups for want of memory."""
    for group in groups:
        for file in ("memory.oom_control", "memory.events"):  # of version 1 and 2
            with contextlib.suppress(OSError), open(f"{group}/{file}") as lines:
                if any(line.startswith("oom_kill ") and line != "oom_kill 0\n" for line in lines):
                    return True
    return False


def _usable(hierarchy: Hierarchy, movable: Collection[int]) -> Iterator[Hierarchy]:
    if hierarchy.version == 2:
        folder = hierarchy.folder.removesuffix(f"/{OWN_GROUP}")  # moved there before
        hierarchy = Hierarchy(folder, pass_on(folder, movable=movable), 2)
    tried = f"{hierarchy.folder}/watchglass-tried-{os.getpid()}"
    try:
        os.mkdir(tried)
    except OSError:
        return
    with contextlib.suppress(OSError):  # another server has taken it for a leftover
        os.rmdir(tried)
    if hierarchy.controllers:
        yield hierarchy


def pass_on(
    folder: str, controllers: Iterable[str] = CONTROLLERS, movable: Collection[int] = ()
) -> tuple[str, ...]:
    """Have a group of version 2 limit the groups below it; return by which controllers it does."""
    passed_on = f"{folder}/cgroup.subtree_control"
    for controller in controllers:
        with contextlib.suppress(OSError):  # not there, or not ours to give
            try:
                _write(passed_on, f"+{controller}")
            except OSError as error:
                if error.errno == errno.EBUSY and _make_room(folder, movable):
                    _write(passed_on, f"+{controller}")
    try:
        with open(passed_on) as file:
            known = file.read().split()
    except OSError:
        return ()
    return tuple(controller for controller in controllers if controller in known)


def _make_room(folder: str, movable: Collection[int]) -> bool:
    with open(f"{folder}/cgroup.procs") as file:
        present = [int(word) for word in file.read().split()]
    if not set(present) <= set(movable):
        return False
    os.makedirs(f"{folder}/{OWN_GROUP}", exist_ok=True)
    for pid in present:
        _write(f"{folder}/{OWN_GROUP}/cgroup.procs", str(pid))
    return bool(present)


def _write_limits(
    group: str, controllers: Iterable[str], limits: CgroupLimits, version: int
) -> None:
    for controller, file, value in limits.files(version):
        path = f"{group}/{file}"
        if controller in controllers and os.path.exists(path):
            _write(path, value)


def _memberships(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        _, controllers, group = line.split(":", 2)
        for controller in controllers.split(","):
            yield controller, group


def _below(point: str, root: str, group: str) -> str:
    # Inside a container the mount shows only the container's own part of the tree.
    inside = group.removeprefix(root) if root != "/" else group
    return os.path.normpath(f"{point}/{inside}")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
