"""What this kernel offers to a jail: each layer tried once, in a child that ends afterwards."""

import os
from collections.abc import Callable, Collection
from typing import Final

from watchglass_jail.cgroups import find_hierarchies
from watchglass_jail.errors import JailError
from watchglass_jail.features import KernelFeatures
from watchglass_jail.identity import become
from watchglass_jail.landlock import landlock_abi
from watchglass_jail.limits import set_limits
from watchglass_jail.namespaces import forget_names, fork_into_namespaces, map_user
from watchglass_jail.policy import NAMESPACES, JailPolicy
from watchglass_jail.private_root import enter_private_root
from watchglass_jail.program import reserve_path
from watchglass_jail.seccomp import restrict_calls
from watchglass_jail.surroundings import set_no_new_privileges

__all__ = ["read_features"]

# Above every user that systems and containers give out, and below half of what there is.
UIDS: Final = range(0x70000000, 0x70010000)
# Where a container maps few: those that systems give to services for a while.
FEW_UIDS: Final = range(61184, 65520)


def read_features(movable: Collection[int] = ()) -> KernelFeatures:
    """Try every layer. The process must have one thread; it stays what it was.

    `movable` are the processes that may be moved into another control group.
    """
    namespaces = _namespaces()
    uids = _uids()
    own = (uids.start, uids.start) if uids else (os.geteuid(), os.getegid())
    ids = {"uid": own[0], "gid": own[1]} if uids or "user" in namespaces else {}
    return KernelFeatures(
        machine=os.uname().machine,
        uid=os.geteuid(),
        gid=os.getegid(),
        landlock_abi=landlock_abi(),
        seccomp=_holds(_filtered),
        namespaces=namespaces,
        private_root="mount" in namespaces and _holds(_rooted, namespaces, **ids),
        counts_own_processes=bool(ids) and _holds(_counted, namespaces, **ids),
        uids=(uids.start, len(uids)),
        cgroups=tuple(find_hierarchies(movable)),
    )


def _namespaces() -> tuple[str, ...]:
    """Those that can be made as this user; or else those that a user namespace gives a right to."""
    others = [name for name in NAMESPACES if name != "user"]
    privileged = tuple(name for name in others if _holds(_nothing, (name,)))
    if "mount" in privileged:
        return privileged if _holds(_nothing, privileged) else ()
    own = {"uid": os.geteuid(), "gid": os.getegid()}
    if not _holds(_nothing, ("user",), **own):
        return privileged
    within = tuple(name for name in others if _holds(_nothing, ("user", name), **own))
    return ("user", *within) if _holds(_nothing, ("user", *within), **own) else ()


def _uids() -> range:
    """The users that this one can become, and that are nobody's."""
    for uids in (UIDS, FEW_UIDS):
        if _holds(_became, uid=uids[0], gid=uids[0]) and _holds(
            _became, uid=uids[-1], gid=uids[-1]
        ):
            return uids
    return range(0)


def _holds(
    attempt: Callable[[JailPolicy], None],
    namespaces: tuple[str, ...] = (),
    uid: int | None = None,
    gid: int | None = None,
) -> bool:
    """Whether a child in these namespaces gets through the attempt."""
    with_mount = {"mount", "pid"} & set(namespaces) and attempt is _rooted
    policy = JailPolicy(
        read=("/dev/null",),
        namespaces=namespaces,
        private_root=bool(with_mount),
        uid=uid,
        gid=gid,
    )
    try:
        pid = fork_into_namespaces(policy)
    except (JailError, OSError):
        return False
    if pid == 0:
        _end_after(attempt, policy)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == 0


def _end_after(attempt: Callable[[JailPolicy], None], policy: JailPolicy) -> None:
    try:
        if "user" in policy.namespaces:
            map_user(policy.uid, policy.gid)
        if "uts" in policy.namespaces:
            forget_names()
        attempt(policy)
    except BaseException:  # whatever it was, the copy of the caller must not go on
        os._exit(1)
    os._exit(0)


# --- attempts


def _nothing(policy: JailPolicy) -> None:
    """That it was started is all."""


def _filtered(policy: JailPolicy) -> None:
    set_no_new_privileges()
    restrict_calls(reserve_path())


def _rooted(policy: JailPolicy) -> None:
    enter_private_root(policy)
    os.stat("/dev/null")
    if os.path.exists("/proc"):
        raise JailError("private root", "the old one is still there", "")


def _became(policy: JailPolicy) -> None:
    become(policy.uid, policy.gid)


def _counted(policy: JailPolicy) -> None:
    """A limit of two processes leaves room for one more where the server's are not counted."""
    set_limits({"NPROC": (2, 2)})
    become(policy.uid, policy.gid, is_mapped="user" in policy.namespaces)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
