"""How many calls in how much time: a bucket of tokens that fills evenly. Pure."""

from __future__ import annotations

BURST_S = 2.0


class TokenBucket:
    """So many calls a second for as long as one likes, and `most` at once, or twice as many."""

    def __init__(self, per_s: float, clock: float, most: float | None = None) -> None:
        self.per_s = per_s
        self._most = max(1.0, per_s * BURST_S) if most is None else most
        self._tokens = self._most
        self._at = clock

    def take(self, clock: float) -> float:
        """Take one; 0.0 when there was one, else how many seconds until there is."""
        self._tokens = min(self._most, self._tokens + (clock - self._at) * self.per_s)
        self._at = clock
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self.per_s
