"""Journal → SpacetimeDB: what each session records becomes rows, soon and exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Final, Literal, NoReturn

from spacetimedb_client import FileCredentials, SpacetimeDBError
from spacetimedb_client.backoff import delays
from spacetimedb_client.module import BatchStep
from watchglass_sync.errors import MirrorRefused, SessionUnknown
from watchglass_sync.journal import Journal
from watchglass_sync.mirror import SessionMirror
from watchglass_sync.mirror_address import MirrorAddress
from watchglass_sync.mirror_database import MirrorDatabase
from watchglass_sync.mirror_tables import MirrorTables
from watchglass_sync.records import RESUMED_FROM, SessionRow

_log = logging.getLogger(__name__)

BATCH_STEPS: Final = 1000
READ_EVENTS: Final = 500
READ_BYTES: Final = 4 * 2**20

LEFT_ALONE: Final = "its rows in the mirror are left alone, and what happens here is not in them"

MirrorState = Literal["off", "connected", "behind", "disconnected"]


@dataclass(frozen=True, slots=True)
class MirrorStatus:
    """How the mirror is: `behind_by` counts the sessions that have events without rows."""

    state: MirrorState = "off"
    behind_by: int = 0
    rows: int = 0
    batches: int = 0
    errors: int = 0
    problem: str | None = None


class SpacetimeDBIntegration:
    """Follows the journal, and writes what it says into a database: `start`, `notify`, `stop`.

    The position of each session lies in the database and changes in the transaction of the rows
    that it stands for; after any cut it goes on exactly there. Nothing here ever waits for the
    database but its own task.
    """

    def __init__(
        self,
        journal: Journal,
        address: MirrorAddress,
        credentials: FileCredentials,
        *,
        origin: str,
        public: bool = False,
    ) -> None:
        self.address = address
        self.status = MirrorStatus(state="disconnected")
        self.on_status: Callable[[MirrorStatus], None] | None = None
        self._journal = journal
        self._credentials = credentials
        self._origin = origin
        self._tables = MirrorTables(public=public)
        self._mirrors: dict[str, SessionMirror] = {}
        self._ended_at: dict[str, int] = {}  # the last event of each when this server started
        self._dirty: dict[str, None] = {}  # in the order in which they changed
        self._left: set[str] = set()  # sessions that another server continues
        self._news = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, before any session is live; does not wait for the database."""
        self._ended_at = {row.session: row.last_seq for row in await self._journal.sessions()}
        self._task = asyncio.create_task(self._run(), name="mirror")

    async def stop(self, grace: float = 2.0) -> None:
        """Write what there is, within so many seconds, and end."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(grace if self.status.state != "disconnected" else 0):
                await self._caught_up.wait()
        except TimeoutError:
            _log.warning("the mirror is behind at the end; the next start goes on there")
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def caught_up(self, limit_s: float) -> bool:
        """Wait until all that is recorded has its rows; False when it has not in time."""
        try:
            async with asyncio.timeout(limit_s):
                await self._caught_up.wait()
        except TimeoutError:
            return False
        return True

    def notify(self, session: str) -> None:
        """The journal has something new of a session, or has lost it."""
        self._dirty[session] = None
        self._caught_up.clear()
        self._news.set()

    # --- its task

    async def _run(self) -> None:
        waits = delays()
        while True:
            try:
                async with MirrorDatabase.opened(
                    self.address, self._tables, self._origin, self._credentials
                ) as database:
                    waits = delays()
                    await self._follow(database)
            except (SpacetimeDBError, MirrorRefused, OSError) as problem:
                self._lost(problem)
            await asyncio.sleep(next(waits))

    def _lost(self, problem: Exception) -> None:
        words = f"{type(problem).__name__}: {problem}"
        if words != self.status.problem:
            _log.warning("the mirror at %s: %s; it is tried again", self.address, words)
        self._caught_up.clear()
        self._say(state="disconnected", problem=words, errors=self.status.errors + 1)

    async def _follow(self, database: MirrorDatabase) -> None:
        self._mirrors = await database.mirrors()
        for mirror in self._mirrors.values():
            mirror.alive_after = self._ended_at.get(mirror.session, 0)
            mirror.is_settled = mirror.position.seq > mirror.alive_after
        stored = [row.session for row in await self._journal.sessions()]
        self._dirty = dict.fromkeys([*self._mirrors, *stored, *self._dirty])
        self._say(state="behind" if self._dirty else "connected", problem=None)
        while True:
            while self._dirty:
                await self._send(database)
            self._say(state="connected")
            self._news.clear()
            self._caught_up.set()
            await self._news_or(database.lost())

    async def _news_or(self, lost: Coroutine[None, None, NoReturn]) -> None:
        """Wait until there is something to write, or the connection is gone."""
        waiting = {asyncio.create_task(self._news.wait()), asyncio.create_task(lost)}
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        for task in done:
            task.result()

    async def _send(self, database: MirrorDatabase) -> None:
        """Read what has changed longest ago, as much as a batch holds, and write it."""
        steps: list[BatchStep] = []
        while self._dirty and len(steps) < BATCH_STEPS:
            session = next(iter(self._dirty))
            del self._dirty[session]
            steps += await self._steps(database, session)
        if steps:
            await database.apply(steps)
            self._say(
                state="behind" if self._dirty else "connected",
                rows=self.status.rows + len(steps),
                batches=self.status.batches + 1,
            )

    async def _steps(self, database: MirrorDatabase, session: str) -> list[BatchStep]:
        mirror = self._mirrors.get(session)
        after = mirror.position.seq if mirror is not None else 0
        try:
            row, events = await self._journal.outbox(
                session, after, READ_EVENTS, max_bytes=READ_BYTES
            )
        except SessionUnknown:
            return [] if mirror is None else await self._forgotten(database, mirror)
        if mirror is None and session in database.others:
            return await self._of_another(database, row)
        if mirror is None:
            mirror = SessionMirror(session, self._origin, self._tables)
            mirror.alive_after = self._ended_at.get(session, 0)
            self._mirrors[session] = mirror
        steps = [*mirror.take(events), *mirror.describe(row)]
        if events and events[-1].seq < row.last_seq:
            self.notify(session)
        return steps

    async def _of_another(self, database: MirrorDatabase, row: SessionRow) -> list[BatchStep]:
        """Make the rows of another data directory ours, if the session was resumed from these.

        In one batch, so that nobody sees the session without its rows.
        """
        session, other = row.session, database.others[row.session]
        if row.fields.get(RESUMED_FROM) != other.origin:
            if session not in self._left:
                _log.warning("session %s is continued by another server: %s", session, LEFT_ALONE)
            self._left.add(session)
            return []
        del database.others[session]
        mirror = self._mirrors[session] = SessionMirror(session, self._origin, self._tables)
        mirror.alive_after = self._ended_at.get(session, 0)
        steps = mirror.take_over(other, await database.keys(session))
        events = await self._journal.events(session, 0, READ_EVENTS, max_bytes=READ_BYTES)
        while events:
            steps += mirror.take(events)
            after = mirror.position.seq
            events = await self._journal.events(session, after, READ_EVENTS, max_bytes=READ_BYTES)
        _log.info("session %s: this server takes over its rows in the mirror", session)
        return [*steps, *mirror.describe(row)]

    async def _forgotten(self, database: MirrorDatabase, mirror: SessionMirror) -> list[BatchStep]:
        steps = mirror.forget(await database.executions(mirror.session))
        del self._mirrors[mirror.session]
        return steps

    def _say(self, **changes: object) -> None:
        status = replace(self.status, behind_by=len(self._dirty), **changes)  # type: ignore[arg-type]
        told, self.status = self.status.state, status
        if told != status.state and self.on_status is not None:
            self.on_status(status)
