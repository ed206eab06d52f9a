"""SpacetimeDB → the sessions of other data directories, each as it was at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watchglass_sync.mirror import Stored
from watchglass_sync.mirror_database import MirrorDatabase
from watchglass_sync.mirrored_session import MirroredRows

TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Found:
    """One session's rows, and the data directory that they are of."""

    origin: str
    rows: MirroredRows


async def read_rows(database: MirrorDatabase, session: str) -> Found:
    """All rows of a session. Raises ValueError, which says why there are none to take."""
    before: Stored | None = await database.position(session)
    for _ in range(TRIES):
        if before is None:
            raise ValueError("its rows are gone")
        rows = await database.rows(session)
        # Each change of its rows moves its position in the same transaction.
        after = await database.position(session)
        if after == before:
            if rows is None:
                raise ValueError("it has no row in `session`")
            return Found(before.origin, rows)
        before = after
    raise ValueError(
        "another server still writes its rows; stop that one, then start this one again"
    )
