"""PyodideServer: builds all parts, and answers over HTTP. The only file that knows all of them."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from watchglass_server.assets import Assets, find_assets
from watchglass_server.calls import Calls
from watchglass_server.child import Launcher
from watchglass_server.clock import Clock
from watchglass_server.config import Config
from watchglass_server.errors import PoolTimeout, ProcessStartError, SetupError
from watchglass_server.gateway import Gateway
from watchglass_server.given_scripts import GivenScripts
from watchglass_server.http_api import HttpApi
from watchglass_server.isolating import isolating
from watchglass_server.isolation import Isolation
from watchglass_server.live_views import LiveViews
from watchglass_server.manager import PyodideManager
from watchglass_server.origins import Origins, shown_host
from watchglass_server.ownership import OnlyServer
from watchglass_server.process_config import ProcessConfig
from watchglass_server.rooms import Rooms
from watchglass_server.script_watch import ScriptWatch
from watchglass_server.sessions import Audience, Sessions
from watchglass_server.shares import Shares
from watchglass_server.tokens import hashed, new_secret
from watchglass_server.web_files import SECURITY_HEADERS, read_files
from watchglass_sync.journal import Journal
from watchglass_sync.restore import ValueRestorer

_log = logging.getLogger(__name__)

RUNTIME_FILE = "server.json"
FIRST_PROCESS_S = 180.0
EXPIRED_SHARES_EVERY_S = 1.0
HTTP_END_S = 5.0
LARGEST_UPLOAD_BYTES = 300 * 2**20


class PyodideServer:
    """The server: `async with` starts and stops it; sessions are kept in `config.data_dir`."""

    def __init__(
        self, config: Config, *, on_isolation: Callable[[Isolation], None] = lambda isolation: None
    ) -> None:
        self.config = config
        self._on_isolation = on_isolation
        self.token = config.token or new_secret()
        self.url = ""
        self._stack = AsyncExitStack()
        self._is_ready = False

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._is_ready = False
        await self._stack.aclose()

    @property
    def address(self) -> str:
        """What a person opens: the page, with the server token where no log sees it."""
        return f"{self.url}/#token={self.token}"

    async def _start(self) -> None:
        config = self.config
        assets = find_assets()
        isolated = await self._stack.enter_async_context(isolating(config.isolation, assets))
        listening = _listen(config.host, config.port)
        self._stack.callback(listening.close)
        port = listening.getsockname()[1]
        self.url = f"http://{shown_host(config.host)}:{port}"
        journal = await self._stack.enter_async_context(await Journal.open(config.data_dir))
        manager = _manager(config, assets, isolated.launcher)
        await self._stack.enter_async_context(manager)
        await self._build(journal, manager, assets, listening)
        await isolated.prove()
        self._on_isolation(isolated.isolation)
        try:
            await manager.wait(FIRST_PROCESS_S)
        except (ProcessStartError, PoolTimeout) as error:
            raise SetupError(
                f"No session process can be started: {error} Run `watchglass doctor`."
            ) from error
        self._write_runtime_file()
        self._is_ready = True

    async def _build(
        self, journal: Journal, manager: PyodideManager, assets: Assets, listening: socket.socket
    ) -> None:
        """Put the parts together, innermost first."""
        config, clock, rooms = self.config, Clock(), Rooms()
        scripts = GivenScripts(config.watch)
        await scripts.open()
        origins = Origins(config.host, config.allow_origin)
        shares = Shares(journal, clock)
        await shares.load()
        gateway = Gateway(
            token_hash=hashed(self.token),
            shares=shares,
            rooms=rooms,
            is_origin_allowed=origins.is_allowed,
        )
        views = LiveViews(rooms)
        sessions = Sessions(
            config,
            journal=journal,
            manager=manager,
            clock=clock,
            restorer=ValueRestorer(),
            ownership=OnlyServer(),
            audience=Audience(
                rooms.publish, gateway.drop_session, gateway.restart_session, views.take
            ),
            prepare=scripts.prepare,
        )
        calls = Calls(
            config,
            sessions=sessions,
            shares=shares,
            rooms=rooms,
            journal=journal,
            manager=manager,
            drops=gateway,
            views=views,
            scripts=scripts,
        )
        api = HttpApi(
            token_hash=hashed(self.token),
            files=read_files(assets.web_dir),
            origins=origins,
            shares=shares,
            sessions=sessions,
            journal=journal,
            manager=manager,
            gateway=gateway,
            clock=clock,
            is_ready=lambda: self._is_ready,
        )
        app = _application(api, origins)
        gateway.attach(app, calls)
        await sessions.start()
        await self._listen_with(app, listening)
        # In this order: sessions end and say so, then everybody is sent away, then HTTP stops.
        self._stack.push_async_callback(gateway.close)
        self._stack.push_async_callback(sessions.stop)
        if config.watch is not None:
            watch = ScriptWatch(scripts, sessions)
            sessions.on_restored = watch.catch_up
            task = asyncio.create_task(watch.run(), name="watched folder")
            self._stack.push_async_callback(_cancelled, task)
        ending = asyncio.create_task(_end_expired_shares(shares, gateway), name="expired shares")
        self._stack.push_async_callback(_cancelled, ending)

    async def _listen_with(self, app: web.Application, listening: socket.socket) -> None:
        http_log = logging.getLogger("aiohttp.server")
        http_log.addFilter(_is_ours)
        self._stack.callback(http_log.removeFilter, _is_ours)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=HTTP_END_S)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listening).start()

    def _write_runtime_file(self) -> None:
        """Tell the commands on this machine where the server is; for its owner's eyes only."""
        path = self.config.data_dir / RUNTIME_FILE
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"url": self.url, "token": self.token, "pid": os.getpid()}, file)
        self._stack.callback(_remove, path)


def _manager(config: Config, assets: Assets, launcher: Launcher) -> PyodideManager:
    process = replace(
        ProcessConfig.from_assets(assets),
        launcher=launcher,
        memory_bytes=config.memory_limit,
        output_bytes=config.output_limit,
        poll_ms=config.poll_ms,
    )
    return PyodideManager(
        process,
        min_size=config.pool_min_size,
        max_size=config.pool_max_size,
        max_waiting=config.pool_max_waiting,
        timeout=config.pool_timeout,
        cache_dir=config.cache_dir,
        on_progress=_log.info,
    )


def _is_ours(record: logging.LogRecord) -> bool:
    """Not that somebody sent what is no HTTP: it was answered with 400, and could fill the log."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _application(api: HttpApi, origins: Origins) -> web.Application:
    app = web.Application(middlewares=[api.guard], client_max_size=LARGEST_UPLOAD_BYTES)
    app.on_response_prepare.append(_headers_for(origins))
    app.add_routes(api.routes())
    return app


def _headers_for(
    origins: Origins,
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def add(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        origin = request.headers.get("Origin")
        if origin in origins.allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
            response.headers["Vary"] = "Origin"

    return add


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises SetupError, which says what to do."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SetupError(
                f"Port {port} of {host} is in use; stop what listens there, or choose another "
                "with --port (0 picks a free one)."
            ) from error
        raise SetupError(
            f"Cannot listen at {host}, port {port}: {error.strerror or error}; choose another "
            "with --host and --port."
        ) from error


async def _end_expired_shares(shares: Shares, gateway: Gateway) -> None:
    while True:
        await asyncio.sleep(EXPIRED_SHARES_EVERY_S)
        await shares.end_expired(gateway.drop_share)


async def _cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
