"""Node host ⇄ kernel: a stack that runs one entry after another, and waits in between."""

import sys
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextvars import Context
from typing import Self

Entries = Mapping[str, Callable[..., object]]
Wake = Callable[["Worker"], object]


class Worker:
    """One call of the host's, suspended until there is an entry to run; twin of workers.mjs.

    What it waits for is itself, a future that tells of its result at once: asyncio's own would tell
    by way of the event loop, which only an entry turns.
    """

    _asyncio_future_blocking = False  # by this asyncio.ensure_future knows a future

    def __init__(self, entries: Entries, run_sync: Callable[[Awaitable[object]], object]) -> None:
        self._entries = entries
        self._run_sync = run_sync
        self._given: tuple[Callable[..., object], tuple[object, ...]] | None = None
        self._wake: Wake | None = None

    def give(self, name: str, *arguments: object) -> None:
        """Have an entry run; called by the host, and only while nothing runs here."""
        self._given = self._entries[name], arguments
        if self._wake is not None:
            wake, self._wake = self._wake, None
            wake(self)

    def work(self, done: Callable[[object], None]) -> None:
        """Run what is given, and tell what it returns; does not return itself."""
        while True:
            while self._given is None:
                self._run_sync(self)
            (entry, arguments), self._given = self._given, None
            result = Context().run(entry, *arguments)
            _stop_tracing()
            del entry, arguments
            done(result)

    # What Pyodide asks of a future.

    def __await__(self) -> Generator[Self, None, None]:
        yield self

    def add_done_callback(self, wake: Wake, *, context: Context | None = None) -> None:
        """Call it once there is something to do."""
        if self._given is not None:
            wake(self)
        else:
            self._wake = wake

    def exception(self) -> None:
        """There is none."""

    def result(self) -> None:
        """What there is to do is in the worker itself."""


def _stop_tracing() -> None:
    """What the user's code traces with ends with it: each entry once had a thread of its own."""
    if sys.gettrace() is not None:
        sys.settrace(None)
    if sys.getprofile() is not None:
        sys.setprofile(None)
