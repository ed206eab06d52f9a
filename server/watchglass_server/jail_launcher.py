"""Starts each child in a jail of its own, by way of the zygote."""

import asyncio
import itertools
import logging
import os
import secrets
import socket
from collections.abc import Sequence
from typing import Final

from watchglass_jail.choice import choose_policy
from watchglass_jail.errors import JailError
from watchglass_jail.features import KernelFeatures
from watchglass_jail.policy import JailPolicy
from watchglass_server.child import Child, Reach
from watchglass_server.isolation import Isolation, isolation_of, without_layers
from watchglass_server.zygote_link import JailRefused, ZygoteLink

__all__ = ["JailLauncher"]

_log = logging.getLogger(__name__)

NUMBER_INSIDE: Final = 3


class JailLauncher:
    """A zygote, replaced when it dies, and what each of its children is confined to."""

    def __init__(self) -> None:
        self._link: ZygoteLink | None = None
        self._features: KernelFeatures | None = None
        self._programs: dict[str, tuple[str, ...]] = {}
        self._looking = asyncio.Lock()
        # Two servers of one machine should not give out the same users.
        self._numbers = itertools.count(secrets.randbelow(2**16))
        self._given_up: frozenset[str] = frozenset()
        self._has_started = False

    @property
    def isolation(self) -> Isolation:
        """What holds the children; once one of them has started, no more than groups is lost."""
        assert self._features is not None, "look first"
        return isolation_of(without_layers(self._features, self._given_up))

    @property
    def pid(self) -> int | None:
        """The number of the zygote, while there is one."""
        return None if self._link is None or self._link.is_lost else self._link.pid

    def number_inside(self, inherited: socket.socket) -> int:
        """Return the number that the first inherited socket gets."""
        return NUMBER_INSIDE

    async def look(self, program: str) -> KernelFeatures:
        """Return what this machine offers, and find out what the program needs. Raises OSError."""
        async with self._looking:
            if self._features is None or program not in self._programs:
                found = await self._linked().features(program)
                self._features = self._features or found.features
                self._programs[program] = found.program
            return self._features

    async def start(
        self, argv: Sequence[str], reach: Reach, inherited: socket.socket | None = None
    ) -> Child:
        """Start the program in its jail. Raises OSError, which says what to do."""
        sockets = () if inherited is None else (inherited.fileno(),)
        features = await self.look(argv[0])
        while True:
            given_up = self._given_up
            usable = without_layers(features, given_up)
            policy = self._policy(usable, argv[0], reach)
            try:
                child = await self._linked().start(argv, policy, sockets, usable.cgroups)
            except JailRefused as error:
                if error.layer not in self._given_up - given_up:  # else for another child, just now
                    self._give_up(features, error)
            else:
                self._has_started = True
                return child

    async def close(self) -> None:
        """End the zygote and all children."""
        if self._link is not None:
            await self._link.close()

    def _policy(self, features: KernelFeatures, program: str, reach: Reach) -> JailPolicy:
        try:
            policy = choose_policy(
                features,
                level="strict",
                read=tuple(map(str, reach.read)),
                execute=self._programs[program],
                write=tuple(map(str, reach.write)),
                data_bytes=reach.data_bytes,
                number=next(self._numbers),
            )
        except JailError as error:
            raise OSError(str(error)) from error
        if policy.uid is not None and policy.gid is not None:
            for folder in reach.write:
                os.chown(folder, policy.uid, policy.gid)
        return policy

    def _give_up(self, features: KernelFeatures, error: JailRefused) -> None:
        """Do without a layer that this machine promised and has not, before it was relied on.

        Groups are never relied on: each of their limits has another one beside it.
        """
        fewer = self._given_up | {error.layer}
        is_needed = without_layers(features, fewer) == without_layers(features, self._given_up)
        is_relied_on = self._has_started and error.layer != "cgroups"
        if is_relied_on or is_needed:
            raise error
        _log.warning("no %s around sessions: %s. %s", error.layer, error.what, error.next_step)
        self._given_up = fewer

    def _linked(self) -> ZygoteLink:
        if self._link is None or self._link.is_lost:
            self._link = ZygoteLink()
        return self._link
