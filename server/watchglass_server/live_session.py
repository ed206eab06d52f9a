"""One living session: performs what session.py asks for; nothing is sent before it is stored."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from watchglass_server import session_inputs as i
from watchglass_server.clock import Clock
from watchglass_server.host_messages import Live
from watchglass_server.manager import PyodideManager
from watchglass_server.packages import Packages
from watchglass_server.pictures import Usage
from watchglass_server.process import PyodideProcess
from watchglass_server.rates import TokenBucket
from watchglass_server.refusals import Refused, joined_too_often
from watchglass_server.session import apply
from watchglass_server.session_limits import shown_limits
from watchglass_server.session_process_link import ProcessLink
from watchglass_server.session_state import Session, SessionLimits
from watchglass_server.session_usage import usage_picture
from watchglass_sync.errors import SyncError
from watchglass_sync.journal import Journal
from watchglass_sync.records import (
    RESUMED_FROM,
    EventRecord,
    Record,
    SessionRecord,
    StateRecord,
)
from watchglass_sync.restore import Restorer

_log = logging.getLogger(__name__)

SNAPSHOT_EVERY = 500
# By one share: all of a large class at once, and then no more than people who come and go.
JOINS_AT_ONCE = 200
JOINS_PER_S = 2.0

Envelope = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionParts:
    """What a living session works with."""

    journal: Journal
    manager: PyodideManager
    lend: Callable[[SessionLimits], Awaitable[PyodideProcess]]
    clock: Clock
    restorer: Restorer
    publish: Callable[[str, Sequence[Envelope]], None]
    failed: Callable[[LiveSession], None]
    shown: Callable[[LiveSession, Live], None]
    restored: Callable[[LiveSession], Awaitable[None]]
    packages: Packages


class LiveSession:
    """A session in memory, with or without a process."""

    def __init__(self, state: Session, parts: SessionParts) -> None:
        self.state = state
        self.parts = parts
        self.link = ProcessLink(self)
        self.committed_seq = state.fold.seq
        self.idle_since = parts.clock.monotonic_s()
        self.opened_at = self.idle_since
        # Held while an execution is looked up, so that one client's calls keep their order.
        self.executing = asyncio.Lock()
        self.failure: BaseException | None = None
        # Numbers of what is set or deleted from outside.
        self.edits = itertools.count(1)
        self._joins: dict[str | None, TokenBucket] = {}
        self._pending: deque[tuple[asyncio.Future[None], list[Envelope]]] = deque()
        self._last_commit: asyncio.Future[None] | None = None
        self._snapshot_seq = state.fold.seq
        self._waiters: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def session(self) -> str:
        """Its id."""
        return self.state.fold.session

    def keep_join_pace(self, share: str | None) -> None:
        """Refuse a join that comes too soon after others by this share: each is kept for good."""
        clock = self.parts.clock.monotonic_s()
        bucket = self._joins.get(share)
        if bucket is None:
            bucket = self._joins[share] = TokenBucket(JOINS_PER_S, clock, JOINS_AT_ONCE)
        wait_s = bucket.take(clock)
        if wait_s:
            raise joined_too_often(wait_s)

    @property
    def journal(self) -> Journal:
        """Where it is stored."""
        return self.parts.journal

    @property
    def manager(self) -> PyodideManager:
        """Where processes go back to."""
        return self.parts.manager

    async def lend(self, limits: SessionLimits) -> PyodideProcess:
        """A process, for which another session may have to go to sleep."""
        return await self.parts.lend(limits)

    @property
    def restorer(self) -> Restorer:
        """How a namespace is brought back."""
        return self.parts.restorer

    @property
    def packages(self) -> Packages:
        """Where packages come from."""
        return self.parts.packages

    @property
    def is_failed(self) -> bool:
        """True when nothing can be stored any more."""
        return self.failure is not None

    # --- what happens to it

    def apply(self, *happened: i.Input) -> None:
        """Take in what happened and do what follows. Raises Refused, having changed nothing."""
        self._must_work()
        moment = self.parts.clock.now()
        actions: list[i.Action] = []
        try:
            for one in happened:
                self.state, asked = apply(self.state, one, moment)
                actions += asked
        finally:
            self._perform(actions)

    def measure(self) -> int | None:
        """Take note of what its process has used up to now; return the memory of all of it."""
        process = self.link.process
        stats = process.stats() if process is not None else None
        if stats is None:
            return None
        self.apply(i.Usage(self.state.generation, stats.cpu_s, stats.rss_bytes))
        return stats.rss_bytes

    def usage(self) -> Usage:
        """How much of its limits it uses."""
        process_bytes = self.measure()
        return usage_picture(self.state, self.parts.clock.monotonic_s(), process_bytes)

    def shown(self, picture: Live) -> None:
        """Its process shows something that is not recorded."""
        self.parts.shown(self, picture)

    def look(self, wanted: dict[str, Any] | None) -> None:
        """Have its process show more than it records; None: nothing more."""
        self.link.look(wanted)

    async def durable(self) -> None:
        """Wait until everything up to now is stored."""
        if self._last_commit is not None:
            with contextlib.suppress(SyncError):  # told below, in words for the caller
                await asyncio.shield(self._last_commit)
        self._must_work()

    async def until(self, holds: Callable[[Session], bool], timeout: float) -> bool:
        """Wait until something holds of the session; False when it does not in time."""
        deadline = asyncio.get_running_loop().time() + timeout
        while not holds(self.state):
            self._must_work()
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.add(changed)
            try:
                await asyncio.wait({changed}, timeout=left)
            finally:
                self._waiters.discard(changed)
        return True

    async def restored(self) -> None:
        """It has its variables again, in a process that just started."""
        await self.parts.restored(self)

    def own(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run something beside, as long as the session lives."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self.session}: {name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def close(self) -> None:
        """End what runs beside, then wait until everything is stored."""
        await self.link.end()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._last_commit is not None:
            await asyncio.gather(self._last_commit, return_exceptions=True)

    def snapshot(self) -> None:
        """Store what the events add up to, so that the next start reads fewer of them."""
        if self._snapshot_seq == self.state.fold.seq:
            return
        self._snapshot_seq = self.state.fold.seq
        record = StateRecord(self._snapshot_seq, msgspec.to_builtins(self.state.fold))
        self._append([record], [])

    def row(self) -> dict[str, Any]:
        """The session's row in the list of sessions."""
        fold = self.state.fold
        limits = shown_limits(self.state.limits)
        clock = self.parts.clock
        hour = self.state.cpu.hour.shifted(clock.epoch_s() - clock.monotonic_s())
        row = {
            "name": fold.name,
            "status": fold.process.state,
            "created_at": fold.created_at,
            "last_active_at": fold.last_active_at,
            "executions": fold.execution_count,
            "limits": msgspec.to_builtins(limits),
            "cpu_minutes": [list(minute) for minute in hour.minutes],
        }
        return row if fold.resumed_from is None else {**row, RESUMED_FROM: fold.resumed_from}

    def begin(self) -> None:
        """Store the row of a session that is new."""
        self._append([SessionRecord(self.row())], [])

    # --- what it does

    def _perform(self, actions: Sequence[i.Action]) -> None:
        if not actions:
            return
        records: list[Record] = []
        events: list[Envelope] = []
        effects: list[i.Action] = []
        for action in actions:
            match action:
                case i.Record(event=event):
                    data = msgspec.to_builtins(event.data)
                    records.append(EventRecord(event.seq, event.time, event.type, data))
                    events.append(self._envelope(event.seq, event.time, event.type, data))
                case i.Store(record=record):
                    records.append(record)
                case i.StoreSession():
                    records.append(SessionRecord(self.row()))
                case _:
                    effects.append(action)
        if records:
            self._append(records, events)
        if self.state.fold.seq - self._snapshot_seq >= SNAPSHOT_EVERY:
            self.snapshot()
        for effect in effects:
            self.link.perform(effect)
        self._wake_waiters()

    def _envelope(self, seq: int, time: str, type: str, data: Any) -> Envelope:
        return {"session": self.session, "seq": seq, "time": time, "type": type, "data": data}

    def _append(self, records: Sequence[Record], events: list[Envelope]) -> None:
        try:
            future = self.parts.journal.append(self.session, records)
        except SyncError as error:
            self._fail(error)
            return
        self._last_commit = future
        self._pending.append((future, events))
        future.add_done_callback(self._committed)

    def _committed(self, _: asyncio.Future[None]) -> None:
        while self._pending and self._pending[0][0].done():
            future, events = self._pending.popleft()
            error = asyncio.CancelledError() if future.cancelled() else future.exception()
            if error is not None:
                self._fail(error)
            elif self.failure is None and events:
                self.committed_seq = events[-1]["seq"]
                self.parts.publish(self.session, events)

    def _fail(self, error: BaseException) -> None:
        """What cannot be stored has not happened: drop the session; the next call reads it anew."""
        if self.failure is not None:
            return
        self.failure = error
        _log.error("session %s cannot be stored: %s", self.session, error)
        self.link.kill("journal", "The session could not be stored.")
        self._wake_waiters()
        self.parts.failed(self)

    def _must_work(self) -> None:
        if self.failure is not None:
            raise Refused(
                "internal",
                f"The session cannot be stored: {self.failure}.",
                "Nothing of this was kept; see the server's log, then try again.",
            )

    def _wake_waiters(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s failed", task.get_name(), exc_info=error)
