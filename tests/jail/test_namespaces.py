"""Tests of namespaces.py: a child with a network, processes and names of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from tests.support.jailed import (
    LAUNCHER,
    OPEN,
    PYTHON,
    as_nobody,
    attempt,
    features_here,
    with_namespaces,
)
from watchglass_jail.namespaces import namespace_flags

FILES_OF = {"mount": "mnt", "net": "net", "ipc": "ipc", "uts": "uts", "cgroup": "cgroup"}


@pytest.mark.parametrize("name", FILES_OF)
def test_each_namespace_is_another_one(name: str) -> None:
    ours = os.readlink(f"/proc/self/ns/{FILES_OF[name]}")
    code = f'assert os.readlink("/proc/self/ns/{FILES_OF[name]}") == "{ours}"'
    assert attempt(OPEN, code).said == "done"
    assert "AssertionError" in attempt(with_namespaces(OPEN, name), code).stderr


def test_there_is_nothing_in_the_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        code = f'socket.create_connection(("127.0.0.1", {listening.getsockname()[1]}), 5)'
        assert attempt(OPEN, code).said == "done"
        assert attempt(with_namespaces(OPEN, "net"), code).said in ("ENETUNREACH", "EADDRNOTAVAIL")
    devices = "assert [name for _, name in socket.if_nameindex()] == ['lo']"
    assert attempt(with_namespaces(OPEN, "net"), devices).said == "done"


def test_an_abstract_socket_is_of_one_network() -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0watchglass-decoy-in-the-network")
        listening.listen()
        code = 'socket.socket(socket.AF_UNIX).connect("\\0watchglass-decoy-in-the-network")'
        assert attempt(OPEN, code).said == "done"
        assert attempt(with_namespaces(OPEN, "net"), code).said == "ECONNREFUSED"


def test_there_is_no_other_process() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as victim:
        code = f"os.kill({victim.pid}, signal.SIGTERM)"
        inside = with_namespaces(OPEN, "pid")
        assert attempt(inside, code).said == "ESRCH"
        assert attempt(inside, "assert (os.getpid(), os.getppid()) == (1, 0)").said == "done"
        assert attempt(OPEN, code).said == "done"
        assert victim.wait(10) == -signal.SIGTERM


def test_messages_and_memory_between_processes_are_not_shared() -> None:
    get = "assert LIBC.shmget(0x57474c53, 4096, {:#o}) >= 0"
    code = get.format(0o1600) + "; print(LIBC.shmctl(LIBC.shmget(0x57474c53, 0, 0), 0, None))"
    assert attempt(OPEN, code).said == "0\ndone"  # made, and removed again
    inside = with_namespaces(OPEN, "ipc")
    assert attempt(inside, get.format(0o1600)).said == "done"
    assert "AssertionError" in attempt(OPEN, get.format(0o0)).stderr


def test_the_first_process_still_dies_of_what_it_does_to_itself() -> None:
    """The kernel takes no signal to it from inside; what it raises itself it does take."""
    inside = with_namespaces(OPEN, "pid")
    assert attempt(inside, "os.abort()").status in (128 + signal.SIGSEGV, 128 + signal.SIGABRT)
    assert attempt(inside, "ctypes.string_at(0)").status == 128 + signal.SIGSEGV
    limited = replace(inside, limits={"CPU": (1, 1)})
    assert attempt(limited, "while True: pass").status == 128 + signal.SIGKILL
    assert attempt(inside, "sys.exit(7)").status == 7


def test_the_machine_has_no_name_of_its_own() -> None:
    inside = with_namespaces(OPEN, "uts")
    assert attempt(inside, "assert os.uname().nodename == 'localhost'").said == "done"
    ours = f"assert os.uname().nodename == {os.uname().nodename!r}"
    assert attempt(OPEN, ours).said == "done"


def test_a_filter_knows_the_process_by_its_number_inside() -> None:
    inside = replace(with_namespaces(OPEN, "pid"), seccomp=True)
    assert attempt(inside, "os.kill(1, 0)").said == "done"
    assert attempt(inside, "os.kill(2, 0)").said == "EPERM"


@pytest.mark.parametrize("names", [(), ("pid",)])
def test_a_child_ends_with_its_launcher(names: tuple[str, ...]) -> None:
    policy = with_namespaces(OPEN, *names) if names else OPEN
    reading, writing = os.pipe()
    launcher = start_a_long_one(policy.to_json(), writing)
    os.close(writing)
    with open(reading, "rb") as ends:
        assert ends.read(1) == b"."
        launcher.kill()
        launcher.wait()
        began = time.monotonic()
        assert ends.read() == b""  # the last one that could write has ended
    assert time.monotonic() - began < 5


def start_a_long_one(policy: str, writing: int) -> subprocess.Popen[bytes]:
    code = f"import os, time; os.write({writing}, b'.'); time.sleep(60)"
    program = [PYTHON, "-I", "-S", "-c", code]
    command = [sys.executable, str(LAUNCHER), policy, *program]
    return subprocess.Popen(command, pass_fds=[writing], env={})


def test_ordinary_users_get_theirs_from_a_user_namespace() -> None:
    features = features_here()
    own = replace(OPEN, namespaces=("user", "net"), uid=features.uid, gid=features.gid)
    assert attempt(own, "print(os.getuid(), os.getgid())").said.startswith(
        f"{features.uid} {features.gid}"
    )
    alone = as_nobody(OPEN)
    assert attempt(alone, "os.getpid()").said == "done"


def test_the_flags_are_the_kernels() -> None:
    assert namespace_flags(()) == 0
    assert namespace_flags(("user", "mount", "pid", "net", "ipc", "uts", "cgroup")) == 0x7E020000
    assert namespace_flags(("net", "net")) == 0x40000000
