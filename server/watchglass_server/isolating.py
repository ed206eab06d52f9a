"""Puts the isolation that was asked for in force and proves it, or says why it cannot be."""

import asyncio
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
        # Beside what else has to be done before a session can start.
        self._proving = asyncio.create_task(self._prove(), name="check of the jail")

    @property
    def isolation(self) -> Isolation:
        """The level in force, and its layers."""
        return self._jail.isolation if self._jail else PROCESS_ONLY

    async def prove(self) -> int:
        """Return how often it was tried in vain to get out. Raises IsolationError."""
        return await asyncio.shield(self._proving)

    async def close(self) -> None:
        """End the check, if it has not come to its end, and all processes."""
        self._proving.cancel()
        await asyncio.gather(self._proving, return_exceptions=True)
        if self._jail is not None:
            await self._jail.close()

    async def look(self) -> None:
        """Find out what this machine offers. Raises IsolationError when that is not enough."""
        if self._jail is None:
            return
        try:
            missing = missing_layers(await self._jail.look(str(self._assets.node)))
        except OSError as error:
            raise IsolationError(refusal(str(error))) from error
        if missing:
            raise IsolationError(refusal("; ".join(missing)))

    async def _prove(self) -> int:
        if self._jail is None:
            return 0
        await self.look()
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
    """Begin to make ready what the level needs, and to prove it. Raises IsolationError."""
    if level == "strict" and sys.platform != "linux":
        what = f"the jail is made of means of Linux, and this is {sys.platform}"
        raise IsolationError(refusal(what))
    isolated = Isolating(assets, JailLauncher() if level == "strict" else None)
    try:
        yield isolated
    finally:
        await isolated.close()
