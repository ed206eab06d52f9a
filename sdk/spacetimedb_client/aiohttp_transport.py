"""Client ⇄ server by aiohttp, and the only file that knows it: HTTP requests and the WebSocket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, Self

import aiohttp

from spacetimedb_client.errors import ConnectError, ConnectionLost, ConnectTimeout
from spacetimedb_client.protocol.dialect import Frame
from spacetimedb_client.web import (
    CLOSE_SECONDS,
    Response,
    bearer,
    closed_words,
    http_uri,
    lines_of,
    log_broke,
    refused_socket,
    unanswered,
    unreachable,
    whole,
)

TCP_CORK: Final[int | None] = getattr(socket, "TCP_CORK", None)  # Linux has it


class Http:
    """Requests to one server."""

    def __init__(self, uri: str, *, timeout: float = 30.0) -> None:
        self.uri: Final = http_uri(uri)
        self._seconds = timeout
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._seconds),
                connector=aiohttp.TCPConnector(limit=0),
            )
        return self._session

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: bytes | str | None = None,
        query: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> Response:
        """The answer, whatever its status."""
        headers = bearer(token) | ({"Content-Type": content_type} if content_type else {})
        try:
            # A redirection would take the token to whomever it names.
            async with self.session.request(
                method, self.uri + path, data=body, params=query, headers=headers,
                allow_redirects=False,
            ) as answer:  # fmt: skip
                return Response(answer.status, answer.headers, await whole_of(answer))
        except TimeoutError:
            asked = f"{method} {path}"
            raise unanswered(self.uri, asked, self._seconds) from None
        except aiohttp.ClientError as problem:
            raise unreachable(self.uri, problem) from problem

    async def lines(self, path: str, *, token: str | None, query: Mapping[str, str]) -> Lines:
        """An answer that comes line by line, for as long as the server likes."""
        forever = aiohttp.ClientTimeout(total=None, sock_connect=self._seconds)
        try:
            answer = await self.session.get(
                self.uri + path,
                params=query,
                headers=bearer(token),
                timeout=forever,
                allow_redirects=False,
            )
        except TimeoutError:
            raise unanswered(self.uri, f"GET {path}", self._seconds) from None
        except aiohttp.ClientError as problem:
            raise unreachable(self.uri, problem) from problem
        return Lines(answer)


async def whole_of(answer: aiohttp.ClientResponse) -> bytes:
    return await whole(answer.status, answer.content.iter_any())


class Lines:
    """Lines as they come."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def refusal(self) -> Response | None:
        """The whole answer, where it has no lines but the reason why not."""
        answer = self._answer
        if answer.status == 200:
            return None
        try:
            return Response(answer.status, answer.headers, await whole_of(answer))
        finally:
            answer.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            # Not readline: its limit is below what modules print.
            async for line in lines_of(self._answer.content.iter_any()):
                yield line
        except aiohttp.ClientError as problem:
            raise log_broke(problem) from None

    def close(self) -> None:
        self._answer.close()


class WebSocket:
    """Frames to and from one database."""

    def __init__(self, http: Http, opened: aiohttp.ClientWebSocketResponse) -> None:
        self._http = http
        self._socket = opened
        self.subprotocol: Final = opened.protocol

    async def send(self, frames: Sequence[Frame]) -> None:
        """Returns when the network has room for more."""
        try:
            with self._together(len(frames)):
                for frame in frames:
                    if isinstance(frame, bytes):
                        await self._socket.send_bytes(frame)
                    else:
                        await self._socket.send_str(frame)
        except (ConnectionError, aiohttp.ClientError, RuntimeError) as problem:
            raise ConnectionLost(f"the connection is gone: {problem}") from problem

    @contextmanager
    def _together(self, count: int) -> Iterator[None]:
        """Many small frames as few packets, where the system can: the server wakes up less."""
        connection = self._socket.get_extra_info("socket") if count > 1 and TCP_CORK else None
        if connection is None:
            yield
            return
        # What is closed already says so when it is written to.
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, TCP_CORK, 1)
        try:
            yield
        finally:
            with suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, TCP_CORK, 0)

    async def receive(self) -> Frame:
        """The next frame; pings are answered in here."""
        message = await self._socket.receive()
        match message.type:
            case aiohttp.WSMsgType.BINARY | aiohttp.WSMsgType.TEXT:
                frame: Frame = message.data
                return frame
            case aiohttp.WSMsgType.CLOSE:
                raise ConnectionLost(closed_words(message.data, message.extra))
            case aiohttp.WSMsgType.ERROR:
                raise ConnectionLost(f"the connection broke: {message.data}")
        code = self._socket.close_code
        raise ConnectionLost(closed_words(code, None))

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close()
        except TimeoutError:
            pass  # the server has gone without a word
        finally:
            await self._http.close()


async def open_socket(
    uri: str,
    database: str,
    *,
    token: str | None,
    subprotocols: Sequence[str],
    query: Mapping[str, str],
    timeout: float,
) -> WebSocket:
    """A connection, or an error that says which of the things that can be wrong it is."""
    http = Http(uri, timeout=timeout)
    path = f"/v1/database/{database}/subscribe"
    try:
        async with asyncio.timeout(timeout):
            opened = await http.session.ws_connect(
                http.uri + path,
                protocols=subprotocols,
                params=dict(query),
                headers=bearer(token),
                max_msg_size=0,  # what the server sends is as large as its tables are
                compress=0,
            )
    except BaseException as problem:
        await http.close()
        if isinstance(problem, TimeoutError | aiohttp.ClientError | OSError):
            raise connect_error(problem, uri, database, timeout) from problem
        raise
    return WebSocket(http, opened)


def connect_error(problem: Exception, uri: str, database: str, timeout: float) -> ConnectError:
    """Which of the things that can be wrong it is."""
    if isinstance(problem, TimeoutError):
        return ConnectTimeout(f"{uri} did not answer within {timeout:g} s")
    status = getattr(problem, "status", None)
    return unreachable(uri, problem) if status is None else refused_socket(status, uri, database)
