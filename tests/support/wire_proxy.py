"""A proxy between client and server that delays, halves and cuts, and changes nothing else."""

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
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server = await asyncio.open_connection("127.0.0.1", self._target)
        for source, target in ((reader, to_server[1]), (to_server[0], writer)):
            self._writers.add(target)
            task = asyncio.create_task(self._pass(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """In pieces of any size, each after a while."""
        try:
            while data := await source.read(self._random.choice((1, 7, 100, 65536))):
                if self._random.random() < 0.1:
                    await asyncio.sleep(self._random.uniform(0, self._most_delay))
                half = self._random.randrange(len(data) + 1)
                for part in (data[:half], data[half:]):
                    target.write(part)
                    await target.drain()
        except ConnectionError:
            pass
        finally:
            self._writers.discard(target)
            target.close()
