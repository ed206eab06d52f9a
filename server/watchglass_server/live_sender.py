"""Live pictures → one client: one under way, at most 30 a second, the next when it has taken it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from watchglass_server.live_view import LiveView
from watchglass_server.notifications import LiveMessage

INTERVAL_S = 1 / 30

Show = Callable[[LiveMessage, Callable[[], None]], Awaitable[None]]


@dataclass(eq=False, slots=True)
class LiveSender:
    """What one connection looks at. A slow client gets fewer pictures, and newer ones."""

    show: Show
    """Sends a picture, and calls back when the client has acknowledged it."""
    views: dict[str, LiveView] = field(default_factory=dict)
    _next_at: float = 0.0
    _is_under_way: bool = False
    _timer: asyncio.TimerHandle | None = None
    _task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There may be something to show."""
        if self._is_under_way or self._timer is not None:
            return
        if not any(view.is_due for view in self.views.values()):
            return
        loop = asyncio.get_running_loop()
        wait = self._next_at - loop.time()
        if wait > 0:
            self._timer = loop.call_later(wait, self._wait_is_over)
        else:
            self._send_next()

    def close(self) -> None:
        """The connection is gone."""
        self.views.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _wait_is_over(self) -> None:
        self._timer = None
        self.wake()

    def _send_next(self) -> None:
        session, view = next((name, one) for name, one in self.views.items() if one.is_due)
        # The others are shown before this one is again.
        self.views[session] = self.views.pop(session)
        loop = asyncio.get_running_loop()
        self._next_at = loop.time() + INTERVAL_S
        self._is_under_way = True
        sending = self.show(view.message(), self._taken)
        self._task = asyncio.ensure_future(sending)

    def _taken(self) -> None:
        self._is_under_way = False
        self.wake()
