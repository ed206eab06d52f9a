"""Which calls of the kernel a session's process may make, and the filter made of that. No I/O."""

import errno
from collections.abc import Mapping
from typing import Final

from watchglass_jail.bpf import (
    ALLOW,
    ARCHITECTURE,
    KILL,
    NUMBER,
    REFUSE,
    Check,
    Instruction,
    all_bits,
    assemble,
    equal,
    jump,
    load,
    no_bits,
    not_mapped_below,
    one_of,
    result,
)
from watchglass_jail.syscalls import Machine

__all__ = ["ALLOWED", "PAGE_BYTES", "filter_program"]

# What Node's own files, memory, threads, clocks, pipes and signals need, whatever the arguments.
WORDS: Final = """
    read readv pread64 write writev close close_range lseek
    openat fstat newfstatat statx access faccessat faccessat2 readlink readlinkat getdents64 getcwd
    fadvise64 dup dup2 dup3 pipe pipe2 eventfd2
    poll ppoll epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait
    getsockname getsockopt shutdown
    munmap brk futex set_robust_list membarrier rseq
    set_tid_address sched_yield sched_getaffinity sched_getparam sched_getscheduler
    rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall
    getpid gettid getuid geteuid getgid getegid capget uname sysinfo getrlimit getrusage getcpu
    clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time getrandom
    exit exit_group
"""
ALLOWED: Final = tuple(WORDS.split())

PAGE_BYTES: Final = 0x10000  # the largest page of either machine
THREAD_FLAGS: Final = 0x7D0F00  # what glibc and musl start a thread with
CLONE_THREAD: Final = 0x10000
MAP_SHARED: Final = 0x01  # what is shared is not counted by the limit on data
MAP_GROWSDOWN: Final = 0x100
MAP_FIXED: Final = 0x10 | 0x100000  # and FIXED_NOREPLACE
PROT_GROWSDOWN: Final = 0x01000000
MREMAP_MAYMOVE: Final = 1
# NORMAL, WILLNEED, DONTNEED, FREE, DONTFORK, DOFORK, HUGEPAGE, NOHUGEPAGE, DONTDUMP, DODUMP. Not
# MERGEABLE: pages that sessions share tell by their timing what another one holds.
ADVICE: Final = (0, 3, 4, 8, 10, 11, 14, 15, 16, 17)
# TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. Not TIOCSTI, which types.
IOCTLS: Final = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# DUPFD, GETFD, SETFD, GETFL, SETFL, DUPFD_CLOEXEC. Not SETOWN, which has signals sent.
FCNTLS: Final = (0, 1, 2, 3, 4, 1030)
# GET_DUMPABLE, SET_NAME, GET_NAME, CAPBSET_READ, SET_VMA.
PRCTLS: Final = (3, 15, 16, 23, 0x53564D41)
# SET_FS, GET_FS, CET_STATUS. Not MAP_VDSO, which maps where it is told to.
ARCH_PRCTLS: Final = (0x1002, 0x1003, 0x3001)
AF_UNIX: Final = 1
X32_CALLS: Final = 0x40000000
OTHER_ERRNOS: Final = {"clone3": errno.ENOSYS, "socket": errno.EACCES}


def checked_calls(pid: int, program_address: int | None) -> Mapping[str, tuple[Check, ...]]:
    """Return the calls that are allowed where all checks of their arguments pass."""
    own_limits: tuple[Check, ...] = (one_of(0, (0, pid)), equal(2, 0))
    lowest = 0 if program_address is None else program_address + PAGE_BYTES
    return {
        # What starts the program. Afterwards nothing can be mapped where its path was.
        "execve": () if program_address is None else (equal(0, program_address),),
        "mmap": (no_bits(3, MAP_SHARED | MAP_GROWSDOWN), not_mapped_below(lowest, MAP_FIXED)),
        "mremap": (no_bits(3, 0xFFFFFFFF ^ MREMAP_MAYMOVE),),
        "mprotect": (no_bits(2, PROT_GROWSDOWN),),
        "madvise": (one_of(2, ADVICE),),
        "clone": (all_bits(0, (CLONE_THREAD,)), no_bits(0, 0xFFFFFFFF ^ THREAD_FLAGS)),
        "kill": (one_of(0, (pid,)),),
        "tgkill": (one_of(0, (pid,)),),
        "fcntl": (one_of(1, FCNTLS),),
        "ioctl": (one_of(1, IOCTLS),),
        "prctl": (one_of(0, PRCTLS),),
        "arch_prctl": (one_of(0, ARCH_PRCTLS),),
        "prlimit64": own_limits,
        "socketpair": (one_of(0, (AF_UNIX,)),),
    }


def filter_program(
    machine: Machine, pid: int, program_address: int | None = None
) -> list[Instruction]:
    """Return the filter for the process `pid`, as it is numbered in its own namespace.

    With the address of the program's path, `execve` is allowed with that pointer alone.
    """
    program = [load(ARCHITECTURE), jump("==", machine.audit, 1, 0), result(KILL), load(NUMBER)]
    if machine.has_x32:
        program += [jump(">=", X32_CALLS, 0, 1), result(KILL)]
    for name, checks in checked_calls(pid, program_address).items():
        if name not in machine.numbers:
            continue
        block = assemble(checks, errno.EPERM)
        program += [jump("==", machine.numbers[name], 0, len(block)), *block]
    for name in ALLOWED:
        if name in machine.numbers:
            program += [jump("==", machine.numbers[name], 0, 1), result(ALLOW)]
    for name, number in OTHER_ERRNOS.items():
        program += [jump("==", machine.numbers[name], 0, 1), result(REFUSE | number)]
    # A C library tries what is newer than this table, and knows how to do without it.
    program += [jump(">=", machine.first_unknown, 0, 1), result(REFUSE | errno.ENOSYS)]
    return [*program, result(REFUSE | errno.EPERM)]
