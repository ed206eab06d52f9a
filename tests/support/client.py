"""A person's connection: calls that raise, and each session's events in their order."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import socketio

Json = dict[str, Any]
TIMEOUT_S = 30.0


class CallFailed(Exception):
    """The server answered `ok: false`."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error['code']}: {error['message']} {error.get('hint', '')}")
        self.code: str = error["code"]
        self.error = error


@dataclass
class Ran:
    """One execution, put together from its events."""

    execution: str
    status: str = "running"
    stdout: str = ""
    stderr: str = ""
    result: str | None = None
    error: Json | None = None
    displays: list[Json] = field(default_factory=list)
    dropped_bytes: int = 0

    def apply(self, event: Json) -> None:
        data = event["data"]
        if data.get("execution") != self.execution:
            return
        match event["type"]:
            case "stream" if data["name"] == "stdout":
                self.stdout += data["text"]
            case "stream":
                self.stderr += data["text"]
            case "stream.truncated":
                self.dropped_bytes = data["dropped_bytes"]
            case "execute_result":
                self.result = data["bundle"]["text/plain"]
            case "display_data":
                self.displays.append(data["bundle"])
            case "error":
                self.error = data
            case "execution.finished":
                self.status = data["status"]


class SessionLog:
    """What one client knows of a session; a hole or a changed event is an error at once."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.seq = 0
        self.events: dict[int, Json] = {}
        self.variables: dict[str, Json] = {}
        self.state: Json | None = None
        self.gaps = 0
        self._grown = asyncio.Event()

    def receive(self, event: Json) -> None:
        seq = event["seq"]
        known = self.events.setdefault(seq, event)
        assert known == event, f"event {seq} changed: {known} became {event}"
        if seq > self.seq + 1:
            self.gaps += 1  # a reader that is behind: join again with `since`
            return
        self._advance()

    def start_from(self, state: Json) -> None:
        self.state = state
        self.variables = {v["name"]: v for v in state["variables"]}
        self.seq = max(self.seq, state["seq"])
        self._advance()

    def _advance(self) -> None:
        while event := self.events.get(self.seq + 1):
            self.seq += 1
            self._apply(event["type"], event["data"])
        self._grown.set()
        self._grown = asyncio.Event()

    def _apply(self, kind: str, data: Json) -> None:
        if kind == "state.reset":
            self.variables = {v["name"]: v for v in data["variables"]}
        elif kind == "variables.changed":
            for change in data["changes"]:
                if change["op"] == "set":
                    self.variables[change["name"]] = change["variable"]
                else:
                    self.variables.pop(change["name"], None)

    async def until(self, met: Callable[[], bool], what: str, timeout: float = TIMEOUT_S) -> None:
        try:
            async with asyncio.timeout(timeout):
                while not met():
                    await self._grown.wait()
        except TimeoutError:
            latest = [self.events[seq] for seq in sorted(self.events)[-5:]]
            raise AssertionError(f"waited {timeout} s for {what}; last events: {latest}") from None

    async def event(
        self, kind: str, *, after: int = 0, timeout: float = TIMEOUT_S, **data: object
    ) -> Json:
        """The first event of this type after a `seq` whose data has these fields."""

        def found() -> Json | None:
            for seq in range(after + 1, self.seq + 1):
                event = self.events.get(seq)
                if event and event["type"] == kind and data.items() <= event["data"].items():
                    return event
            return None

        await self.until(lambda: found() is not None, f"{kind} {data or ''}", timeout)
        event = found()
        assert event is not None
        return event

    def ran(self, execution: str) -> Ran:
        ran = Ran(execution)
        for seq in sorted(self.events):
            if seq <= self.seq:
                ran.apply(self.events[seq])
        return ran


class Client:
    """An `async with` connection to a server."""

    def __init__(self, url: str, token: str, *, name: str = "Ada", live_s: float = 0) -> None:
        """`live_s`: how long it takes to look at one live picture."""
        self.live_s = live_s
        self.url, self.token, self.name = url, token, name
        self.logs: dict[str, SessionLog] = {}
        self.live: list[Json] = []
        self._socket = self._new_socket()

    def _new_socket(self) -> socketio.AsyncClient:
        socket = socketio.AsyncClient(reconnection=False)
        socket.on("event", self._receive)
        socket.on("live", self._look)
        return socket

    def _receive(self, event: Json) -> None:
        self.log(event["session"]).receive(event)

    async def _look(self, picture: Json) -> None:
        self.live.append(picture)
        await asyncio.sleep(self.live_s)

    def log(self, session: str) -> SessionLog:
        return self.logs.setdefault(session, SessionLog(session))

    @property
    def connected(self) -> bool:
        return bool(self._socket.connected)

    async def connect(self, *, transports: tuple[str, ...] = ("websocket",)) -> None:
        await self._socket.connect(
            self.url, auth={"token": self.token}, transports=list(transports), wait_timeout=10
        )

    async def reconnect(self, url: str | None = None) -> None:
        """A new connection that catches up with every session it had joined."""
        await self.close()
        self.url = url or self.url
        self._socket = self._new_socket()
        await self.connect()
        for session in list(self.logs):
            await self.join(session)

    async def call(self, event: str, /, **fields: object) -> Json:
        answer = await self._socket.call(event, fields, timeout=round(TIMEOUT_S))
        assert isinstance(answer, dict), f"{event} acknowledged with {answer!r}"
        if answer["ok"]:
            return answer
        raise CallFailed(answer["error"])

    async def create(self, **fields: object) -> str:
        answer = await self.call("session.create", **fields)
        session = str(answer["session"])
        self.log(session).start_from(answer["state"])
        return session

    async def join(self, session: str, **fields: object) -> Json:
        """By `since` where this client has been here before; all pages of it."""
        log = self.log(session)
        while True:
            since = {"since": log.seq} if log.seq else {}
            answer = await self.call(
                "session.join", session=session, name=self.name, **since, **fields
            )
            if "state" in answer:
                log.start_from(answer["state"])
            for event in answer.get("events", ()):
                log.receive(event)
            if not answer.get("more"):
                return answer

    async def submit(self, session: str, code: str, execution: str | None = None) -> str:
        named = execution or f"e{uuid.uuid4().hex[:12]}"
        answer = await self.call("execute", session=session, code=code, execution=named)
        return str(answer["execution"])

    async def execute(self, session: str, code: str, *, timeout: float = TIMEOUT_S) -> Ran:
        """Run and wait for the end; what happened, whatever it was."""
        log = self.log(session)
        execution = await self.submit(session, code)
        await log.event("execution.finished", execution=execution, timeout=timeout)
        return log.ran(execution)

    async def run(self, session: str, code: str, *, timeout: float = TIMEOUT_S) -> Ran:
        """`execute`, for code that has to succeed."""
        ran = await self.execute(session, code, timeout=timeout)
        assert ran.status == "ok", f"{code!r} ended as {ran.status}: {ran.error}"
        return ran

    async def value(self, session: str, name: str) -> Any:
        answer = await self.call("variable.get", session=session, path=[name])
        return answer["variable"]["value"]

    async def close(self) -> None:
        await self._socket.disconnect()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
