"""What a process takes over from the one that started it: descriptors, signals, session, rank."""

import contextlib
import os
import signal
from collections.abc import Iterable
from typing import Final

from watchglass_jail.libc import prctl, syscall

__all__ = [
    "die_with_parent",
    "leave_surroundings",
    "outlive_parent",
    "set_no_new_privileges",
    "shut_debuggers_out",
]

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_NO_NEW_PRIVS: Final = 38
HIGHEST_DESCRIPTOR: Final = 2**31 - 1


def leave_surroundings(keep: Iterable[int], oom_score_adj: int | None) -> None:
    """Keep these descriptors only, and nothing else of the process that forked this one."""
    _close_all_but({0, 1, 2, *keep})
    with contextlib.suppress(PermissionError):  # it leads a group of its own already
        os.setsid()
    os.umask(0o077)
    os.chdir("/")
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError):  # the two that the C library keeps for threads
            signal.signal(number, signal.SIG_DFL)
    if oom_score_adj is not None:
        with contextlib.suppress(OSError):  # no /proc, or a score that may not be lowered
            _write("/proc/self/oom_score_adj", str(oom_score_adj))


def die_with_parent() -> None:
    """Have the kernel end this process when its parent ends; a change of user would undo it."""
    with contextlib.suppress(OSError):  # a system without it: the end of its socket ends it, too
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def outlive_parent() -> None:
    """Undo `die_with_parent`: what hears of its parent's end by a socket has yet to clean up."""
    with contextlib.suppress(OSError):
        prctl(PR_SET_PDEATHSIG, 0)


def set_no_new_privileges() -> None:
    """Gain nothing by a program's set-user-id bit, ever; Landlock and seccomp ask for it."""
    with contextlib.suppress(OSError):  # and refuse where it could not be had
        prctl(PR_SET_NO_NEW_PRIVS, 1)


def shut_debuggers_out() -> None:
    """Have nobody of the same user trace this process until its program starts.

    execve makes it traceable again: afterwards only Landlock, the namespace of processes and the
    user of its own keep others out, and what is confined by them can trace nobody anyway.
    """
    with contextlib.suppress(OSError):
        prctl(PR_SET_DUMPABLE, 0)


def _close_all_but(kept: set[int]) -> None:
    first = 0
    for descriptor in sorted(kept):
        _close_range(first, descriptor - 1)
        first = descriptor + 1
    _close_range(first, HIGHEST_DESCRIPTOR)


def _close_range(first: int, last: int) -> None:
    if first > last:
        return
    try:
        syscall("close_range", first, last, 0)
    except OSError:  # Linux before 5.9, or no Linux: one after the other, of those that can be
        os.closerange(first, min(last + 1, os.sysconf("SC_OPEN_MAX")))


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
