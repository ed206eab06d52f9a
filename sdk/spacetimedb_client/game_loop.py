"""The client for a loop that draws frames: all of it happens inside of `frame_tick`.

conn = connect("http://127.0.0.1:3000", "arena")
while True:
    conn.frame_tick(max_ms=4)
    draw(conn.db.player)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from spacetimedb_client.calls import Calls
from spacetimedb_client.closing import Closing
from spacetimedb_client.connecting import connect as connect_with_asyncio
from spacetimedb_client.connection import Connection
from spacetimedb_client.loop_thread import check_waiting
from spacetimedb_client.tables import Tables

T = TypeVar("T")
QUIET_ROUNDS: Final = 3  # rounds of the loop without an event, after which nothing is due


class GameConnection(Closing):
    """Rows and callbacks change during `frame_tick`: between two ticks all stays as it is."""

    def __init__(self, uri: str, database: str, options: Any) -> None:
        check_waiting("frame_tick needs an event loop of its own")
        self._loop = asyncio.new_event_loop()
        try:
            opening = connect_with_asyncio(uri, database, **options)
            self.conn: Final[Connection] = self.wait(_awaited(opening))
        except BaseException:
            self._loop.close()
            raise

    @property
    def db(self) -> Tables:
        return self.conn.db

    @property
    def reducers(self) -> Calls:
        """`conn.reducers.move.nowait(…)`, or `conn.start(conn.reducers.move(…))`."""
        return self.conn.reducers

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs until this is done: for the start of a game, not for its frames."""
        return self._loop.run_until_complete(work)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Goes on with each tick; ask the task whether it is done."""
        return self._loop.create_task(work)

    def frame_tick(self, max_ms: float = 4.0) -> int:
        """Handles what has come, for at most about this long; returns how many frames came."""
        deadline = time.perf_counter() + max_ms / 1000
        before = seen = self.conn.frames_handled
        quiet = 0
        while quiet < QUIET_ROUNDS and time.perf_counter() < deadline:
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()
            now = self.conn.frames_handled
            quiet = 0 if now != seen else quiet + 1
            seen = now
        return seen - before

    def close(self) -> None:
        if not self._loop.is_closed():
            self.wait(self.conn.close())
            self.wait(self._loop.shutdown_asyncgens())
            self._loop.close()


async def _awaited(opening: Any) -> Connection:
    conn: Connection = await opening
    return conn


def connect(uri: str, database: str, **options: Any) -> GameConnection:
    """As `spacetimedb_client.connect`; returns when the server has said who we are."""
    return GameConnection(uri, database, options)
