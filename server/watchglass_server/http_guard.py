"""Browser ⇄ server over plain HTTP: who may ask for what, decided before anything answers."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from watchglass_server.fields import ErrorCode
from watchglass_server.logins import Logins
from watchglass_server.origins import Origins
from watchglass_server.refusals import Refused, bad_request, no_token
from watchglass_server.roles import LEAST_FOR_PATH, at_least
from watchglass_server.tokens import new_id
from watchglass_server.web_files import SECURITY_HEADERS

_log = logging.getLogger(__name__)

_STATUS: dict[ErrorCode, int] = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "session_not_found": 404,
    "timeout": 408,
    "limit_exceeded": 403,
    "too_large": 413,
    "rate_limited": 429,
    "not_available": 503,
    "internal": 500,
}
# How long a whole request may take to come in: a file to import may be large.
BODY_S = {"/api/token": 10.0, "/socket.io/": 60.0, "/api/sessions/import": 600.0}
_ONCE = ("Host", "Origin", "Authorization", "Content-Length", "Sec-Fetch-Site")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpGuard:
    """The middleware around all answers, Socket.IO's included, and the headers on each."""

    def __init__(
        self, origins: Origins, logins: Logins, check_socketio: Callable[[web.Request], None]
    ) -> None:
        self._origins = origins
        self._logins = logins
        self._check_socketio = check_socketio

    @web.middleware
    async def around(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        """Let in what may come in; what fails is answered without details."""
        try:
            self._check_form(request)
            if self._is_preflight(request):
                return web.Response(status=204)
            path = _path_of(request)
            if path is not None:  # otherwise it is answered with 404 or 405
                self._check_page(request, path)
                self._check_token(request, path)
            return await self._answer(request, handler, path)
        except Refused as refusal:
            return refused(refusal)
        except (web.HTTPException, ConnectionError):
            raise
        except Exception as error:
            return _failed(request, error)

    async def add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """Put the headers on that every answer has."""
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = SECURITY_HEADERS["Server"]  # aiohttp has said its version
        origin = request.headers.get("Origin", "")
        if origin.lower() in self._origins.allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
            response.headers["Vary"] = "Origin"

    async def _answer(
        self, request: web.Request, handler: Answer, path: str | None
    ) -> web.StreamResponse:
        if request.method == "GET" or path not in BODY_S:
            return await handler(request)
        try:
            async with asyncio.timeout(BODY_S[path]):
                return await handler(request)
        except TimeoutError:
            raise Refused("timeout", "The request did not come in whole.", "Try again.") from None

    def _check_form(self, request: web.Request) -> None:
        """Refuse what two programs could read in two ways, and foreign names for this server."""
        for name in _ONCE:
            if len(request.headers.getall(name, [])) > 1:
                raise bad_request(name, f"There are several headers {name}.", "Send one.")
        if not request.raw_path.startswith("/"):
            raise bad_request("path", "The address is no path.", "Begin it with a slash.")
        if not self._origins.is_host_known(request.headers.get("Host", "")):
            raise Refused(
                "forbidden",
                "This server is not known under that name.",
                "Start it with --allow-origin for the name in the address.",
            )

    def _is_preflight(self, request: web.Request) -> bool:
        origin = request.headers.get("Origin", "").lower()
        asks = "Access-Control-Request-Method" in request.headers
        return request.method == "OPTIONS" and asks and origin in self._origins.allowed

    def _check_page(self, request: web.Request, path: str) -> None:
        origin, host = request.headers.get("Origin"), request.headers.get("Host", "")
        is_foreign = self._origins.is_site_foreign(
            request.headers.get("Sec-Fetch-Site"), origin, host
        )
        if path == "/socket.io/":
            self._check_socketio(request)
            # A foreign Origin is refused in the answer to CONNECT, as docs/protocol.md has it.
            is_foreign = is_foreign and origin is None
        elif path == "/{path}":
            return
        elif origin is not None and not self._origins.is_allowed(origin, host):
            is_foreign = True
        if is_foreign:
            raise Refused(
                "forbidden",
                f"Pages of {(origin or 'another site')[:200]} may not talk to this server.",
                "Start it with --allow-origin for that page.",
            )

    def _check_token(self, request: web.Request, path: str) -> None:
        least = LEAST_FOR_PATH.get(path, "server")
        if least == "anyone":
            return
        grant = self._logins.admit(_bearer(request), request.remote)
        if grant is None:
            return
        if least == "server":
            raise Refused(
                "forbidden",
                f"{request.path} needs the server token.",
                "Send `Authorization: Bearer …` with the token that the server printed.",
            )
        if grant.session != request.match_info.get("session"):
            raise no_token(request.match_info.get("session", "")[:100])
        if least != "token" and not at_least(grant.role, least):
            raise Refused(
                "forbidden",
                f"{request.path} needs the role {least}; this token has {grant.role}.",
                f"Ask an owner of the session for a link with the role {least}.",
            )


def refused(refusal: Refused) -> web.Response:
    """The answer to a request that is not carried out."""
    error = refusal.error
    headers = {"Cache-Control": "no-store"}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    if error.code == "unauthorized":
        headers["WWW-Authenticate"] = "Bearer"
    status = _STATUS.get(error.code, 500)
    return web.json_response({"error": msgspec.to_builtins(error)}, status=status, headers=headers)


def _failed(request: web.Request, error: Exception) -> web.Response:
    number = new_id()
    # Everybody can make Socket.IO's library fail, with a message that is none of its protocol.
    level = logging.DEBUG if request.path == "/socket.io/" else logging.ERROR
    words = (number, request.method, request.path)
    _log.log(level, "error %s: %r %r", *words, exc_info=error)
    return refused(
        Refused(
            "internal",
            "The server failed at this request.",
            f"Its log has the details under {number}.",
            id=number,
        )
    )


def _path_of(request: web.Request) -> str | None:
    resource = request.match_info.route.resource
    return None if resource is None else resource.canonical


def _bearer(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""
