"""WebSocket and `fetch` without a browser: a test plays the server, with real frames."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spacetimedb_client.browser_socket import WebSocket
from spacetimedb_client.protocol.dialect import Frame


@dataclass
class FakeAnswer:
    """What `fetch` returns: the body comes in these parts, then perhaps breaks off."""

    status: int = 200
    parts: Sequence[bytes] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks_off: bool = False
    is_closed: bool = False

    async def chunks(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield part
        if self.breaks_off:
            raise ConnectionError("network error")

    def close(self) -> None:
        self.is_closed = True


def json_answer(value: Any, status: int = 200) -> FakeAnswer:
    return FakeAnswer(status, [json.dumps(value).encode()])


class FakeChannel:
    """One WebSocket: what was sent is in `sent`; it is open when the test says so."""

    def __init__(self, address: str, subprotocols: Sequence[str], listener: WebSocket) -> None:
        self.address = address
        self.subprotocols = list(subprotocols)
        self.listener = listener
        self.sent: list[Frame] = []
        self.unsent_bytes = 0
        self.says_goodbye = True
        self.is_closed = False
        self.is_released = False

    def send(self, frame: Frame) -> None:
        """As a browser: what is too much for the network waits, and after the end it vanishes."""
        self.sent.append(frame)
        self.unsent_bytes += len(frame)

    def close(self) -> None:
        if not self.is_closed and self.says_goodbye:
            asyncio.get_running_loop().call_soon(self.listener.closed, 1000, "")
        self.is_closed = True

    def release(self) -> None:
        self.is_released = True


class FakeBrowser:
    """Answers requests by `METHOD path`, and keeps what was asked and opened."""

    def __init__(self) -> None:
        self.answers: dict[str, FakeAnswer | Exception] = {}
        self.asked: list[tuple[str, Mapping[str, str], bytes | str | None]] = []
        self.channels: list[FakeChannel] = []
        self.is_slow = False

    async def fetch(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | str | None
    ) -> FakeAnswer:
        path = address.split("://", 1)[1].partition("/")[2]
        asked = f"{method} /{path}"
        self.asked.append((asked, headers, body))
        if self.is_slow:
            await asyncio.Event().wait()
        answer = self.answers[asked]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def new_channel(
        self, address: str, subprotocols: Sequence[str], listener: WebSocket
    ) -> FakeChannel:
        self.channels.append(FakeChannel(address, subprotocols, listener))
        return self.channels[-1]

    async def channel(self) -> FakeChannel:
        """The next one that is opened."""
        async with asyncio.timeout(5):
            while not self.channels:  # noqa: ASYNC110 - as little as a browser does it tell
                await asyncio.sleep(0)
        return self.channels.pop(0)
