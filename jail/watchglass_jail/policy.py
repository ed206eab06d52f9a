"""What one process is confined to, as a value: made by the server, put in force by `confine`."""

import json
import resource
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final

__all__ = ["LIMIT_NAMES", "NAMESPACES", "JailPolicy"]

NAMESPACES: Final = ("user", "mount", "pid", "net", "ipc", "uts", "cgroup")
LIMIT_NAMES: Final = frozenset(
    name.removeprefix("RLIMIT_") for name in dir(resource) if name.startswith("RLIMIT_")
)


@dataclass(frozen=True, slots=True)
class JailPolicy:
    """What one process may read, run and use, and the layers that hold it to that.

    `limits` names RLIMIT_* without the prefix, soft and hard; -1 is no limit. `execute` is what
    may be read and run: the program and its libraries. `cgroups` are folders that exist already.
    """

    read: tuple[str, ...] = ()
    execute: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    namespaces: tuple[str, ...] = ()
    private_root: bool = False
    uid: int | None = None
    gid: int | None = None
    cgroups: tuple[str, ...] = ()
    landlock: bool = True
    seccomp: bool = True
    oom_score_adj: int | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.namespaces if name not in NAMESPACES]
        unknown += [name for name in self.limits if name not in LIMIT_NAMES]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is neither a namespace nor a limit of this system")
        relative = [p for p in (*self.read, *self.execute, *self.write) if not p.startswith("/")]
        if relative:
            raise ValueError(f"{relative[0]!r} is not absolute: name paths from the root")
        if "user" in self.namespaces and (self.uid is None or self.gid is None):
            raise ValueError("the namespace 'user' has one user: give uid and gid")
        if self.private_root and "mount" not in self.namespaces:
            raise ValueError("a private root needs the namespace 'mount': name it, too")

    def to_json(self) -> str:
        """Return what `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "JailPolicy":
        """Return the policy that `to_json` wrote. Raises ValueError."""
        given: dict[str, Any] = json.loads(text)
        unknown = given.keys() - {known.name for known in fields(cls)}
        if unknown:
            raise ValueError(f"a policy has no field {min(unknown)!r}")
        for name in ("read", "execute", "write", "namespaces", "cgroups"):
            if name in given:
                given[name] = tuple(given[name])
        if "limits" in given:
            given["limits"] = {name: (soft, hard) for name, (soft, hard) in given["limits"].items()}
        return cls(**given)
