"""Event loop → writer thread: appends are queued, written in groups, answered in order."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from watchglass_sync.errors import JournalClosed
from watchglass_sync.statements import Statement

GROUP_BYTES = 8 * 2**20
GROUP_SIZE = 4096
PAUSE = 0.002
"""A lone append is written at once; in a flood, groups gather for this long."""
FLOOD = 4
"""More appends than this in one group are a flood; a round trip of one person has fewer."""
ROOM_BYTES = 4 * 2**20
LATE = 0.005
"""When nothing was committed for so long, the loop makes way …"""
YIELD_EVERY = 0.001
YIELD = 0.0001


@dataclass(frozen=True, slots=True)
class Append:
    """One atomic append, encoded.

    `first_seq` and `last_seq` are 0 when it has no events. `is_barrier`: it has no record at all.
    """

    session: str
    first_seq: int
    last_seq: int
    creates: bool
    deletes: bool
    is_barrier: bool
    statements: Sequence[Statement]
    size_bytes: int
    stored: asyncio.Future[None]


Outcome = Exception | None
CommitGroup = Callable[[Sequence[Append]], Sequence[Outcome]]


class GroupCommit:
    """The queue and its thread. `commit` runs in the thread and gives one outcome per append."""

    def __init__(self, commit: CommitGroup) -> None:
        self.queued_bytes = 0
        self._commit = commit
        self._loop = asyncio.get_running_loop()
        self._has_room = asyncio.Event()
        self._has_room.set()
        # A queue in C: with a lock in Python, a busy event loop and the writer starve each other.
        self._queue: queue.SimpleQueue[Append | None] = queue.SimpleQueue()
        self._resolved_at = self._yielded_at = 0.0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    def put(self, append: Append) -> None:
        """Queue an append; its future resolves once it is committed."""
        if self._closing:
            raise JournalClosed("append after the journal was closed")
        if self.queued_bytes == 0:
            self._resolved_at = time.monotonic()
        self.queued_bytes += append.size_bytes
        if self.queued_bytes > ROOM_BYTES:
            self._has_room.clear()
        self._queue.put(append)
        self._make_way()

    def _make_way(self) -> None:
        """Let the writer have the interpreter.

        A busy loop gives it up and takes it back at every system call, before the writer wakes:
        that was measured to keep the writer waiting for 4 s; with this, below 0.1 s.
        """
        now = time.monotonic()
        if now > self._resolved_at + LATE and now > self._yielded_at + YIELD_EVERY:
            time.sleep(YIELD)
            self._yielded_at = time.monotonic()

    async def room(self) -> None:
        """Wait while more than 4 MiB are queued."""
        await self._has_room.wait()

    async def close(self) -> None:
        """Commit what is queued, then end the thread."""
        self._closing = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        gather_until = 0.0
        is_open = True
        while is_open and (first := self._queue.get()) is not None:
            if not self._closing and (early := gather_until - time.monotonic()) > 0:
                time.sleep(early)
            group, is_open = self._rest_of_group(first)
            outcomes = self._commit(group)
            gather_until = time.monotonic() + PAUSE if len(group) > FLOOD else 0.0
            try:
                self._loop.call_soon_threadsafe(self._resolve, group, outcomes)
            except RuntimeError:  # the loop is closed: nobody is left who waits
                return

    def _rest_of_group(self, first: Append) -> tuple[list[Append], bool]:
        """What waits behind the first; and False when that is the end of the queue."""
        group = [first]
        size = first.size_bytes
        while len(group) < GROUP_SIZE and size < GROUP_BYTES and not self._queue.empty():
            append = self._queue.get()
            if append is None:
                return group, False
            size += append.size_bytes
            group.append(append)
        return group, True

    def _resolve(self, group: Sequence[Append], outcomes: Sequence[Outcome]) -> None:
        self._resolved_at = time.monotonic()
        for append, outcome in zip(group, outcomes, strict=True):
            self.queued_bytes -= append.size_bytes
            if append.stored.done():  # whoever waited was cancelled
                continue
            if outcome is None:
                append.stored.set_result(None)
            else:
                append.stored.set_exception(outcome)
        if self.queued_bytes <= ROOM_BYTES:
            self._has_room.set()
