"""Tests of server_groups.py: the groups of one server, and what a killed one leaves behind."""

from __future__ import annotations

import contextlib
import os
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.jailed import OPEN, attempt
from watchglass_jail import CgroupLimits, JailError, ServerGroups
from watchglass_jail.cgroups import find_hierarchies
from watchglass_jail.features import Hierarchy
from watchglass_jail.server_groups import SLACK_BYTES, process_limits, sessions_limits


@pytest.fixture
def hierarchies() -> list[Hierarchy]:
    return find_hierarchies()


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4()}"


def test_a_server_has_a_group_and_in_it_one_for_each_process(
    hierarchies: list[Hierarchy], name: str
) -> None:
    server = ServerGroups(hierarchies, name, CgroupLimits(cpu_weight=50))
    first, second = (server.add(word, CgroupLimits(pids=9)) for word in "12")
    assert [os.path.dirname(path) for path in first] == [os.path.dirname(path) for path in second]
    policy = replace(OPEN, cgroups=first)
    assert name in attempt(policy, "print(open('/proc/self/cgroup').read())").said or not first
    server.remove(first)
    assert not any(map(os.path.exists, first))
    assert all(map(os.path.exists, second))
    server.remove(second)
    assert server.close() == []


def test_a_group_in_use_is_removed_when_its_process_has_ended(
    hierarchies: list[Hierarchy], name: str
) -> None:
    server = ServerGroups(hierarchies, name, CgroupLimits())
    groups = server.add("1", CgroupLimits())
    with a_process() as pid:
        for group in groups:
            Path(f"{group}/cgroup.procs").write_text(str(pid))
        server.remove(groups)
        assert [path for path in groups if os.path.exists(path)] == list(groups)
    assert server.close() == []
    assert not any(map(os.path.exists, groups))


@contextlib.contextmanager
def a_process() -> Iterator[int]:
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


# --- in ordinary folders: what is locked and what is left is the same there


@pytest.fixture
def folder(tmp_path: Path) -> Hierarchy:
    return Hierarchy(str(tmp_path), ("pids",), 1)


def test_what_a_killed_server_has_left_is_removed_by_the_next_one(folder: Hierarchy) -> None:
    left = Path(folder.folder, "watchglass-7-0a1b")
    (left / "1").mkdir(parents=True)
    (left / "2").mkdir()
    server = ServerGroups([folder], "8", CgroupLimits())
    assert os.listdir(folder.folder) == ["watchglass-8"]
    assert server.close() == []
    assert os.listdir(folder.folder) == []


def test_groups_of_a_server_that_lives_and_of_others_are_left_alone(folder: Hierarchy) -> None:
    Path(folder.folder, "somebody").mkdir()
    first = ServerGroups([folder], "1", CgroupLimits())
    groups = first.add("a", CgroupLimits())
    second = ServerGroups([folder], "2", CgroupLimits())
    assert {"somebody", "watchglass-1", "watchglass-2"} == set(os.listdir(folder.folder))
    assert all(map(os.path.isdir, groups))
    first.remove(groups)
    assert (first.close(), second.close()) == ([], [])
    assert os.listdir(folder.folder) == ["somebody"]


def test_a_server_that_gets_no_groups_keeps_none(folder: Hierarchy, tmp_path: Path) -> None:
    closed = Hierarchy(str(tmp_path / "nowhere"), ("cpu",), 1)
    open_before = os.listdir("/proc/self/fd")
    with pytest.raises(JailError, match="nowhere/watchglass-1 cannot be made"):
        ServerGroups([folder, closed], "1", CgroupLimits())
    assert os.listdir(folder.folder) == []
    assert os.listdir("/proc/self/fd") == open_before


# --- how much


def test_a_process_may_use_what_it_may_allocate_and_a_little_more() -> None:
    policy = replace(OPEN, limits={"DATA": (2**30, 2**30), "NPROC": (48, 48)})
    assert process_limits(policy) == CgroupLimits(memory_bytes=2**30 + SLACK_BYTES, pids=48)


@pytest.mark.parametrize(("processes", "pids"), [(16384, 48), (20, 20), (-1, 48)])
def test_threads_are_bounded_whoever_else_the_policy_counts(processes: int, pids: int) -> None:
    policy = replace(OPEN, limits={"NPROC": (processes, processes)})
    assert process_limits(policy) == CgroupLimits(pids=pids)


def test_without_limits_a_process_has_that_of_threads_alone() -> None:
    assert process_limits(OPEN) == CgroupLimits(pids=48)


def test_on_each_processor_the_sessions_together_weigh_less_than_the_server() -> None:
    limits = sessions_limits()
    assert limits.cpu_weight is not None
    assert limits.cpu_weight / (os.cpu_count() or 1) < 100
    assert (limits.memory_bytes, limits.pids) == (None, None)
