"""What time it is: for people, for tokens, and for measuring."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from watchglass_server.session_inputs import Moment


class Clock:
    """The machine's clocks; a test brings its own."""

    def now(self) -> Moment:
        """This moment, for an event and for measuring."""
        return Moment(self.text(self.epoch_s()), self.monotonic_s())

    def epoch_s(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def monotonic_s(self) -> float:
        """Seconds on a clock that is never set back."""
        return time.monotonic()

    @staticmethod
    def text(epoch_s: float) -> str:
        """`2026-01-31T12:00:00.123456Z`."""
        moment = datetime.fromtimestamp(epoch_s, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"
