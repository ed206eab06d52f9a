"""Server → mirror: has it follow what is stored, and says how far it is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from watchglass_server.clock import Clock
from watchglass_server.config import Config
from watchglass_server.gateway import Gateway
from watchglass_server.live_session import LiveSession
from watchglass_server.metrics import Metric, counter, gauge
from watchglass_server.mirror_news import MirrorNews, MirrorSight
from watchglass_server.refusals import Refused
from watchglass_server.session_inputs import MirrorTold
from watchglass_server.sessions import Sessions
from watchglass_server.tokens import new_id
from watchglass_sync.journal import Journal

if TYPE_CHECKING:
    from watchglass_server.mirror_process import MirrorProcess
    from watchglass_server.mirror_resume import MirrorResume
    from watchglass_sync.bound_rows import BoundRows

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25
CREDENTIALS = "spacetimedb"
ORIGIN = "mirror-origin"
ADDRESS = "mirror-address"
TAKEN_OVER_IN_S = 30.0
LOOKED_IN_S = 5.0
Publish = Callable[[str, Sequence[dict[str, Any]]], None]
Ended = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Mirroring:
    """The mirror of this server, or none."""

    process: MirrorProcess | None
    resuming: MirrorResume | None = None

    @classmethod
    def of(
        cls,
        config: Config,
        journal: Journal,
        gateway: Gateway,
        is_stopping: Callable[[], bool],
    ) -> Mirroring:
        """What the configuration asks for, not started."""
        if config.spacetimedb is None:
            return cls(None)
        # A fifth of what importing all of the server takes, and few servers have a mirror.
        from spacetimedb_client import FileCredentials
        from watchglass_server.mirror_commands import MirrorCommands
        from watchglass_server.mirror_credentials import settle_credentials
        from watchglass_server.mirror_process import Mirrored, MirrorProcess
        from watchglass_server.mirror_resume import MirrorResume

        credentials = FileCredentials(config.data_dir / CREDENTIALS)
        settle_credentials(config, config.spacetimedb, credentials)
        origin = _origin(config)
        commands = MirrorCommands(gateway, lambda: process.permissions, is_stopping)
        mirrored = Mirrored(
            config.spacetimedb,
            journal=journal.path,
            credentials=config.data_dir / CREDENTIALS,
            origin=origin,
            public=config.mirror_public,
        )
        process = MirrorProcess(journal, mirrored, commands.perform)
        # For `watchglass mirror`, which asks the database whether or not a server runs.
        (config.data_dir / ADDRESS).write_text(f"{config.spacetimedb}\n", "utf-8")
        resuming = MirrorResume(journal, config, config.spacetimedb, credentials, origin)
        return cls(process, resuming if config.resume_from_mirror else None)

    async def resume(self) -> None:
        """Take up what others have mirrored, if that was asked for. Raises SetupError."""
        if self.resuming is not None:
            await self.resuming.run()

    async def start(self) -> None:
        """Begin, whether or not there is a database yet."""
        if self.process is None:
            return
        await self.process.start()
        if self.resuming is None or not self.resuming.count.resumed:
            return
        # Whoever looks at the mirror once this server is ready finds its rows there.
        if not await self.process.caught_up(TAKEN_OVER_IN_S):
            _log.warning("the rows of resumed sessions are taken over later")

    async def has_looked(self) -> None:
        """Wait until it has made its tables or has not reached the database; for a moment only."""
        if self.process is not None:
            await self.process.has_looked(LOOKED_IN_S)

    async def stop(self) -> None:
        """Let it catch up for a moment, and end it."""
        if self.process is not None:
            await self.process.stop()

    def bound_rows(self, config: Config) -> BoundRows | None:
        """The rows that variables follow, by the mirror's identity: of all databases there."""
        if self.process is None:
            return None
        from spacetimedb_client import FileCredentials
        from watchglass_sync.bound_rows import BoundRows

        address = self.process.address
        kept = FileCredentials(config.data_dir / CREDENTIALS)
        return BoundRows(address, lambda: kept.load(address.uri, address.database))

    def published(self, publish: Publish) -> Publish:
        """The same, with the mirror told of what was stored."""
        mirror = self.process
        if mirror is None:
            return publish

        def both(session: str, events: Sequence[dict[str, Any]]) -> None:
            publish(session, events)
            mirror.lag.recorded(session, events[0]["time"], events[-1]["seq"])
            mirror.notify(session)

        return both

    def stored(self, session: str) -> None:
        """A session was stored that was never live."""
        if self.process is not None:
            self.process.notify(session)

    def ended(self, ended: Ended) -> Ended:
        """The same, with the mirror told that a session is gone."""
        mirror = self.process
        if mirror is None:
            return ended

        def both(session: str) -> None:
            ended(session)
            mirror.lag.forgotten(session)
            mirror.notify(session)

        return both

    async def tell(self, sessions: Sessions, clock: Clock) -> None:
        """Keep the people in each session told how far its mirror is; at once done without one."""
        if self.process is not None:
            await MirrorTelling(self.process, sessions, clock).run()

    def figures(self, now_s: float) -> list[Metric]:
        """What /metrics has of the mirror."""
        if self.process is None:
            return []
        status, lag = self.process.status, self.process.lag
        return [
            gauge("mirror_connected", "The database is there.", status.state != "disconnected"),
            gauge("mirror_behind_events", "Events without rows.", lag.behind_by()),
            gauge("mirror_behind_sessions", "Sessions that have such events.", lag.sessions()),
            gauge("mirror_lag_seconds", "Age of the oldest of them.", lag.oldest_s(now_s)),
            counter("mirror_rows_total", "Operations on rows.", status.rows),
            counter("mirror_batches_total", "Transactions.", status.batches),
            counter("mirror_errors_total", "Connections lost or refused.", status.errors),
            counter("mirror_commands_total", "Commands answered.", status.commands),
        ]


class MirrorTelling:
    """Has the people in each session told how far its mirror is."""

    def __init__(self, process: MirrorProcess, sessions: Sessions, clock: Clock) -> None:
        self._process = process
        self._sessions = sessions
        self._clock = clock
        self._news: dict[str, MirrorNews] = {}
        self._there_at = clock.monotonic_s()

    async def run(self) -> None:
        """Look again and again, as long as the server runs."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Tell each session in which somebody is what is news to it."""
        now = self._clock.monotonic_s()
        if self._process.status.state != "disconnected":
            self._there_at = now
        live = self._sessions.live
        self._news = {one.session: self._news.get(one.session) or MirrorNews() for one in live}
        for one in live:
            try:
                self._tell(one, now)
            except Refused as error:
                _log.warning("session %s: %s", one.session, error)
            except Exception:
                _log.exception("session %s was not told of its mirror", one.session)

    def _tell(self, live: LiveSession, now: float) -> None:
        fold = live.state.fold
        if live.is_failed or fold.destroyed or not fold.participants:
            return
        if self._process.is_elsewhere(live.session):
            if fold.mirror is not None and fold.mirror.state != "off":
                live.apply(MirrorTold("off", 0))
            return
        lag = self._process.lag
        sight = MirrorSight(
            clock=now,
            recorded=fold.seq,
            mirrored=lag.mirrored(live.session),
            late_s=lag.late_s(live.session, self._clock.epoch_s()),
            away_s=now - self._there_at,
        )
        told = self._news[live.session].look(sight, fold.mirror)
        if told is not None:
            live.apply(told)


def _origin(config: Config) -> str:
    """By this the database knows which rows are of this data directory."""
    path = config.data_dir / ORIGIN
    if not path.exists():
        path.write_text(new_id("j"), "ascii")
    return path.read_text("ascii").strip()
