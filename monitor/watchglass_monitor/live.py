"""Live: a picture of now for those who look, many times a second, and never a queue."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol

from .frames import RunningLine
from .host import Message
from .paths import VariableError
from .wire import GetResult, PathElement

LIVE_MS = 30.0
# Between two safe points at which is asked whether something was stored: the latency of a change.
PACE_MS = 5.0
MAX_CHANGES = 500
# Finding what was stored, describing and sending it may take one thirtieth of the time.
DUTY = 30
WINDOWS_S = 0.005


class Values(Protocol):
    """The part of VariableMonitor that shows values."""

    def get(self, path: object, offset: int = 0, limit: int = 100) -> GetResult: ...


@dataclass(eq=False, slots=True)
class Window:
    """A page of an expanded value that somebody has open."""

    number: int
    path: list[PathElement]
    offset: int
    limit: int
    shown: Message | None = None
    is_due: bool = True


class Live:
    """What is sent beside the record while somebody looks."""

    def __init__(
        self,
        values: Values,
        send: Callable[[Message], None],
        line: Callable[[], RunningLine | None],
        pace: Callable[[float], None],
    ) -> None:
        """`pace` sets how many milliseconds may pass between two safe points; 0: as always."""
        self._values = values
        self._send = send
        self._line = line
        self._pace = pace
        self._windows: dict[int, Window] = {}
        self._changes: dict[str, Message] = {}
        self._next = 0.0
        self._next_look = 0.0
        self._line_sent: RunningLine | None = None
        self.on = False
        """Whether somebody looks."""

    def look(self, *, on: bool, windows: Iterable[dict[str, Any]]) -> None:
        """What is looked at from now on: all changes with the running line, and some windows."""
        known = self._windows
        self._windows = {
            each["window"]: known.get(each["window"])
            or Window(each["window"], each["path"], each["offset"], each["limit"])
            for each in windows
        }
        self.on = on
        self._changes.clear()
        self._line_sent = None
        self._pace(PACE_MS if self.on else 0)

    def note(self, change: Message) -> None:
        """A variable has changed."""
        if not self.on:
            return
        name = str(change["name"])
        self._changes.pop(name, None)
        self._changes[name] = change
        for window in self._windows.values():
            if window.path[0] == name:
                window.is_due = True

    def is_due(self, now: float, *, stored: bool) -> bool:
        """Whether it is time to look for changes and show them; at once where one was stored."""
        return self.on and now >= self._next and (stored or now >= self._next_look)

    def show(self, since: float) -> None:
        """Send what is new, if anything is; `since` is when looking for it began."""
        line = self._line()
        windows = self._due_windows()
        is_new = bool(self._changes or windows) or line != self._line_sent
        if is_new:
            self._line_sent = line
            self._flush(windows, line)
        now = monotonic()
        pause = max(LIVE_MS / 1000, (now - since) * DUTY)
        self._next_look = now + pause
        self._next = now + (pause if is_new else (now - since) * DUTY)

    def settle(self) -> None:
        """The record has just told all changes: only windows are still to be shown."""
        self._changes.clear()
        if self.on:
            windows = self._due_windows()
            self._line_sent = None
            if windows:
                self._flush(windows, None)

    def _flush(self, windows: list[Message], line: RunningLine | None) -> None:
        changes = list(self._changes.values())
        self._changes.clear()
        for start in range(0, max(1, len(changes)), MAX_CHANGES):
            part = changes[start : start + MAX_CHANGES]
            self._send({"type": "live", "changes": part, "windows": windows, "line": line})
            windows = []

    def _due_windows(self) -> list[Message]:
        """The open windows whose content is another than was sent."""
        found: list[Message] = []
        end = monotonic() + WINDOWS_S
        for window in list(self._windows.values()):
            if not window.is_due:
                continue
            if found and monotonic() > end:
                break  # the others come next time, and first: these are not due any more
            window.is_due = False
            content = self._content(window)
            if content != window.shown:
                window.shown = content
                found.append(content)
        return found

    def _content(self, window: Window) -> Message:
        try:
            result = self._values.get(window.path, window.offset, window.limit)
        except VariableError:
            return {"window": window.number, "total": None, "version": 0, "children": []}
        return {
            "window": window.number,
            "total": result["total"],
            "version": result["variable"]["version"],
            # All have the version of their variable: said once, or each row would be another.
            "children": [{**child, "version": 0} for child in result["children"]],
        }
