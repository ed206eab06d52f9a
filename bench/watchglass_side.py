"""Bench ⇄ Watchglass: a `watchglass serve` and Socket.IO over WebSocket."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import socketio

from bench.contender import BenchFailed
from bench.processes import children_of, ended

Json = dict[str, Any]
TAIL = 1000


async def call(socket: socketio.AsyncClient, name: str, **fields: object) -> Json:
    answer: Any = await socket.call(name, fields)
    if not answer["ok"]:
        raise BenchFailed(f"{name}: {answer['error']}")
    return dict(answer)


class WatchglassSession:
    def __init__(self, socket: socketio.AsyncClient, session: str) -> None:
        self._socket = socket
        self.session = session
        self._ends: dict[str, asyncio.Future[str]] = {}
        self._count = 0

    async def call(self, name: str, **fields: object) -> Json:
        return await call(self._socket, name, session=self.session, **fields)

    def receive(self, event: Json) -> None:
        if event["type"] == "execution.finished":
            self._ends[event["data"]["execution"]].set_result(event["data"]["status"])

    async def _run(self, code: str) -> str:
        self._count += 1
        execution = f"b{self._count}"
        end = self._ends[execution] = asyncio.get_running_loop().create_future()
        await self._socket.emit(
            "execute", {"session": self.session, "code": code, "execution": execution}
        )
        if (status := await end) != "ok":
            raise BenchFailed(f"{code!r} ended as {status}")
        return execution

    async def execute(self, code: str) -> None:
        await self._run(code)

    async def flood(self, code: str) -> str:
        """A client shows the head that came as events and reads the end when it is asked for."""
        execution = await self._run(code)
        total = (await self.call("output.read", execution=execution, offset=0, limit=1))["total"]
        tail = await self.call(
            "output.read", execution=execution, offset=max(0, total - TAIL), limit=TAIL
        )
        return str("".join(c["text"] for c in tail["chunks"]).splitlines()[-1])

    async def close(self) -> None:
        await self.call("session.destroy")


class Watchglass:
    def __init__(self, name: str, server_pid: int, socket: socketio.AsyncClient) -> None:
        self.name = name
        self.server_pid = server_pid
        self._socket = socket
        self._sessions: dict[str, WatchglassSession] = {}
        socket.on("event", self._receive)

    def _receive(self, event: Json) -> None:
        if session := self._sessions.get(event["session"]):
            session.receive(event)

    async def open(self) -> WatchglassSession:
        answer = await call(self._socket, "session.create")
        session = WatchglassSession(self._socket, answer["session"])
        self._sessions[session.session] = session
        await session.execute("x = 1")
        return session

    def session_pids(self) -> list[int]:
        return children_of(self.server_pid)


@asynccontextmanager
async def watchglass(name: str, folder: Path, *options: str) -> AsyncIterator[Watchglass]:
    program = str(Path(sys.executable).with_name("watchglass"))
    data = ("--port", "0", "--data-dir", str(folder / "data"))
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program, "serve", *data, *options, stdout=asyncio.subprocess.PIPE, stderr=log
        )
    try:
        assert process.stdout is not None
        ready = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        url, _, token = ready.rpartition(" ")[2].strip().partition("/#token=")
        socket = socketio.AsyncClient()
        await socket.connect(url, auth={"token": token}, transports=["websocket"])
        try:
            yield Watchglass(name, process.pid, socket)
        finally:
            await socket.disconnect()
    finally:
        await ended(process)
