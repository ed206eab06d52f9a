"""Starts each child in a jail of its own, by way of the zygote."""

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from watchglass_jail.policy import JailPolicy
from watchglass_server.child import Child, Reach
from watchglass_server.libraries import libraries_of
from watchglass_server.zygote_link import ZygoteLink

__all__ = ["JailLauncher"]

NUMBER_INSIDE: Final = 3


class JailLauncher:
    """A zygote, replaced when it dies, and what each of its children is confined to."""

    def __init__(self) -> None:
        self._link: ZygoteLink | None = None
        self._libraries: dict[str, tuple[Path, ...]] = {}

    def number_inside(self, inherited: socket.socket) -> int:
        """Return the number that the first inherited socket gets."""
        return NUMBER_INSIDE

    async def start(
        self, argv: Sequence[str], reach: Reach, inherited: socket.socket | None = None
    ) -> Child:
        """Start the program in its jail. Raises OSError, which says what to do."""
        program = argv[0]
        if program not in self._libraries:
            self._libraries[program] = await libraries_of(Path(program))
        policy = JailPolicy(
            read=("/dev/null", "/dev/urandom", *map(str, reach.read)),
            execute=(program, *map(str, self._libraries[program])),
            write=tuple(map(str, reach.write)),
            limits={"CORE": (0, 0)}
            | ({"DATA": (reach.data_bytes,) * 2} if reach.data_bytes else {}),
        )
        sockets = () if inherited is None else (inherited.fileno(),)
        return await self._linked().start(argv, policy, sockets)

    async def close(self) -> None:
        """End all children."""
        if self._link is not None:
            await self._link.close()

    def _linked(self) -> ZygoteLink:
        if self._link is None or self._link.is_lost:
            self._link = ZygoteLink()
        return self._link
