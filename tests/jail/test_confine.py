"""Tests of confine.py: all layers together, and what a process takes over from its launcher."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.jailed import FILES, OPEN, PYTHON_NEEDS, attempt, features_here
from watchglass_jail import JailError, JailPolicy, choose_policy


@pytest.fixture
def strict() -> JailPolicy:
    return choose_policy(features_here(), level="strict", read=(), execute=PYTHON_NEEDS)


def test_every_layer_of_the_strictest_policy_holds_at_once(strict: JailPolicy) -> None:
    assert attempt(strict, "pass").said == "done"
    assert attempt(strict, 'open("/etc/passwd")').said in ("EACCES", "ENOENT")
    assert attempt(strict, "socket.socket()").said == "EACCES"
    assert attempt(strict, "os.fork()").said == "EPERM"
    assert attempt(strict, "os.setuid(0)").said == "EPERM"
    assert attempt(strict, 'open("/new", "w")').said in ("EACCES", "EROFS")
    assert attempt(strict, "[os.pipe() for _ in range(64)]").said == "EMFILE"


def test_only_the_descriptors_that_are_kept_stay_open() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    code = f"os.write({writing}, b'x'); print([os.fstat(fd) and fd for fd in range(3)])"
    assert attempt(OPEN, code, pass_fds=[writing]).said == "[0, 1, 2]\ndone"
    assert os.read(reading, 1) == b"x"
    closed = f"os.fstat({reading})"
    assert attempt(OPEN, closed, pass_fds=[writing]).said == "EBADF"
    os.close(reading)
    os.close(writing)


LEAKY = """
import os, sys
from watchglass_jail import JailPolicy, confine
secret, kept = os.open("/dev/null", os.O_RDONLY), os.open("/dev/null", os.O_RDONLY)
os.set_inheritable(secret, True)
confine(JailPolicy.from_json(sys.argv[1]), [kept])
print([fd for fd in range(64) if fd in (secret, kept) and os.path.exists(f"/proc/self/fd/{fd}")])
assert not os.get_inheritable(kept)
"""


def test_what_is_not_kept_is_closed() -> None:
    command = [sys.executable, "-c", LEAKY, OPEN.to_json()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)) == 1


def test_the_environment_is_the_one_that_is_given() -> None:
    assert attempt(OPEN, "assert not set(os.environ) - {'LC_CTYPE'}, os.environ").said == "done"


def test_it_leads_a_session_of_its_own_in_the_root_folder() -> None:
    assert attempt(OPEN, "assert os.getsid(0) == os.getpgrp() == os.getpid()").said == "done"
    assert attempt(OPEN, "assert os.getcwd() == '/'").said == "done"
    assert attempt(OPEN, "assert os.umask(0) == 0o077").said == "done"
    no_terminal = "os.open('/dev/tty', os.O_RDWR)"
    assert attempt(OPEN, no_terminal).said == "ENXIO"


def test_no_signal_is_blocked_or_ignored() -> None:
    code = (
        "status = dict(l.split(':\\t') for l in open('/proc/self/status').read().splitlines())\n"
        "assert int(status['SigBlk'], 16) == 0, status\n"
        "assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL\n"
    )
    assert attempt(OPEN, code).said == "done"


def test_it_is_ended_before_others_when_memory_is_short() -> None:
    code = "print(open('/proc/self/oom_score_adj').read().strip())"
    assert attempt(replace(OPEN, oom_score_adj=600), code).said == "600\ndone"


def test_nothing_is_gained_by_a_set_user_id_bit() -> None:
    code = "print(check(LIBC.prctl(39, 0, 0, 0, 0)))"
    assert attempt(OPEN, code).said == "1\ndone"


def test_a_layer_that_cannot_be_put_up_keeps_the_program_from_starting(tmp_path: Path) -> None:
    program = tmp_path / "no program"
    failed = attempt(replace(FILES, cgroups=(str(program),)), "print('started')")
    assert (failed.said, failed.status) == ("", 70)
    assert failed.stderr.startswith("The jail's layer 'cgroups' failed:")


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    launcher = Path(__file__).parents[1] / "support/jail_launcher.py"
    command = [sys.executable, str(launcher), OPEN.to_json(), f"{tmp_path}/nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert f"No such file or directory: '{tmp_path}/nothing'" in done.stderr


def test_a_path_that_is_too_long_is_not_cut_to_another_one(strict: JailPolicy) -> None:
    launcher = Path(__file__).parents[1] / "support/jail_launcher.py"
    path = PYTHON_NEEDS[0] + "/" * 2**16
    for policy in (strict, OPEN):
        command = [sys.executable, str(launcher), policy.to_json(), path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 70
        assert "File name too long" in done.stderr


def test_each_process_may_be_another_user() -> None:
    features = features_here()
    policies = [
        choose_policy(features, level="strict", read=(), execute=PYTHON_NEEDS, number=number)
        for number in (1, 2)
    ]
    told = [attempt(policy, "print(os.getuid())").said for policy in policies]
    assert told == [f"{policy.uid}\ndone" for policy in policies]
    assert len(set(told)) == (2 if features.uids[1] else 1)


def test_an_error_tells_layer_reason_and_next_step() -> None:
    error = JailError("net", "no right", "Be root.")
    assert str(error) == "The jail's layer 'net' failed: no right. Be root."
    assert (error.layer, error.what, error.next_step) == ("net", "no right", "Be root.")
