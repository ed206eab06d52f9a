"""Client ⇄ server by the browser's `WebSocket`, inside Pyodide: frames, and what limits them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import quote, urlencode

from spacetimedb_client.browser_http import Fetch, Http
from spacetimedb_client.errors import ConnectError, ConnectionLost, ConnectTimeout
from spacetimedb_client.protocol.dialect import Frame
from spacetimedb_client.web import (
    CLOSE_SECONDS,
    closed_words,
    http_uri,
    refused_socket,
    unreachable,
)

MAX_UNSENT_BYTES: Final = 1 << 20  # what the browser holds before we wait: it takes everything
MAX_UNREAD_BYTES: Final = 1 << 28  # a browser cannot be told to read no further
DRAIN_SECONDS: Final = 0.005  # it does not tell either when it has sent
BROKE_OFF: Final = 1006  # no code of the wire: there was no goodbye


class Channel(Protocol):
    """What we need of a `WebSocket` of JavaScript."""

    @property
    def unsent_bytes(self) -> int: ...

    def send(self, frame: Frame, /) -> None: ...

    def close(self) -> None: ...

    def release(self) -> None: ...


class WebSocket:
    """Frames to and from one database; the browser tells `opened`, `received` and `closed`."""

    def __init__(self) -> None:
        self.subprotocol: str | None = None
        self._channel: Channel | None = None
        self._frames: deque[Frame] = deque()
        self._unread_bytes = 0
        self._news = asyncio.Event()
        self._opened = asyncio.Event()
        self._ended = asyncio.Event()
        self._lost: ConnectionLost | None = None

    async def open(self, channel: Channel) -> None:
        """Returns when the handshake is done; raises where it failed, which has no reason."""
        self._channel = channel
        await self._opened.wait()
        if self._lost is not None:
            raise self._lost

    def opened(self, subprotocol: str) -> None:
        self.subprotocol = subprotocol or None
        self._opened.set()

    def received(self, frame: Frame) -> None:
        """Keeps it until it is asked for; one frame has any size, as a table has."""
        if self._lost is not None:
            return
        if self._frames and self._unread_bytes + len(frame) > MAX_UNREAD_BYTES:
            limit = f"{MAX_UNREAD_BYTES >> 20} MiB"
            self._lose(f"more than {limit} wait to be read: subscribe to less, or do less with it")
            self._hang_up()
            return
        self._frames.append(frame)
        self._unread_bytes += len(frame)
        self._news.set()

    def closed(self, code: int, reason: str) -> None:
        is_broken = code == BROKE_OFF and not reason
        self._lose("the connection broke off" if is_broken else closed_words(code, reason))
        self._ended.set()

    def _lose(self, words: str) -> None:
        if self._lost is None:
            self._lost = ConnectionLost(words)
        self._opened.set()
        self._news.set()

    async def send(self, frames: Sequence[Frame]) -> None:
        """Returns when the network has room for more."""
        for frame in frames:
            # Into a closed one, a browser sends without a word.
            self._open_channel().send(frame)
            while self._open_channel().unsent_bytes > MAX_UNSENT_BYTES:  # noqa: ASYNC110
                await asyncio.sleep(DRAIN_SECONDS)

    def _open_channel(self) -> Channel:
        if self._lost is not None or self._channel is None:
            raise ConnectionLost(f"the connection is gone: {self._lost or 'it was never opened'}")
        return self._channel

    async def receive(self) -> Frame:
        """The next frame; pings are answered by the browser."""
        while not self._frames:
            if self._lost is not None:
                raise self._lost
            self._news.clear()
            await self._news.wait()
        frame = self._frames.popleft()
        self._unread_bytes -= len(frame)
        return frame

    async def close(self) -> None:
        self._lose("the connection was closed")
        if self._channel is None:
            return
        self._hang_up()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._ended.wait()
        except TimeoutError:
            pass  # the server has gone without a word
        finally:
            self._channel.release()

    def _hang_up(self) -> None:
        if self._channel is not None:
            self._channel.close()


NewChannel = Callable[[str, Sequence[str], WebSocket], Channel]


async def open_socket(
    fetch: Fetch,
    new_channel: NewChannel,
    uri: str,
    database: str,
    *,
    token: str | None,
    subprotocols: Sequence[str],
    query: Mapping[str, str],
    timeout: float,
) -> WebSocket:
    """A connection, or an error that says which of the things that can be wrong it is."""
    http = Http(fetch, uri, timeout=timeout)
    socket = WebSocket()
    try:
        async with asyncio.timeout(timeout):
            asked = dict(query) | await token_query(http, database, token)
            address = f"{socket_uri(uri)}{database_path(database, 'subscribe')}?{urlencode(asked)}"
            await socket.open(new_channel(address, subprotocols, socket))
    except TimeoutError:
        await socket.close()
        raise ConnectTimeout(f"{uri} did not answer within {timeout:g} s") from None
    except ConnectionError as problem:
        raise unreachable(uri, problem) from problem
    except ConnectionLost as problem:
        await socket.close()
        raise await refusal(http, database, token, problem) from problem
    except BaseException:
        await socket.close()
        raise
    return socket


def socket_uri(uri: str) -> str:
    """`ws://…`, or `wss://…` where the server is reached by https."""
    return http_uri(uri).replace("http", "ws", 1)


def database_path(database: str, part: str) -> str:
    return f"/v1/database/{quote(database, safe='')}/{part}"


async def token_query(http: Http, database: str, token: str | None) -> dict[str, str]:
    """A browser sends no headers with a WebSocket: a token that is good for a minute goes along."""
    if token is None:
        return {}
    answer = await http.request("POST", "/v1/identity/websocket-token", token=token)
    if answer.status != 200:
        raise refused_socket(answer.status, http.uri, database)
    return {"token": answer.json()["token"]}


async def refusal(
    http: Http, database: str, token: str | None, problem: ConnectionLost
) -> ConnectError:
    """Why a handshake failed: a browser does not tell a page, and so we ask over HTTP."""
    answer = await http.request("GET", database_path(database, "identity"), token=token)
    if answer.status != 200:
        return refused_socket(answer.status, http.uri, database)
    return ConnectError(
        f"{http.uri} has {database!r}, and refuses a WebSocket ({problem}): does it speak one of "
        "the protocols that were offered, and does whatever is in between let WebSockets pass?"
    )
