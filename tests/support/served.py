"""One real server for a whole test module, and connections that say what they may."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import socketio

from tests.support.client import CallFailed, Client

Json = dict[str, Any]


class Wire:
    """A bare python-socketio connection: answers come as they are, errors and all."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.events: list[Json] = []
        self.disconnects: list[str] = []
        self.refusals: list[Any] = []
        self.socket = socketio.AsyncClient(
            reconnection=False, websocket_extra_options={"max_msg_size": 64 * 2**20}
        )
        self.socket.on("event", self.events.append)
        self.socket.on("disconnect", self.disconnects.append)
        self.socket.on("connect_error", self.refusals.append)

    async def connect(
        self, token: object, *, headers: dict[str, str] | None = None, transport: str = "websocket"
    ) -> Wire:
        await self.socket.connect(
            self.url,
            auth=None if token is None else {"token": token},
            headers=headers or {},
            transports=[transport],
            wait_timeout=10,
        )
        return self

    async def call(self, event: str, /, payload: Any = None, **fields: Any) -> Json:
        """The acknowledgement, whatever it is."""
        answer = await self.socket.call(event, fields if payload is None else payload, timeout=30)
        assert isinstance(answer, dict), f"{event} acknowledged with {answer!r}"
        return answer

    async def error(self, event: str, /, payload: Any = None, **fields: Any) -> Json:
        """The error of a call that has to be refused."""
        answer = await self.call(event, payload, **fields)
        assert answer["ok"] is False, f"{event} was not refused: {answer}"
        error: Json = answer["error"]
        assert error["message"], error
        assert error["hint"], error
        return error

    async def until(self, holds: Callable[[], bool], timeout: float = 15) -> None:
        """Wait until something holds of what this connection has heard."""
        async with asyncio.timeout(timeout):
            while not holds():  # noqa: ASYNC110 - whatever it is, it tells nobody
                await asyncio.sleep(0.01)

    async def dropped(self) -> None:
        """Wait until the server has ended the connection."""
        await self.until(lambda: not self.socket.connected)

    def heard(self, kind: str, **data: Any) -> list[Json]:
        """The events of a type with these fields."""
        return [
            event
            for event in self.events
            if event["type"] == kind and data.items() <= event["data"].items()
        ]

    async def close(self) -> None:
        await self.socket.disconnect()

    async def __aenter__(self) -> Wire:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def refused(client: Client, event: str, **fields: Any) -> Json:
    """The error of a call that has to be refused."""
    with pytest.raises(CallFailed) as caught:
        await client.call(event, **fields)
    return caught.value.error


def http(
    url: str,
    *,
    token: str | None = None,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    method: str | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """One HTTP request: status, headers with small letters, body."""
    sent = dict(headers or {})
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data=body, headers=sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, found, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            found = {name.lower(): value for name, value in error.headers.items()}
            return error.code, found, error.read()


def error_of(body: bytes) -> Json:
    """The error in the body of an HTTP answer."""
    error: Json = json.loads(body)["error"]
    return error
