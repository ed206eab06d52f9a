"""How far the mirror of each session is behind its record: events in, counts and ages out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from watchglass_sync.mirror_listener import Span


@dataclass(slots=True)
class _Lag:
    """One session. `since`: when the oldest event without rows was recorded; empty: not known."""

    recorded: int = 0
    mirrored: int = 0
    since: str = ""

    @property
    def behind_by(self) -> int:
        return max(0, self.recorded - self.mirrored)


class MirrorLag:
    """Counts what is recorded and has no rows yet.

    Until the database has said how far it is, what was stored before this server's start counts
    as mirrored. Times are those of the events.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, _Lag] = {}
        self._read: dict[str, Span] = {}

    def found(self, session: str, last: int) -> None:
        """A session was stored up to this event before this server started."""
        self._sessions[session] = _Lag(last, last)

    def recorded(self, session: str, time: str, last: int) -> None:
        """More events were stored, up to the last; the first of them at this time."""
        lag = self._sessions.setdefault(session, _Lag())
        if not lag.behind_by:
            lag.since = time
        lag.recorded = last

    def forgotten(self, session: str) -> None:
        """The session is gone."""
        self._sessions.pop(session, None)
        self._read.pop(session, None)

    def connected(self, positions: Mapping[str, int]) -> None:
        """The database is there, and has the rows of so many events of each session."""
        self._read.clear()
        for session, lag in self._sessions.items():
            lag.mirrored = positions.get(session, 0)

    def read(self, spans: Mapping[str, Span]) -> None:
        """These follow those with rows, or those read before them, and are about to be written."""
        for session, span in spans.items():
            known = self._read.get(session)
            if known is None:
                self._sessions.setdefault(session, _Lag()).since = span.since
            self._read[session] = known.joined(span) if known is not None else span

    def written(self) -> None:
        """What was read has its rows."""
        for session, span in self._read.items():
            lag = self._sessions[session]
            # The next one came later than this; how much later is known once it is read.
            lag.mirrored, lag.since = span.last, span.last_time
        self._read.clear()

    def mirrored(self, session: str) -> int:
        """The last event of the session that has its rows, as far as one knows."""
        lag = self._sessions.get(session)
        return lag.mirrored if lag is not None else 0

    def late_s(self, session: str, now_s: float) -> float:
        """How long ago the session's oldest event without rows was recorded; 0: there is none."""
        lag = self._sessions.get(session)
        return _age_s(lag.since, now_s) if lag is not None and lag.behind_by else 0.0

    def behind_by(self) -> int:
        """How many events of all sessions have no rows yet."""
        return sum(lag.behind_by for lag in self._sessions.values())

    def sessions(self) -> int:
        """How many sessions have such events."""
        return sum(lag.behind_by > 0 for lag in self._sessions.values())

    def oldest_s(self, now_s: float) -> float:
        """How long ago the oldest event without rows of all sessions was recorded."""
        late = [lag.since for lag in self._sessions.values() if lag.behind_by and lag.since]
        return _age_s(min(late, default=""), now_s)


def _age_s(time: str, now_s: float) -> float:
    if not time:
        return 0.0
    return max(0.0, now_s - datetime.fromisoformat(time).timestamp())
