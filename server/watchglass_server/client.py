"""Terminal ⇄ server: the calls and events of docs/protocol.md, as a person's connection."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import socketio
from socketio import exceptions

from watchglass_server.errors import WatchglassError

MESSAGE_BYTES = 64 * 2**20
CALL_TIMEOUT_S = 60
CONNECT_TIMEOUT_S = 10

JsonObject = dict[str, Any]
OnEvent = Callable[[JsonObject], None]


class ClientError(WatchglassError):
    """A call could not be made, or was refused; the message says what to do."""


class CallRefused(ClientError):
    """The server answered `ok: false`."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.code = str(error.get("code", "internal"))
        self.hint = str(error.get("hint") or "")
        super().__init__(f"{error.get('message', self.code)} {self.hint}".strip())


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is, and the token that opens it."""

    url: str
    token: str = field(repr=False)


class SessionFeed:
    """One session's events in order, each once; `missing` says that some have to be asked for."""

    def __init__(self, session: str, join: JsonObject, on_event: OnEvent) -> None:
        self.session = session
        self.join = join
        self.seq: int | None = None
        self._on_event = on_event
        self._waiting: dict[int, JsonObject] = {}

    @property
    def missing(self) -> bool:
        """True when later events are here and earlier ones are not."""
        return bool(self._waiting)

    def start(self, seq: int) -> None:
        """Begin after this event: a picture of everything up to it was taken."""
        self.seq = seq
        self._drain(seq)

    def receive(self, event: JsonObject) -> None:
        """Take an event, whether it is the next, an old one, or too early."""
        self._waiting[event["seq"]] = event
        if self.seq is not None:
            self._drain(self.seq)

    def _drain(self, seq: int) -> None:
        self._waiting = {number: one for number, one in self._waiting.items() if number > seq}
        while (event := self._waiting.pop(seq + 1, None)) is not None:
            self.seq = seq = seq + 1
            self._on_event(event)


class Client:
    """One connection. It comes back by itself, and then asks for what it missed."""

    def __init__(self, address: ServerAddress, *, on_connection: OnEvent | None = None) -> None:
        self._address = address
        self._on_connection = on_connection or (lambda _state: None)
        self._feeds: dict[str, SessionFeed] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket = socketio.AsyncClient(
            handle_sigint=False,
            request_timeout=CONNECT_TIMEOUT_S,
            websocket_extra_options={"max_msg_size": MESSAGE_BYTES},
        )
        self._refusal = ""
        self._socket.on("connect", self._connected)
        self._socket.on("connect_error", self._refused)
        self._socket.on("disconnect", self._disconnected)
        self._socket.on("event", self._received)

    async def __aenter__(self) -> Self:
        address = self._address
        try:
            await self._socket.connect(
                address.url,
                auth={"token": address.token},
                transports=["websocket"],
                wait_timeout=CONNECT_TIMEOUT_S,
            )
        except exceptions.ConnectionError as exc:
            await self._socket.disconnect()
            raise _connect_error(address.url, self._refusal or str(exc)) from exc
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._socket.disconnect()

    async def call(self, event: str, *, timeout: int = CALL_TIMEOUT_S, **fields: Any) -> JsonObject:
        """Make a call; return what it was acknowledged with. Raises ClientError."""
        sent = {name: value for name, value in fields.items() if value is not None}
        try:
            answer = await self._socket.call(event, sent, timeout=timeout)
        except exceptions.TimeoutError as exc:
            raise ClientError(f"{event}: no answer within {timeout} s; try again") from exc
        except exceptions.SocketIOError as exc:
            raise ClientError(f"{event}: the connection is gone ({exc}); try again") from exc
        if not isinstance(answer, dict):
            raise ClientError(f"{event}: the server answered {answer!r}; is it a Watchglass?")
        if not answer.get("ok"):
            raise CallRefused(answer.get("error") or {})
        return answer

    async def join(
        self, session: str, on_event: OnEvent, *, name: str | None = None, token: str | None = None
    ) -> JsonObject:
        """Join a session; `on_event` gets each event after the `state` that is returned."""
        fields: JsonObject = {"name": name, "token": token}
        feed = self._feeds[session] = SessionFeed(session, fields, on_event)
        try:
            answer = await self.call("session.join", session=session, **fields)
        except ClientError:
            del self._feeds[session]
            raise
        feed.start(answer["seq"])
        return answer

    async def _refused(self, error: object) -> None:
        self._refusal = str(error.get("message") if isinstance(error, dict) else error)

    async def _connected(self) -> None:
        self._on_connection({"state": "connected"})
        for feed in self._feeds.values():
            self._catch_up(feed)

    async def _disconnected(self, reason: str | None = None) -> None:
        self._on_connection({"state": "disconnected", "reason": reason})

    async def _received(self, event: JsonObject) -> None:
        feed = self._feeds.get(event.get("session", ""))
        if feed is not None:
            feed.receive(event)
            if feed.missing and feed.seq is not None:
                self._catch_up(feed)

    def _catch_up(self, feed: SessionFeed) -> None:
        task = asyncio.ensure_future(self._ask_missing(feed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask_missing(self, feed: SessionFeed) -> None:
        more = feed.seq is not None
        while more:
            try:
                answer = await self.call(
                    "session.join", session=feed.session, since=feed.seq, **feed.join
                )
            except ClientError as exc:
                self._on_connection({"state": "lost", "reason": str(exc)})
                return
            for event in answer.get("events", ()):
                feed.receive(event)
            if "state" in answer:  # too far back: what was missed is in the picture only
                self._on_connection({"state": "gap", "reason": None})
                feed.start(answer["seq"])
            more = bool(answer.get("more"))


def _connect_error(url: str, reason: str) -> ClientError:
    if "rate_limited" in reason:
        return ClientError(
            f"the server at {url} lets nobody at this address in for now: too many wrong tokens "
            "came from here; try again in a minute"
        )
    if "unauthorized" in reason:
        return ClientError(
            f"the server at {url} refused the token; give the one that `watchglass serve` printed "
            "with --token or WATCHGLASS_TOKEN"
        )
    return ClientError(
        f"there is no Watchglass at {url} ({reason}); start one with `watchglass serve`, or name "
        "another with --url"
    )


async def request(
    address: ServerAddress, path: str, *, body: bytes | None = None, timeout: float = 300.0
) -> bytes:
    """One HTTP request with the token: GET, or POST when there is a body."""
    return await asyncio.to_thread(_request, address, path, body, timeout)


def _request(address: ServerAddress, path: str, body: bytes | None, timeout: float) -> bytes:
    headers = {"Authorization": f"Bearer {address.token}"} if address.token else {}
    if body is not None:
        headers["Content-Type"] = "application/octet-stream"
    asked = urllib.request.Request(address.url + path, data=body, headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=timeout) as answer:
            data: bytes = answer.read()
            return data
    except urllib.error.HTTPError as exc:
        with exc:
            raise _refusal(exc) from exc
    except (urllib.error.URLError, TimeoutError, ConnectionError) as exc:
        raise _connect_error(address.url, str(exc)) from exc


def _refusal(exc: urllib.error.HTTPError) -> ClientError:
    try:
        error = json.loads(exc.read())["error"]
        return CallRefused(error if isinstance(error, dict) else {"message": str(error)})
    except (ValueError, KeyError, TypeError):
        return ClientError(f"the server answered {exc.code} {exc.reason}; see its log")
