"""Tests of landlock.py: attempts that succeed without it, and fail with it."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.jailed import FILES, OPEN, PYTHON_NEEDS, attempt
from watchglass_jail.landlock import handled_by, landlock_abi

ABI = landlock_abi()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "full").mkdir()
    return tmp_path


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


ON_FILES = {
    "read": 'open("{0}/secret").read()',
    "list": 'os.listdir("{0}")',
    "write": 'open("{0}/secret", "a").write("x")',
    "create": 'open("{0}/new", "w").close()',
    "make a folder": 'os.mkdir("{0}/new")',
    "remove": 'os.unlink("{0}/secret")',
    "remove a folder": 'os.rmdir("{0}/full")',
    "rename": 'os.rename("{0}/secret", "{0}/new")',
    "link": 'os.link("{0}/secret", "{0}/new")',
    "link by name": 'os.symlink("{0}/secret", "{0}/new")',
    "make a pipe": 'os.mkfifo("{0}/new")',
    "read through /proc": 'open("/proc/self/root{0}/secret").read()',
    "read about others": 'open("/proc/1/status").read()',
    "read users": 'open("/etc/passwd").read()',
    "start a program": 'assert os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", ":"], {{}}), 0)',
}
if ABI >= 3:
    ON_FILES["cut"] = 'os.truncate("{0}/secret", 1)'


@pytest.mark.parametrize("name", ON_FILES)
def test_files_that_are_not_in_the_policy_are_closed(name: str, folder: Path) -> None:
    code = ON_FILES[name].format(folder)
    assert attempt(FILES, code).said == "EACCES"
    assert attempt(OPEN, code).said == "done"


def test_a_folder_of_the_policy_is_read_and_not_written(folder: Path) -> None:
    policy = replace(FILES, read=(str(folder),))
    assert attempt(policy, f'assert open("{folder}/secret").read() == "secret"').said == "done"
    assert attempt(policy, f'os.listdir("{folder}")').said == "done"
    assert attempt(policy, f'open("{folder}/secret", "a")').said == "EACCES"
    assert attempt(policy, 'open("/etc/passwd")').said == "EACCES"


def test_a_link_out_of_a_folder_of_the_policy_leads_nowhere(folder: Path) -> None:
    (folder / "full/out").symlink_to(folder / "secret")
    policy = replace(FILES, read=(f"{folder}/full",))
    assert attempt(policy, f'open("{folder}/full/out")').said == "EACCES"


def test_a_folder_to_write_is_written_and_nothing_in_it_is_run(folder: Path) -> None:
    policy = replace(FILES, write=(str(folder),))
    program = f'"{folder}/new"'
    write = f'open({program}, "w").write("#!/bin/sh"); os.chmod({program}, 0o755)'
    assert attempt(policy, write).said == "done"
    assert attempt(policy, f"os.posix_spawn({program}, [{program}], {{}})").said == "EACCES"


def test_paths_that_do_not_exist_are_left_out(folder: Path) -> None:
    policy = replace(FILES, read=(f"{folder}/nowhere", f"{folder}/secret"))
    assert attempt(policy, f'open("{folder}/secret").read()').said == "done"


@pytest.mark.parametrize("action", ["connect", "bind"])
def test_no_tcp_connection_is_made_or_awaited(action: str, listener: socket.socket) -> None:
    port = listener.getsockname()[1] if action == "connect" else 0
    code = f'socket.socket().{action}(("127.0.0.1", {port}))'
    assert attempt(OPEN, code).said == "done"
    assert attempt(FILES, code).said == ("EACCES" if ABI >= 4 else "done")


def test_no_abstract_socket_of_others_is_reached() -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0watchglass-decoy-of-a-test")
        listening.listen()
        name = '"\\0watchglass-decoy-of-a-test"'
        code = f"socket.socket(socket.AF_UNIX).connect({name})"
        assert attempt(OPEN, code).said == "done"
        assert attempt(FILES, code).said == ("EPERM" if ABI >= 6 else "done")


def test_no_signal_reaches_another_process(victim: subprocess.Popen[bytes]) -> None:
    code = f"os.kill({victim.pid}, signal.SIGTERM)"
    assert attempt(FILES, code).said == ("EPERM" if ABI >= 6 else "done")
    if ABI >= 6:
        assert victim.poll() is None
        assert attempt(OPEN, code).said == "done"
    assert victim.wait(10) == -signal.SIGTERM


def test_each_version_refuses_what_it_knows() -> None:
    files = {abi: handled_by(abi).files.bit_length() for abi in range(1, 9)}
    assert files == {1: 13, 2: 14, 3: 15, 4: 15, 5: 16, 6: 16, 7: 16, 8: 16}
    assert [handled_by(abi).network for abi in range(1, 9)] == [0, 0, 0, 3, 3, 3, 3, 3]
    assert [handled_by(abi).scopes for abi in range(1, 9)] == [0, 0, 0, 0, 0, 3, 3, 3]
    lengths = [len(handled_by(abi).encode(abi)) for abi in range(1, 9)]
    assert lengths == [8, 8, 8, 16, 16, 24, 24, 24]


def test_python_itself_is_all_that_is_left_to_start() -> None:
    code = f'os.waitpid(os.posix_spawn("{PYTHON_NEEDS[0]}", ["python", "-V"], {{}}), 0)'
    assert attempt(FILES, code).said.endswith("done")
