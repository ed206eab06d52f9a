"""A proxy between client and server that delays, halves, holds and cuts: bytes stay as they are."""

from __future__ import annotations

import asyncio
import random
from types import TracebackType
from typing import Self


class WireProxy:
    """Listens on a port of its own; `cut` ends all connections in the middle of what they send."""

    def __init__(self, port: int, *, seed: int = 0, most_delay_seconds: float = 0.003) -> None:
        self._target = port
        self._random = random.Random(seed)
        self._most_delay = most_delay_seconds
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._passing = asyncio.Event()
        self._passing.set()
        self._left: dict[bool, int] = {}  # for the client, and for the server

    @property
    def uri(self) -> str:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        self.release()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def cut_after(self, size: int, *, for_client: bool = True) -> None:
        """So many bytes more for the client, or for the server, and then as `cut`."""
        self._left[for_client] = size

    def hold(self) -> None:
        """Passes nothing on, and says nothing of it."""
        self._passing.clear()

    def release(self) -> None:
        self._passing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_server = await asyncio.open_connection("127.0.0.1", self._target)
        except ConnectionError:  # the server is down, and so is what stands before it
            writer.close()
            return
        for source, target in ((reader, to_server[1]), (to_server[0], writer)):
            self._writers.add(target)
            task = asyncio.create_task(self._pass(source, target, target is writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, is_for_client: bool
    ) -> None:
        """In pieces of any size, each after a while."""
        try:
            while data := await source.read(self._random.choice((1, 7, 100, 65536))):
                await self._passing.wait()
                if self._random.random() < 0.1:
                    await asyncio.sleep(self._random.uniform(0, self._most_delay))
                allowed = self._allowed(data, is_for_client)
                half = self._random.randrange(len(allowed) + 1)
                for part in (allowed[:half], allowed[half:]):
                    target.write(part)
                    await target.drain()
                if len(allowed) < len(data):
                    target.close()  # what was written arrives: half of a frame
                    await target.wait_closed()
                    self.cut()
                    return
        except ConnectionError:
            pass
        finally:
            self._writers.discard(target)
            target.close()

    def _allowed(self, data: bytes, is_for_client: bool) -> bytes:
        """What may still pass; after a cut, all of the next connection."""
        if is_for_client not in self._left:
            return data
        allowed = data[: self._left[is_for_client]]
        self._left[is_for_client] -= len(allowed)
        if len(allowed) < len(data):
            del self._left[is_for_client]
        return allowed
