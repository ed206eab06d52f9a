"""The kernel's numbers of the calls that are named here, for the machines that are known.

x86_64 is tested. aarch64 is held against the kernel's list, and has not run.
"""

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["AARCH64", "MACHINES", "X86_64", "Machine", "machine_here"]


@dataclass(frozen=True, slots=True)
class Machine:
    """One architecture: its name for audits, its calls, and the first number not known here."""

    audit: int
    numbers: Mapping[str, int]
    first_unknown: int
    has_x32: bool = False


# fmt: off
_X86_64: Final = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9,
    "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
    "rt_sigreturn": 15, "ioctl": 16, "pread64": 17, "readv": 19, "writev": 20, "access": 21,
    "pipe": 22, "sched_yield": 24, "mremap": 25, "madvise": 28, "dup": 32, "dup2": 33,
    "nanosleep": 35, "getpid": 39, "socket": 41, "recvfrom": 45, "recvmsg": 47, "shutdown": 48,
    "getsockname": 51, "socketpair": 53, "getsockopt": 55, "clone": 56, "execve": 59, "exit": 60,
    "kill": 62, "uname": 63, "fcntl": 72, "getcwd": 79, "readlink": 89, "gettimeofday": 96,
    "getrlimit": 97, "getrusage": 98, "sysinfo": 99, "getuid": 102, "getgid": 104, "geteuid": 107,
    "getegid": 108, "capget": 125, "capset": 126, "sigaltstack": 131, "sched_getparam": 143,
    "sched_getscheduler": 145, "pivot_root": 155, "prctl": 157, "arch_prctl": 158, "gettid": 186,
    "time": 201, "futex": 202, "sched_getaffinity": 204, "epoll_create": 213, "getdents64": 217,
    "set_tid_address": 218, "restart_syscall": 219, "fadvise64": 221, "clock_gettime": 228,
    "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "epoll_wait": 232,
    "epoll_ctl": 233, "tgkill": 234, "openat": 257, "newfstatat": 262, "readlinkat": 267,
    "faccessat": 269, "ppoll": 271, "set_robust_list": 273, "get_robust_list": 274,
    "epoll_pwait": 281, "eventfd2": 290, "epoll_create1": 291, "dup3": 292, "pipe2": 293,
    "prlimit64": 302, "getcpu": 309, "seccomp": 317, "getrandom": 318, "membarrier": 324,
    "statx": 332, "rseq": 334, "clone3": 435, "close_range": 436, "faccessat2": 439,
    "mount_setattr": 442, "landlock_create_ruleset": 444, "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
}
_AARCH64: Final = {
    "getcwd": 17, "eventfd2": 19, "epoll_create1": 20, "epoll_ctl": 21, "epoll_pwait": 22,
    "dup": 23, "dup3": 24, "fcntl": 25, "ioctl": 29, "pivot_root": 41, "faccessat": 48,
    "openat": 56, "close": 57, "pipe2": 59, "getdents64": 61, "lseek": 62, "read": 63,
    "write": 64, "readv": 65, "writev": 66, "pread64": 67, "ppoll": 73, "readlinkat": 78,
    "newfstatat": 79, "fstat": 80, "capget": 90, "capset": 91, "exit": 93, "exit_group": 94,
    "set_tid_address": 96, "futex": 98, "set_robust_list": 99, "get_robust_list": 100,
    "nanosleep": 101, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
    "sched_getscheduler": 120, "sched_getparam": 121, "sched_getaffinity": 123,
    "sched_yield": 124, "restart_syscall": 128, "kill": 129, "tgkill": 131, "sigaltstack": 132,
    "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "uname": 160,
    "getrlimit": 163, "getrusage": 165, "prctl": 167, "getcpu": 168, "gettimeofday": 169,
    "getpid": 172, "getuid": 174, "geteuid": 175, "getgid": 176, "getegid": 177, "gettid": 178,
    "sysinfo": 179, "socket": 198, "socketpair": 199, "getsockname": 204, "recvfrom": 207,
    "getsockopt": 209, "shutdown": 210, "recvmsg": 212, "brk": 214, "munmap": 215, "mremap": 216,
    "clone": 220, "execve": 221, "mmap": 222, "fadvise64": 223, "mprotect": 226, "madvise": 233,
    "prlimit64": 261, "seccomp": 277, "getrandom": 278, "membarrier": 283, "statx": 291,
    "rseq": 293, "clone3": 435, "close_range": 436, "faccessat2": 439, "mount_setattr": 442,
    "landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446,
}
# fmt: on

X86_64: Final = Machine(0xC000003E, _X86_64, 451, has_x32=True)
AARCH64: Final = Machine(0xC00000B7, _AARCH64, 451)
MACHINES: Final = {"x86_64": X86_64, "aarch64": AARCH64}


@functools.cache
def machine_here() -> Machine | None:
    """Return the machine this runs on, or None where its numbers are not known."""
    system = os.uname()
    return MACHINES.get(system.machine) if system.sysname == "Linux" else None
