"""Tests of identity.py: a process of nobody, without privileges."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.jailed import OPEN, as_nobody, attempt, features_here

STATUS = "print(dict(l.split(':', 1) for l in open('/proc/self/status')){}.split())"


@pytest.mark.parametrize("name", ["CapInh", "CapPrm", "CapEff", "CapAmb"])
def test_no_capability_is_left(name: str) -> None:
    told = attempt(OPEN, STATUS.format(f"['{name}']")).said
    assert told.startswith("['0000000000000000']")


def test_none_can_come_back_by_a_program() -> None:
    bounds = attempt(OPEN, STATUS.format("['CapBnd']")).said
    locked = attempt(OPEN, "assert LIBC.prctl(27, 0, 0, 0, 0) & 0x3 == 0x3").said
    is_privileged = features_here().uid == 0
    assert bounds.startswith("['0000000000000000']") == is_privileged
    assert (locked == "done") == is_privileged
    assert attempt(OPEN, STATUS.format("['NoNewPrivs']")).said.startswith("['1']")


PRIVILEGED = {
    "mount": "check(LIBC.mount(b'x', b'/', b'tmpfs', 0, None))",
    "chroot": "os.chroot('/')",
    "another user": "os.setuid(1)",
    "another owner": "os.chown('/', 1, 1)",
    "the name of the machine": "socket.sethostname('x')",
    "raw sockets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
}


@pytest.mark.parametrize("name", PRIVILEGED)
def test_root_itself_may_do_nothing_that_needs_a_privilege(name: str) -> None:
    assert attempt(OPEN, PRIVILEGED[name]).said == "EPERM"


def test_the_user_and_the_group_are_its_own() -> None:
    policy = as_nobody(OPEN)
    ids = f"({policy.uid}, {policy.uid}, {policy.uid})"
    told = attempt(policy, "print(os.getresuid(), os.getresgid(), len(os.getgroups()))").said
    assert told.startswith(f"{ids} ({policy.gid}, {policy.gid}, {policy.gid})")
    if "user" not in policy.namespaces:
        assert told.startswith(f"{ids} {ids} 0")


def test_a_user_that_cannot_be_taken_is_told() -> None:
    policy = replace(OPEN, namespaces=("user",), uid=features_here().uid, gid=features_here().gid)
    failed = attempt(replace(policy, uid=policy.uid, gid=(policy.gid or 0) + 1), "pass")
    assert failed.status == 70
    assert "'namespaces' failed" in failed.stderr
    assert "Name the ids of whoever starts it" in failed.stderr


def test_a_path_that_the_user_cannot_read_is_named(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.touch(mode=0o000)
    policy = as_nobody(replace(OPEN, read=(str(hidden),)))
    failed = attempt(policy, "pass")
    assert failed.status == 70
    assert f"{hidden} is closed to user {policy.uid}" in failed.stderr
    assert "chmod o+rX" in failed.stderr
