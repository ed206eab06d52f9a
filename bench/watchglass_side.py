"""Bench ⇄ Watchglass: a `watchglass serve` and Socket.IO over WebSocket."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import socketio

from bench.contender import SETTLED_S, BenchFailed, Flood
from bench.processes import children_of, ended

Json = dict[str, Any]
PAGE = 1_000_000


@dataclass
class Execution:
    """What the events have told of one execution, and when."""

    began: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    status: str = ""
    text: str = ""
    text_at: float = 0.0
    changed_at: float = 0.0

    def receive(self, kind: str, data: Json) -> None:
        match kind:
            case "execution.started":
                self.began.set()
            case "stream":
                self._print(data["text"])
            case "stream.truncated":
                self._print("".join(part["text"] for part in data["tail"]))
            case "execution.finished":
                self.status = data["status"]
                self.ended.set()
            case _:
                pass

    def receive_change(self) -> None:
        self.changed_at = time.perf_counter()
        self.changed.set()

    def _print(self, text: str) -> None:
        self.text, self.text_at = text, time.perf_counter()


async def call(socket: socketio.AsyncClient, name: str, **fields: object) -> Json:
    answer: Any = await socket.call(name, fields)
    if not answer["ok"]:
        raise BenchFailed(f"{name}: {answer['error']}")
    return dict(answer)


class WatchglassSession:
    """One client's end of a session."""

    def __init__(self, socket: socketio.AsyncClient, session: str) -> None:
        self._socket = socket
        self.session = session
        self.changes = 0
        """Of variables, as the events tell them."""
        self._executions: dict[str, Execution] = {}
        self._count = 0

    async def call(self, name: str, **fields: object) -> Json:
        return await call(self._socket, name, session=self.session, **fields)

    def receive(self, event: Json) -> None:
        data = event["data"]
        if event["type"] == "variables.changed":
            self.changes += len(data["changes"])
            for name in {change["execution"] for change in data["changes"]}:
                self.execution(name).receive_change()
        elif "execution" in data:
            self.execution(data["execution"]).receive(event["type"], data)

    def execution(self, name: str) -> Execution:
        return self._executions.setdefault(name, Execution())

    async def submit(self, code: str) -> str:
        """Send code, and the name that its events will have."""
        self._count += 1
        name = f"b{self._count}"
        fields = {"session": self.session, "code": code, "execution": name}
        await self._socket.emit("execute", fields)
        return name

    async def _ended(self, name: str, code: str, status: str = "ok") -> Execution:
        execution = self.execution(name)
        await execution.ended.wait()
        if execution.status != status:
            raise BenchFailed(f"{code!r} ended as {execution.status}, not as {status}")
        return execution

    async def execute(self, code: str) -> None:
        await self._ended(await self.submit(code), code)

    async def printed(self, code: str) -> str:
        """What a program prints."""
        name = await self.submit(code)
        return (await self._ended(name, code)).text

    async def flood(self, code: str) -> Flood:
        began = time.perf_counter()
        name = await self.submit(code)
        execution = await self._ended(name, code)
        text = await self._read(name)
        read_s = time.perf_counter() - began
        if not text.endswith(execution.text):
            raise BenchFailed(f"the tail of {code!r} is not the end of its text")
        return Flood(execution.text_at - began, read_s, text)

    async def _read(self, name: str) -> str:
        """The whole text, page by page."""
        texts: list[str] = []
        offset, total = 0, 1
        while offset < total:
            page = await self.call("output.read", execution=name, offset=offset, limit=PAGE)
            text = "".join(chunk["text"] for chunk in page["chunks"])
            offset, total = offset + len(text), page["total"]
            texts.append(text)
        return "".join(texts)

    async def interrupt(self, code: str) -> float:
        name = await self.submit(code)
        await self.execution(name).began.wait()
        await asyncio.sleep(SETTLED_S)
        asked = time.perf_counter()
        await self._socket.emit("interrupt", {"session": self.session})
        await self._ended(name, code, "interrupted")
        return time.perf_counter() - asked

    async def close(self) -> None:
        await self.call("session.destroy")


class Watchglass:
    """One connection to a server, and the sessions that it holds."""

    def __init__(
        self, name: str, server_pid: int, url: str, token: str, *, live_s: float = 0.0
    ) -> None:
        """`live_s`: how long it takes to look at one live picture."""
        self.name = name
        self.live: list[Json] = []
        self.variables: dict[str, Any] = {}
        self.on_changes: Callable[[Sequence[Json]], None] = lambda changes: None
        self._live_s = live_s
        self.server_pid = server_pid
        self._url, self._token = url, token
        self._socket = socketio.AsyncClient()
        self._sessions: dict[str, WatchglassSession] = {}
        self._socket.on("event", self._receive)
        self._socket.on("live", self._look)

    async def _look(self, picture: Json) -> None:
        self.live.append(picture)
        self._know(picture["changes"])
        await asyncio.sleep(self._live_s)  # it is acknowledged after that

    def _know(self, changes: Sequence[Json]) -> None:
        self.on_changes(changes)
        for change in changes:
            if change["variable"] is not None:
                self.variables[change["name"]] = change["variable"]["value"]

    def _receive(self, event: Json) -> None:
        if event["type"] == "variables.changed":
            self._know(event["data"]["changes"])
        if session := self._sessions.get(event["session"]):
            session.receive(event)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Watchglass]:
        auth = {"token": self._token}
        await self._socket.connect(self._url, auth=auth, transports=["websocket"])
        try:
            yield self
        finally:
            await self._socket.disconnect()

    def another(self, *, live_s: float = 0.0) -> Watchglass:
        """A second client of the same server, not connected yet."""
        return Watchglass(self.name, self.server_pid, self._url, self._token, live_s=live_s)

    async def open(self) -> WatchglassSession:
        answer = await call(self._socket, "session.create")
        session = self._held(answer["session"])
        await session.execute("x = 1")
        return session

    async def join(self, session: str) -> WatchglassSession:
        await call(self._socket, "session.join", session=session)
        return self._held(session)

    def _held(self, session: str) -> WatchglassSession:
        self._sessions[session] = WatchglassSession(self._socket, session)
        return self._sessions[session]

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
        async with Watchglass(name, process.pid, url, token).connected() as connected:
            yield connected
    finally:
        await ended(process)
