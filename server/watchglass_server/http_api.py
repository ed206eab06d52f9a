"""Browser ⇄ server over plain HTTP: the page, the exchange of codes, export, health, figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web

from watchglass_server.clock import Clock
from watchglass_server.gateway import Gateway
from watchglass_server.logins import Logins
from watchglass_server.manager import PyodideManager
from watchglass_server.metrics import Metric, counter, gauge, gauges, prometheus_text
from watchglass_server.mirroring import Mirroring
from watchglass_server.names import clean_name
from watchglass_server.refusals import Refused, bad_request, session_not_found
from watchglass_server.session_import import import_session
from watchglass_server.sessions import Sessions
from watchglass_server.web_files import NO_PAGE, WebFile
from watchglass_sync.errors import ExportError, ImportFormatError
from watchglass_sync.exports import export_session
from watchglass_sync.imports import read_import
from watchglass_sync.journal import Journal

SMALL_BODY_BYTES = 64 * 2**10


class HttpApi:
    """Everything that is not Socket.IO."""

    def __init__(
        self,
        *,
        files: dict[str, WebFile],
        logins: Logins,
        sessions: Sessions,
        journal: Journal,
        manager: PyodideManager,
        gateway: Gateway,
        clock: Clock,
        mirroring: Mirroring,
        is_ready: Callable[[], bool],
    ) -> None:
        self._files = files
        self._logins = logins
        self._sessions = sessions
        self._journal = journal
        self._manager = manager
        self._gateway = gateway
        self._clock = clock
        self._mirroring = mirroring
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

    # --- the page

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["path"] or "index.html"
        file = self._files.get(name)
        if file is None and name == "index.html":
            file = NO_PAGE
        if file is None:
            raise web.HTTPNotFound(text=f"There is nothing at /{name[:200]}.\n")
        headers = {"Content-Type": file.content_type, **file.headers()}
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
            *self._mirroring.figures(self._clock.epoch_s()),
        ]

    # --- tokens, export, import

    async def _exchange(self, request: web.Request) -> web.Response:
        body = await _small_json(request)
        code = body.get("code")
        if not isinstance(code, str) or not 0 < len(code) <= 512:
            raise bad_request("code", "`code` is missing, or no text.", "Send the link's code.")
        share, token = await self._logins.exchange(code, request.remote)
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
        if not self._sessions.exists(session):
            raise session_not_found(session[:100])
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
        self._sessions.must_have_room()
        try:
            imported = read_import(await request.read(), request.query.get("format", ""))
            name = clean_name((request.query.get("name") or imported.name or "Imported")[:200])
            session = await import_session(self._journal, self._clock, imported, name)
        except (ImportFormatError, msgspec.ValidationError) as error:
            raise bad_request("file", f"{error}.", "Export a session to see the form.") from error
        await self._sessions.adopt_row(session)
        self._mirroring.stored(session)
        return web.json_response({"session": session})


async def _small_json(request: web.Request) -> dict[str, Any]:
    if (request.content_length or 0) > SMALL_BODY_BYTES:
        raise Refused("too_large", "The body is too large.", "Send the code only.")
    data = b""
    # One read gives what has come so far, which may be a part.
    while len(data) <= SMALL_BODY_BYTES and (part := await request.content.readany()):
        data += part
    if len(data) > SMALL_BODY_BYTES:
        raise Refused("too_large", "The body is too large.", "Send the code only.")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise bad_request("payload", "The body is no JSON object.", 'Send {"code": "…"}.')
    return body
