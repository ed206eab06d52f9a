"""The owner's permissions → the rows by which the database shows rows and takes commands."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any, Final

from spacetimedb_bsatn import Identity
from spacetimedb_client.module import BatchStep
from watchglass_sync.mirror_database import MirrorDatabase
from watchglass_sync.mirror_tables import MirrorTables
from watchglass_sync.permissions import Access, AccessChange, Permission, Permissions, change_of

STEPS_AT_ONCE: Final = 1000


class MirrorAccess:
    """Follows `permission`, and keeps `caller` and the `access` to our sessions."""

    def __init__(self, tables: MirrorTables) -> None:
        self.permissions = Permissions()
        self._tables = tables
        self._found: dict[str, dict[str, Access]] = {}  # by session
        self._callers: set[str] = set()
        self._waiting: set[str] = set()
        self._has_changed = False

    @property
    def is_settled(self) -> bool:
        """True when all rows are as they should be."""
        return not self._waiting and not self._has_changed

    async def open(self, database: MirrorDatabase, changed: Any) -> None:
        """Read what there is; `changed()` is called when the owner grants or revokes."""
        self._found.clear()
        for row in await database.access():
            self._found.setdefault(row.session, {})[row.key] = row
        self._callers = await database.callers()
        granted = await database.follow("permission")

        def tell(*_: object) -> None:
            self.permissions = Permissions(Permission.of_row(row) for row in granted)
            self._has_changed = True
            changed()

        granted.on_insert(tell)
        granted.on_update(tell)
        granted.on_delete(tell)
        tell()

    def look_at(self, session: str) -> None:
        """This session is new, or gone."""
        self._waiting.add(session)

    async def settle(self, database: MirrorDatabase, sessions: Iterable[str]) -> None:
        """Write what differs; `sessions` are all of ours that there are."""
        if self._has_changed:
            due = self.permissions.identities
            await database.apply(caller_steps(self._tables, self._callers, due))
            self._callers = set(due)
        known = set(sessions)
        chosen = {*known, *self._waiting} if self._has_changed else set(self._waiting)
        self._has_changed = False
        self._waiting.clear()
        steps: list[BatchStep] = []
        for session in sorted(chosen):
            found = self._found.get(session, {})
            rows = self.permissions.access([session]) if session in known else {}
            steps += access_steps(self._tables, change_of(found, rows))
            self._found[session] = rows
        # None of them says more than `access` does, which everybody may read.
        for first in range(0, len(steps), STEPS_AT_ONCE):
            await database.apply(steps[first : first + STEPS_AT_ONCE])

    def forget(self, session: str) -> list[BatchStep]:
        """What takes away the permissions of a session that is gone."""
        table = self._tables.tables["permission"]
        return [table.delete(each.key) for each in self.permissions.of(session)]


def caller_steps(tables: MirrorTables, found: Set[str], due: Set[str]) -> list[BatchStep]:
    """What makes these the identities that may call the reducer `command`."""
    table = tables.tables["caller"]
    written = [table.upsert(identity=Identity.from_hex(each)) for each in sorted(due - found)]
    return [*written, *(table.delete(Identity.from_hex(each)) for each in sorted(found - due))]


def access_steps(tables: MirrorTables, change: AccessChange) -> list[BatchStep]:
    """What makes this change."""
    table = tables.tables["access"]
    written = [
        table.upsert(
            key=row.key,
            identity=Identity.from_hex(row.identity),
            session=row.session,
            role=row.role,
        )
        for row in change.written
    ]
    return [*written, *(table.delete(key) for key in change.deleted)]
