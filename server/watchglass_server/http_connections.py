"""Browser ⇄ server: the TCP connections under HTTP, with an end for those that only wait."""

from __future__ import annotations

import asyncio
import logging
import math
import resource
import socket
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from watchglass_server.socketio_server import UNKNOWN_BYTES
from watchglass_server.web_files import SECURITY_HEADERS

_log = logging.getLogger(__name__)

# Until a first request is there with all of its headers, and until the next one.
FIRST_REQUEST_S = 15.0
NEXT_REQUEST_S = 75.0
REST_OF_BODY_S = 5.0
HTTP_END_S = 5.0
CONNECTIONS_MOST = 4096
BACKLOG = 512
TELL_EVERY_S = 60.0


class HttpConnections:
    """All connections of one application; `async with` begins to accept them."""

    def __init__(self, app: web.Application, listening: socket.socket) -> None:
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=HTTP_END_S)
        self._listening = listening
        self._most = min(CONNECTIONS_MOST, _files_allowed() // 2)
        self._open: set[HttpConnection] = set()
        self._told_s = -math.inf

    async def __aenter__(self) -> Self:
        logging.getLogger("aiohttp.server").addFilter(_is_ours)
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        self._accepting = await loop.create_server(
            self._connection, sock=self._listening, backlog=BACKLOG
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._accepting.close()
        await self._runner.cleanup()
        logging.getLogger("aiohttp.server").removeFilter(_is_ours)

    def enter(self, connection: HttpConnection) -> bool:
        """Take it in; False when there are too many."""
        if len(self._open) < self._most:
            self._open.add(connection)
            return True
        now = asyncio.get_running_loop().time()
        if now - self._told_s >= TELL_EVERY_S:
            self._told_s = now
            _log.warning(
                "more than %d connections: further ones are closed at once; raise the limit of "
                "open files (ulimit -n), or see who connects",
                self._most,
            )
        return False

    def leave(self, connection: HttpConnection) -> None:
        """It is closed."""
        self._open.discard(connection)

    def _connection(self) -> HttpConnection:
        server = self._runner.server
        assert server is not None
        return HttpConnection(
            server,
            self,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=NEXT_REQUEST_S,
            lingering_time=REST_OF_BODY_S,
            access_log=None,
        )


class HttpConnection(web.RequestHandler):
    """One connection. It is ended when it sends no request, or too much without a token."""

    def __init__(self, server: web.Server, all: HttpConnections, **settings: Any) -> None:
        super().__init__(server, **settings)
        self._all = all
        self._first: asyncio.TimerHandle | None = None
        self._allowance: int | None = UNKNOWN_BYTES

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if not self._all.enter(self):
            self._abort()
            return
        loop = asyncio.get_running_loop()
        self._first = loop.call_later(FIRST_REQUEST_S, self._expect_request)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._all.leave(self)
        if self._first is not None:
            self._first.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        # Bodies have limits of their own; a WebSocket's first message has this one.
        if self._upgraded and self._allowance is not None:
            self._allowance -= len(data)
            if self._allowance < 0:
                self._abort()
                return
        super().data_received(data)

    def trust(self) -> None:
        """From now on the limits are those of someone with a token."""
        self._allowance = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What was no HTTP is answered without a word of it."""
        response = super().handle_error(request, status, exc, message)
        text = "This is no request that the server understands.\n"
        plain = web.Response(status=response.status, text=text, headers=SECURITY_HEADERS)
        plain.force_close()
        return plain

    def _expect_request(self) -> None:
        if self._request_count == 0:
            self._abort()

    def _abort(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()


def _files_allowed() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS_MOST * 2 if soft == resource.RLIM_INFINITY else soft


def _is_ours(record: logging.LogRecord) -> bool:
    """Not that somebody sent what is no HTTP: it was answered with 400, and could fill the log."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
