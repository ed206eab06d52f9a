"""Exceptions that nobody awaits: of tasks, callbacks and __del__, told under their execution."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from watchglass_monitor.ownership import OWNER, Ownership
from watchglass_monitor.tracebacks import format_error

ShowError = Callable[[BaseException], None]


class TaskErrors:
    """Shows each exception once, and not while the execution itself may still catch it."""

    def __init__(self, ownership: Ownership, show: ShowError) -> None:
        self._ownership = ownership
        self._show = show
        # Any: Pyodide's loop has futures that count their callbacks; asyncio's do not tell.
        self._held: list[tuple[int, Any]] = []
        self.running: Callable[[], int | None] = lambda: None
        self.is_lost_interrupt: Callable[[BaseException], bool] = lambda _: False

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take what tasks and callbacks of the loop raise, and __del__ methods."""
        loop.set_exception_handler(self.handle)
        # Pyodide's loop calls this when a future of its own is done.
        setattr(loop, "_decrement_in_progress", self.future_done)  # noqa: B010
        sys.unraisablehook = self.unraisable

    def future_done(self, future: Any = None) -> None:
        """A task has ended; if it failed and nobody waits for it, its error is told."""
        is_awaited = getattr(future, "_num_done_callbacks", 0) != 1
        if is_awaited or future.cancelled() or future._exception is None:
            return
        owner = OWNER.get()
        if owner == self.running():
            self._held.append((owner, future))
        else:
            self._tell(owner, future)

    def settle(self, owner: int) -> None:
        """An execution has ended: what its tasks raised and nobody took is told now."""
        held, self._held = self._held, []
        for its, future in held:
            if its != owner:
                self._held.append((its, future))
            elif future._log_traceback:  # nobody has asked for the exception
                self._tell(owner, future)

    def _tell(self, owner: int, future: Any) -> None:
        self.report(future._exception, owner)
        future._log_traceback = False  # or its __del__ would tell it again

    def handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The event loop's exception handler: a callback failed, or a future was forgotten."""
        exc = context.get("exception")
        if exc is None:
            loop.default_exception_handler(context)
            return
        future = context.get("future") or context.get("task")
        owner = self._ownership.current or 0
        if isinstance(future, asyncio.Task) and sys.version_info >= (3, 12):
            owner = future.get_context().get(OWNER, 0)
        self.report(exc, owner)

    def report(self, exc: BaseException, owner: int) -> None:
        """Tell an exception under the execution that it belongs to."""
        token = OWNER.set(owner)
        try:
            self._ownership.announce(owner)
            self._show(exc)
        finally:
            OWNER.reset(token)

    def unraisable(self, raised: "sys.UnraisableHookArgs") -> None:
        """sys.unraisablehook: as CPython writes it, without our frames."""
        if raised.exc_value is None or self.is_lost_interrupt(raised.exc_value):
            return
        what = raised.err_msg or "Exception ignored in"
        where = "" if raised.object is None else f" {_name(raised.object)}"
        lines = [f"{what}:{where}", *format_error(raised.exc_value).traceback]
        print("\n".join(lines), file=sys.stderr)


def _name(value: object) -> str:
    """What raised, without running its __repr__ when that is the user's."""
    name = getattr(value, "__qualname__", None)
    return name if isinstance(name, str) else f"<{type(value).__name__}>"
