"""A WebSocket without a network: a test plays the server, with the real codec."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from spacetimedb_bsatn.reader import Reader
from spacetimedb_client import ConnectionLost
from spacetimedb_client.protocol.dialect import Frame


class FakeSocket:
    """What the client sent is in `sent`; what `say` is given, it receives."""

    def __init__(self) -> None:
        self._said: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._sent: asyncio.Queue[bytes] = asyncio.Queue()

    def say(self, *frames: bytes) -> None:
        for frame in frames:
            self._said.put_nowait(frame)

    async def asked(self) -> Reader:
        """The next message of the client."""
        async with asyncio.timeout(5):
            return Reader(await self._sent.get())

    async def send(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            assert isinstance(frame, bytes)
            self._sent.put_nowait(frame)

    async def receive(self) -> Frame:
        frame = await self._said.get()
        if frame is None:
            raise ConnectionLost("the server closed the connection")
        return frame

    async def close(self) -> None:
        self._said.put_nowait(None)
