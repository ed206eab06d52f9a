"""Which isolation is in force, of which layers, and what it gives up, in words. No I/O here."""

from dataclasses import dataclass, replace

from watchglass_jail.features import KernelFeatures

__all__ = ["PROCESS_ONLY", "Isolation", "isolation_of", "refusal", "without_layer"]

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
    layers = {
        "Landlock": features.landlock_abi > 0,
        "seccomp": features.seccomp,
        "no new privileges": True,
        "resource limits": True,
        "a private root": features.private_root,
        f"namespaces ({namespaces})" if namespaces else "namespaces": bool(namespaces),
        "a user of its own": features.uids[1] > 0,
    }
    return Isolation(
        "strict",
        tuple(words for words, holds in layers.items() if holds),
        tuple(words for words, holds in layers.items() if not holds),
    )


def without_layer(features: KernelFeatures, layer: str) -> KernelFeatures | None:
    """Return the features less one that failed in use; None where strict cannot do without it."""
    match layer:
        case "user" if features.uids[1]:
            return replace(features, uids=(0, 0), counts_own_processes=False)
        case "private root" if features.private_root and features.landlock_abi:
            return replace(features, private_root=False)
        case "namespaces" if features.namespaces and features.landlock_abi:
            return replace(features, namespaces=(), private_root=False, counts_own_processes=False)
        case "cgroups" if features.cgroups:
            return replace(features, cgroups=())
    return None


def refusal(what: str) -> str:
    """Say why a server does not start with --isolation strict, and what else there is."""
    return (
        f"Sessions cannot be held by --isolation strict here: {what}. Run `watchglass doctor` to "
        f"see more. With --isolation process there is no jail: {GIVES_UP}."
    )
