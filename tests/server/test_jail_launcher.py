"""Tests of jail_launcher.py and zygote_link.py: children in jails, and the end of their zygote."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.fake_host import fake_config
from tests.support.zygote import PYTHON
from watchglass_jail.features import KernelFeatures
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
