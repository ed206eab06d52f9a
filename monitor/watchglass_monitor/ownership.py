"""Whose code runs: the execution that what is printed, raised and stored now belongs to."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Tasks and callbacks copy the context they are made in, so they carry their execution's id on.
OWNER: ContextVar[int] = ContextVar("watchglass_owner", default=0)


class Ownership:
    """The user's code that runs now, if any; tells the output streams when that changes."""

    def __init__(self, announce: Callable[[int], None], flush: Callable[[], None]) -> None:
        self.current: int | None = None  # None: the kernel itself runs
        self.entered = 0.0
        self._announced = 0
        self._announce = announce
        self._flush = flush

    def enter(self, owner: int) -> None:
        """The user's code of that execution begins to run, or goes on."""
        self.announce(owner)
        self.entered = time.monotonic()
        self.current = owner

    def leave(self) -> None:
        """The user's code ends, or is suspended."""
        self.current = None
        self._flush()

    def announce(self, owner: int) -> None:
        """Say whose output follows."""
        if owner != self._announced:
            self._flush()
            self._announced = owner
            self._announce(owner)

    @contextmanager
    def running(self, owner: int) -> Iterator[None]:
        """The user's code of that execution runs in the body."""
        self.enter(owner)
        try:
            yield
        finally:
            self.leave()

    def blocked_for(self) -> float:
        """How many seconds the present code has kept the event loop."""
        return time.monotonic() - self.entered
