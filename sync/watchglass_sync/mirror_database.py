"""Mirror ⇄ SpacetimeDB: publishes the module, reads how far it is, applies batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn

from spacetimedb_client import Admin, Connection, ConnectionLost, FileCredentials, connect
from spacetimedb_client.module import BatchStep, batch
from spacetimedb_client.tables import TableHandle
from watchglass_sync.errors import MirrorRefused
from watchglass_sync.mirror import Position, SessionMirror, Stored
from watchglass_sync.mirror_address import MirrorAddress
from watchglass_sync.mirror_tables import APPLY, OF_SESSIONS, TABLES, MirrorTables
from watchglass_sync.mirrored_session import MirroredRows
from watchglass_sync.permissions import Access, Permission

BATCH_BYTES: Final = 8 * 2**20
UNFINISHED: Final = "SELECT * FROM execution WHERE status = 'queued' OR status = 'running'"


class MirrorDatabase:
    """An open connection to the mirror's database, whose module is ours."""

    def __init__(self, address: MirrorAddress, tables: MirrorTables, origin: str) -> None:
        """Call `opened` instead."""
        self.address = address
        self.others: dict[str, Stored] = {}
        """The positions of sessions whose rows are of another data directory."""
        self._tables = tables
        self._origin = origin
        self._admin: Admin
        self._connection: Connection

    @classmethod
    @asynccontextmanager
    async def opened(
        cls,
        address: MirrorAddress,
        tables: MirrorTables,
        origin: str,
        credentials: FileCredentials,
        *,
        publishes: bool = True,
    ) -> AsyncIterator[MirrorDatabase]:
        """Connect, as the identity that we keep. Raises SpacetimeDBError, MirrorRefused.

        With `publishes`, the database and its module are made where they are not there.
        """
        token = credentials.load(address.uri, address.database)
        if token is None:
            async with Admin(address.uri) as admin:
                token = (await admin.create_identity()).token
            credentials.save(address.uri, address.database, token)
        found = cls(address, tables, origin)
        async with Admin(address.uri, token=token) as found._admin:
            if publishes:
                await found._publish()
            opening = connect(
                address.uri, address.database, token=token, reconnect=False, light=True
            )
            async with opening as found._connection:
                yield found

    async def _publish(self) -> None:
        """Give the database our module, unless it has it. Raises MirrorRefused."""
        database, module = self.address.database, self._tables.module
        difference = await self._admin.difference(database, module)
        if difference is not None and difference.refused:
            raise MirrorRefused(
                f"the database {self.address} cannot take this version's tables: "
                f"{'; '.join(difference.refused)}. Name another database with --spacetimedb, or "
                "publish with `spacetimedb-py publish --clear`, which drops all of its rows."
            )
        if difference is None or difference.changes:
            await self._admin.publish(database, module, check=False)

    async def apply(self, *groups: Sequence[BatchStep]) -> None:
        """Do each group in its order and in one transaction, or several where it is very large.

        Whoever sees one row of a transaction is told all of it by the database: what is not for
        the same eyes belongs into groups of their own.
        """
        await asyncio.gather(*(self._apply(steps) for steps in groups))

    async def _apply(self, steps: Sequence[BatchStep]) -> None:
        for part in _parts(steps):
            await self._connection.reducers[APPLY](batch(part))

    async def lost(self) -> NoReturn:
        """Wait until the connection is gone, and raise ConnectionLost."""
        await self._connection.wait_closed()
        raise ConnectionLost(f"the connection to {self.address} is closed")

    async def mirrors(self) -> dict[str, SessionMirror]:
        """What the database has of the sessions of this journal."""
        positions = await self.positions()
        self.others = {
            session: stored
            for session, stored in positions.items()
            if stored.origin != self._origin
        }
        found = {
            session: SessionMirror(
                session,
                self._origin,
                self._tables,
                Position(stored.seq, stored.outputs, stored.changes),
                stored,
            )
            for session, stored in positions.items()
            if stored.origin == self._origin
        }
        for row in await self._rows("SELECT session, name FROM variable"):
            if row.session in found:
                found[row.session].variables.add(row.name)
        for row in await self._rows("SELECT session, participant FROM participant"):
            if row.session in found:
                found[row.session].participants.add(row.participant)
        for row in await self._rows(UNFINISHED):
            if row.session in found:
                found[row.session].executions[row.execution] = _columns("execution", row)
        for row in await self._rows("SELECT * FROM process"):
            if row.session in found:
                found[row.session].process = _columns("process", row)
        return found

    async def names(self, table: str, session: str) -> list[str]:
        """What the database has of a session: of table `execution` all columns `execution`, …"""
        statement = f"SELECT {table} FROM {table} WHERE session = ?"
        rows = await self._admin.sql(self.address.database, statement, session)
        return [getattr(row, table) for row in rows]

    async def old_executions(self, session: str, number: int) -> list[str]:
        """The executions of a session up to this number."""
        statement = "SELECT execution FROM execution WHERE session = ? AND number <= ?"
        rows = await self._admin.sql(self.address.database, statement, session, number)
        return [row.execution for row in rows]

    async def access(self) -> list[Access]:
        """Who sees what, as far as the database knows."""
        return [Access.of_row(row) for row in await self._rows("SELECT * FROM access")]

    async def permissions(self) -> list[Permission]:
        """What the owner has granted."""
        return [Permission.of_row(row) for row in await self._rows("SELECT * FROM permission")]

    async def callers(self) -> set[str]:
        """The identities that may call the reducer `command`."""
        return {str(row.identity) for row in await self._rows("SELECT * FROM caller")}

    async def sessions(self) -> set[str]:
        """All sessions that have rows, of whichever data directory."""
        return {row.session for row in await self._rows("SELECT session FROM session")}

    async def follow(self, table: str) -> TableHandle[Any]:
        """Subscribe to all rows of a table, and return them."""
        await self._connection.subscribe(f"SELECT * FROM {table}")
        return self._connection.db[table]

    async def positions(self) -> dict[str, Stored]:
        """How far each session is, of whichever data directory."""
        return {row.session: _stored(row) for row in await self._rows("SELECT * FROM position")}

    async def position(self, session: str) -> Stored | None:
        """How far one session is."""
        statement = "SELECT * FROM position WHERE session = ?"
        for row in await self._admin.sql(self.address.database, statement, session):
            return _stored(row)
        return None

    async def keys(self, session: str) -> dict[str, list[str]]:
        """The keys of all rows of a session, by their tables."""
        found = {}
        for table in OF_SESSIONS:
            key = next(iter(TABLES[table]))
            statement = f"SELECT {key} FROM {table} WHERE session = ?"
            rows = await self._admin.sql(self.address.database, statement, session)
            found[table] = [getattr(row, key) for row in rows]
        return found

    async def rows(self, session: str) -> MirroredRows | None:
        """What the tables have of a session; None when it is gone."""
        told = {}
        for table in ("session", "execution", "output", "variable", "variable_change"):
            statement = f"SELECT * FROM {table} WHERE session = ?"
            rows = await self._admin.sql(self.address.database, statement, session)
            told[table] = [_columns(table, row) for row in rows]
        if not told["session"]:
            return None
        return MirroredRows(
            told["session"][0],
            told["execution"],
            told["output"],
            told["variable"],
            told["variable_change"],
        )

    async def _rows(self, statement: str) -> Iterable[Any]:
        return await self._admin.sql(self.address.database, statement)


def _stored(row: Any) -> Stored:
    return Stored(row.origin, row.seq, row.outputs, row.changes)


def _columns(table: str, row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TABLES[table]}


def _parts(steps: Sequence[BatchStep]) -> Iterable[Sequence[BatchStep]]:
    part: list[BatchStep] = []
    size = 0
    for step in steps:
        if part and size + len(step.data) > BATCH_BYTES:
            yield part
            part, size = [], 0
        part.append(step)
        size += len(step.data)
    if part:
        yield part
