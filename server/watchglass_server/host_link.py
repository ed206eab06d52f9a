"""Server ⇄ Node host: the server's end of the socket; moves bytes and decides nothing."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from watchglass_server.host_protocol import HostEvent, HostProtocol, HostProtocolError

__all__ = ["HostLink"]

# What may lie here unread before the socket is left alone, and its process has to wait.
HIGH_WATER: Final = 2**18
EVENT_BYTES: Final = 64


class HostLink(asyncio.Protocol):
    """Feeds what arrives to a HostProtocol, and keeps its events until somebody takes them."""

    def __init__(
        self,
        protocol: HostProtocol,
        on_events: Callable[[Sequence[HostEvent]], Sequence[HostEvent]],
        on_broken: Callable[[HostProtocolError], None],
    ) -> None:
        self._protocol = protocol
        self._on_events = on_events  # returns those that are to be kept
        self._on_broken = on_broken
        self._transport: asyncio.Transport | None = None
        self._kept: list[HostEvent] = []
        self._kept_bytes = 0
        self._arrived_bytes = 0
        self._is_waited_for = False
        self._is_paused = False
        self._is_draining = False
        self._has_news = asyncio.Event()
        self._can_write = asyncio.Event()
        self._can_write.set()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._arrived_bytes += len(data)
        try:
            now = asyncio.get_running_loop().time()
            events: Sequence[HostEvent] = self._protocol.receive_data(data, now)
        except HostProtocolError as error:
            self._keep(error.events)
            self._on_broken(error)
            self.abort()
            return
        self._keep(events)
        # A dump becomes an event only when it is whole: not while the last one is being stored.
        if self._protocol.held_bytes > HIGH_WATER and not self._is_waited_for:
            self._pause()

    def eof_received(self) -> bool:
        return False  # close our side too

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.receive_eof()
        self._transport = None
        self._can_write.set()
        self._has_news.set()
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    # --- our side

    def write(self, data: bytes) -> None:
        """Send; into the void when the connection is gone, for its end is told elsewhere."""
        if self._transport is not None:
            self._transport.write(data)

    async def write_slowly(self, frames: Sequence[bytes]) -> None:
        """Send much, no faster than the other side reads."""
        for data in frames:
            await self._can_write.wait()
            self.write(data)

    async def take(self) -> list[HostEvent]:
        """Wait for events and take them; none when there will never be any more."""
        self._is_waited_for = True
        try:
            while not self._kept and not self.closed.done():
                self._resume()
                self._has_news.clear()
                await self._has_news.wait()
        finally:
            self._is_waited_for = False
        kept, self._kept, self._kept_bytes = self._kept, [], 0
        self._resume()
        return kept

    def drain(self) -> None:
        """Read what is left, taken or not: the process is gone, so it is little."""
        self._is_draining = True
        self._resume()

    def close(self) -> None:
        """Close the socket, which ends the process."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close the socket without sending what still waits."""
        if self._transport is not None:
            self._transport.abort()

    def _keep(self, events: Sequence[HostEvent]) -> None:
        if not events:
            return
        # What a piece of the stream weighs once it is events follows from the bytes it came in.
        arrived, self._arrived_bytes = self._arrived_bytes, 0
        kept = self._on_events(events)
        if not kept:
            return
        self._kept += kept
        self._kept_bytes += arrived + EVENT_BYTES * len(kept)
        self._has_news.set()
        if self._kept_bytes > HIGH_WATER:
            self._pause()

    def _pause(self) -> None:
        if self._transport is not None and not self._is_paused and not self._is_draining:
            self._is_paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._transport is not None and self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
