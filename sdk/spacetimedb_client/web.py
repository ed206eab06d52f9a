"""What HTTP and WebSocket are to both transports: addresses, answers, and what went wrong."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

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

SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
MAX_ANSWER_BYTES: Final = 1 << 28
MAX_LINE_BYTES: Final = 1 << 24
CLOSE_SECONDS: Final = 2.0
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


def unreachable(uri: str, problem: object) -> ConnectError:
    return ConnectError(f"{uri} cannot be reached: {problem}; does a server listen there?")


def unanswered(uri: str, asked: str, seconds: float) -> ConnectTimeout:
    return ConnectTimeout(
        f"{uri} does not answer {asked} within {seconds:g} s: "
        "is it busy? a higher timeout= waits longer"
    )


async def whole(status: int, chunks: AsyncIterable[bytes]) -> bytes:
    """A body of a size that memory has room for."""
    parts, size = [], 0
    async for part in chunks:
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            limit = f"{MAX_ANSWER_BYTES >> 20} MiB"
            raise HttpError(status, f"the answer is longer than {limit}: ask for less")
        parts.append(part)
    return b"".join(parts)


async def lines_of(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Without their ends, as soon as they are there."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
        if len(rest) > MAX_LINE_BYTES:
            raise DecodeError(f"a line of more than {MAX_LINE_BYTES >> 20} MiB")
    if rest:
        yield rest


def log_broke(problem: object) -> ConnectionLost:
    return ConnectionLost(f"the server stopped in the middle of a log: {problem}")


def closed_words(code: int | None, reason: str | None) -> str:
    """Why the server closed, in its words: it says what it could not read."""
    if code in NORMAL_CLOSE and not reason:
        return "the server closed the connection"
    return f"the server closed the connection with {code}: {reason or 'no reason given'}"


def refused_socket(status: int, uri: str, database: str) -> ConnectError:
    """Which of the things that can be wrong a status of the handshake means."""
    match status:
        case 401:
            return AuthError(f"{uri} does not accept the token: get a new one, or pass token=None")
        case 404:
            return DatabaseNotFound(f"{uri} has no database {database!r}: publish it first")
        case 400:
            return ProtocolRejected(f"{uri} speaks none of the protocols that were offered")
    return ConnectError(f"{uri} refused the connection with HTTP {status}")
