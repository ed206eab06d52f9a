"""All sessions: creates, finds, wakes, puts to sleep and ends them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from watchglass_server import session_inputs as i
from watchglass_server.clock import Clock
from watchglass_server.commands import Limits
from watchglass_server.config import Config
from watchglass_server.errors import (
    PoolClosed,
    PoolTimeout,
    ProcessStartError,
    TooManyRequests,
)
from watchglass_server.host_messages import Live
from watchglass_server.live_session import Envelope, LiveSession, SessionParts
from watchglass_server.manager import PyodideManager
from watchglass_server.ownership import Ownership
from watchglass_server.packages import Packages
from watchglass_server.pictures import SessionSummary
from watchglass_server.process import PyodideProcess
from watchglass_server.process_config import ProcessLimits
from watchglass_server.refusals import Refused, session_not_found
from watchglass_server.session import new_session
from watchglass_server.session_fold import Fold, decode_event, fold
from watchglass_server.session_limits import hour_stored, limits_asked, limits_stored
from watchglass_server.session_state import CpuAccount, Phase, Session, SessionLimits
from watchglass_server.tokens import new_id
from watchglass_sync.errors import SessionUnknown
from watchglass_sync.journal import Journal
from watchglass_sync.records import Loaded, SessionDeleted
from watchglass_sync.restore import Restorer

_log = logging.getLogger(__name__)

TICK_S = 0.25
LOOK_AT_IDLE_EVERY_S = 1.0
STOP_INTERRUPT_S = 2.0
FORGET_AFTER_S = 900.0


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told of sessions: of events, that one is gone, that one has to be joined anew."""

    publish: Callable[[str, Sequence[Envelope]], None]
    ended: Callable[[str], None]
    restarted: Callable[[str], None]
    shown: Callable[[LiveSession, Live], None]


class Sessions:
    """The sessions of this server: those in memory, and the rows of all."""

    def __init__(
        self,
        config: Config,
        *,
        journal: Journal,
        manager: PyodideManager,
        clock: Clock,
        restorer: Restorer,
        ownership: Ownership,
        audience: Audience,
        prepare: Callable[[PyodideProcess], Awaitable[None]],
        packages: Packages,
    ) -> None:
        self._config = config
        self._packages = packages
        self._prepare = prepare
        self._journal = journal
        self._manager = manager
        self._clock = clock
        self._ownership = ownership
        self._audience = audience
        self._parts = SessionParts(
            journal,
            manager,
            self._lend,
            clock,
            restorer,
            self._publish,
            self._session_failed,
            audience.shown,
            self._restored,
            packages,
        )
        # Asked once a session has its variables again.
        self.on_restored: Callable[[LiveSession], Awaitable[None]] | None = None
        self._rows: dict[str, dict[str, Any]] = {}
        self._live: dict[str, LiveSession] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._sleeping: set[str] = set()
        self._ticker: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.events_recorded = 0

    # --- life

    async def start(self) -> None:
        """Read which sessions there are, and begin to watch the time."""
        for row in await self._journal.sessions():
            self._rows[row.session] = dict(row.fields)
        self._ticker = asyncio.create_task(self._tick_forever(), name="sessions: ticks")

    async def stop(self) -> None:
        """Interrupt what runs, keep what there is, end all processes."""
        self._stopping = True
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, *self._tasks, return_exceptions=True)
        stops = (self._stop_one(live) for live in list(self._live.values()))
        for result in await asyncio.gather(*stops, return_exceptions=True):
            if isinstance(result, BaseException):
                _log.error("a session did not stop cleanly: %s", result)
        self._live.clear()

    async def _stop_one(self, live: LiveSession) -> None:
        if live.state.running is not None:
            live.apply(i.Interrupt(None))
            await live.until(lambda s: s.running is None, STOP_INTERRUPT_S)
        if live.state.phase is Phase.READY and live.state.running is None:
            await live.link.save()
        for participant in list(live.state.fold.participants):
            live.apply(i.Leave(participant))
        if live.state.phase is not Phase.NONE or live.state.fold.process.state != "dead":
            live.apply(i.Sleep("shutdown"))
        live.snapshot()
        await live.close()

    @property
    def is_stopping(self) -> bool:
        """True when no session can be opened any more."""
        return self._stopping

    # --- finding

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def live(self) -> Sequence[LiveSession]:
        """Those in memory."""
        return list(self._live.values())

    def exists(self, session: str) -> bool:
        """True when there is such a session."""
        return session in self._rows

    def in_memory(self, session: str) -> LiveSession | None:
        """The session if it is in memory already."""
        return self._live.get(session)

    def summaries(self, only: frozenset[str] | None = None) -> list[SessionSummary]:
        """The list of sessions, the last used first."""
        chosen = [key for key in self._rows if only is None or key in only]
        found = [self._summary(session) for session in chosen]
        return sorted(found, key=lambda one: one.last_active_at, reverse=True)

    def _summary(self, session: str) -> SessionSummary:
        live = self._live.get(session)
        row = live.row() if live else self._rows[session]
        status = row.get("status", "hibernated")
        if live is None and status != "dead":
            status = "hibernated"  # as it is until somebody opens it
        process = live.link.process if live else None
        stats = process.stats() if process else None
        return SessionSummary(
            session=session,
            name=str(row.get("name", session)),
            status=status,
            participants=len(live.state.fold.participants) if live else 0,
            created_at=str(row.get("created_at", "")),
            last_active_at=str(row.get("last_active_at", "")),
            executions=int(row.get("executions", 0)),
            memory_bytes=stats.rss_bytes if stats else None,
        )

    async def open(self, session: str) -> LiveSession:
        """The session in memory, read from the journal if need be. Raises Refused."""
        if self._stopping:
            raise Refused("not_available", "The server is stopping.", "Try again in a while.")
        live = self._live.get(session)
        if live is not None:
            live.opened_at = self._clock.monotonic_s()
            return live
        if session not in self._rows:
            raise session_not_found(session)
        other = await self._ownership.elsewhere(session)
        if other is not None:
            raise Refused(
                "not_available", f"Session '{session}' is at {other}.", "Connect to that server."
            )
        async with self._opening.setdefault(session, asyncio.Lock()):
            if session not in self._live:
                self._live[session] = await self._load(session)
        self._opening.pop(session, None)
        return self._live[session]

    async def _load(self, session: str) -> LiveSession:
        try:
            loaded = await self._journal.load(session)
        except SessionUnknown:
            raise session_not_found(session) from None
        known = await asyncio.to_thread(_folded, loaded)
        limits = limits_stored(self._config, loaded.row)
        epoch_s, monotonic_s = self._clock.epoch_s(), self._clock.monotonic_s()
        hour = hour_stored(loaded.row).shifted(monotonic_s - epoch_s)
        policy, cpu = self._packages.policy, CpuAccount(hour)
        state = Session(fold=known, limits=limits, policy=policy, cpu=cpu)
        live = LiveSession(state, self._parts)
        live.apply(i.Found(is_mirrored=self._config.spacetimedb is not None))
        return live

    # --- creating and ending

    async def create(
        self, name: str | None, limits: Limits | None, session: str | None = None
    ) -> LiveSession:
        """A new session with a process of its own. Raises Refused when there is none.

        `session`: an id that nobody can have guessed before; None makes one.
        """
        self.must_have_room()
        allowed = limits_asked(self._config, limits)
        process = await self._acquire(allowed)
        session = session or new_id()
        state = new_session(session, name or f"Session {session[:4]}", allowed, self._clock.now())
        state = replace(state, policy=self._packages.policy)
        live = LiveSession(replace(state, phase=Phase.STARTING, generation=1), self._parts)
        live.begin()
        self._rows[session] = live.row()
        self._live[session] = live
        live.link.adopt(process, 1)
        return live

    def must_have_room(self) -> None:
        """Refuse a session more than there may be."""
        if len(self._rows) >= self._config.max_sessions:
            raise Refused(
                "limit_exceeded",
                f"This server keeps {self._config.max_sessions:,} sessions at most.",
                "Destroy some of them, or have the server started with a higher --max-sessions.",
            )

    async def _acquire(self, limits: SessionLimits) -> PyodideProcess:
        try:
            return await self._lend(limits)
        except (PoolTimeout, TooManyRequests, PoolClosed) as error:
            raise Refused(
                "pool_exhausted",
                f"There is no process for a new session: {error}.",
                "End a session that is no longer needed, try again later, or have the server "
                "started with a higher --pool-max-size.",
            ) from error
        except ProcessStartError as error:
            raise Refused(
                "process_died",
                f"The process of the new session did not start: {error}",
                "Run `watchglass doctor` on the server's machine; its log has the details.",
            ) from error

    async def _lend(self, limits: SessionLimits) -> PyodideProcess:
        await self._make_room()
        process = await self._manager.acquire(
            ProcessLimits(limits.memory_bytes, limits.output_bytes, limits.variables)
        )
        await self._prepare(process)
        return process

    async def _make_room(self) -> None:
        """When all processes are taken, put the session to sleep that nobody has used longest."""
        stats = self._manager.stats()
        if stats.warm or stats.lent + stats.starting < self._manager.sizes.max_size:
            return
        idle = [live for live in self._live.values() if self._is_idle(live)]
        if idle:
            await self.put_to_sleep(min(idle, key=lambda live: live.idle_since), "room")

    async def destroy(self, live: LiveSession, reason: str) -> None:
        """End a session and delete all that is stored of it."""
        session = live.session
        if live.state.fold.destroyed:  # somebody else is at it
            return
        live.apply(i.Destroy(reason))
        await live.durable()
        await live.close()
        await self._journal.append(session, [SessionDeleted()])
        self._live.pop(session, None)
        self._rows.pop(session, None)
        self._audience.ended(session)
        await self._ownership.give_back(session)

    async def put_to_sleep(self, live: LiveSession, reason: str) -> None:
        """Stop a session's process and keep its state, unless somebody came in meanwhile."""
        if live.session in self._sleeping:
            return
        self._sleeping.add(live.session)
        try:
            await live.link.save()
            if self._is_idle(live):
                live.apply(i.Sleep(reason))
                live.snapshot()
                await live.durable()
        finally:
            self._sleeping.discard(live.session)

    async def adopt_row(self, session: str) -> None:
        """Take up a session that was just written to the journal by an import."""
        loaded = await self._journal.load(session)
        self._rows[session] = dict(loaded.row.fields)

    # --- time

    async def _tick_forever(self) -> None:
        looked_at_idle = 0.0
        while True:
            await asyncio.sleep(TICK_S)
            now = self._clock.monotonic_s()
            slow = now - looked_at_idle >= LOOK_AT_IDLE_EVERY_S
            if slow:
                looked_at_idle = now
            for live in list(self._live.values()):
                try:
                    self._tick(live, now, slow)
                except Refused as error:
                    _log.warning("session %s: %s", live.session, error)
                except Exception:
                    _log.exception("session %s: a tick failed", live.session)

    def _tick(self, live: LiveSession, now: float, slow: bool) -> None:
        if live.is_failed:
            return
        state = live.state
        if state.needs_ticks:
            live.apply(i.Tick())
        limits_cpu = state.limits.cpu_s is not None or state.limits.cpu_hour_s is not None
        if slow or (limits_cpu and state.running is not None):
            live.measure()
        if state.fold.participants or state.is_busy or state.phase is Phase.STARTING:
            live.idle_since = now
        elif slow and self._is_idle(live) and now - live.idle_since >= self._config.idle_limit:
            self._own(self.put_to_sleep(live, "idle"))
        elif slow and state.phase is Phase.NONE and now - live.opened_at > FORGET_AFTER_S:
            # No call takes so long without a process: nobody holds it any more.
            live.snapshot()
            self._rows[live.session] = live.row()
            del self._live[live.session]
            self._own(live.close())

    def _is_idle(self, live: LiveSession) -> bool:
        state = live.state
        return state.phase is Phase.READY and not state.fold.participants and not state.is_busy

    def _own(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _publish(self, session: str, events: Sequence[Envelope]) -> None:
        self.events_recorded += len(events)
        self._audience.publish(session, events)

    async def _restored(self, live: LiveSession) -> None:
        if self.on_restored is not None:
            await self.on_restored(live)

    def _session_failed(self, live: LiveSession) -> None:
        """Its last events are not stored: forget it, so that the next call reads what is."""
        if self._live.get(live.session) is live:
            del self._live[live.session]
        self._audience.restarted(live.session)
        with contextlib.suppress(RuntimeError):
            self._own(live.close())


def _folded(loaded: Loaded) -> Fold:
    """What the stored events add up to."""
    if loaded.state is not None:
        known = msgspec.convert(loaded.state, Fold, strict=False)
    else:
        fields = loaded.row.fields
        known = Fold(
            session=loaded.row.session,
            name=str(fields.get("name", loaded.row.session)),
            created_at=str(fields.get("created_at", "")),
            last_active_at=str(fields.get("last_active_at", "")),
        )
    for event in loaded.events:
        known = fold(known, decode_event(event.seq, event.time, event.type, event.data))
    return known
