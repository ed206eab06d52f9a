"""Mirror → journal, before a server starts: sessions of another data directory go on here."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from spacetimedb_client import Admin, FileCredentials, SpacetimeDBError
from watchglass_server.config import Config
from watchglass_server.errors import SetupError
from watchglass_server.session_resume import Resumed, resumed
from watchglass_sync.errors import MirrorRefused
from watchglass_sync.journal import Journal
from watchglass_sync.mirror_address import MirrorAddress
from watchglass_sync.mirror_database import MirrorDatabase
from watchglass_sync.mirror_tables import MirrorTables
from watchglass_sync.mirrored_columns import ID
from watchglass_sync.mirrored_session import read_session
from watchglass_sync.mirrored_sessions import read_rows

_log = logging.getLogger(__name__)

REACHED_IN_S = 30.0
READ_IN_S = 600.0


@dataclass(slots=True)
class ResumeCount:
    """How it went."""

    resumed: int = 0
    left: int = 0
    bad_rows: int = 0


@dataclass(frozen=True, slots=True)
class MirrorResume:
    """Reads the sessions of a mirror that the journal does not have."""

    journal: Journal
    config: Config
    address: MirrorAddress
    credentials: FileCredentials
    origin: str
    count: ResumeCount = field(default_factory=ResumeCount)

    async def run(self) -> None:
        """Have them all, or say what is in the way. Raises SetupError."""
        _log.info("resuming the sessions that are mirrored at %s", self.address)
        count = self.count
        try:
            async with asyncio.timeout(REACHED_IN_S):
                await self._look()
            async with asyncio.timeout(READ_IN_S):
                await self._read()
        except TimeoutError:
            raise self._problem(
                f"it took too long; {count.resumed} sessions are here, and another start goes on"
            ) from None
        except (SpacetimeDBError, MirrorRefused, OSError) as error:
            raise self._problem(str(error).rstrip(".")) from error
        _log.info(
            "sessions resumed from the mirror: %d; left out: %d, and rows that cannot be: %d",
            count.resumed,
            count.left,
            count.bad_rows,
        )

    async def _look(self) -> None:
        """There must be a database: opening it would make one, and there is nothing in that."""
        token = self.credentials.load(self.address.uri, self.address.database)
        async with Admin(self.address.uri, token=token, timeout=REACHED_IN_S) as admin:
            await admin.database_identity(self.address.database)

    async def _read(self) -> None:
        tables = MirrorTables(public=self.config.mirror_public)
        opening = MirrorDatabase.opened(self.address, tables, self.origin, self.credentials)
        async with opening as database:
            known = {row.session for row in await self.journal.sessions()}
            found = await database.positions()
            others = {key for key, stored in found.items() if stored.origin != self.origin}
            missing = sorted(others - known)
            _log.info("sessions to resume: %d", len(missing))
            for session in missing:
                if len(known) + self.count.resumed >= self.config.max_sessions:
                    self._leave(session, "--max-sessions allows no more; raise it")
                else:
                    await self._resume(database, session)

    async def _resume(self, database: MirrorDatabase, session: str) -> None:
        try:
            one = await self._taken(database, session)
        except ValueError as error:
            self._leave(session, str(error))
            return
        # All of it or nothing: a server that is killed here begins this session anew.
        await self.journal.append(session, one.records)
        self.count.resumed += 1
        self.count.bad_rows += one.bad
        _log.info(
            "resumed session %s (%r): %d executions, %d variables, %d of them with exact values%s",
            session,
            one.name,
            one.executions,
            one.variables,
            one.values,
            f"; left out {one.bad} rows that cannot be" if one.bad else "",
        )

    async def _taken(self, database: MirrorDatabase, session: str) -> Resumed:
        if not ID.fullmatch(session):
            raise ValueError("no session has such an id")
        found = await read_rows(database, session)
        return await asyncio.to_thread(
            lambda: resumed(session, read_session(found.rows), found.origin)
        )

    def _leave(self, session: str, why: str) -> None:
        self.count.left += 1
        _log.warning("session %r is not resumed: %s", session[:100], why)

    def _problem(self, words: str) -> SetupError:
        return SetupError(
            f"Nothing can be resumed from the mirror at {self.address}: {words}. See that the "
            "database runs, that --spacetimedb names it, and that the token is its owner's "
            "(--spacetimedb-token-file); or start without --resume-from-mirror, with the sessions "
            "that the data directory has."
        )
