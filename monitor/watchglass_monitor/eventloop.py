"""The session's event loop: Python keeps its callbacks and timers, JavaScript turns it.

It replaces the scheduling of Pyodide's loop, which makes a JavaScript timer of every callback:
here each runs under its execution's name, and many run in one turn.
"""

import asyncio
import contextvars
import heapq
import itertools
import math
from asyncio.events import AbstractEventLoop
from collections import deque
from collections.abc import Callable

from watchglass_monitor.host import Host
from watchglass_monitor.ownership import OWNER, Ownership

Report = Callable[[BaseException, int], None]
Context = contextvars.Context | None


class OwnedHandle(asyncio.Handle):
    """A callback that runs as code of the execution in whose context it was scheduled."""

    __slots__ = ("is_task", "owner")

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[object, ...],
        loop: AbstractEventLoop,
        context: Context,
    ) -> None:
        context = context if context is not None else contextvars.copy_context()
        super().__init__(callback, args, loop, context)
        self.owner = context.get(OWNER, 0)
        # A task keeps what it raises, and what waits for it is told.
        self.is_task = isinstance(getattr(callback, "__self__", None), asyncio.Task)


class Schedule:
    """What the loop has to run now and later; one JavaScript timer stands for all of it."""

    def __init__(
        self, loop: AbstractEventLoop, host: Host, ownership: Ownership, report: Report
    ) -> None:
        self._loop = loop
        self._host = host
        self._ownership = ownership
        self._report = report
        self._ready: deque[OwnedHandle] = deque()
        self._timers: list[tuple[float, int, OwnedHandle]] = []
        self._order = itertools.count()
        self._steps = 0
        self.after: Callable[[int], None] = _nothing

    def install(self) -> None:
        """Take over the scheduling of the loop."""
        for name in ("call_soon", "call_soon_threadsafe", "call_later", "call_at"):
            setattr(self._loop, name, getattr(self, name))

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context = None
    ) -> asyncio.Handle:
        handle = OwnedHandle(callback, args, self._loop, context)
        if not self._ready:
            self._host.schedule(0)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # there are no threads

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: object, context: Context = None
    ) -> asyncio.Handle:
        if delay <= 0:
            return self.call_soon(callback, *args, context=context)
        return self.call_at(self._loop.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: object, context: Context = None
    ) -> asyncio.Handle:
        handle = OwnedHandle(callback, args, self._loop, context)
        if when == math.inf:
            return handle
        if not self._timers or when < self._timers[0][0]:
            self._host.schedule(max(0.0, when - self._loop.time()) * 1000)
        heapq.heappush(self._timers, (when, next(self._order), handle))
        return handle

    def arm(self) -> None:
        """Have step() called in time for what is waiting."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if self._ready:
            self._host.schedule(0)
        elif self._timers:
            self._host.schedule(max(0.0, self._timers[0][0] - self._loop.time()) * 1000)

    def step(self) -> None:
        """Run what is ready now, once; what that makes ready comes in the next turn."""
        now = self._loop.time()
        while self._timers and self._timers[0][0] <= now:
            self._ready.append(heapq.heappop(self._timers)[2])
        for _ in range(len(self._ready)):
            if not self._ready:
                break  # the loop went on while one of these was suspended
            self._run(self._ready.popleft())
        self.arm()

    def _run(self, handle: OwnedHandle) -> None:
        if handle.cancelled():
            return
        self._steps += 1
        try:
            with self._ownership.running(handle.owner):
                handle._run()
        except (KeyboardInterrupt, SystemExit) as exc:
            # asyncio lets these two pass; the loop outlives them.
            if not handle.is_task:
                self._report(exc, handle.owner)
        self.after(handle.owner)

    @property
    def steps(self) -> int:
        """How many callbacks have run: grows whenever a task may have changed something."""
        return self._steps


def _nothing(_: int) -> None:
    pass
