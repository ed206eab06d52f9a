"""What a kernel offers to a jail, as a value. `trials.py` finds it out."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

__all__ = ["CONTROLLERS", "Hierarchy", "KernelFeatures"]

CONTROLLERS: Final = ("memory", "pids", "cpu")  # those that limit a session


class Hierarchy(NamedTuple):
    """Where groups of some controllers are made: below the group that this process is in."""

    folder: str
    controllers: tuple[str, ...]
    version: int


@dataclass(frozen=True, slots=True)
class KernelFeatures:
    """What this machine and user can put up; `namespaces` without `user` need privileges.

    `uids` are the first and the number of users that nobody else has, (0, 0) where this user
    cannot become another one; `counts_own_processes`, whether the limit on processes counts those
    of one session only.
    """

    machine: str = ""
    uid: int = 0
    gid: int = 0
    landlock_abi: int = 0
    seccomp: bool = False
    namespaces: tuple[str, ...] = ()
    private_root: bool = False
    counts_own_processes: bool = False
    uids: tuple[int, int] = (0, 0)
    cgroups: tuple[Hierarchy, ...] = ()

    def to_json(self) -> str:
        """Return what `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "KernelFeatures":
        """Return the features that `to_json` wrote."""
        given: dict[str, Any] = json.loads(text)
        hierarchies = (
            Hierarchy(folder, tuple(controllers), version)
            for folder, controllers, version in given.pop("cgroups", ())
        )
        for name in ("namespaces", "uids"):
            given[name] = tuple(given[name])
        return cls(**given, cgroups=tuple(hierarchies))
