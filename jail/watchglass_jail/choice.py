"""Which jail a machine can give: from what its kernel offers, the strictest policy. No I/O."""

from collections.abc import Mapping
from typing import Final, Literal

from watchglass_jail.errors import JailError
from watchglass_jail.features import KernelFeatures
from watchglass_jail.policy import LIMIT_NAMES, JailPolicy

__all__ = ["Level", "choose_policy", "missing_layers"]

Level = Literal["strict", "process"]

MIB: Final = 2**20
# Node takes 10 threads and 25 descriptors.
LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "CORE": (0, 0),
    "FSIZE": (0, 0),
    "MEMLOCK": (0, 0),
    "MSGQUEUE": (0, 0),
    "NICE": (0, 0),
    "RTPRIO": (0, 0),
    "SIGPENDING": (64, 64),
    "NOFILE": (64, 64),
    "STACK": (8 * MIB, 8 * MIB),
}
PROCESSES: Final = 48
# Where the server's own and all others of its user count: enough of the numbers stay free.
PROCESSES_OF_USER: Final = 16384
# Before the server's other processes, when the machine has no memory left.
OOM_SCORE_ADJ: Final = 500
DEVICES: Final = ("/dev/null", "/dev/urandom")


def missing_layers(features: KernelFeatures) -> list[str]:
    """Return what keeps this machine from the level `strict`, in words, and what to do."""
    missing = []
    if not features.landlock_abi and not features.private_root:
        missing.append(
            "neither Landlock (Linux 5.13, `landlock` in the kernel's lsm=) nor a private root "
            "(root or user namespaces) keeps files away"
        )
    if not features.seccomp:
        missing.append(
            f"no seccomp filter for {features.machine or 'this machine'}: calls of the kernel, "
            "and with them the network, stay open"
        )
    return missing


def choose_policy(
    features: KernelFeatures,
    *,
    level: Level,
    read: tuple[str, ...],
    execute: tuple[str, ...],
    write: tuple[str, ...] = (),
    data_bytes: int | None = None,
    cpu_seconds: int | None = None,
    number: int = 0,
) -> JailPolicy:
    """Return all that this machine can put up around a process.

    Raises JailError where that is not `strict` and has to be. `number` tells the processes of a
    server apart that run at the same time: each is another user where it can be.
    """
    missing = missing_layers(features)
    if level == "strict" and missing:
        raise JailError("strict", "; ".join(missing), "Or accept less with --isolation process.")
    uid, gid = _ids(features, number)
    limits: dict[str, tuple[int, int]] = {
        name: limit for name, limit in LIMITS.items() if name in LIMIT_NAMES
    }
    if write:  # it builds the image, which is a large file
        limits.pop("FSIZE", None)
    processes = PROCESSES if features.counts_own_processes else PROCESSES_OF_USER
    limits["NPROC"] = (processes, processes)
    if data_bytes is not None:
        limits["DATA"] = (data_bytes, data_bytes)
    if cpu_seconds is not None:
        limits["CPU"] = (cpu_seconds, cpu_seconds + 1)
    return JailPolicy(
        read=(*read, *DEVICES),
        execute=execute,
        write=write,
        limits=limits,
        namespaces=features.namespaces,
        private_root=features.private_root,
        uid=uid,
        gid=gid,
        landlock=features.landlock_abi > 0,
        seccomp=features.seccomp,
        oom_score_adj=OOM_SCORE_ADJ,
    )


def _ids(features: KernelFeatures, number: int) -> tuple[int | None, int | None]:
    first, count = features.uids
    if count:
        return first + number % count, first + number % count
    if "user" in features.namespaces:
        return features.uid, features.gid
    return None, None
