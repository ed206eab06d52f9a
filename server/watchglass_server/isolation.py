"""Which isolation is in force, of which layers, and what it gives up, in words. No I/O here."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from watchglass_jail.features import CONTROLLERS, KernelFeatures

__all__ = ["PROCESS_ONLY", "Isolation", "isolation_of", "refusal", "without_layers"]

GIVES_UP = (
    "code that breaks out of Pyodide reaches this user's files, network and programs: let in only "
    "people you trust"
)


@dataclass(frozen=True, slots=True)
class Isolation:
    """A level, the layers that hold it, and those that this machine does not have."""

    level: str
    layers: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What holds a session, and what is missing, in one line."""
        if self.level != "strict":
            return f"each session is a process of its own, with no jail around it; {GIVES_UP}"
        missing = f"; not on this machine: {', '.join(self.missing)}" if self.missing else ""
        return f"each session is held by {', '.join(self.layers)}{missing}"


PROCESS_ONLY = Isolation("process")


def isolation_of(features: KernelFeatures) -> Isolation:
    """Return what `strict` consists of on a machine with these features."""
    namespaces = ", ".join(name for name in features.namespaces if name != "user")
    limited = {name for hierarchy in features.cgroups for name in hierarchy.controllers}
    controllers = ", ".join(name for name in CONTROLLERS if name in limited)
    layers = {
        "Landlock": features.landlock_abi > 0,
        "seccomp": features.seccomp,
        "no new privileges": True,
        "resource limits": True,
        "a private root": features.private_root,
        f"namespaces ({namespaces})" if namespaces else "namespaces": bool(namespaces),
        "a user of its own": features.uids[1] > 0,
        f"cgroups ({controllers})" if controllers else "cgroups": bool(controllers),
    }
    return Isolation(
        "strict",
        tuple(words for words, holds in layers.items() if holds),
        tuple(words for words, holds in layers.items() if not holds),
    )


def without_layers(features: KernelFeatures, layers: Iterable[str]) -> KernelFeatures:
    """Return the features less the layers that failed in use, as far as strict can do without."""
    for layer in sorted(layers):
        features = _without(features, layer)
    return features


def _without(features: KernelFeatures, layer: str) -> KernelFeatures:
    match layer:
        case "user":
            return replace(features, uids=(0, 0), counts_own_processes=False)
        case "private root" if features.landlock_abi:
            return replace(features, private_root=False)
        case "namespaces" if features.landlock_abi:
            return replace(features, namespaces=(), private_root=False, counts_own_processes=False)
        case "cgroups":
            return replace(features, cgroups=())
    return features


def refusal(what: str) -> str:
    """Say why a server does not start with --isolation strict, and what else there is."""
    return (
        f"Sessions cannot be held by --isolation strict here: {what}. Run `watchglass doctor` to "
        f"see more. --isolation process starts without a jail, and gives up this: {GIVES_UP}."
    )
