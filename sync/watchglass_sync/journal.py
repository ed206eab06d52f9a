"""Server ⇄ SQLite: every event, committed before it is sent. The only file with sqlite3."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from watchglass_sync import reading
from watchglass_sync.data_dir import DataDirLock
from watchglass_sync.errors import (
    JournalBroken,
    JournalClosed,
    JournalError,
    JournalWriteFailed,
)
from watchglass_sync.group_commit import Append, GroupCommit, Outcome
from watchglass_sync.migrations import APPLICATION_ID, pending
from watchglass_sync.records import (
    Chunk,
    Event,
    Loaded,
    Record,
    SessionDeleted,
    SessionRecord,
    SessionRow,
    ShareRow,
    StoredDump,
    StoredExecution,
    VariableChange,
)
from watchglass_sync.statements import seq_range, size_bytes, statements
from watchglass_sync.thinning import Thinning
from watchglass_sync.writing import write_group

FILE_NAME = "journal.sqlite3"
BUSY_TIMEOUT = 5.0
READERS = 2
WAL_KEPT_BYTES = 64 * 2**20
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
T = TypeVar("T")


class Journal:
    """The log of all sessions. One thread writes, two read; appends are committed in groups."""

    def __init__(self, path: Path, lock: DataDirLock, writer: sqlite3.Connection) -> None:
        """Call `open` instead."""
        self._path = path
        self._lock = lock
        self._writer = writer
        self._thinning = Thinning()
        self._group_commit = GroupCommit(self._commit_group)
        self._readers = ThreadPoolExecutor(READERS, "journal-reader")
        self._reader_slot = threading.local()
        self._reader_connections: list[sqlite3.Connection] = []
        self._closed = False

    @classmethod
    async def open(cls, data_dir: Path, *, max_bytes: int | None = None) -> Self:
        """Take the directory, open or make the journal in it, bring it to this version."""
        path = data_dir / FILE_NAME
        lock = await asyncio.to_thread(DataDirLock, data_dir)
        try:
            writer = await asyncio.to_thread(_open_writer, path, max_bytes)
        except BaseException:
            lock.release()
            raise
        return cls(path, lock, writer)

    async def close(self) -> None:
        """Commit what is queued, then give the directory back."""
        if self._closed:
            return
        self._closed = True
        await self._group_commit.close()
        await asyncio.to_thread(self._readers.shutdown)
        for connection in (*self._reader_connections, self._writer):
            await asyncio.to_thread(connection.close)
        self._lock.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def queued_bytes(self) -> int:
        """How much is appended and not yet committed."""
        return self._group_commit.queued_bytes

    async def room(self) -> None:
        """Wait while more than 4 MiB are queued."""
        await self._group_commit.room()

    def append(self, session: str, records: Sequence[Record]) -> asyncio.Future[None]:
        """Store all of `records` or none; resolves when they are committed. First in, first out."""
        first_seq, last_seq = seq_range(records)
        encoded = statements(session, records)
        append = Append(
            session=session,
            first_seq=first_seq,
            last_seq=last_seq,
            creates=any(isinstance(record, SessionRecord) for record in records),
            deletes=any(isinstance(record, SessionDeleted) for record in records),
            is_barrier=not records,
            statements=encoded,
            size_bytes=sum(map(size_bytes, encoded)),
            stored=asyncio.get_running_loop().create_future(),
        )
        self._group_commit.put(append)
        return append.stored

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
            raise _explained(exc, self._path, "read") from exc

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._reader_slot, "connection", None)
        if connection is None:
            connection = _connect(self._path)
            connection.execute("PRAGMA query_only = ON")
            self._reader_slot.connection = connection
            self._reader_connections.append(connection)
        return connection

    def _commit_group(self, group: Sequence[Append]) -> Sequence[Outcome]:
        """One transaction for all; when it fails, one for each, so that only the guilty fail."""
        try:
            return self._commit(group)
        except Exception as exc:  # whatever it is, the writer lives on and its caller is told
            # Who holds the file would hold it for each append as well, at five seconds apiece.
            if len(group) == 1 or _code(exc) == sqlite3.SQLITE_BUSY:
                return [_explained(exc, self._path, "written") for _ in group]
        return [outcome for append in group for outcome in self._commit_group([append])]

    def _commit(self, group: Sequence[Append]) -> Sequence[Outcome]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            outcomes = write_group(self._writer, group, self._thinning)
            self._writer.execute("COMMIT")
        finally:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        return outcomes


def _connect(path: Path) -> sqlite3.Connection:
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


def _open_writer(path: Path, max_bytes: int | None) -> sqlite3.Connection:
    try:
        path.touch(mode=0o600)
        connection = _connect(path)
    except OSError as exc:
        raise JournalError(f"the journal {path} cannot be opened: {exc}") from exc
    except sqlite3.Error as exc:
        raise _explained(exc, path, "opened") from exc
    try:
        _prepare(connection, path, max_bytes)
    except sqlite3.Error as exc:
        connection.close()
        raise _explained(exc, path, "opened") from exc
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, max_bytes: int | None) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != APPLICATION_ID:
        raise JournalBroken(_aside(path, "is a SQLite file of something else"))
    steps = pending(version, str(path))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
    with closing(connection.cursor()) as cursor:
        for reached, step in steps:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                step(cursor)
            except (ValueError, KeyError, TypeError) as exc:  # rows that no version of ours wrote
                problem = f"cannot be brought to version {reached} ({exc})"
                raise JournalBroken(_aside(path, problem)) from exc
            cursor.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            cursor.execute(f"PRAGMA user_version = {reached}")
            cursor.execute("COMMIT")
    if max_bytes is not None:
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {max_bytes // page_bytes}")
    problems = reading.damage(connection)
    if problems:
        raise JournalBroken(_aside(path, f"is damaged ({problems[0]})"))


def _code(exc: Exception) -> int:
    code: int = getattr(exc, "sqlite_errorcode", 0)
    return code & 0xFF


def _explained(exc: Exception, path: Path, done: str) -> JournalError:
    code = _code(exc)
    if code in DAMAGE:
        return JournalBroken(_aside(path, f"is damaged ({exc})"))
    if code == sqlite3.SQLITE_FULL:
        return JournalWriteFailed(
            f"the journal {path} cannot grow ({exc}): nothing of this was stored; make room on "
            "its disk, then try again"
        )
    kind = JournalWriteFailed if done == "written" else JournalError
    return kind(f"the journal {path} could not be {done}: {exc}")


def _aside(path: Path, problem: str) -> str:
    return (
        f"the journal {path} {problem}; nothing was deleted. To look at it: sqlite3 {path} "
        f"'.recover'. To start with an empty one: mv {path} {path}.damaged (and the files "
        f"beside it that end in -wal and -shm), or choose another directory with --data-dir"
    )
