"""Tests of cgroups.py: groups of both versions, and what they hold back."""

import contextlib
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.jailed import OPEN, attempt
from watchglass_jail import CgroupLimits, JailError
from watchglass_jail.cgroups import (
    create_cgroups,
    find_hierarchies,
    parse_hierarchies,
    pass_on,
    remove_cgroups,
    was_out_of_memory,
)
from watchglass_jail.features import Hierarchy

MIB = 2**20


def unified_hierarchies() -> list[Hierarchy]:
    mounts, groups = (Path(f"/proc/self/{name}").read_text() for name in ("mountinfo", "cgroup"))
    return [known for known in parse_hierarchies(mounts, groups) if known.version == 2]


VERSION_1 = """\
29 28 0:25 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
30 29 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:5 - cgroup cgroup rw,cpu,cpuacct
31 29 0:27 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory
32 29 0:28 / /sys/fs/cgroup/systemd rw,nosuid - cgroup cgroup rw,xattr,name=systemd
"""
IN_VERSION_1 = "4:memory:/service/a\n3:cpu,cpuacct:/\n1:name=systemd:/x\n0::/y\n"
VERSION_2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
CONTAINER = "900 30 0:26 /docker/12ab /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n"


@pytest.fixture
def name() -> str:
    return f"test-of-watchglass-{uuid.uuid4()}"


@pytest.fixture
def hierarchies() -> list[Hierarchy]:
    return find_hierarchies()


def test_version_1_has_a_folder_for_each_controller() -> None:
    assert parse_hierarchies(VERSION_1, IN_VERSION_1) == [
        Hierarchy("/sys/fs/cgroup/cpu,cpuacct", ("cpu",), 1),
        Hierarchy("/sys/fs/cgroup/memory/service/a", ("memory",), 1),
    ]


def test_version_2_has_one_folder() -> None:
    membership = "0::/user.slice/user-1000.slice\n"
    folder = "/sys/fs/cgroup/user.slice/user-1000.slice"
    assert parse_hierarchies(VERSION_2, membership) == [Hierarchy(folder, (), 2)]


def test_a_container_sees_its_own_part_of_the_tree() -> None:
    folder = "/sys/fs/cgroup/inner"
    assert parse_hierarchies(CONTAINER, "0::/docker/12ab/inner\n") == [Hierarchy(folder, (), 2)]


def test_both_versions_may_be_there() -> None:
    found = parse_hierarchies(VERSION_2 + VERSION_1, IN_VERSION_1)
    assert [hierarchy.version for hierarchy in found] == [1, 1, 2]


@pytest.mark.parametrize(
    ("version", "files"),
    [
        (1, {"memory.limit_in_bytes": "1000", "pids.max": "7", "cpu.shares": "512"}),
        (2, {"memory.max": "1000", "memory.swap.max": "0", "pids.max": "7", "cpu.weight": "50"}),
    ],
)
def test_limits_are_written_in_the_words_of_the_version(
    version: int, files: dict[str, str], tmp_path: Path
) -> None:
    """In an ordinary folder, with the files that a kernel would have put there."""
    group = tmp_path / "group"
    group.mkdir()
    for file in files:
        (group / file).touch()
    hierarchy = Hierarchy(str(tmp_path), ("memory", "pids", "cpu"), version)
    limits = CgroupLimits(memory_bytes=1000, pids=7, cpu_weight=50)
    assert create_cgroups([hierarchy], "group", limits) == (str(group),)
    assert {file: (group / file).read_text() for file in files} == files
    assert {path.name for path in group.iterdir()} == files.keys()


def test_what_is_not_limited_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "group").mkdir()
    (tmp_path / "group/pids.max").touch()
    hierarchy = Hierarchy(str(tmp_path), ("pids",), 2)
    create_cgroups([hierarchy], "group", CgroupLimits(memory_bytes=1))
    assert (tmp_path / "group/pids.max").read_text() == ""


def test_a_folder_that_is_closed_is_named(tmp_path: Path) -> None:
    file = tmp_path / "no folder"
    file.touch()
    with pytest.raises(JailError, match="no folder/x") as failed:
        create_cgroups([Hierarchy(str(file), (), 2)], "x", CgroupLimits())
    assert failed.value.layer == "cgroups"


# --- with the kernel's own, where this machine lets them be made


@pytest.fixture
def groups(hierarchies: list[Hierarchy], name: str) -> Iterator[tuple[str, ...]]:
    limits = CgroupLimits(memory_bytes=100 * MIB, pids=8, cpu_weight=50)
    made = create_cgroups(hierarchies, name, limits)
    yield made
    assert remove_cgroups(made) == []


def limited_by(groups: tuple[str, ...], file: str) -> bool:
    return any(os.path.exists(f"{group}/{file}") for group in groups)


def test_a_process_is_in_the_groups_of_its_policy(groups: tuple[str, ...]) -> None:
    policy = replace(OPEN, cgroups=groups)
    told = attempt(policy, "print(open('/proc/self/cgroup').read())").said
    assert told.endswith("done")
    for group in groups:
        assert os.path.basename(group) in told


def test_memory_beyond_the_group_ends_the_process(groups: tuple[str, ...]) -> None:
    has_memory = limited_by(groups, "memory.limit_in_bytes") or limited_by(groups, "memory.max")
    took = attempt(replace(OPEN, cgroups=groups), "bytearray(200_000_000)")
    assert took.status == (128 + signal.SIGKILL if has_memory else 0)
    assert was_out_of_memory(groups) == has_memory
    assert attempt(OPEN, "bytearray(200_000_000)").said == "done"


def test_what_the_kernel_counts_as_ended_for_memory_is_read(tmp_path: Path) -> None:
    assert not was_out_of_memory([str(tmp_path)])
    for file, before in (("memory.oom_control", "under_oom 0"), ("memory.events", "oom 3")):
        (tmp_path / file).write_text(f"{before}\noom_kill 0\n")
        assert not was_out_of_memory([str(tmp_path)])
        (tmp_path / file).write_text(f"{before}\noom_kill 1\n")
        assert was_out_of_memory(["/nowhere", str(tmp_path)])
        (tmp_path / file).unlink()


def test_threads_beyond_the_group_cannot_be_started(groups: tuple[str, ...]) -> None:
    code = """
held = threading.Event()
try:
    for _ in range(20): threading.Thread(target=held.wait).start()
finally:
    held.set()
"""
    has_pids = limited_by(groups, "pids.max")
    told = attempt(replace(OPEN, cgroups=groups), code).said
    assert told == ("RuntimeError" if has_pids else "done")
    assert attempt(OPEN, code).said == "done"


@contextlib.contextmanager
def a_process() -> Iterator[int]:
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def test_processes_of_version_2_make_room_for_limits_below(name: str) -> None:
    for hierarchy in unified_hierarchies():
        if os.access(hierarchy.folder, os.W_OK):
            make_room_in(Path(hierarchy.folder, name))


def make_room_in(group: Path) -> None:
    group.mkdir()
    offered = tuple((group / "cgroup.controllers").read_text().split())
    with a_process() as pid:
        (group / "cgroup.procs").write_text(str(pid))
        assert pass_on(str(group), offered) == ()  # somebody is there
        assert pass_on(str(group), offered, movable=[pid]) == offered
        present = (group / "cgroup.procs").read_text().split()
        assert present == ([] if offered else [str(pid)])
    assert remove_cgroups([f"{group}/watchglass-server", str(group)]) == []


def test_a_folder_that_is_no_group_passes_nothing_on(tmp_path: Path) -> None:
    assert pass_on(str(tmp_path / "nothing")) == ()


def test_a_group_that_is_gone_is_named(tmp_path: Path) -> None:
    failed = attempt(replace(OPEN, cgroups=(f"{tmp_path}/gone",)), "pass")
    assert failed.status == 70
    assert f"'cgroups' failed: {tmp_path}/gone cannot be entered" in failed.stderr
