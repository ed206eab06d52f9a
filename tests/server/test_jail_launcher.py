"""Tests of jail_launcher.py and zygote_link.py: children in jails, and the end of their zygote."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import cgroups
from tests.support.fake_host import fake_config
from tests.support.zygote import PYTHON
from watchglass_jail.cgroups import parse_hierarchies
from watchglass_jail.features import Hierarchy, KernelFeatures
from watchglass_jail.server_groups import SLACK_BYTES
from watchglass_server.child import Child, Reach
from watchglass_server.errors import ProcessStartError
from watchglass_server.jail_launcher import JailLauncher
from watchglass_server.process import PyodideProcess

ROOT = Path(__file__).parents[2]
READABLE = (Path(os.path.realpath(os.__file__)).parents[2], ROOT)
ECHO = ("/bin/sh", "-c", "echo 1")  # unlike Python, nowhere below anybody's home
WAITS = "import time\nwhile True: time.sleep(9)"


@pytest.fixture
async def jail() -> AsyncIterator[JailLauncher]:
    launcher = JailLauncher()
    yield launcher
    await launcher.close()


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    """Every test closes what it opened, and leaves no child behind."""
    before = descriptors()
    yield
    await asyncio.sleep(0)
    assert descriptors() == before


def text_of(path: str) -> str:
    return Path(path).read_text()


def descriptors() -> list[str]:
    names = (Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd"))
    return [str(name) for name in names if name.is_symlink()]


def groups_in(folder: str) -> list[str]:
    return [path.name.partition("watchglass-")[2] for path in Path(folder).glob("watchglass-*")]


async def python(jail: JailLauncher, code: str) -> Child:
    return await jail.start([PYTHON, "-I", "-S", "-c", code], Reach(read=READABLE))


async def end(child: Child) -> tuple[int, str]:
    async with asyncio.timeout(15):
        exit_ = await child.wait()
    return exit_.returncode, child.output


async def test_a_child_starts_prints_and_ends(jail: JailLauncher) -> None:
    child = await python(jail, "print('hi'); raise SystemExit(3)")
    assert await end(child) == (3, "hi\n")
    assert (await child.wait()).max_rss_bytes > 2**20


async def test_each_child_is_held_by_all_that_the_machine_offers(jail: JailLauncher) -> None:
    child = await python(jail, WAITS)
    status = text_of(f"/proc/{child.pid}/status")
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status
    features = await jail.look(PYTHON)
    other = await python(jail, WAITS)
    if features.uids[1]:
        users = {os.stat(f"/proc/{each.pid}").st_uid for each in (child, other)}
        assert len(users) == 2
        assert os.getuid() not in users
    for namespace in set(features.namespaces) & {"net", "pid", "ipc"}:
        links = {os.readlink(f"/proc/{pid}/ns/{namespace}") for pid in ("self", child.pid)}
        assert len(links) == 2


async def test_a_child_is_killed_at_once_and_only_once(jail: JailLauncher) -> None:
    child = await python(jail, WAITS)
    child.kill()
    assert await end(child) == (-signal.SIGKILL, "")
    child.kill()


async def test_what_a_child_may_allocate_is_bounded(jail: JailLauncher) -> None:
    code = "try: bytes(2**28)\nexcept MemoryError: print('none left')"
    reach = Reach(read=READABLE, data_bytes=2**27)
    child = await jail.start([PYTHON, "-I", "-S", "-c", code], reach)
    assert await end(child) == (0, "none left\n")


async def test_a_child_writes_where_it_may_and_nowhere_else(
    jail: JailLauncher, tmp_path: Path
) -> None:
    for name in ("draft", "other"):
        (tmp_path / name).mkdir()
    code = (
        f"open({str(tmp_path / 'draft' / 'a')!r}, 'w').write('written')\n"
        f"try: open({str(tmp_path / 'other' / 'a')!r}, 'w')\n"
        "except OSError: print('not there')"
    )
    reach = Reach(read=READABLE, write=(tmp_path / "draft",))
    child = await jail.start([PYTHON, "-I", "-S", "-c", code], reach)
    assert await end(child) == (0, "not there\n")
    assert (tmp_path / "draft" / "a").read_text() == "written"


async def test_a_program_that_is_none_is_said(jail: JailLauncher) -> None:
    with pytest.raises(OSError, match=r"/etc/passwd cannot be read as a program"):
        await jail.start(["/etc/passwd"], Reach())


async def test_a_start_that_is_given_up_leaves_no_child(jail: JailLauncher) -> None:
    await jail.look(PYTHON)
    starting = asyncio.create_task(python(jail, WAITS))
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert await end(await python(jail, "print(1)")) == (0, "1\n")
    listing = f"/proc/{jail.pid}/task/{jail.pid}/children"
    async with asyncio.timeout(10):
        while text_of(listing).strip():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)


async def test_a_hundred_children_at_once(jail: JailLauncher) -> None:
    children = await asyncio.gather(*(python(jail, "print(6 * 7)") for _ in range(100)))
    ends = await asyncio.gather(*map(end, children))
    assert set(ends) == {(0, "42\n")}


# --- the zygote ends


async def test_a_zygote_that_is_killed_is_replaced_and_its_children_are_told_as_killed(
    jail: JailLauncher, caplog: pytest.LogCaptureFixture
) -> None:
    children = [await python(jail, WAITS) for _ in range(3)]
    first = jail.pid
    assert first is not None
    with caplog.at_level(logging.WARNING):
        os.kill(first, signal.SIGKILL)
        for child in children:
            assert (await end(child))[0] == -signal.SIGKILL
        assert await end(await python(jail, "print(1)")) == (0, "1\n")
    assert jail.pid not in (None, first)
    assert "zygote ended with -9" in caplog.text


async def test_closing_ends_all_children(jail: JailLauncher) -> None:
    child = await python(jail, WAITS)
    await jail.close()
    assert (await end(child))[0] == -signal.SIGKILL


async def test_what_is_asked_of_a_lost_zygote_is_an_error_and_no_wait(jail: JailLauncher) -> None:
    await jail.look(PYTHON)
    assert jail.pid is not None
    os.kill(jail.pid, signal.SIGSTOP)
    starting = asyncio.create_task(python(jail, "pass"))
    await asyncio.sleep(0.05)
    os.kill(jail.pid, signal.SIGKILL)
    with pytest.raises(OSError, match="zygote"):
        await starting


# --- layers that fail


class Promising(JailLauncher):
    """A machine that promises users to which a folder is closed, or which it cannot become."""

    promises = True

    async def look(self, program: str) -> KernelFeatures:
        features = await super().look(program)
        uids = features.uids if features.uids[1] else (1, 1)
        return replace(
            features, namespaces=(), private_root=False, uids=uids if self.promises else (0, 0)
        )


@pytest.fixture
def closed(tmp_path: Path) -> Reach:
    (tmp_path / "closed").mkdir(mode=0o700)
    return Reach(read=(tmp_path / "closed",))


async def test_a_layer_that_fails_at_the_first_start_is_given_up_and_said(
    closed: Reach, caplog: pytest.LogCaptureFixture
) -> None:
    jail = Promising()
    children = await asyncio.gather(*(jail.start(ECHO, closed) for _ in range(3)))
    assert {await end(child) for child in children} == {(0, "1\n")}
    assert "a user of its own" in jail.isolation.missing
    assert caplog.text.count("no user around sessions") == 1
    await jail.close()


async def test_a_layer_that_was_relied_on_is_never_given_up(closed: Reach) -> None:
    jail = Promising()
    jail.promises = False
    before = (await end(await jail.start(ECHO, closed)), jail.isolation)
    assert before[0] == (0, "1\n")
    jail.promises = True
    with pytest.raises(OSError, match=r"\(user\)"):
        await jail.start(ECHO, closed)
    assert jail.isolation == before[1]
    await jail.close()


async def test_a_layer_that_fails_is_the_error_of_the_start(jail: JailLauncher) -> None:
    process = PyodideProcess(fake_config(launcher=jail, node=Path("/etc/passwd")))
    with pytest.raises(ProcessStartError, match=r"cannot be started: .*Node's own executable"):
        await process.start()


# --- control groups, where this machine lets them be made


class Grouping(JailLauncher):
    """A machine with these hierarchies."""

    def __init__(self, *hierarchies: Hierarchy) -> None:
        super().__init__()
        self.hierarchies = hierarchies

    async def look(self, program: str) -> KernelFeatures:
        self._features = replace(await super().look(program), cgroups=self.hierarchies)
        return self._features


GROWS = """
import time
held = []
for _ in range(100):
    held.append(bytearray(2**20))
    time.sleep(0.02)
"""


def zygote_of(jail: JailLauncher) -> int:
    assert jail.pid is not None
    return jail.pid


async def test_each_child_has_groups_of_its_own_where_there_are_any(jail: JailLauncher) -> None:
    reach = Reach(read=READABLE, data_bytes=2**27)
    argv = [PYTHON, "-I", "-S", "-c", WAITS]
    first, second = [await jail.start(argv, reach) for _ in range(2)]
    names = [cgroups.group_names(child.pid) for child in (first, second)]
    if not cgroups.can_be_had():
        assert ("cgroups" in jail.isolation.missing, names) == (True, [set(), set()])
        return
    assert len(names[0]) == len(names[1]) == 1
    assert names[0] != names[1]
    (layer,) = [words for words in jail.isolation.layers if words.startswith("cgroups (")]
    zygote = zygote_of(jail)
    if "pids" in layer:
        assert cgroups.values(zygote, "pids.max") == {"48"}
    if "memory" in layer:
        limits = cgroups.values(zygote, "memory.limit_in_bytes", "memory.max")
        assert limits == {str(2**27 + SLACK_BYTES)}


async def test_a_child_that_outgrows_its_group_is_ended_and_that_is_told(
    jail: JailLauncher,
) -> None:
    child = await python(jail, GROWS)
    is_limited = cgroups.leave_memory(zygote_of(jail), 20 * 2**20)
    exit_ = await child.wait()
    assert exit_.was_out_of_memory == is_limited
    assert exit_.returncode == (-signal.SIGKILL if is_limited else 0)
    assert is_limited == any("memory" in words for words in jail.isolation.layers)
    after = await (await python(jail, "pass")).wait()
    assert (after.returncode, after.was_out_of_memory) == (0, False)


async def test_groups_go_with_their_children_and_with_their_zygote(jail: JailLauncher) -> None:
    await end(await python(jail, "pass"))
    zygote = zygote_of(jail)
    groups = cgroups.groups_of(zygote)
    assert bool(groups) == cgroups.can_be_had()
    assert not any(path.is_dir() for group in groups for path in group.iterdir())
    await python(jail, WAITS)
    await jail.close()
    assert cgroups.groups_of(zygote) == []


async def test_groups_that_a_killed_zygote_has_left_are_removed_by_the_next(
    jail: JailLauncher, caplog: pytest.LogCaptureFixture
) -> None:
    child = await python(jail, WAITS)
    zygote = zygote_of(jail)
    with caplog.at_level(logging.WARNING):
        os.kill(zygote, signal.SIGKILL)
        await end(child)
        assert bool(cgroups.groups_of(zygote)) == cgroups.can_be_had()
        await end(await python(jail, "pass"))
    assert zygote_of(jail) != zygote
    assert cgroups.groups_of(zygote) == []


async def test_without_groups_children_are_held_by_the_rest_and_it_is_said() -> None:
    jail = Grouping()
    child = await python(jail, WAITS)
    assert cgroups.group_names(child.pid) == set()
    assert "cgroups" in jail.isolation.missing
    assert cgroups.groups_of(zygote_of(jail)) == []
    await jail.close()


async def test_groups_of_version_2_are_entered_from_outside_of_their_namespace() -> None:
    """Also beside version 1, where they limit nothing: the way in is the same."""
    mounts, groups = (text_of(f"/proc/self/{name}") for name in ("mountinfo", "cgroup"))
    for known in parse_hierarchies(mounts, groups):
        if known.version == 2 and os.access(known.folder, os.W_OK):
            jail = Grouping(known)
            child = await python(jail, WAITS)
            (name,) = cgroups.group_names(child.pid)
            assert name.startswith(f"{jail.pid}-")
            await jail.close()
            assert not any(name.startswith(left) for left in groups_in(known.folder))


async def test_groups_that_cannot_be_made_keep_nothing_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jail = Grouping(Hierarchy(str(tmp_path / "gone"), ("pids",), 1))
    ends = await asyncio.gather(*[python(jail, "print(1)") for _ in range(3)])
    assert {await end(child) for child in ends} == {(0, "1\n")}
    assert "cgroups" in jail.isolation.missing
    assert caplog.text.count("no cgroups around sessions") == 1
    await jail.close()


async def test_groups_that_are_lost_later_keep_nothing_from_starting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In a folder that is none of groups: a process is written into a file."""
    jail = Grouping(Hierarchy(str(tmp_path), ("pids",), 1))
    assert await end(await python(jail, "print(1)")) == (0, "1\n")
    assert "cgroups (pids)" in jail.isolation.layers
    # From here on, the zygote can write to no file.
    resource.prlimit(zygote_of(jail), resource.RLIMIT_FSIZE, (0, 0))
    assert await end(await python(jail, "print(2)")) == (0, "2\n")
    assert "cgroups" in jail.isolation.missing
    assert "cannot be entered" in caplog.text
    await jail.close()
