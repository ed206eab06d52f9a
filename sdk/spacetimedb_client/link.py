"""One WebSocket with its conversation: what is asked and answered until it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

from spacetimedb_client.bindings import Bindings
from spacetimedb_client.errors import ConnectionLost, ConnectTimeout, ProtocolError, TooManyInFlight
from spacetimedb_client.options import Options, query_of
from spacetimedb_client.protocol.conversation import Conversation
from spacetimedb_client.protocol.dialect import Dialect, Frame
from spacetimedb_client.protocol.messages import Connected, Event
from spacetimedb_client.protocol.v1 import V1
from spacetimedb_client.protocol.v1_json import V1Json
from spacetimedb_client.protocol.v2 import V2, V3
from spacetimedb_client.transport import open_socket
from spacetimedb_client.web import is_loopback

BINARY: Final[tuple[Dialect, ...]] = (V3(), V2(), V1())  # offered at once, best first
FRAMES_AHEAD: Final = 64  # read while an earlier one is applied: pings are answered meanwhile
MAX_UNSENT_BYTES: Final = 16 * 1024 * 1024


class Socket(Protocol):
    """What a link needs of a WebSocket."""

    async def send(self, frames: Sequence[Frame]) -> None: ...

    async def receive(self) -> Frame: ...

    async def close(self) -> None: ...


class Link:
    """One connection, from its first frame to its last."""

    def __init__(self, socket: Socket, talk: Conversation) -> None:
        self._socket = socket
        self.talk: Final = talk
        self._frames: asyncio.Queue[Frame | Exception] = asyncio.Queue(FRAMES_AHEAD)
        self._queue: deque[asyncio.Future[None]] = deque()
        self._due = asyncio.Event()
        self._sending = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._early: list[Event] = []  # what came in one frame with who we are
        self._lost: Exception | None = None
        self.unsent_bytes = 0

    @classmethod
    async def open(
        cls, options: Options, token: str | None, bindings: Bindings
    ) -> tuple[Link, Connected]:
        """Connects, and waits for the server to say who we are."""
        offered = BINARY if options.protocol == "auto" else (V1Json(bindings.schema),)
        dialects = {each.subprotocol: each for each in offered}
        socket = await open_socket(
            options.uri,
            options.database,
            token=token,
            subprotocols=list(dialects),
            query=query_of(options, is_loopback(options.uri)),
            timeout=options.timeout,
        )
        try:
            dialect = dialects.get(socket.subprotocol or "")
            if dialect is None:
                raise ProtocolError(f"the server chose {socket.subprotocol!r}, which was not asked")
            link = cls(socket, Conversation(dialect, max_in_flight=options.max_in_flight))
            async with asyncio.timeout(options.timeout):
                connected = await link.start()
            # A browser connects with a token that is good for a minute, and is told that one.
            return link, replace(connected, token=token or connected.token)
        except TimeoutError:
            await socket.close()
            raise ConnectTimeout(f"{options.uri} accepted us, and then said nothing") from None
        except BaseException:
            await socket.close()
            raise

    async def start(self) -> Connected:
        """Waits for the server to say who we are, and listens from then on."""
        connected, *self._early = self.talk.receive_data(await self._socket.receive())
        assert isinstance(connected, Connected)
        self._tasks = (asyncio.create_task(self._read()), asyncio.create_task(self._write()))
        return connected

    async def _read(self) -> None:
        """Takes frames as they come, whoever applies them is slower."""
        try:
            while True:
                await self._frames.put(await self._socket.receive())
        except ConnectionLost as problem:
            await self._frames.put(problem)

    async def _write(self) -> None:
        """Sends what was asked without waiting."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self._send()
            except ConnectionLost:
                return  # the reader hears of it, too

    async def flush(self) -> None:
        """Sends what is due; returns when the network has room for more, or another one sends."""
        if self._sending.locked():
            self._due.set()
        else:
            await self._send()

    async def _send(self) -> None:
        async with self._sending:
            frames = self.talk.data_to_send()
            self.unsent_bytes = 0
            await self._socket.send(frames)

    def flush_soon(self, size: int) -> None:
        """For those who cannot wait."""
        self.unsent_bytes += size
        self._due.set()

    def check_room(self, size: int) -> None:
        """Raises where more is sent than the network takes."""
        if self.unsent_bytes + size > MAX_UNSENT_BYTES:
            raise TooManyInFlight(
                f"{self.unsent_bytes} bytes wait for the network: await something, or send less"
            )

    async def next_events(self) -> list[Event]:
        """The events of the next frame; raises what ended the connection."""
        if self._early:
            early, self._early = self._early, []
            return early
        frame = await self._frames.get()
        if isinstance(frame, Exception):
            raise frame
        return self.talk.receive_data(frame)

    async def ask(self, question: Callable[[Conversation], int]) -> Any:
        """Asks as soon as there is room, and waits for the answer."""
        await self._room()
        if self._lost is not None:
            raise ConnectionLost(str(self._lost))
        request_id = question(self.talk)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        is_alone = not self._waiting
        self._waiting[request_id] = answer
        if is_alone:
            # Where sending fails, the reader hears of it, too, and tells all who wait.
            with contextlib.suppress(ConnectionLost):
                await self.flush()
        else:
            self._due.set()  # together with what others ask in this turn of the loop
        return await answer

    async def _room(self) -> None:
        """Until one more question may be asked; first come, first served."""
        while not self.talk.has_room and self._lost is None:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._give_turn()
                raise

    def _give_turn(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def answer(self, request_id: int, value: Any) -> None:
        """What somebody waits for has come; it may be an error."""
        self._give_turn()
        waiting = self._waiting.pop(request_id, None)
        if waiting is None or waiting.done():
            return  # nobody waits any more: the task was cancelled
        if isinstance(value, Exception):
            waiting.set_exception(value)
        else:
            waiting.set_result(value)

    def fail(self, problem: Exception) -> None:
        """Everyone who waits hears that the answer does not come."""
        self._lost = problem
        while self._queue:
            self._give_turn()
        words = f"{problem}; whether the server did what was asked is unknown"
        for request_id in list(self._waiting):
            self.answer(request_id, ConnectionLost(words, outcome_unknown=True))

    async def close(self, problem: Exception | None = None) -> None:
        self.fail(problem or ConnectionLost("the connection was closed"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._socket.close()
