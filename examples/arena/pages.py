"""Page ⇄ demonstration: the files of web/, and a WebSocket with the rows."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

from aiohttp import WSMsgType, web

from examples.arena.calls import CallRefused
from examples.arena.players import Player
from examples.arena.rows import Rows, Viewer
from spacetimedb_bsatn import SpacetimeDBError

WEB = Path(__file__).parent / "web"
MOST_PER_SECOND = 30
LONGEST_MESSAGE = 256 * 1024
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}


class Pages:
    """Whoever has the address, with the token in it, sees the arena and changes scripts."""

    def __init__(self, rows: Rows, greeting: dict[str, Any], players: Mapping[str, Player]) -> None:
        self._rows = rows
        self._greeting = greeting
        self._players = players
        self._token = secrets.token_urlsafe(16)
        self._origin = ""
        self._once = ""

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        """On a free port of this machine."""
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/rows", self._talk)
        app.router.add_get("/open/{once}", self._open)
        app.router.add_get("/{name}", self._file)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self._origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield
        finally:
            await runner.cleanup()

    @property
    def address(self) -> str:
        """With the token, in the part that no server is sent."""
        return f"{self._origin}/#{self._token}"

    def opening(self) -> str:
        """An address that leads to the page once: others see what a browser is called with."""
        self._once = secrets.token_urlsafe(16)
        return f"{self._origin}/open/{self._once}"

    async def _open(self, request: web.Request) -> NoReturn:
        if not self._once or not is_same(request.match_info["once"], self._once):
            raise web.HTTPNotFound
        self._once = ""
        raise web.HTTPFound(f"/#{self._token}")

    async def _page(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(WEB / "index.html", headers=HEADERS)

    async def _file(self, request: web.Request) -> web.FileResponse:
        name = request.match_info["name"]
        if name not in {path.name for path in WEB.iterdir()}:
            raise web.HTTPNotFound
        return web.FileResponse(WEB / name, headers=HEADERS)

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        # Any page of the browser may open a WebSocket to us: only ours has origin and token.
        is_ours = request.headers.get("Origin") == self._origin
        if not is_ours or not is_same(request.query.get("token", ""), self._token):
            raise web.HTTPForbidden
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=LONGEST_MESSAGE)
        await socket.prepare(request)
        await socket.send_json({"greeting": self._greeting})
        viewer = self._rows.join()
        sending = asyncio.create_task(send(socket, viewer))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._do(socket, message.data)
        finally:
            sending.cancel()
            self._rows.leave(viewer)
        return socket

    async def _do(self, socket: web.WebSocketResponse, text: str) -> None:
        try:
            asked = json.loads(text)
            match asked:
                case {"unit": str(unit), "code": str(code), "key": str(key)} if (
                    unit in self._players
                ):
                    await self._players[unit].execute(code, key)
                case {"unit": str(unit), "restart": True} if unit in self._players:
                    await self._players[unit].restart()
                case _:
                    raise ValueError(f"not understood: {text[:200]}")
        except (CallRefused, SpacetimeDBError, ValueError) as problem:
            await socket.send_json({"problem": str(problem)})


def is_same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())


async def send(socket: web.WebSocketResponse, viewer: Viewer) -> None:
    """What has changed, not more often than can be seen."""
    while True:
        await socket.send_json({"rows": await viewer.take()})
        await asyncio.sleep(1 / MOST_PER_SECOND)
