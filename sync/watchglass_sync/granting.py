"""`watchglass mirror` → the database: what its owner grants and revokes, and what is granted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from spacetimedb_bsatn import Identity, Timestamp
from spacetimedb_client import DatabaseNotFound, FileCredentials, SpacetimeDBError
from watchglass_sync.errors import MirrorRefused
from watchglass_sync.mirror_access import access_steps, caller_steps
from watchglass_sync.mirror_address import MirrorAddress
from watchglass_sync.mirror_database import MirrorDatabase
from watchglass_sync.mirror_tables import MirrorTables
from watchglass_sync.permissions import Permission, Permissions, change_of


class Granting:
    """The list of permissions of one database; a change holds at once, also with no server."""

    def __init__(self, database: MirrorDatabase, tables: MirrorTables) -> None:
        """Call `opened` instead."""
        self._database = database
        self._tables = tables

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, address: MirrorAddress, credentials: FileCredentials
    ) -> AsyncIterator[Granting]:
        """Connect as the owner. Raises MirrorRefused, which says what to do."""
        if credentials.load(address.uri, address.database) is None:
            raise MirrorRefused(
                f"this data directory has no token of {address}: name the one of the server that "
                "made it with --data-dir"
            )
        tables = MirrorTables(public=False)
        try:
            async with MirrorDatabase.opened(
                address, tables, "", credentials, publishes=False
            ) as database:
                yield cls(database, tables)
        except DatabaseNotFound as error:
            raise MirrorRefused(
                f"there is no database {address} yet: `watchglass serve --spacetimedb {address}` "
                "makes it"
            ) from error
        except SpacetimeDBError as error:
            raise MirrorRefused(f"the database {address} cannot be asked: {error}") from error

    async def listed(self) -> list[Permission]:
        """All that is granted, by session and identity."""
        found = await self._database.permissions()
        return sorted(found, key=lambda each: (each.session or "", each.identity))

    async def grant(self, permission: Permission) -> None:
        """Give an identity a role, in place of the one it had there. Raises MirrorRefused."""
        sessions = await self._database.sessions()
        if permission.session is not None and permission.session not in sessions:
            raise MirrorRefused(
                f"the database has no session '{permission.session}'; `watchglass sessions` lists "
                "those of the server"
            )
        step = self._tables.tables["permission"].upsert(
            key=permission.key,
            identity=Identity.from_hex(permission.identity),
            session=permission.session,
            role=permission.role,
            name=permission.name,
            granted_at=Timestamp.now(),
        )
        await self._database.apply([step])
        await self._settle(permission.identity, sessions)

    async def revoke(self, identity: str, session: str | None) -> bool:
        """Take a role back; False when it was not granted."""
        permission = Permission(identity, session, "")
        granted = {each.key for each in await self._database.permissions()}
        if permission.key not in granted:
            return False
        await self._database.apply([self._tables.tables["permission"].delete(permission.key)])
        await self._settle(identity, await self._database.sessions())
        return True

    async def _settle(self, identity: str, sessions: set[str]) -> None:
        """Have the identity see and do what it may; the server does the same, if there is one."""
        permissions = Permissions(await self._database.permissions())
        own = {identity}
        callers = await self._database.callers() & own
        may_call = permissions.identities & own
        await self._database.apply(caller_steps(self._tables, callers, may_call))
        due = {
            key: row
            for key, row in permissions.access(sessions).items()
            if row.identity == identity
        }
        found = {row.key: row for row in await self._database.access() if row.identity == identity}
        steps = access_steps(self._tables, change_of(found, due))
        if steps:
            await self._database.apply(steps)
