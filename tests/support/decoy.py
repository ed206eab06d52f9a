"""A listener on loopback that nobody has a reason to talk to: what it hears has escaped."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self


class Decoy:
    """TCP and UDP on the same port. Gives `page` to whoever asks for `/`, and hears the rest."""

    def __init__(self, page: str = "") -> None:
        self.port = 0
        self.heard: list[str] = []
        self._page = page.encode()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._hear, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self.heard), local_addr=("127.0.0.1", self.port)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._udp.close()
        self._server.close()
        for writer in self._writers:
            writer.close()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        if not self._page:
            self.heard.append("a connection")
        line = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            line = await asyncio.wait_for(reader.readline(), 3)
        target = line.decode(errors="replace").split(" ")[1:2]
        if target == ["/"]:
            body = self._page
        else:
            body = b""
            self.heard += target
        with contextlib.suppress(ConnectionError):
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}"
            writer.write(head.encode() + b"\r\nConnection: close\r\n\r\n" + body)
            await writer.drain()
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, heard: list[str]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._heard.append("a datagram")
