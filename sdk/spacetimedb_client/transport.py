"""Client ⇄ server: HTTP requests and the WebSocket; the only file that knows aiohttp."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import aiohttp

from spacetimedb_bsatn import DecodeError
from spacetimedb_client.errors import (
    AuthError,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    DatabaseNotFound,
    HttpError,
    ProtocolRejected,
)
from spacetimedb_client.protocol.dialect import Frame

SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
MAX_ANSWER_BYTES: Final = 1 << 28
MAX_LINE_BYTES: Final = 1 << 24
CLOSE_SECONDS: Final = 2.0
TCP_CORK: Final[int | None] = getattr(socket, "TCP_CORK", None)  # Linux has it
NORMAL_CLOSE: Final = (1000, 1001, None)


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # one of them is a token
    body: bytes = field(repr=False)

    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """Numbers stay exact: Python's have no width."""
        try:
            return json.loads(self.body)
        except ValueError as problem:
            raise HttpError(self.status, f"the answer is no JSON: {problem}") from None


def http_uri(uri: str) -> str:
    """`http://host:port`, whatever scheme of the web it was given with."""
    parts = urlsplit(uri if "://" in uri else f"http://{uri}")
    if "@" in parts.netloc:
        raise ConnectError("an address has no user and password in it: pass token=…")
    if parts.scheme not in SCHEMES or not parts.netloc:
        raise ConnectError(f"{uri!r} is no address of a server: write http://host:port")
    return f"{SCHEMES[parts.scheme]}://{parts.netloc}{parts.path.rstrip('/')}"


def is_loopback(uri: str) -> bool:
    host = urlsplit(http_uri(uri)).hostname or ""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def bearer(token: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


class Http:
    """Requests to one server."""

    def __init__(self, uri: str, *, timeout: float = 30.0) -> None:
        self.uri: Final = http_uri(uri)
        self._timeout = aiohttp.ClientTimeout(total=timeout)
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
                timeout=self._timeout, connector=aiohttp.TCPConnector(limit=0)
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
                return Response(answer.status, answer.headers, await whole(answer))
        except TimeoutError:
            raise ConnectTimeout(
                f"{self.uri} does not answer {method} {path} within {self._timeout.total:g} s: "
                "is it busy? a higher timeout= waits longer"
            ) from None
        except aiohttp.ClientError as problem:
            raise self._unreachable(problem) from problem

    async def lines(self, path: str, *, token: str | None, query: Mapping[str, str]) -> Lines:
        """An answer that comes line by line, for as long as the server likes."""
        forever = aiohttp.ClientTimeout(total=None, sock_connect=self._timeout.total)
        try:
            answer = await self.session.get(
                self.uri + path,
                params=query,
                headers=bearer(token),
                timeout=forever,
                allow_redirects=False,
            )
        except TimeoutError:
            raise ConnectTimeout(f"{self.uri} does not answer GET {path}") from None
        except aiohttp.ClientError as problem:
            raise self._unreachable(problem) from problem
        return Lines(answer)

    def _unreachable(self, problem: Exception) -> ConnectError:
        words = f"{self.uri} cannot be reached: {problem}; does a server listen there?"
        return ConnectError(words)


async def whole(answer: aiohttp.ClientResponse) -> bytes:
    """A body of a size that memory has room for."""
    parts, size = [], 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            limit = f"{MAX_ANSWER_BYTES >> 20} MiB"
            raise HttpError(answer.status, f"the answer is longer than {limit}: ask for less")
        parts.append(part)
    return b"".join(parts)


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
            return Response(answer.status, answer.headers, await whole(answer))
        finally:
            answer.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        rest = b""
        try:
            # Not readline: its limit is below what modules print.
            async for chunk in self._answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line
                if len(rest) > MAX_LINE_BYTES:
                    raise DecodeError(f"a line of more than {MAX_LINE_BYTES >> 20} MiB")
        except aiohttp.ClientError as problem:
            raise ConnectionLost(f"the server stopped in the middle of a log: {problem}") from None
        if rest:
            yield rest

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


def closed_words(code: int | None, reason: str | None) -> str:
    """Why the server closed, in its words: it says what it could not read."""
    if code in NORMAL_CLOSE and not reason:
        return "the server closed the connection"
    return f"the server closed the connection with {code}: {reason or 'no reason given'}"


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
    match getattr(problem, "status", None):
        case 401:
            return AuthError(f"{uri} does not accept the token: get a new one, or pass token=None")
        case 404:
            return DatabaseNotFound(f"{uri} has no database {database!r}: publish it first")
        case 400:
            return ProtocolRejected(f"{uri} speaks none of the protocols that were offered")
        case None:
            return ConnectError(f"{uri} cannot be reached: {problem}")
        case status:
            return ConnectError(f"{uri} refused the connection with HTTP {status}")
