"""Client ⇄ server by the browser's `fetch`, inside Pyodide: HTTP requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Final, Protocol, Self
from urllib.parse import urlencode

from spacetimedb_client.web import (
    Response,
    bearer,
    http_uri,
    lines_of,
    log_broke,
    unanswered,
    unreachable,
    whole,
)


class Answer(Protocol):
    """What `fetch` returns."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def chunks(self) -> AsyncIterator[bytes]: ...

    def close(self) -> None: ...


class Fetch(Protocol):
    """`fetch`; it raises `ConnectionError`."""

    async def __call__(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | str | None, /
    ) -> Answer: ...


class Http:
    """Requests to one server; the browser keeps the connections."""

    def __init__(self, fetch: Fetch, uri: str, *, timeout: float = 30.0) -> None:
        self.uri: Final = http_uri(uri)
        self._fetch = fetch
        self._seconds = timeout

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
        """Nothing of ours is open between two requests."""

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
        address = self._address(path, query)
        try:
            async with asyncio.timeout(self._seconds):
                return await whole_of(await self._fetch(method, address, headers, body))
        except TimeoutError:
            raise unanswered(self.uri, f"{method} {path}", self._seconds) from None
        except ConnectionError as problem:
            raise unreachable(self.uri, problem) from problem

    async def lines(self, path: str, *, token: str | None, query: Mapping[str, str]) -> Lines:
        """An answer that comes line by line, for as long as the server likes."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._fetch("GET", self._address(path, query), bearer(token), None)
        except TimeoutError:
            raise unanswered(self.uri, f"GET {path}", self._seconds) from None
        except ConnectionError as problem:
            raise unreachable(self.uri, problem) from problem
        return Lines(answer)

    def _address(self, path: str, query: Mapping[str, str] | None) -> str:
        return f"{self.uri}{path}?{urlencode(query)}" if query else self.uri + path


async def whole_of(answer: Answer) -> Response:
    """Read to its end, or let go."""
    try:
        return Response(answer.status, answer.headers, await whole(answer.status, answer.chunks()))
    except BaseException:
        answer.close()
        raise


class Lines:
    """Lines as they come."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def refusal(self) -> Response | None:
        """The whole answer, where it has no lines but the reason why not."""
        return None if self._answer.status == 200 else await whole_of(self._answer)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for line in lines_of(self._answer.chunks()):
                yield line
        except ConnectionError as problem:
            raise log_broke(problem) from None

    def close(self) -> None:
        self._answer.close()
