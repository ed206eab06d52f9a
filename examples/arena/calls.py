"""Demonstration ⇄ Watchglass: one connection for calls, each with its answer (docs/protocol.md)."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import socketio
from socketio.exceptions import SocketIOError


class CallRefused(Exception):
    """Watchglass said no, and why."""


class Calls:
    """By the server's own token: the owner of every session."""

    def __init__(self, address: str) -> None:
        self._url, _, self._token = address.partition("/#token=")
        self.socket = socketio.AsyncClient(handle_sigint=False)

    async def __aenter__(self) -> Self:
        await self.socket.connect(self._url, auth={"token": self._token}, transports=["websocket"])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.socket.disconnect()

    async def __call__(self, event: str, **fields: Any) -> dict[str, Any]:
        """What the call was acknowledged with. Raises CallRefused."""
        try:
            answer: Any = await self.socket.call(event, fields)
        except SocketIOError as problem:
            raise CallRefused(f"{event}: Watchglass does not answer ({problem})") from problem
        if not answer["ok"]:
            error = answer["error"]
            raise CallRefused(f"{event}: {error['message']} {error['hint']}")
        return dict(answer)
