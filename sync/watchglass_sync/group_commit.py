"""Event loop → writer thread: appends are queued, written in groups, answered in order."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from watchglass_sync.errors import JournalClosed

Statement = tuple[str, Sequence[object]]

GROUP_BYTES = 8 * 2**20
GROUP_SIZE = 4096
PAUSE = 0.002
"""A lone append is written at once; in a flood, groups gather for this long."""
ROOM_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Append:
    """One atomic append, encoded: its first and last `seq` (0: no events), and its statements."""

    session: str
    first_seq: int
    last_seq: int
    creates: bool
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
        self._queue: deque[Append] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)
        self._thread.start()

    def put(self, append: Append) -> None:
        """Queue an append; its future resolves once it is committed."""
        if self._closing:
            raise JournalClosed("append after the journal was closed")
        self.queued_bytes += append.size_bytes
        if self.queued_bytes > ROOM_BYTES:
            self._has_room.clear()
        with self._wake:
            self._queue.append(append)
            self._wake.notify()

    async def room(self) -> None:
        """Wait while more than 32 MiB are queued."""
        await self._has_room.wait()

    async def close(self) -> None:
        """Commit what is queued, then end the thread."""
        self._closing = True
        with self._wake:
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        written_at = 0.0
        while True:
            with self._wake:
                while not self._queue and not self._closing:
                    self._wake.wait()
                if not self._queue:
                    return
            if not self._closing and (early := written_at + PAUSE - time.monotonic()) > 0:
                time.sleep(early)
            group = self._next_group()
            outcomes = self._commit(group)
            written_at = time.monotonic()
            try:
                self._loop.call_soon_threadsafe(self._resolve, group, outcomes)
            except RuntimeError:  # the loop is closed: nobody is left who waits
                return

    def _next_group(self) -> list[Append]:
        group: list[Append] = []
        size = 0
        with self._wake:
            while self._queue and len(group) < GROUP_SIZE and size < GROUP_BYTES:
                append = self._queue.popleft()
                size += append.size_bytes
                group.append(append)
        return group

    def _resolve(self, group: Sequence[Append], outcomes: Sequence[Outcome]) -> None:
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
