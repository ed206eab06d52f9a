"""Control groups, of version 1 and 2: what a process and all its threads may use together."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from watchglass_jail.features import Hierarchy
from watchglass_jail.libc import check

__all__ = [
    "CONTROLLERS",
    "CgroupLimits",
    "create_cgroups",
    "enter_cgroups",
    "find_hierarchies",
    "parse_hierarchies",
    "remove_cgroups",
]

CONTROLLERS: Final = ("memory", "pids", "cpu")
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


def find_hierarchies() -> list[Hierarchy]:
    """Return where this process may make groups with a limit: tried, and removed again."""
    try:
        with open("/proc/self/mountinfo") as mounts, open("/proc/self/cgroup") as membership:
            known = parse_hierarchies(mounts.read(), membership.read())
    except OSError:
        return []
    return [usable for hierarchy in known for usable in _usable(hierarchy)]


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


def enter_cgroups(groups: Iterable[str]) -> None:
    """Move this process into the groups. Raises JailError."""
    for group in groups:
        try:
            _write(f"{group}/cgroup.procs", "0")
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


def _usable(hierarchy: Hierarchy) -> Iterator[Hierarchy]:
    if hierarchy.version == 2:
        hierarchy = hierarchy._replace(controllers=_passed_on(hierarchy.folder))
    tried = f"{hierarchy.folder}/watchglass-tried-{os.getpid()}"
    try:
        os.mkdir(tried)
        os.rmdir(tried)
    except OSError:
        return
    if hierarchy.controllers:
        yield hierarchy


def _passed_on(folder: str) -> tuple[str, ...]:
    """Have version 2 pass its controllers on to the groups below, and return which it does."""
    passed_on = f"{folder}/cgroup.subtree_control"
    for controller in CONTROLLERS:
        # Refused where processes are in the group itself: give the server one of its own
        # (systemd: Delegate=yes and DelegateSubgroup=).
        with contextlib.suppress(OSError):
            _write(passed_on, f"+{controller}")
    try:
        with open(passed_on) as file:
            known = file.read().split()
    except OSError:
        return ()
    return tuple(controller for controller in CONTROLLERS if controller in known)


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
