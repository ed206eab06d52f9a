"""Puts the isolation that was asked for in force and proves it, or says why it cannot be."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from watchglass_jail.choice import missing_layers
from watchglass_server.assets import Assets
from watchglass_server.child import Launcher, PlainLauncher
from watchglass_server.errors import IsolationError
from watchglass_server.isolation import PROCESS_ONLY, Isolation, refusal
from watchglass_server.jail_launcher import JailLauncher
from watchglass_server.self_check import SelfCheckFailed, check_jail

__all__ = ["Isolating", "isolating"]


class Isolating:
    """What starts the processes of sessions, and what holds them."""

    def __init__(self, assets: Assets, jail: JailLauncher | None) -> None:
        self.launcher: Launcher = jail or PlainLauncher()
        self._assets = assets
        self._jail = jail

    @property
    def isolation(self) -> Isolation:
        """The level in force, and its layers."""
        return self._jail.isolation if self._jail else PROCESS_ONLY

    async def prove(self) -> int:
        """Try to get out; return how often it was tried in vain. Raises IsolationError."""
        if self._jail is None:
            return 0
        folder = self._assets.host_dir / "src"
        try:
            attempts = await check_jail(self._jail, self._assets.node, folder)
        except SelfCheckFailed as error:
            raise IsolationError(refusal(str(error))) from error
        got_out = [attempt.name for attempt in attempts if attempt.got_out]
        if got_out:
            what = f"in the check at start, a process in the jail could {', '.join(got_out)}"
            raise IsolationError(refusal(what))
        return len(attempts)


@asynccontextmanager
async def isolating(level: str, assets: Assets) -> AsyncIterator[Isolating]:
    """Have everything ready that the level needs. Raises IsolationError."""
    if level == "process":
        yield Isolating(assets, None)
        return
    if sys.platform != "linux":
        what = f"the jail is made of means of Linux, and this is {sys.platform}"
        raise IsolationError(refusal(what))
    jail = JailLauncher()
    try:
        await _must_hold(jail, assets)
        yield Isolating(assets, jail)
    finally:
        await jail.close()


async def _must_hold(jail: JailLauncher, assets: Assets) -> None:
    try:
        missing = missing_layers(await jail.look(str(assets.node)))
    except OSError as error:
        raise IsolationError(refusal(str(error))) from error
    if missing:
        raise IsolationError(refusal("; ".join(missing)))
