"""Safe points: where an interrupt, a deadline, a query or a flush reaches running code."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from watchglass_monitor.host import (
    DUE_BLOCKED,
    DUE_DEADLINE,
    DUE_INTERRUPT,
    DUE_MESSAGES,
    DUE_TICK,
    SAFE_POINT_SIGNAL,
    Host,
)
from watchglass_monitor.ownership import Ownership

# A task that has kept the event loop this long may be interrupted for another execution's sake.
BLOCKING_S = 0.1
# Code that swallows the end of its time is told again.
DEADLINE_AGAIN_MS = 50


class DeadlineExceeded(BaseException):
    """Code ran longer than it may; not an Exception, so that ordinary handlers let it pass."""


class Interrupts:
    """Serves safe points; the only place that raises into the user's code."""

    def __init__(self, host: Host, ownership: Ownership) -> None:
        self._host = host
        self._ownership = ownership
        self._deadline_on = False
        self.serving = False
        self.serve: Callable[[], None] = _nothing
        self.tick: Callable[[], None] = _nothing

    def arm(self) -> None:
        """Take the signal, also when the user's code took it away."""
        if signal.getsignal(SAFE_POINT_SIGNAL) != self._on_signal:
            signal.signal(SAFE_POINT_SIGNAL, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.safe_point()

    def safe_point(self) -> None:
        """Do what is due. Raises nothing but DeadlineExceeded and what an interrupt raises."""
        if not self.serving:
            due = self._host.due()
            if due & DUE_DEADLINE and self._deadline_on:
                self._host.deadline(DEADLINE_AGAIN_MS)
                raise DeadlineExceeded
            if self._ownership.current is not None:
                self._serve(due)
                if due & (DUE_INTERRUPT | DUE_BLOCKED):
                    self._interrupt()
        elif self._deadline_on and self._host.due() & DUE_DEADLINE:
            self._host.deadline(DEADLINE_AGAIN_MS)
            raise DeadlineExceeded

    def _serve(self, due: int) -> None:
        """Answer and show; nothing of that may end the code it interrupts."""
        self.serving = True
        try:
            if due & DUE_MESSAGES:
                self.serve()
            if due & DUE_TICK:
                self.tick()
        except (Exception, KeyboardInterrupt, DeadlineExceeded):
            # Recursion or memory at their limit here are at their limit in the user's code too:
            # that code gets its own error at its next step, the message waits for a better one.
            return
        finally:
            self.serving = False

    def _interrupt(self) -> None:
        owner = self._ownership.current
        if self._host.pressed() == owner:
            self.deliver()
        elif self._ownership.blocked_for() > BLOCKING_S and (
            self._host.pressed() or self._host.stray()
        ):
            raise KeyboardInterrupt

    def deliver(self) -> None:
        """Raise KeyboardInterrupt, or call what the user has put in the place of that."""
        handler = signal.getsignal(signal.SIGINT)
        if handler is signal.SIG_IGN:
            return  # the server's grace runs out and it ends the process
        self._host.delivered()
        if callable(handler) and handler is not signal.default_int_handler:
            handler(signal.SIGINT, None)
            return
        raise KeyboardInterrupt

    @contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        """End the body by DeadlineExceeded when it runs longer; not nested."""
        self._deadline_on = True
        self._host.deadline(seconds * 1000)
        try:
            yield
        finally:
            self._deadline_on = False
            self._host.deadline(0)


def _nothing() -> None:
    pass
