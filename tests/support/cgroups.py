"""The control groups of a zygote, found by its number, and what the kernel keeps in them."""

from __future__ import annotations

from pathlib import Path

from watchglass_jail.cgroups import find_hierarchies

MEMORY_LIMITS = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.max")
MEMORY_USED = ("memory.usage_in_bytes", "memory.current")


def can_be_had() -> bool:
    """Whether groups can be made here; where not, tests assert that it is said."""
    return bool(find_hierarchies())


def groups_of(zygote: int) -> list[Path]:
    """The groups that are there for the children of a zygote, one for each hierarchy."""
    folders = (Path(hierarchy.folder) for hierarchy in find_hierarchies())
    return [group for folder in folders for group in folder.glob(f"watchglass-{zygote}-*")]


def group_names(pid: int) -> set[str]:
    """The groups of ours that a process is in, by their names."""
    lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    return {line.partition("watchglass-")[2] for line in lines if "watchglass-" in line}


def values(zygote: int, *files: str) -> set[str]:
    """What these files say in the groups of a zygote's children, where they are there."""
    within = (
        folder / file for group in groups_of(zygote) for file in files for folder in _in(group)
    )
    return {path.read_text().strip() for path in within if path.exists()}


def leave_memory(zygote: int, spare_bytes: int) -> bool:
    """Let each child use this much more than now; False where no group limits memory."""
    found = False
    for group in (inner for outer in groups_of(zygote) for inner in _in(outer)):
        for used in (group / file for file in MEMORY_USED):
            if used.exists():
                found = True
                _lower(group, int(used.read_text()) + spare_bytes)
    return found


def _in(group: Path) -> list[Path]:
    return [path for path in group.iterdir() if path.is_dir()]


def _lower(group: Path, limit: int) -> None:
    for file in MEMORY_LIMITS:
        if (group / file).exists():
            (group / file).write_text(str(limit))
