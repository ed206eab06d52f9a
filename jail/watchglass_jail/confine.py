"""The jail around one process: every layer of a policy, in the order in which they can be put up.

A launcher, a process with one thread, does three things for each child:

    pid = fork_into_namespaces(policy)     # os.fork, but the child is in its own namespaces
    if pid == 0:
        confine(policy, keep)              # raises JailError, and the child must not go on
        execute(argv, environment)         # never returns; OSError where the program cannot start

With a namespace of processes the child is the first in it: its number there is 1, the launcher
knows it by the number that the fork returned, and what it starts itself ends with it.
"""

from collections.abc import Iterable

from watchglass_jail.cgroups import enter_cgroups
from watchglass_jail.identity import become, expect_in_reach
from watchglass_jail.landlock import restrict_files
from watchglass_jail.limits import set_limits
from watchglass_jail.namespaces import forget_names, map_user
from watchglass_jail.policy import JailPolicy
from watchglass_jail.private_root import enter_private_root
from watchglass_jail.program import ADDRESS_SPACE_BYTES, reserve_path
from watchglass_jail.seccomp import restrict_calls
from watchglass_jail.surroundings import (
    die_with_parent,
    leave_surroundings,
    set_no_new_privileges,
    shut_debuggers_out,
)

__all__ = ["confine"]


def confine(policy: JailPolicy, keep: Iterable[int] = ()) -> None:
    """Put the policy in force for this process, for ever. Raises JailError, naming the layer.

    Standard input, output and error and the descriptors in `keep` stay open, those that close by
    `execute` until then. It is what is left to do: with seccomp, nothing else starts a program.
    """
    if "user" in policy.namespaces:
        map_user(policy.uid, policy.gid)
    if "uts" in policy.namespaces:
        forget_names()
    enter_cgroups(policy.cgroups)
    leave_surroundings(keep, policy.oom_score_adj)
    if policy.private_root:
        enter_private_root(policy)
    _give_up(policy)
    if policy.landlock:
        restrict_files(policy.read, policy.execute, policy.write)
    if policy.seccomp:
        set_limits({"AS": (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES)})
        restrict_calls(reserve_path())


def _give_up(policy: JailPolicy) -> None:
    """Limits and user, and after the change of user what such a change would undo."""
    set_limits(policy.limits)
    become(policy.uid, policy.gid, is_mapped="user" in policy.namespaces)
    if policy.uid is not None:
        expect_in_reach((*policy.read, *policy.execute))
    die_with_parent()
    shut_debuggers_out()
    set_no_new_privileges()
