"""SQLite → what the journal has, for its own server and for the process of its mirror."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from watchglass_sync import reading
from watchglass_sync.errors import (
    JournalBroken,
    JournalClosed,
    JournalError,
    JournalWriteFailed,
)
from watchglass_sync.records import (
    Chunk,
    Event,
    Loaded,
    SessionRow,
    ShareRow,
    StoredDump,
    StoredExecution,
    VariableChange,
)

FILE_NAME = "journal.sqlite3"
BUSY_TIMEOUT = 5.0
READERS = 2
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
T = TypeVar("T")


class JournalReader:
    """What is committed, read by two threads; others may write meanwhile, also other processes."""

    def __init__(self, path: Path) -> None:
        """`path`: of a journal that is open elsewhere, so that it is there and of this version."""
        self._path = path
        self._readers = ThreadPoolExecutor(READERS, "journal-reader")
        self._reader_slot = threading.local()
        self._reader_connections: list[sqlite3.Connection] = []
        self._closed = False

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    async def close(self) -> None:
        """Read no more."""
        if not self._closed:
            self._closed = True
            await self._close_readers()

    async def _close_readers(self) -> None:
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._reader_connections:
            await asyncio.to_thread(connection.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def sessions(self) -> list[SessionRow]:
        """All sessions."""
        return await self._read(reading.sessions)

    async def load(self, session: str) -> Loaded:
        """What the session is rebuilt from."""
        return await self._read(lambda db: reading.load(db, session))

    async def events(
        self, session: str, after: int, limit: int, *, max_bytes: int | None = None
    ) -> list[Event]:
        """Events with a `seq` greater than `after`, in order; at least one, if there is one."""
        return await self._read(lambda db: reading.events(db, session, after, limit, max_bytes))

    async def outbox(
        self, session: str, after: int, limit: int, *, max_bytes: int
    ) -> tuple[SessionRow, list[Event]]:
        """The session's row as it is now, and the events that follow one, as `events` has them."""
        return await self._read(lambda db: reading.outbox(db, session, after, limit, max_bytes))

    async def output(
        self, session: str, execution: str, offset: int, limit: int
    ) -> tuple[list[Chunk], int]:
        """A range of an execution's text, in code points, and how many there are in all."""
        return await self._read(lambda db: reading.output(db, session, execution, offset, limit))

    async def executions(
        self, session: str, before: int | None, limit: int
    ) -> list[StoredExecution]:
        """The last `limit` executions with a number below `before`, in ascending order."""
        return await self._read(lambda db: reading.executions(db, session, before, limit))

    async def execution(self, session: str, execution: str) -> StoredExecution | None:
        """The execution with this id."""
        return await self._read(lambda db: reading.execution(db, session, execution))

    async def dump(self, session: str) -> StoredDump | None:
        """The newest dump."""
        return await self._read(lambda db: reading.dump(db, session))

    async def shares(self, session: str | None = None) -> list[ShareRow]:
        """The shares of one session, or of all."""
        return await self._read(lambda db: reading.shares(db, session))

    async def history(
        self, session: str, name: str, before_seq: int | None, limit: int
    ) -> list[VariableChange]:
        """The last `limit` changes of a variable before an event, the newest first."""
        return await self._read(lambda db: reading.history(db, session, name, before_seq, limit))

    async def watch_history(
        self, session: str, watch: str, before_seq: int | None, limit: int
    ) -> list[VariableChange]:
        """The last `limit` changes of what a watch gives, the newest first."""
        return await self._read(
            lambda db: reading.watch_history(db, session, watch, before_seq, limit)
        )

    async def check(self) -> list[str]:
        """What SQLite finds wrong with the file; reads all of it."""
        return await self._read(reading.integrity)

    async def _read(self, query: Callable[[reading.Connection], T]) -> T:
        if self._closed:
            raise JournalClosed("read after the journal was closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._query, query)

    def _query(self, query: Callable[[reading.Connection], T]) -> T:
        try:
            connection = self._reader()
            connection.execute("BEGIN")
            try:
                return query(connection)
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as exc:
            raise explained(exc, self._path, "read") from exc

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._reader_slot, "connection", None)
        if connection is None:
            connection = connected(self._path)
            connection.execute("PRAGMA query_only = ON")
            self._reader_slot.connection = connection
            self._reader_connections.append(connection)
        return connection


def connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -8000")
    except BaseException:
        connection.close()
        raise
    return connection


def explained(exc: Exception, path: Path, done: str) -> JournalError:
    code = code_of(exc)
    if code in DAMAGE:
        return JournalBroken(aside(path, f"is damaged ({exc})"))
    if code == sqlite3.SQLITE_FULL:
        return JournalWriteFailed(
            f"the journal {path} cannot grow ({exc}): nothing of this was stored; make room on "
            "its disk, then try again"
        )
    kind = JournalWriteFailed if done == "written" else JournalError
    return kind(f"the journal {path} could not be {done}: {exc}")


def code_of(exc: Exception) -> int:
    code: int = getattr(exc, "sqlite_errorcode", 0)
    return code & 0xFF


def aside(path: Path, problem: str) -> str:
    return (
        f"the journal {path} {problem}; nothing was deleted. To look at it: sqlite3 {path} "
        f"'.recover'. To start with an empty one: mv {path} {path}.damaged (and the files "
        f"beside it that end in -wal and -shm), or choose another directory with --data-dir"
    )
