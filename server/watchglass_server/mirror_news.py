"""How far a session's mirror is → what its people are told of that, and when. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from watchglass_server.fields import MirrorStatus
from watchglass_server.pictures import MirrorState
from watchglass_server.session_inputs import MirrorTold

# A mirror that is late or away for less is nobody's concern.
TELL_AFTER_S: Final = 1.0
# Bad news, and a new count, come no sooner after what was told before.
TELL_EVERY_S: Final = 3.0
# Once it is told to be behind, it has caught up when it is no later than this.
SETTLED_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class MirrorSight:
    """The mirror of one session at one moment.

    `recorded` and `mirrored`: the last event of the session, and the last one that has its rows.
    `late_s`: how long ago the oldest event without rows was recorded. `away_s`: how long the
    database has been away; 0: it is there.
    """

    clock: float
    recorded: int
    mirrored: int
    late_s: float
    away_s: float

    @property
    def behind_by(self) -> int:
        """How many events have no rows yet."""
        return max(0, self.recorded - self.mirrored)


class MirrorNews:
    """Decides what one session is told of its mirror.

    What it is told is itself an event that has to be mirrored, and must never be a reason to tell
    again: `behind_by` counts it already, and events of this kind alone are not being behind.
    """

    def __init__(self) -> None:
        self._own: list[int] = []  # events of this kind that have no rows yet
        self._told_at = -math.inf

    def look(self, now: MirrorSight, told: MirrorState | None) -> MirrorTold | None:
        """What to tell now, if anything; `told`: what the session's record says up to now."""
        self._own = [seq for seq in self._own if seq > now.mirrored]
        state = self._state(now, told.state if told else "off")
        if state == "off" or not self._is_news(state, now, told):
            return None
        self._own.append(now.recorded + 1)
        self._told_at = now.clock
        return MirrorTold(state, 0 if state == "connected" else now.behind_by + 1)

    def _state(self, now: MirrorSight, told: MirrorStatus) -> MirrorStatus:
        if now.away_s > 0:
            return "disconnected" if now.away_s > TELL_AFTER_S else told
        bound_s = TELL_AFTER_S if told in ("off", "connected") else SETTLED_S
        is_behind = now.behind_by > len(self._own) and now.late_s > bound_s
        return "behind" if is_behind else "connected"

    def _is_news(self, state: MirrorStatus, now: MirrorSight, told: MirrorState | None) -> bool:
        if state == "connected":
            return told is None or told.state != "connected"
        if told is not None and (told.state, told.behind_by) == (state, now.behind_by):
            return False
        return now.clock - self._told_at >= TELL_EVERY_S
