"""How much processor time a session has used in the last hour, minute by minute. Pure."""

from __future__ import annotations

from dataclasses import dataclass

HOUR_S = 3600.0
SLICE_S = 60.0


@dataclass(frozen=True, slots=True)
class CpuHour:
    """The minutes of the last hour in which processor time was used, the oldest first.

    Each is (its number on the clock, seconds used in it) and counts until an hour after its end.
    """

    minutes: tuple[tuple[int, float], ...] = ()

    def charged(self, clock: float, seconds: float) -> CpuHour:
        """The hour with some more used now."""
        if seconds <= 0:
            return self
        now = int(clock // SLICE_S)
        kept = tuple(one for one in self.minutes if not _is_over(one[0], clock))
        if kept and kept[-1][0] >= now:
            last, used = kept[-1]
            return CpuHour((*kept[:-1], (last, used + seconds)))
        return CpuHour((*kept, (now, seconds)))

    def used_s(self, clock: float) -> float:
        """What was used in the last hour."""
        return sum(used for minute, used in self.minutes if not _is_over(minute, clock))

    def free_in_s(self, clock: float, limit_s: float) -> float:
        """How long until less than the limit was used; 0: it is now."""
        left, wait = self.used_s(clock), 0.0
        for minute, used in self.minutes:
            if left < limit_s:
                break
            if not _is_over(minute, clock):
                left -= used
                wait = _end(minute) - clock
        return wait

    def shifted(self, by_s: float) -> CpuHour:
        """The same on a clock that shows so much more."""
        by = round(by_s / SLICE_S)
        return CpuHour(tuple((minute + by, used) for minute, used in self.minutes))


def _end(minute: int) -> float:
    return (minute + 1) * SLICE_S + HOUR_S


def _is_over(minute: int, clock: float) -> bool:
    return _end(minute) <= clock
