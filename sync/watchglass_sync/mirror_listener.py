"""What a mirror tells whoever runs it, which may be in another process than its server."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from watchglass_sync.permissions import Permission

MirrorState = Literal["connected", "behind", "disconnected"]


@dataclass(frozen=True, slots=True)
class MirrorStatus:
    """How the mirror is, of all sessions together; `MirrorLag` has how far each is."""

    state: MirrorState = "disconnected"
    rows: int = 0
    batches: int = 0
    errors: int = 0
    commands: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Events of a session that follow each other: the time of the first, and the last of them."""

    since: str
    last: int
    last_time: str

    def joined(self, later: Span) -> Span:
        """This one, and one that follows it."""
        return Span(self.since, later.last, later.last_time)


class MirrorListener(Protocol):
    """Who hears of it, in the order in which it happens."""

    def status(self, status: MirrorStatus) -> None:
        """It is like this now."""
        ...

    def connected(self, positions: Mapping[str, int]) -> None:
        """The database is there, and has the rows of so many events of each session."""
        ...

    def read(self, spans: Mapping[str, Span]) -> None:
        """These events follow those with rows, and are about to be written."""
        ...

    def written(self) -> None:
        """What was read has its rows."""
        ...

    def forgotten(self, session: str) -> None:
        """The session is gone, or is not ours to write."""
        ...

    def elsewhere(self, sessions: Collection[str]) -> None:
        """Other servers write the rows of these."""
        ...

    def granted(self, permissions: Sequence[Permission]) -> None:
        """This is all that the owner has granted."""
        ...
