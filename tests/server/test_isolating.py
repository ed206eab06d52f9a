"""Tests of isolating.py and self_check.py: strict is proven at each start, or there is no start."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from watchglass_jail.features import KernelFeatures
from watchglass_jail.policy import JailPolicy
from watchglass_server.assets import Assets, find_assets
from watchglass_server.child import PlainLauncher, Reach
from watchglass_server.errors import IsolationError
from watchglass_server.isolating import Isolating, isolating
from watchglass_server.isolation import PROCESS_ONLY
from watchglass_server.jail_launcher import JailLauncher
from watchglass_server.self_check import ATTEMPTS, SelfCheckFailed, check_jail, read_attempts

pytestmark = pytest.mark.slow


@pytest.fixture
def assets() -> Assets:
    return find_assets()


class LeakyJail(JailLauncher):
    """One that has forgotten a layer, or all."""

    def __init__(self, **changes: object) -> None:
        super().__init__()
        self._changes = changes

    def _policy(self, features: KernelFeatures, program: str, reach: Reach) -> JailPolicy:
        policy = super()._policy(features, program, reach)
        return replace(policy, **self._changes)  # type: ignore[arg-type]


class PoorKernel(JailLauncher):
    """A machine that offers nothing."""

    async def look(self, program: str) -> KernelFeatures:
        return KernelFeatures(machine="riscv64")


async def got_out(jail: JailLauncher, assets: Assets) -> set[str]:
    try:
        attempts = await check_jail(jail, assets.node, assets.host_dir / "src")
        return {attempt.name for attempt in attempts if attempt.got_out}
    finally:
        await jail.close()


async def test_strict_is_proven_by_attempts_of_which_none_gets_out(assets: Assets) -> None:
    async with isolating("strict", assets) as isolated:
        assert await isolated.prove() == ATTEMPTS
        assert isolated.isolation.level == "strict"
        assert "seccomp" in isolated.isolation.layers


async def test_the_check_takes_little_time(assets: Assets) -> None:
    jail = JailLauncher()
    await got_out(jail, assets)  # the files are in memory
    jail = JailLauncher()
    await jail.look(str(assets.node))
    started = time.monotonic()
    await got_out(jail, assets)
    assert time.monotonic() - started < 1.5  # 0.1 on a machine that does nothing else


async def test_without_a_jail_the_attempts_get_out_so_that_they_are_real(assets: Assets) -> None:
    attempts = await check_jail(PlainLauncher(), assets.node, assets.host_dir / "src")
    kept = {attempt.name for attempt in attempts if not attempt.got_out}
    # Of these two there is nothing to inherit without a jail, either.
    assert kept == {"inherit an environment", "inherit a descriptor"}
    assert {"reach a TCP socket", "reach a UDP socket", "leave a file"} <= {
        attempt.name for attempt in attempts
    }


async def test_a_jail_without_landlock_and_root_is_found_out(assets: Assets) -> None:
    jail = LeakyJail(landlock=False, private_root=False)
    assert {"read a file", "read the system's users"} <= await got_out(jail, assets)


async def test_a_jail_without_seccomp_and_namespaces_is_found_out(assets: Assets) -> None:
    jail = LeakyJail(
        seccomp=False, namespaces=(), private_root=False, limits={}, uid=None, gid=None
    )
    assert {"send a datagram", "start a program"} <= await got_out(jail, assets)


async def test_what_gets_out_is_named_and_there_is_no_start(assets: Assets) -> None:
    jail = LeakyJail(landlock=False, private_root=False)
    isolated = Isolating(assets, jail)
    with pytest.raises(IsolationError, match=r"could .*read a file.*--isolation process"):
        await isolated.prove()
    await isolated.close()


async def test_a_check_that_cannot_be_made_is_not_passed(assets: Assets) -> None:
    broken = replace(assets, node=Path("/bin/false"))
    async with isolating("strict", broken) as isolated:
        with pytest.raises(IsolationError, match="after 0 of 17 attempts"):
            await isolated.prove()
    with pytest.raises(SelfCheckFailed, match="could be started"):
        await got_out(JailLauncher(), replace(assets, node=Path("/nowhere")))


async def test_a_machine_without_the_means_is_refused_with_all_that_is_missing(
    assets: Assets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchglass_server.isolating.JailLauncher", PoorKernel)
    with pytest.raises(IsolationError, match=r"Landlock.*seccomp.*--isolation process"):
        async with isolating("strict", assets):
            pass


async def test_a_system_without_these_means_is_refused(
    assets: Assets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(IsolationError, match=r"Linux.*darwin.*--isolation process"):
        async with isolating("strict", assets):
            pass


async def test_process_needs_nothing_and_proves_nothing(assets: Assets) -> None:
    async with isolating("process", assets) as isolated:
        assert await isolated.prove() == 0
        assert isolated.isolation == PROCESS_ONLY
        assert isinstance(isolated.launcher, PlainLauncher)


async def test_an_end_in_the_middle_of_the_check_leaves_nothing(assets: Assets) -> None:
    async with isolating("strict", assets):
        await asyncio.sleep(0)


def test_what_is_no_attempt_is_not_read_as_one() -> None:
    printed = '{"name": "a", "got_out": false, "why": "no"}\nWarning: x\n[1]\n{"name": "b"}\n'
    assert [attempt.name for attempt in read_attempts(printed)] == ["a"]
