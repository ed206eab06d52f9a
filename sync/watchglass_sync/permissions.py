"""Who may do what in which mirrored session: the owner's list, and the rows that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

ROLES: Final = ("viewer", "editor", "owner")


@dataclass(frozen=True, slots=True)
class Permission:
    """A role that an identity has in a session, or in all of them (`session` None).

    `identity` is written as 64 hexadecimal digits.
    """

    identity: str
    session: str | None
    role: str
    name: str | None = None

    @property
    def key(self) -> str:
        """What there can be one of: the identity and the session."""
        return f"{self.identity}/{self.session or '*'}"

    @classmethod
    def of_row(cls, row: Any) -> Permission:
        """What a row of `permission` says."""
        return cls(str(row.identity), row.session, row.role, row.name)


@dataclass(frozen=True, slots=True)
class Access:
    """A row of `access`: what an identity sees."""

    identity: str
    session: str
    role: str

    @property
    def key(self) -> str:
        """What there can be one of: the identity and the session."""
        return f"{self.identity}/{self.session}"

    @classmethod
    def of_row(cls, row: Any) -> Access:
        """What a row of `access` says."""
        return cls(str(row.identity), row.session, row.role)


class Permissions:
    """All that the owner has granted."""

    def __init__(self, granted: Iterable[Permission] = ()) -> None:
        self._by_identity: dict[str, dict[str | None, Permission]] = {}
        for each in granted:
            self._by_identity.setdefault(each.identity, {})[each.session] = each

    def role_in(self, identity: str, session: str | None) -> str | None:
        """The highest role that it has there; `session` None: in every session."""
        own = self._by_identity.get(identity, {})
        found = [own[where].role for where in {None, session} if where in own]
        return max((each for each in found if each in ROLES), key=ROLES.index, default=None)

    @property
    def all(self) -> list[Permission]:
        """Each of them."""
        return [each for own in self._by_identity.values() for each in own.values()]

    @property
    def identities(self) -> frozenset[str]:
        """Those to whom anything was granted."""
        return frozenset(self._by_identity)

    def of(self, session: str) -> list[Permission]:
        """Those for this session alone."""
        return [own[session] for own in self._by_identity.values() if session in own]

    def name_of(self, identity: str) -> str:
        """What people call it: a name that was granted with, or how it begins."""
        named = [each.name for each in self._by_identity.get(identity, {}).values() if each.name]
        return named[0] if named else f"identity {identity[:12]}"

    def access(self, sessions: Iterable[str]) -> dict[str, Access]:
        """The rows of `access`, by their keys."""
        rows = [
            Access(identity, session, role)
            for session in sessions
            for identity in self._by_identity
            if (role := self.role_in(identity, session)) is not None
        ]
        return {row.key: row for row in rows}


@dataclass(frozen=True, slots=True)
class AccessChange:
    """What makes the rows that are there into those that should be."""

    written: tuple[Access, ...]
    deleted: tuple[str, ...]


def change_of(found: Mapping[str, Access], due: Mapping[str, Access]) -> AccessChange:
    """The rows to write, and the keys of those to delete."""
    return AccessChange(
        tuple(row for key, row in due.items() if found.get(key) != row),
        tuple(key for key in found if key not in due),
    )
