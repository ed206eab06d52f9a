"""Browser ⇄ server over plain HTTP: the page, the exchange of codes, export, health, figures."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from watchglass_server.clock import Clock
from watchglass_server.fields import ErrorCode
from watchglass_server.gateway import Gateway
from watchglass_server.manager import PyodideManager
from watchglass_server.metrics import Metric, counter, gauge, gauges, prometheus_text
from watchglass_server.origins import Origins
from watchglass_server.refusals import Refused, bad_request, no_token
from watchglass_server.session_import import import_session
from watchglass_server.sessions import Sessions
from watchglass_server.shares import Shares
from watchglass_server.tokens import is_same, new_id
from watchglass_server.web_files import NO_PAGE, WebFile
from watchglass_sync.errors import ExportError, ImportFormatError
from watchglass_sync.exports import export_session
from watchglass_sync.imports import read_import
from watchglass_sync.journal import Journal

_log = logging.getLogger(__name__)

_STATUS: dict[ErrorCode, int] = {
    "bad_request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "session_not_found": 404,
    "limit_exceeded": 403,
    "too_large": 413,
    "not_available": 503,
    "internal": 500,
}
SMALL_BODY_BYTES = 64 * 2**10

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpApi:
    """Everything that is not Socket.IO."""

    def __init__(
        self,
        *,
        token_hash: str,
        files: dict[str, WebFile],
        origins: Origins,
        shares: Shares,
        sessions: Sessions,
        journal: Journal,
        manager: PyodideManager,
        gateway: Gateway,
        clock: Clock,
        is_ready: Callable[[], bool],
    ) -> None:
        self._token_hash = token_hash
        self._files = files
        self._origins = origins
        self._shares = shares
        self._sessions = sessions
        self._journal = journal
        self._manager = manager
        self._gateway = gateway
        self._clock = clock
        self._is_ready = is_ready

    def routes(self) -> list[web.RouteDef]:
        """The paths of docs/protocol.md, and the files of the page."""
        return [
            web.get("/healthz", self._health),
            web.get("/metrics", self._metrics),
            web.post("/api/token", self._exchange),
            web.post("/api/sessions/import", self._import),
            web.get("/api/sessions/{session}/export", self._export),
            web.get("/{path:(?!socket\\.io/|api/).*}", self._file),
        ]

    @web.middleware
    async def guard(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        """Let in only requests to a name of ours, and no writing ones from foreign pages."""
        try:
            if not self._origins.is_host_known(request.headers.get("Host", "")):
                raise Refused(
                    "forbidden",
                    "This server is not known under that name.",
                    "Start it with --allow-origin for the name in the address.",
                )
            if not request.path.startswith("/socket.io/"):
                self._check_origin(request)
            return await handler(request)
        except Refused as refusal:
            return _refused(refusal)
        except web.HTTPException:
            raise
        except (ConnectionResetError, ConnectionAbortedError):
            raise
        except Exception:
            number = new_id()
            _log.exception("error %s: %s %s", number, request.method, request.path)
            return _refused(
                Refused(
                    "internal",
                    "The server failed at this request.",
                    f"Its log has the details under {number}.",
                    id=number,
                )
            )

    def _check_origin(self, request: web.Request) -> None:
        origin = request.headers.get("Origin")
        if request.method == "GET" or origin is None:
            return
        if not self._origins.is_allowed(origin, request.headers.get("Host", "")):
            raise Refused(
                "forbidden",
                f"Pages of {origin[:200]} may not talk to this server.",
                "Start it with --allow-origin for that page.",
            )

    # --- the page

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["path"] or "index.html"
        file = self._files.get(name)
        if file is None and name == "index.html":
            file = NO_PAGE
        if file is None:
            raise web.HTTPNotFound(text=f"There is nothing at /{name[:200]}.\n")
        origin = f"{request.scheme}://{request.headers.get('Host', '')}"
        headers = {"Content-Type": file.content_type, **file.headers(origin)}
        response = web.Response(body=file.data, headers=headers)
        response.enable_compression()
        return response

    # --- figures

    async def _health(self, request: web.Request) -> web.Response:
        if self._is_ready() and not self._sessions.is_stopping:
            return web.json_response({"status": "ok"})
        status = "stopping" if self._sessions.is_stopping else "starting"
        return web.json_response({"status": status}, status=503)

    async def _metrics(self, request: web.Request) -> web.Response:
        self._must_be_server(request)
        text = prometheus_text(self._figures())
        return web.Response(
            body=text.encode(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    def _figures(self) -> list[Metric]:
        states: dict[str, float] = {}
        memory = 0.0
        for live in self._sessions.live:
            state = live.state.fold.process.state
            states[state] = states.get(state, 0) + 1
            process = live.link.process
            stats = process.stats() if process else None
            memory += stats.rss_bytes if stats else 0
        pool = self._manager.stats()
        return [
            gauge("sessions", "Sessions that are kept.", len(self._sessions)),
            gauges("live_sessions", "Sessions in memory, by their process.", "state", states),
            gauge("clients", "Connections.", self._gateway.clients),
            counter("calls_total", "Calls answered.", self._gateway.calls_served),
            counter("events_total", "Events stored.", self._sessions.events_recorded),
            gauge("session_memory_bytes", "Memory of the sessions' processes.", memory),
            gauges(
                "pool_processes",
                "Processes of the pool.",
                "state",
                {"warm": pool.warm, "starting": pool.starting, "lent": pool.lent},
            ),
            gauge("pool_waiting", "Sessions that wait for a process.", pool.waiting),
            counter("pool_started_total", "Processes started.", pool.started),
            counter("pool_failed_total", "Processes that failed.", pool.failed),
            gauge("journal_queued_bytes", "Not stored yet.", self._journal.queued_bytes),
        ]

    # --- tokens, export, import

    async def _exchange(self, request: web.Request) -> web.Response:
        body = await _small_json(request)
        code = body.get("code")
        if not isinstance(code, str) or not 0 < len(code) <= 512:
            raise bad_request("code", "`code` is missing, or no text.", "Send the link's code.")
        share, token = await self._shares.exchange(code)
        return web.json_response(
            {
                "token": token,
                "session": share.session,
                "role": share.role,
                "expires_at": share.expires_at,
            },
            headers={"Cache-Control": "no-store"},
        )

    async def _export(self, request: web.Request) -> web.Response:
        session = request.match_info["session"]
        self._must_open(request, session)
        live = self._sessions.in_memory(session)
        if live is not None:
            await live.durable()
        try:
            exported = await export_session(
                self._journal, session, request.query.get("format", "py")
            )
        except ExportError as error:
            raise bad_request("format", f"{error}.", "Ask for py, ipynb or json.") from error
        plain = exported.filename.encode("ascii", "replace").decode().replace("?", "_")
        plain = plain.replace('"', "_").replace("\\", "_")
        name = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(exported.filename)}"
        headers = {
            "Content-Type": exported.content_type,
            "Content-Disposition": name,
            "Cache-Control": "no-store",
        }
        return web.Response(body=exported.data, headers=headers)

    async def _import(self, request: web.Request) -> web.Response:
        self._must_be_server(request)
        self._sessions.must_have_room()
        try:
            imported = read_import(await request.read(), request.query.get("format", ""))
            name = (request.query.get("name") or imported.name or "Imported")[:200]
            session = await import_session(self._journal, self._clock, imported, name)
        except (ImportFormatError, msgspec.ValidationError) as error:
            raise bad_request("file", f"{error}.", "Export a session to see the form.") from error
        await self._sessions.adopt_row(session)
        return web.json_response({"session": session})

    # --- who asks

    def _must_be_server(self, request: web.Request) -> None:
        token = _bearer(request)
        if not is_same(token, self._token_hash):
            code: ErrorCode = "unauthorized" if self._shares.grant(token) is None else "forbidden"
            raise Refused(
                code,
                f"{request.path} needs the server token.",
                "Send `Authorization: Bearer …` with the token that the server printed.",
            )

    def _must_open(self, request: web.Request, session: str) -> None:
        token = _bearer(request)
        if is_same(token, self._token_hash):
            if not self._sessions.exists(session):
                raise Refused(
                    "session_not_found",
                    f"There is no session '{session[:100]}'.",
                    "Call session.list to see the sessions that are open.",
                )
            return
        grant = self._shares.grant(token)
        if grant is None or grant.session != session:
            raise no_token(session[:100])


def _bearer(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def _small_json(request: web.Request) -> dict[str, Any]:
    if (request.content_length or 0) > SMALL_BODY_BYTES:
        raise Refused("too_large", "The body is too large.", "Send the code only.")
    data = await request.content.read(SMALL_BODY_BYTES + 1)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise bad_request("payload", "The body is no JSON object.", 'Send {"code": "…"}.')
    return body


def _refused(refusal: Refused) -> web.Response:
    error = msgspec.to_builtins(refusal.error)
    status = _STATUS.get(refusal.error.code, 500)
    return web.json_response({"error": error}, status=status)
