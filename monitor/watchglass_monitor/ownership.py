"""Whose code runs: the execution that what is printed, raised and stored now belongs to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

# Tasks and callbacks copy the context they are made in, so they carry their execution's id on.
OWNER: ContextVar[int] = ContextVar("watchglass_owner", default=0)


class Ownership:
    """The user's code that runs now, if any; tells the output streams when that changes."""

    def __init__(self, announce: Callable[[int], None], flush: Callable[[], None]) -> None:
        self.current: int | None = None  # None: the kernel itself runs
        self.is_main = False  # the execution itself, not one of its callbacks
        self.entered = 0.0
        self._announced = 0
        self._announce = announce
        self.flush = flush

    def enter(self, owner: int, *, is_main: bool = False) -> None:
        """The user's code of that execution begins to run, or goes on."""
        self.announce(owner)
        self.entered = monotonic()
        self.is_main = is_main
        self.current = owner

    def leave(self) -> None:
        """The user's code ends, or is suspended."""
        self.current = None
        self.flush()

    def announce(self, owner: int) -> None:
        """Say whose output follows."""
        if owner != self._announced:
            self.flush()
            self._announced = owner
            self._announce(owner)

    @contextmanager
    def running(self, owner: int, *, is_main: bool = False) -> Iterator[None]:
        """The user's code of that execution runs in the body."""
        # An interrupt may be raised in any of these lines: between two of them, never inside of a
        # plain assignment.
        try:
            self.enter(owner, is_main=is_main)
            yield
        finally:
            self.current = None
            self.leave()

    def blocked_for(self) -> float:
        """How many seconds the present code has kept the event loop."""
        return monotonic() - self.entered
