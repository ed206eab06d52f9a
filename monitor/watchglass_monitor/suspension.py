"""Waiting without blocking: time.sleep, run_sync and asyncio.run suspend the stack they run on."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from sys import _getframe
from time import monotonic
from types import FrameType
from typing import SupportsIndex, TypeVar

from watchglass_monitor.frames import callers
from watchglass_monitor.host import Gate, Host
from watchglass_monitor.interrupts import Interrupts
from watchglass_monitor.ownership import Ownership

T = TypeVar("T")
# JavaScript's timers have whole milliseconds: the last bit of a sleep is waited for in place.
PRECISE_S = 0.002
# Each stack that waits keeps 32 MB of addresses, of which a jailed process has few.
MAX_WAITING = 8


@dataclass(eq=False)
class Suspension:
    """One stack that waits for a gate."""

    owner: int
    gate: Gate
    frames: list[FrameType]
    interrupted: bool = False


class Suspender:
    """Suspends the user's code on gates (JSPI), and wakes it early for an interrupt."""

    def __init__(self, host: Host, ownership: Ownership, interrupts: Interrupts) -> None:
        self._host = host
        self._ownership = ownership
        self._interrupts = interrupts
        self._waiting: list[Suspension] = []
        self.run_sync: Callable[[Awaitable[object]], object] = _unavailable
        self.can_run_sync: Callable[[], bool] = bool
        self.before: Callable[[], None] = _nothing  # the event loop goes on without this stack

    def available(self) -> bool:
        """Whether the running code may be suspended."""
        return (
            self._ownership.current is not None
            and not self._interrupts.serving
            and len(self._waiting) < MAX_WAITING
            and self.can_run_sync()
        )

    def suspend(self, gate: Gate) -> None:
        """Let the event loop turn until the gate opens; an interrupt is raised here."""
        self._interrupts.safe_point()
        owner, is_main = self._ownership.current or 0, self._ownership.is_main
        suspension = Suspension(owner, gate, callers(_getframe()))
        self._waiting.append(suspension)
        self._ownership.leave()
        self.before()
        try:
            self.run_sync(gate.promise)
        finally:
            suspension.frames.clear()  # they hold this frame's caller, and this frame holds them
            self._waiting.remove(suspension)
            self._ownership.enter(owner, is_main=is_main)
        if suspension.interrupted:
            self._interrupts.deliver()

    def interrupt(self, owner: int) -> bool:
        """Wake what waits for that execution; False if nothing does."""
        found = [each for each in self._waiting if each.owner == owner]
        for suspension in found:
            suspension.interrupted = True
            suspension.gate.open()
        return bool(found)

    def waiting_frames(self, owner: int) -> list[FrameType]:
        """Where that execution waits in a call, if it does: its frames, the innermost first.

        They were noted before: what lies between frames is moved away while their stack waits.
        """
        found = [each.frames for each in self._waiting if each.owner == owner]
        return found[-1] if found else []

    def sleep(self, seconds: float | SupportsIndex, /) -> None:
        """Suspend for the given number of seconds; the event loop goes on."""
        end = monotonic() + _checked(seconds)
        while True:
            left = end - monotonic()
            if left > PRECISE_S and self.available():
                self.suspend(self._host.gate(left * 1000))
                continue
            self._ownership.flush()
            self._host.wait(max(0.0, left) * 1000)
            self._interrupts.safe_point()
            if left <= 0:
                return

    def wait_for(self, awaitable: Awaitable[T]) -> T:
        """The result of an awaitable, with the event loop going on meanwhile."""
        if len(self._waiting) >= MAX_WAITING:
            raise RuntimeError(
                f"{MAX_WAITING} calls of run_sync or asyncio.run wait already: "
                "make this function async, and await"
            )
        future = asyncio.ensure_future(awaitable)
        try:
            self._suspend_until(future)
        except BaseException:
            # Cancel and wait, so that `finally` blocks run before the exception goes on.
            if not future.done():
                future.cancel()
                self._suspend_until(future)
            if not future.cancelled():
                future.exception()  # seen: the interrupt is what is reported
            raise
        return future.result()

    def _suspend_until(self, future: "asyncio.Future[T]") -> None:
        while not future.done():
            # A new one each time: a SIGINT handler of the user's that returns has used up the last.
            gate = self._host.gate(0)
            future.add_done_callback(functools.partial(_open, gate))
            self.suspend(gate)


def _open(gate: Gate, _: object) -> None:
    gate.open()


def _checked(seconds: float | SupportsIndex) -> float:
    kind = type(seconds)
    if not hasattr(kind, "__float__") and not hasattr(kind, "__index__"):
        raise TypeError(f"'{kind.__name__}' object cannot be interpreted as an integer")
    value = float(seconds)
    if value < 0:
        raise ValueError("sleep length must be non-negative")
    return value


def _unavailable(_: Awaitable[object]) -> object:
    raise RuntimeError("this stack cannot be suspended")


def _nothing() -> None:
    pass
