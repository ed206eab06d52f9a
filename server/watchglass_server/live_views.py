"""Who looks at what: what a process is asked to show, and whose view each picture goes into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import msgspec

from watchglass_server import host_messages as h
from watchglass_server.commands import ViewSetCommand, Window
from watchglass_server.live_view import NOTHING, Content, LiveView, WindowKey
from watchglass_server.measure import json_bytes
from watchglass_server.messages import plain_path
from watchglass_server.notifications import RunningLine
from watchglass_server.pictures import Child
from watchglass_server.rooms import Client, Rooms
from watchglass_server.session_process import authors_of, told_change
from watchglass_server.session_state import Session
from watchglass_server.session_variables import told_variable

WINDOW_BYTES = 2**20


class Looked(Protocol):
    """A living session, as far as it is looked at."""

    @property
    def session(self) -> str: ...

    @property
    def state(self) -> Session: ...

    def look(self, wanted: dict[str, Any] | None) -> None: ...


@dataclass(eq=False, slots=True)
class _Windows:
    """The windows that are open in one session, by the numbers that its process knows."""

    numbers: dict[WindowKey, int] = field(default_factory=dict)
    contents: dict[WindowKey, Content] = field(default_factory=dict)
    last: int = 0


class LiveViews:
    """All views of all clients."""

    def __init__(self, rooms: Rooms, is_followed: Callable[[str], bool] = lambda _: False) -> None:
        """`is_followed`: whether the server itself looks at a session's variables."""
        self._rooms = rooms
        self._is_followed = is_followed
        # They go with the session, however it ends.
        self._windows: WeakKeyDictionary[Looked, _Windows] = WeakKeyDictionary()

    def look(self, client: Client, live: Looked, command: ViewSetCommand) -> None:
        """A client says what it looks at."""
        views = client.live.views
        view = views.setdefault(live.session, LiveView(live.session, frozenset()))
        view.look(command.names, command.windows, line=command.line)
        if view.is_empty:
            del views[live.session]
        windows = self._windows.get(live)
        if windows is not None:
            view.take((), windows.contents, view.line, live.state.fold.seq)
        self.ask(live)
        client.live.wake()

    def take(self, live: Looked, picture: h.Live) -> None:
        """A process shows something: it goes into the views of those who look."""
        viewers = self._viewers(live.session)
        if not viewers:
            self.ask(live)
            return
        state, seq = live.state, live.state.fold.seq
        authors = authors_of(state, picture.changes)
        changes = [
            told_change(state, change, authors[change.request_id]) for change in picture.changes
        ]
        contents = self._contents(live, picture.windows)
        line = _line(state, picture.line)
        for client in viewers:
            client.live.views[live.session].take(changes, contents, line, seq)
            client.live.wake()

    def wanted(self, live: Looked) -> dict[str, Any] | None:
        """What a process is asked for; None when nobody looks."""
        views = [client.live.views[live.session] for client in self._viewers(live.session)]
        if not views:
            self._windows.pop(live, None)
            return {"on": True, "windows": []} if self._is_followed(live.session) else None
        windows = self._windows.setdefault(live, _Windows())
        opened = {key: pane.window for view in views for key, pane in view.panes.items()}
        known = windows.numbers
        windows.numbers = {}
        for key in opened:
            if key not in known:
                windows.last += 1
            windows.numbers[key] = known.get(key, windows.last)
        windows.contents = {k: v for k, v in windows.contents.items() if k in opened}
        return {
            "on": True,
            "windows": [_asked(windows.numbers[key], each) for key, each in opened.items()],
        }

    def ask(self, live: Looked) -> None:
        """Have its process show what is looked at now."""
        live.look(self.wanted(live))

    def _viewers(self, session: str) -> list[Client]:
        return [one for one in self._rooms.members(session) if session in one.live.views]

    def _contents(self, live: Looked, shown: Sequence[h.LiveWindow]) -> dict[WindowKey, Content]:
        windows = self._windows.setdefault(live, _Windows())
        keys = {number: key for key, number in windows.numbers.items()}
        found = {keys[one.window]: _content(one) for one in shown if one.window in keys}
        windows.contents.update(found)
        return found


def _asked(number: int, window: Window) -> dict[str, Any]:
    return {
        "window": number,
        "path": plain_path(window.path),
        "offset": window.offset,
        "limit": window.limit,
    }


def _content(shown: h.LiveWindow) -> Content:
    """The rows as clients see them; where they are too many bytes, without exact values."""
    if shown.total is None:
        return NOTHING
    children = []
    room = WINDOW_BYTES
    for one in shown.children:
        child = _child(one)
        room -= json_bytes(child.variable.value)
        if room < 0:
            child = msgspec.structs.replace(
                child, variable=msgspec.structs.replace(child.variable, value=None)
            )
        children.append(child)
    return Content(shown.total, shown.version, tuple(children))


def _child(shown: h.LiveChild) -> Child:
    return Child(key=shown.key, label=shown.label, variable=told_variable(shown))


def _line(state: Session, line: h.LiveLine | None) -> RunningLine | None:
    if line is None or state.running is None:
        return None
    return RunningLine(
        number=line.number,
        execution=state.numbers.get(line.number),
        line=line.line,
        function=line.function,
        calls=line.calls,
    )
