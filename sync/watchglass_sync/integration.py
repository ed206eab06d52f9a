"""Journal → SpacetimeDB: what each session records becomes rows, soon and exactly once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from spacetimedb_client import CallError, FileCredentials, MessageTooLarge, SpacetimeDBError
from spacetimedb_client.backoff import delays
from spacetimedb_client.module import BatchStep
from watchglass_sync.errors import MirrorRefused, SessionUnknown
from watchglass_sync.inbox import CommandInbox, Perform
from watchglass_sync.journal_reader import JournalReader
from watchglass_sync.mirror import SessionMirror, Stored
from watchglass_sync.mirror_access import MirrorAccess
from watchglass_sync.mirror_address import MirrorAddress
from watchglass_sync.mirror_database import MirrorDatabase
from watchglass_sync.mirror_listener import MirrorListener, MirrorStatus, Span
from watchglass_sync.mirror_tables import MirrorTables
from watchglass_sync.records import RESUMED_FROM, Event, SessionRow

_log = logging.getLogger(__name__)

BATCH_STEPS: Final = 1000
# What is recorded meanwhile shares a batch: a transaction costs more than the rows of one event.
GATHER_S: Final = 0.02
STEPS_IN_TURN: Final = 50
END_S: Final = 1.0
READ_EVENTS: Final = 500
READ_BYTES: Final = 4 * 2**20

REFUSED_AT_MOST: Final = 3
"""So often the rows of a session are tried that the database refuses, before the others go on."""

SET_ASIDE: Final = (
    "its rows in the mirror stay as they are until this server starts again; please report this"
)
LEFT_ALONE: Final = "its rows in the mirror are left alone, and what happens here is not in them"


class SpacetimeDBIntegration:
    """Follows the journal, and writes what it says into a database: `start`, `notify`, `stop`.

    The position of each session lies in the database and changes in the transaction of the rows
    that it stands for; after any cut it goes on exactly there. Nothing here ever waits for the
    database but its own task.
    """

    def __init__(
        self,
        journal: JournalReader,
        address: MirrorAddress,
        credentials: FileCredentials,
        *,
        origin: str,
        ended_at: Mapping[str, int],
        perform: Perform,
        listener: MirrorListener,
        public: bool = False,
    ) -> None:
        """`perform` does what a row of `command` asks for.

        `ended_at`: the last event of each session that there was when this server started.
        """
        self.address = address
        self.status = MirrorStatus()
        self._listener = listener
        self._journal = journal
        self._credentials = credentials
        self._origin = origin
        self._tables = MirrorTables(public=public)
        self._access = MirrorAccess(self._tables)
        self._inbox = CommandInbox(self._tables, self._access, perform, self._answered)
        self._mirrors: dict[str, SessionMirror] = {}
        self._ended_at = dict(ended_at)
        self._spans: dict[str, Span] = {}  # what was read of each session, to be written
        self._dirty: dict[str, None] = {}  # in the order in which they changed
        self._elsewhere: set[str] = set()  # sessions that other servers write
        self._left: set[str] = set()  # those of them that are here as well
        self._refused: dict[str, int] = {}  # how often, of sessions whose rows were refused last
        self._waits = delays()
        self._is_stopping = False
        self._news = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; it is there when the database is."""
        self._task = asyncio.create_task(self._run(), name="mirror")

    async def stop(self, grace: float = 2.0) -> None:
        """Write what there is, within so many seconds, and end."""
        if self._task is None:
            return
        if not await self.caught_up(grace if self.status.state != "disconnected" else 0):
            _log.warning("the mirror is behind at the end; the next start goes on there")
        self._is_stopping = True
        self._task.cancel()
        _, left = await asyncio.wait({self._task}, timeout=max(grace, END_S))
        if left:
            _log.error("the mirror does not end")

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
        self._wake()

    def _wake(self) -> None:
        self._caught_up.clear()
        self._news.set()

    # --- its task

    async def _run(self) -> None:
        while not self._is_stopping:
            try:
                async with MirrorDatabase.opened(
                    self.address, self._tables, self._origin, self._credentials
                ) as database:
                    await self._follow(database)
            except Exception as problem:
                # One that comes while all is cancelled takes the place of that.
                if self._is_stopping:
                    return
                self._lost(_first(problem))
            await asyncio.sleep(next(self._waits))

    def _lost(self, problem: Exception) -> None:
        if not isinstance(problem, SpacetimeDBError | MirrorRefused | OSError):
            _log.error("the mirror failed by a fault of its own", exc_info=problem)
        words = f"{type(problem).__name__}: {problem}"
        if words != self.status.problem:
            _log.warning("the mirror at %s: %s; it is tried again", self.address, words)
        self._caught_up.clear()
        self._say(state="disconnected", problem=words, errors=self.status.errors + 1)

    async def _follow(self, database: MirrorDatabase) -> None:
        self._mirrors = await database.mirrors()
        self._spans.clear()
        self._listener.connected({name: one.position.seq for name, one in self._mirrors.items()})
        for mirror in self._mirrors.values():
            mirror.alive_after = self._ended_at.get(mirror.session, 0)
            mirror.is_settled = mirror.position.seq > mirror.alive_after
        stored = await self._journal.sessions()
        self._elsewhere = _elsewhere(database.others, stored)
        self._listener.elsewhere(self._elsewhere)
        for session in sorted(self._elsewhere & {row.session for row in stored} - self._left):
            _log.warning("session %s is continued by another server: %s", session, LEFT_ALONE)
            self._left.add(session)
        self._dirty = dict.fromkeys(
            [*self._mirrors, *(row.session for row in stored), *self._dirty]
        )
        _log.info("the mirror at %s is there", self.address)
        self._say(state="behind" if self._dirty else "connected", problem=None)
        await self._access.open(database, self._granted)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write(database), name="mirror: rows")
            group.create_task(self._inbox.run(database, self._elsewhere), name="mirror: commands")

    async def _write(self, database: MirrorDatabase) -> None:
        while True:
            while self._dirty:
                again = time.monotonic() + GATHER_S
                await self._send(database)
                await asyncio.sleep(again - time.monotonic())
            if not self._access.is_settled:
                await self._access.settle(database, self._mirrors)
                continue
            self._say(state="connected")
            self._waits = delays()
            self._news.clear()
            self._caught_up.set()
            await self._news.wait()

    async def _send(self, database: MirrorDatabase) -> None:
        """Read what has changed longest ago, as much as a batch holds, and write it."""
        found: dict[str, list[BatchStep]] = {}
        count = 0
        while self._dirty and count < BATCH_STEPS:
            session = next(iter(self._dirty))
            del self._dirty[session]
            steps = await self._steps(database, session)
            count += len(steps)
            found.setdefault(session, []).extend(steps)
        if count:
            self._listener.read(self._spans)
            self._spans = {}
            batches = await self._apply(database, found)
            self._listener.written()
            self._say(
                state="behind" if self._dirty else "connected",
                rows=self.status.rows + count,
                batches=self.status.batches + batches,
            )

    async def _apply(self, database: MirrorDatabase, found: Mapping[str, list[BatchStep]]) -> int:
        """Write what was found of each session; how many transactions it took.

        Everybody may see all of a public mirror: then one does, while no session is suspected of
        rows that the database refuses.
        """
        groups: dict[tuple[str, ...], list[BatchStep]] = {(name,): found[name] for name in found}
        if self._tables.is_public and not self._refused:
            groups = {tuple(found): [step for steps in found.values() for step in steps]}
        outcomes = await asyncio.gather(
            *(database.apply(steps) for steps in groups.values()), return_exceptions=True
        )
        for sessions, outcome in zip(groups, outcomes, strict=True):
            self._note(sessions, outcome)
        if problems := [each for each in outcomes if isinstance(each, BaseException)]:
            raise problems[0]
        return len(groups)

    def _note(self, sessions: Iterable[str], outcome: BaseException | None) -> None:
        for session in sessions:
            times = self._refused.pop(session, 0)
            if isinstance(outcome, CallError | MessageTooLarge):
                self._refused[session] = times + 1
                if times + 1 == REFUSED_AT_MOST:
                    _log.error("session %s: %s: %s", session, outcome, SET_ASIDE)

    async def _steps(self, database: MirrorDatabase, session: str) -> list[BatchStep]:
        if self._refused.get(session, 0) >= REFUSED_AT_MOST:
            return []
        mirror = self._mirrors.get(session)
        after = mirror.position.seq if mirror is not None else 0
        try:
            row, events = await self._journal.outbox(
                session, after, READ_EVENTS, max_bytes=READ_BYTES
            )
        except SessionUnknown:
            self._listener.forgotten(session)
            return [] if mirror is None else await self._forgotten(database, mirror)
        if mirror is None and session in self._elsewhere:
            self._listener.forgotten(session)
            return []
        if mirror is None and session in database.others:
            return await self._take_over(database, row)
        if mirror is None:
            mirror = SessionMirror(session, self._origin, self._tables)
            mirror.alive_after = self._ended_at.get(session, 0)
            self._mirrors[session] = mirror
            self._access.look_at(session)
        self._read(session, events)
        steps = mirror.describe(row)
        for step in mirror.taking(events):
            steps.append(step)
            if len(steps) % STEPS_IN_TURN == 0:
                await asyncio.sleep(0)  # commands come in between
        if (old := mirror.surplus()) is not None:
            steps += mirror.drop(await database.old_executions(session, old))
        if events and events[-1].seq < row.last_seq:
            self.notify(session)
        return steps

    async def _take_over(self, database: MirrorDatabase, row: SessionRow) -> list[BatchStep]:
        """Make the rows from which the session was resumed ours.

        In one batch, so that nobody sees the session without its rows.
        """
        session, other = row.session, database.others[row.session]
        del database.others[session]
        mirror = self._mirrors[session] = SessionMirror(session, self._origin, self._tables)
        mirror.alive_after = self._ended_at.get(session, 0)
        self._access.look_at(session)
        steps = mirror.take_over(other, await database.keys(session))
        events = await self._journal.events(session, 0, READ_EVENTS, max_bytes=READ_BYTES)
        while events:
            self._read(session, events)
            steps += mirror.take(events)
            after = mirror.position.seq
            events = await self._journal.events(session, after, READ_EVENTS, max_bytes=READ_BYTES)
        _log.info("session %s: this server takes over its rows in the mirror", session)
        return [*steps, *mirror.describe(row)]

    async def _forgotten(self, database: MirrorDatabase, mirror: SessionMirror) -> list[BatchStep]:
        session = mirror.session
        steps = mirror.forget(
            await database.names("execution", session), await database.names("checkpoint", session)
        )
        del self._mirrors[session]
        self._access.look_at(session)
        await database.apply(self._access.forget(session))
        return steps

    def _read(self, session: str, events: Sequence[Event]) -> None:
        if events:
            span = Span(events[0].time, events[-1].seq, events[-1].time)
            known = self._spans.get(session)
            self._spans[session] = known.joined(span) if known is not None else span

    def _granted(self) -> None:
        self._listener.granted(self._access.permissions.all)
        self._wake()

    def _answered(self) -> None:
        self._say(commands=self.status.commands + 1)

    def _say(self, **changes: Any) -> None:
        before, self.status = self.status, replace(self.status, **changes)
        if self.status != before:
            self._listener.status(self.status)


def _elsewhere(others: Mapping[str, Stored], stored: Iterable[SessionRow]) -> set[str]:
    """The sessions that other servers write: all but those resumed here from these very rows."""
    resumed = {
        row.session
        for row in stored
        if row.session in others and row.fields.get(RESUMED_FROM) == others[row.session].origin
    }
    return others.keys() - resumed


def _first(problem: Exception) -> Exception:
    """What went wrong first where tasks ran side by side."""
    while isinstance(problem, ExceptionGroup):
        problem = problem.exceptions[0]
    return problem
