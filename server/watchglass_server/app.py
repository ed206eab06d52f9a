"""PyodideServer: builds all parts, and answers over HTTP. The only file that knows all of them."""

from __future__ import annotations

import asyncio
import errno
import html
import json
import logging
import os
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from watchglass_server.assets import Assets, find_assets
from watchglass_server.bindings import Bindings
from watchglass_server.calls import Calls
from watchglass_server.child import Launcher
from watchglass_server.clock import Clock
from watchglass_server.config import Config
from watchglass_server.errors import PoolTimeout, ProcessStartError, SetupError
from watchglass_server.gateway import Gateway
from watchglass_server.given_scripts import GivenScripts
from watchglass_server.http_api import HttpApi
from watchglass_server.http_connections import HttpConnections
from watchglass_server.http_guard import HttpGuard
from watchglass_server.isolating import isolating
from watchglass_server.isolation import Isolation
from watchglass_server.live_views import LiveViews
from watchglass_server.login_limits import LoginLimits
from watchglass_server.logins import Logins
from watchglass_server.manager import PyodideManager
from watchglass_server.mirroring import Mirroring
from watchglass_server.origins import Origins, shown_host
from watchglass_server.ownership import OnlyServer
from watchglass_server.packages import Packages
from watchglass_server.process_config import ProcessConfig
from watchglass_server.rooms import Rooms
from watchglass_server.script_watch import ScriptWatch
from watchglass_server.sessions import Audience, Sessions
from watchglass_server.shares import Shares
from watchglass_server.tokens import hashed, new_secret
from watchglass_server.web_files import read_files
from watchglass_sync.errors import SyncError
from watchglass_sync.journal import Journal
from watchglass_sync.restore import ValueRestorer

_log = logging.getLogger(__name__)

RUNTIME_FILE = "server.json"
OPENING_PAGE = "open.html"
_LEADING_ON = (
    '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
    '<meta http-equiv="refresh" content="0; url={0}"><a href="{0}">Watchglass</a>'
)
FIRST_PROCESS_S = 180.0
EXPIRED_SHARES_EVERY_S = 0.05
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
        mirroring = await self._build(journal, manager, assets, listening)
        await isolated.prove()
        self._on_isolation(isolated.isolation)
        try:
            await manager.wait(FIRST_PROCESS_S)
        except (ProcessStartError, PoolTimeout) as error:
            raise SetupError(
                f"No session process can be started: {error} Run `watchglass doctor`."
            ) from error
        await mirroring.has_looked()
        self._write_runtime_file()
        self._is_ready = True

    async def _build(
        self, journal: Journal, manager: PyodideManager, assets: Assets, listening: socket.socket
    ) -> Mirroring:
        """Put the parts together, innermost first."""
        config, clock, rooms = self.config, Clock(), Rooms()
        scripts = GivenScripts(config.watch)
        await scripts.open()
        origins = Origins(config.host, config.allow_origin, (socket.gethostname(),))
        packages = Packages(config)
        await packages.open()
        self._stack.push_async_callback(packages.close)
        shares = Shares(journal, clock)
        await shares.load()
        logins = Logins(hashed(self.token), shares, LoginLimits(clock.monotonic_s))
        gateway = Gateway(
            logins=logins,
            shares=shares,
            rooms=rooms,
            is_origin_allowed=origins.is_allowed,
            max_rate=config.max_rate,
        )
        mirroring = Mirroring.of(config, journal, gateway, lambda: sessions.is_stopping)
        bindings = Bindings(
            mirroring.bound_rows(config),
            find=lambda session: sessions.in_memory(session),
            ask=lambda live: views.ask(live),
        )
        views = LiveViews(rooms, bindings.is_followed)
        sessions = Sessions(
            config,
            journal=journal,
            manager=manager,
            clock=clock,
            restorer=ValueRestorer(),
            ownership=OnlyServer(),
            audience=Audience(
                mirroring.published(bindings.published(rooms.publish)),
                mirroring.ended(bindings.ended(gateway.drop_session)),
                gateway.restart_session,
                bindings.shown(views.take),
            ),
            prepare=scripts.prepare,
            packages=packages,
        )
        calls = Calls(
            config,
            sessions=sessions,
            shares=shares,
            logins=logins,
            rooms=rooms,
            journal=journal,
            manager=manager,
            drops=gateway,
            views=views,
            scripts=scripts,
            bindings=bindings,
        )
        api = HttpApi(
            logins=logins,
            files=read_files(assets.web_dir),
            sessions=sessions,
            journal=journal,
            manager=manager,
            gateway=gateway,
            clock=clock,
            mirroring=mirroring,
            is_ready=lambda: self._is_ready,
        )
        self.application = _application(api, HttpGuard(origins, logins, gateway.check_request))
        gateway.attach(self.application, calls)
        await mirroring.resume()
        await sessions.start()
        self._stack.push_async_callback(mirroring.stop)
        await mirroring.start()
        self._stack.push_async_callback(bindings.close)
        await self._stack.enter_async_context(HttpConnections(self.application, listening))
        # In this order: sessions end and say so, then everybody is sent away, then HTTP stops.
        self._stack.push_async_callback(gateway.close)
        self._stack.push_async_callback(sessions.stop)
        telling = asyncio.create_task(mirroring.tell(sessions, clock), name="mirror: telling")
        self._stack.push_async_callback(_cancelled, telling)
        if config.watch is not None:
            watch = ScriptWatch(scripts, sessions)
            sessions.on_restored = watch.catch_up
            task = asyncio.create_task(watch.run(), name="watched folder")
            self._stack.push_async_callback(_cancelled, task)
        ending = asyncio.create_task(_end_expired_shares(shares, gateway), name="expired shares")
        self._stack.push_async_callback(_cancelled, ending)
        return mirroring

    def _write_runtime_file(self) -> None:
        """Tell the commands on this machine where the server is; for its owner's eyes only."""
        about = {"url": self.url, "token": self.token, "pid": os.getpid()}
        self._write_private(RUNTIME_FILE, json.dumps(about))

    def opening_page(self) -> Path:
        """A file that leads a browser to the address: other users see what a browser is told."""
        return self._write_private(OPENING_PAGE, _LEADING_ON.format(html.escape(self.address)))

    def _write_private(self, name: str, text: str) -> Path:
        path = self.config.data_dir / name
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        self._stack.callback(_remove, path)
        return path.absolute()


def _manager(config: Config, assets: Assets, launcher: Launcher) -> PyodideManager:
    process = replace(
        ProcessConfig.from_assets(assets),
        launcher=launcher,
        memory_bytes=config.memory_limit,
        output_bytes=config.output_limit,
        variables=config.variables_limit,
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


def _application(api: HttpApi, guard: HttpGuard) -> web.Application:
    app = web.Application(middlewares=[guard.around], client_max_size=LARGEST_UPLOAD_BYTES)
    app.on_response_prepare.append(guard.add_headers)
    app.add_routes(api.routes())
    return app


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
        try:
            await shares.end_expired(gateway.drop_share)
        except SyncError as error:  # they are over all the same, and are so after a start too
            _log.warning("an expired share stays in the journal: %s", error)


async def _cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
