"""Server ⇄ SQLite: every event, committed before it is sent. Nothing else writes the journal."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Self

from watchglass_sync import reading
from watchglass_sync.data_dir import DataDirLock
from watchglass_sync.errors import JournalBroken, JournalError
from watchglass_sync.group_commit import Append, GroupCommit, Outcome
from watchglass_sync.journal_reader import (
    FILE_NAME,
    JournalReader,
    aside,
    code_of,
    connected,
    explained,
)
from watchglass_sync.migrations import APPLICATION_ID, pending
from watchglass_sync.records import Record, SessionDeleted, SessionRecord
from watchglass_sync.statements import seq_range, size_bytes, statements
from watchglass_sync.thinning import Thinning
from watchglass_sync.writing import write_group

WAL_KEPT_BYTES = 64 * 2**20


class Journal(JournalReader):
    """The log of all sessions. One thread writes, two read; appends are committed in groups."""

    def __init__(self, path: Path, lock: DataDirLock, writer: sqlite3.Connection) -> None:
        """Call `open` instead."""
        super().__init__(path)
        self._lock = lock
        self._writer = writer
        self._thinning = Thinning()
        self._group_commit = GroupCommit(self._commit_group)

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
        await self._close_readers()
        await asyncio.to_thread(self._writer.close)
        self._lock.release()

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

    def _commit_group(self, group: Sequence[Append]) -> Sequence[Outcome]:
        """One transaction for all; when it fails, one for each, so that only the guilty fail."""
        try:
            return self._commit(group)
        except Exception as exc:  # whatever it is, the writer lives on and its caller is told
            # Who holds the file would hold it for each append as well, at five seconds apiece.
            if len(group) == 1 or code_of(exc) == sqlite3.SQLITE_BUSY:
                return [explained(exc, self._path, "written") for _ in group]
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


def _open_writer(path: Path, max_bytes: int | None) -> sqlite3.Connection:
    try:
        path.touch(mode=0o600)
        connection = connected(path)
    except OSError as exc:
        raise JournalError(f"the journal {path} cannot be opened: {exc}") from exc
    except sqlite3.Error as exc:
        raise explained(exc, path, "opened") from exc
    try:
        _prepare(connection, path, max_bytes)
    except sqlite3.Error as exc:
        connection.close()
        raise explained(exc, path, "opened") from exc
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, max_bytes: int | None) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != APPLICATION_ID:
        raise JournalBroken(aside(path, "is a SQLite file of something else"))
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
                raise JournalBroken(aside(path, problem)) from exc
            cursor.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            cursor.execute(f"PRAGMA user_version = {reached}")
            cursor.execute("COMMIT")
    if max_bytes is not None:
        (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {max_bytes // page_bytes}")
    problems = reading.damage(connection)
    if problems:
        raise JournalBroken(aside(path, f"is damaged ({problems[0]})"))
