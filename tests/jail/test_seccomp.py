"""Tests of seccomp.py: attempts that succeed without the filter, and fail with it."""

import os
import platform
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.jailed import CALLS, FILES, OPEN, PYTHON, attempt
from watchglass_jail.syscalls import MACHINES

KILLED_BY_FILTER = 128 + signal.SIGSYS
THREAD = "thread = threading.Thread(target=print); thread.start(); thread.join()"

# What a session has no need of, and an ordinary user may do.
ATTEMPTS = {
    "a socket": ("socket.socket()", "EACCES"),
    "a socket of datagrams": ("socket.socket(type=socket.SOCK_DGRAM)", "EACCES"),
    "a socket with a path": ("socket.socket(socket.AF_UNIX)", "EACCES"),
    "a socket to the kernel": ("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "EACCES"),
    "a process": ("os.waitpid(os.fork() or os._exit(0), 0)", "EPERM"),
    "another program": ('os.execv("/bin/true", ["true"])', "EPERM"),
    "a file in memory": ('os.memfd_create("x")', "EPERM"),
    "another rank": ("os.nice(1)", "EPERM"),
    "other limits": ("check(LIBC.prlimit(0, 4, bytes(16), None))", "EPERM"),
    "another folder": ('os.chdir("/")', "EPERM"),
    "another's limits": (
        "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_CORE)",
        "EPERM",
    ),
    "a timer": ("signal.setitimer(signal.ITIMER_REAL, 100)", "EPERM"),
    "other processors": ("os.sched_setaffinity(0, os.sched_getaffinity(0))", "EPERM"),
    "a message to a group": ("os.killpg(0, 0)", "EPERM"),
    "a message to all": ("os.kill(os.getppid(), 0)", "EPERM"),
    "an end of another": ("os.pidfd_open(os.getppid())", "EPERM"),
    "a watch on files": ("check(LIBC.inotify_init1(0))", "EPERM"),
    "mappings that grow down": (
        "check(0 if LIBC.mmap(None, 4096, 3, 0x122, -1, 0) != -1 else -1)",
        "EPERM",
    ),
    "memory that no limit counts": ("import mmap; mmap.mmap(-1, 4096)", "EPERM"),
    "a signal when data come": ("import fcntl; fcntl.fcntl(0, fcntl.F_SETOWN, 1)", "EPERM"),
    "shared pages": ("check(LIBC.madvise(0, 0, 12))", "EPERM"),
    "its name in logs": ("check(LIBC.prctl(4, 0, 0, 0, 0))", "EPERM"),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_what_a_session_does_not_need_is_refused(name: str) -> None:
    code, error = ATTEMPTS[name]
    assert attempt(CALLS, code).said == error
    if name == "another program":
        assert attempt(OPEN, code).status == 0
    else:
        assert attempt(OPEN, code).said.endswith("done")


@pytest.mark.parametrize(
    "code",
    [
        THREAD.replace("print", "lambda: None"),
        "bytearray(50_000_000)",
        "os.pipe()",
        "socket.socketpair()[0].sendall",
        "os.kill(os.getpid(), 0)",
        "signal.raise_signal(signal.SIGCONT)",
        "import resource; resource.getrlimit(resource.RLIMIT_NOFILE)",
        "import select; select.epoll()",
        "time.sleep(0.01); time.time(); os.urandom(8)",
        'open("/dev/null").read()',
    ],
)
def test_what_a_session_needs_is_allowed(code: str) -> None:
    assert attempt(CALLS, code).said == "done"


def test_a_pair_of_sockets_is_of_this_machine_only() -> None:
    code = "socket.socketpair({}, socket.SOCK_{})"
    assert attempt(CALLS, code.format("socket.AF_UNIX", "STREAM")).said == "done"
    assert attempt(CALLS, code.format("30", "STREAM")).said == "EPERM"  # AF_TIPC


@pytest.fixture
def terminal() -> Iterator[int]:
    ours, theirs = pty.openpty()
    yield theirs
    os.close(ours)
    os.close(theirs)


def test_nothing_is_typed_into_a_terminal(terminal: int) -> None:
    type_x = f'import fcntl, termios; fcntl.ioctl({terminal}, termios.TIOCSTI, b"x")'
    take = f"import fcntl, termios; fcntl.ioctl({terminal}, termios.TIOCSCTTY, 0)"
    assert attempt(OPEN, take, pass_fds=[terminal]).said == "done"
    assert attempt(CALLS, take, pass_fds=[terminal]).said == "EPERM"
    assert attempt(CALLS, type_x, pass_fds=[terminal]).said == "EPERM"


# --- the one execve


AT_THE_PATH = """
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
def mapped(address, flags, length=0x10000):
    got = LIBC.mmap(address, length, 3, 0x22 | flags, -1, 0)
    if got == 2**64 - 1:
        raise OSError(ctypes.get_errno(), "")
    return got
"""
START = """
words = (ctypes.c_char_p * 2)(b"true", None)
check(LIBC.execve(ctypes.c_void_p({}), words, None))
"""
MAPPINGS = {
    "in its place": "mapped(0x10000, 0x10)",
    "in its place, if it is free": "mapped(0x10000, 0x100000)",
    "there by a hint": "mapped(0x10000, 0)",
    "there by a lower hint": "mapped(0x1000, 0)",
    "over it from below": "mapped(0x8000, 0x10, 0x20000)",
    "over it from nothing": "mapped(None, 0x10, 0x20000)",
    "down to it": "mapped(0x20000, 0x110)",
    "by moving there": "a = mapped(None, 0); call(25, a, 4096, 4096, 3, 0x10000)",
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_no_path_is_put_where_the_one_execve_reads_it(name: str) -> None:
    numbers = MACHINES[platform.machine()].numbers
    code = AT_THE_PATH + MAPPINGS[name].replace("25", str(numbers["mremap"]))
    assert attempt(CALLS, code).said == "EPERM"


def test_a_second_execve_with_the_first_ones_pointer_finds_no_path() -> None:
    assert attempt(CALLS, START.format("0x10000")).said == "EFAULT"


def test_a_second_execve_with_any_other_pointer_is_refused() -> None:
    elsewhere = 'path = ctypes.create_string_buffer(b"/bin/true")'
    code = elsewhere + START.format("ctypes.addressof(path)")
    assert attempt(CALLS, code).said == "EPERM"
    assert attempt(OPEN, code).status == 0


def test_the_address_space_cannot_be_filled_until_the_kernel_goes_that_low() -> None:
    fill = AT_THE_PATH + "for _ in range(200): mapped(None, 0x4000, 2**40)"
    assert attempt(CALLS, fill).said == "ENOMEM"
    count = AT_THE_PATH + "n = 0\ntry:\n while mapped(None, 0x4000, 2**36): n += 1\n"
    count += "except OSError: assert n < 4, n"
    assert attempt(CALLS, count).said == "done"


# --- calls by other doors


MACHINE_CODE = """
import mmap
page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE, 7)
page.write(bytes.fromhex("{}"))
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())
"""


if platform.machine() == "x86_64":  # the only one with calls of another kind, in its own code
    OTHER_KINDS = {
        "32 bits": MACHINE_CODE.format("53b814000000cd805bc3"),  # getpid, by int 0x80
        "x32": "call(0x40000000 + 39)",
    }

    @pytest.mark.parametrize("kind", OTHER_KINDS)
    def test_calls_of_another_kind_end_the_process(kind: str) -> None:
        assert attempt(CALLS, OTHER_KINDS[kind]).status == KILLED_BY_FILTER
        assert attempt(OPEN, OTHER_KINDS[kind]).status != KILLED_BY_FILTER


def test_no_further_filter_is_taken() -> None:
    more = "check(LIBC.prctl(22, 2, 0, 0, 0))"
    assert attempt(CALLS, more).said == "EPERM"
    assert attempt(OPEN, more).said == "EFAULT"  # it would have been read


def test_a_signal_reaches_the_process_itself_and_no_other() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as victim:
        code = f"os.kill({victim.pid}, signal.SIGTERM)"
        assert attempt(CALLS, code).said == "EPERM"
        assert victim.poll() is None
        assert attempt(OPEN, code).said == "done"
        assert victim.wait(10) == -signal.SIGTERM
    assert attempt(CALLS, "os.kill(os.getpid(), signal.SIGTERM)").status == 128 + signal.SIGTERM


def test_landlock_and_the_filter_hold_together() -> None:
    both = replace(FILES, seccomp=True)
    assert attempt(both, THREAD).said == "done"
    assert attempt(both, f'os.execv("{PYTHON}", ["python"])').said == "EPERM"
