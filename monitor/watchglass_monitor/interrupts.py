"""Safe points: where an interrupt, a deadline, a query or a flush reaches running code."""

import signal
import sys
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from time import monotonic
from types import CodeType, FrameType

from watchglass_monitor.deadline import DeadlineExceeded
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
from watchglass_monitor.watcher import CALLBACK_CODES

# A task that has kept the event loop this long may be interrupted for another execution's sake.
BLOCKING_S = 0.1
# The watcher's callback, and what it calls.
CALLBACK_DEPTH = 3
DEAF_DEPTH = 100
# Code that swallows the end of its time is told again.
DEADLINE_AGAIN_MS = 50


class Interrupts:
    """Serves safe points; the only place that raises into the user's code."""

    def __init__(self, host: Host, ownership: Ownership) -> None:
        self._host = host
        self._ownership = ownership
        self._limits: list[float] = []  # the ends of the time limits now in force, inner last
        self._deaf: set[CodeType] = set()  # called by C code that swallowed an interrupt
        self._is_looking = False
        self.serving = False
        self.serve: Callable[[], None] = _nothing
        self.tick: Callable[[], None] = _nothing
        self.is_main: Callable[[], bool] = bool

    def arm(self) -> None:
        """Take the signal, also when the user's code took it away."""
        self._deaf.clear()
        if signal.getsignal(SAFE_POINT_SIGNAL) != self._on_signal:
            signal.signal(SAFE_POINT_SIGNAL, self._on_signal)

    def _on_signal(self, _number: int, frame: FrameType | None) -> None:
        # The signal comes again and again while something is due, in these lines too: there it
        # would see itself in the place of the code that it interrupts.
        if self._is_looking:
            return
        self._is_looking = True
        try:
            is_heard = not self._is_swallowed(frame)
        finally:
            self._is_looking = False
        if is_heard:
            self.safe_point()

    def _is_swallowed(self, frame: FrameType | None) -> bool:
        """Whether what is raised there goes nowhere; what is due stays due."""
        if is_inside(frame, CALLBACK_CODES, CALLBACK_DEPTH):
            return True
        return bool(self._deaf) and is_inside(frame, self._deaf, DEAF_DEPTH)

    def is_lost(self, error: BaseException) -> bool:
        """Whether Python has swallowed an interrupt, as in __del__: it is raised elsewhere then."""
        if not isinstance(error, KeyboardInterrupt) or not self._host.undelivered():
            return False
        if error.__traceback__ is not None:
            self._deaf.add(error.__traceback__.tb_frame.f_code)
        return True

    def safe_point(self) -> None:
        """Do what is due. Raises nothing but DeadlineExceeded and what an interrupt raises."""
        due = self._host.due()
        if due & DUE_DEADLINE and self._limits:
            self._host.deadline(DEADLINE_AGAIN_MS)
            raise DeadlineExceeded
        if self.serving or self._ownership.current is None:
            return
        self.serving = True
        try:
            self._serve(due)
            is_meant = self._host.pressed() == self._ownership.current
            # A callback is left alone, and the execution reached when it has ended: unless it
            # keeps the event loop.
            is_reached = is_meant and self.is_main()
            is_reached = is_reached or self._ownership.blocked_for() > BLOCKING_S
        finally:
            self.serving = False
        if due & (DUE_INTERRUPT | DUE_BLOCKED) and is_reached:
            self.deliver(acknowledge=is_meant)

    def _serve(self, due: int) -> None:
        """Answer and show; nothing of that may end the code it interrupts."""
        try:
            if due & DUE_MESSAGES:
                self.serve()
            if due & DUE_TICK:
                self.tick()
        except (Exception, KeyboardInterrupt, DeadlineExceeded) as problem:
            problem.__traceback__ = None  # of a MemoryError, it would keep these frames alive
            # Recursion or memory at their limit here are at their limit in the user's code too:
            # that code gets its own error at its next step, the message waits for a better one.
            return

    def deliver(self, *, acknowledge: bool = True) -> None:
        """Raise KeyboardInterrupt, or call what the user has put in the place of that."""
        self.serving = True
        try:
            handler = signal.getsignal(signal.SIGINT)
            if handler is signal.SIG_IGN:
                return  # the server's grace runs out and it ends the process
            if acknowledge:
                self._host.delivered()
        finally:
            self.serving = False
        if callable(handler) and handler is not signal.default_int_handler:
            handler(signal.SIGINT, None)
            return
        raise KeyboardInterrupt

    @contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        """End the body by DeadlineExceeded when it runs longer."""
        outer = len(self._limits)
        try:  # from here on: the end of an outer limit may be raised in any of these lines
            self._limits.append(min([monotonic() + seconds, *self._limits]))
            self._host.deadline(self._remaining_ms())
            yield
        finally:
            del self._limits[outer:]
            self._host.deadline(self._remaining_ms())

    def _remaining_ms(self) -> float:
        if not self._limits:
            return 0
        return max(1.0, (self._limits[-1] - monotonic()) * 1000)


def is_inside(frame: FrameType | None, codes: Set[CodeType], depth: int = sys.maxsize) -> bool:
    """Whether one of these runs in the frame, or in one of those that called it."""
    for _ in range(depth):
        if frame is None:
            return False
        if frame.f_code in codes:
            return True
        frame = frame.f_back
    return False


def _nothing() -> None:
    pass
