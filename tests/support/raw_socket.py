"""A WebSocket on which a test writes Socket.IO packets itself, and reads all that comes back."""

from __future__ import annotations

import asyncio
import itertools
import json
from types import TracebackType
from typing import Any, Self

import aiohttp

Json = dict[str, Any]


class RawSocket:
    """Unlike a client of the library, it does not leave when it is told to."""

    def __init__(self, url: str, *, headers: dict[str, str] | None = None) -> None:
        self._url = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        self._headers = headers or {}
        self._web = aiohttp.ClientSession()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._numbers = itertools.count(1000)

    @classmethod
    async def open(cls, url: str, token: str) -> RawSocket:
        """Connected, with a token."""
        made = cls(url)
        try:
            await made.begin()
            await made.send("40" + json.dumps({"token": token}))
            assert (await made.receive()).startswith("40")
        except BaseException:
            await made.__aexit__(None, None, None)
            raise
        return made

    async def begin(self) -> None:
        """The Engine.IO connection, which needs no token."""
        self._socket = await self._web.ws_connect(
            self._url, headers=self._headers, max_msg_size=2**26
        )
        assert (await self.receive()).startswith("0")

    async def send(self, packet: str) -> None:
        assert self._socket is not None
        await self._socket.send_str(packet)

    async def receive(self) -> str:
        """The next packet; "" when the connection is closed."""
        assert self._socket is not None
        message = await self._socket.receive(timeout=10)
        return message.data if message.type is aiohttp.WSMsgType.TEXT else ""

    async def until(self, beginning: str, timeout: float) -> bool:
        """True when such a packet comes in time."""
        try:
            async with asyncio.timeout(timeout):
                while packet := await self.receive():
                    if packet.startswith(beginning):
                        return True
        except TimeoutError:
            pass
        return False

    async def everything(self, seconds: float) -> list[str]:
        """All packets of the next time."""
        heard: list[str] = []
        try:
            async with asyncio.timeout(seconds):
                while packet := await self.receive():
                    heard.append(packet)
        except TimeoutError:
            pass
        return heard

    async def silence(self, seconds: float = 0.5) -> bool:
        """True when nothing is acknowledged meanwhile, and nothing is told."""
        return not [packet for packet in await self.everything(seconds) if packet[:1] == "4"]

    async def call(self, event: str, payload: Json) -> Json:
        """What the call is acknowledged with; it has to be `ok`."""
        answer = await self._acknowledged(event, payload)
        assert answer["ok"], answer
        return answer

    async def error(self, event: str, payload: Json) -> Json:
        """Why the call is refused; it has to be."""
        answer = await self._acknowledged(event, payload)
        assert not answer["ok"], (event, answer)
        error: Json = answer["error"]
        return error

    async def _acknowledged(self, event: str, payload: Json) -> Json:
        number = next(self._numbers)
        await self.send(f"42{number}" + json.dumps([event, payload]))
        while not (packet := await self.receive()).startswith(f"43{number}"):
            assert packet, "the connection was closed"
        answer: Json = json.loads(packet[len(f"43{number}") :])[0]
        return answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._web.close()
