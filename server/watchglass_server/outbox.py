"""What waits to be sent to one client: bounded, and in nobody else's way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

MAX_WAITING_CHARACTERS = 16 * 2**20
AT_ONCE_CHARACTERS = 256 * 2**10


class Outbox:
    """A queue of packets, and the task that sends them as fast as the client takes them."""

    def __init__(
        self,
        send: Callable[[str], Awaitable[None]],
        taken: Callable[[], Awaitable[None]],
        overflowed: Callable[[], None],
    ) -> None:
        """`taken` waits until what was sent is on its way; `overflowed` drops the client."""
        self._send = send
        self._taken = taken
        self._overflowed = overflowed
        self._waiting: deque[str] = deque()
        self._characters = 0
        self._news = asyncio.Event()
        self._closed = False
        self._task = asyncio.create_task(self._pump(), name="outbox")

    @property
    def is_empty(self) -> bool:
        """True when everything was handed on."""
        return not self._waiting

    def put(self, packet: str) -> None:
        """Queue a packet; when too many wait, give the client up: it comes back by `since`."""
        if self._closed:
            return
        if self._characters + len(packet) > MAX_WAITING_CHARACTERS and self._waiting:
            self.close()
            self._overflowed()
            return
        self._waiting.append(packet)
        self._characters += len(packet)
        self._news.set()

    def close(self) -> None:
        """Forget what waits."""
        self._closed = True
        self._waiting.clear()
        self._characters = 0
        self._task.cancel()

    async def _pump(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                sent = 0
                while self._waiting and sent < AT_ONCE_CHARACTERS:
                    packet = self._waiting.popleft()
                    self._characters -= len(packet)
                    sent += len(packet)
                    await self._send(packet)
                await self._taken()
