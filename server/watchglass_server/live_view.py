"""What one client is still to be shown of one session: the latest of each thing, never a queue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from watchglass_server.commands import Window
from watchglass_server.fields import PathElement
from watchglass_server.measure import json_bytes
from watchglass_server.notifications import (
    LiveMessage,
    Patch,
    PatchRow,
    RunningLine,
    VariableChange,
)
from watchglass_server.pictures import Child

MESSAGE_BYTES = 2**20
# What a slow client has waiting; the record tells of older changes.
CHANGES_MOST = 2000


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a window now; `total` None: what it looked into is gone.

    The children have no version of their own: it is the one of their variable.
    """

    total: int | None
    version: int
    children: tuple[Child, ...]


NOTHING = Content(None, 0, ())


@dataclass(slots=True)
class Pane:
    """One open window of one client: what it was shown, and what is there now."""

    window: Window
    shown: Content | None = None
    now: Content | None = None

    @property
    def is_due(self) -> bool:
        """True when there is something else than was shown."""
        return self.now is not None and self.now != self.shown

    def patch(self) -> Patch:
        """The rows that the client does not have yet."""
        now = self.now or NOTHING
        before = self.shown.children if self.shown is not None else ()
        rows = [
            PatchRow(row=row, child=_of_version(child, now.version))
            for row, child in enumerate(now.children)
            if row >= len(before) or before[row] != child
        ]
        self.shown = now
        return Patch(
            path=self.window.path,
            offset=self.window.offset,
            limit=self.window.limit,
            total=now.total,
            length=len(now.children),
            version=now.version,
            rows=rows,
        )


WindowKey = tuple[str, int, int]


@dataclass(eq=False, slots=True)
class LiveView:
    """One client's look into one session."""

    session: str
    names: frozenset[str] | None
    wants_line: bool = False
    panes: dict[WindowKey, Pane] = field(default_factory=dict)
    changes: dict[str, VariableChange] = field(default_factory=dict)
    line: RunningLine | None = None
    line_shown: RunningLine | None = None
    after_seq: int = 0

    @property
    def is_empty(self) -> bool:
        """True when it asks for nothing."""
        return self.names == frozenset() and not self.panes and not self.wants_line

    @property
    def is_due(self) -> bool:
        """True when there is something to show."""
        if self.changes or self.line != self.line_shown:
            return True
        return any(pane.is_due for pane in self.panes.values())

    def look(
        self, names: Sequence[str] | None, windows: Iterable[Window], *, line: bool = False
    ) -> None:
        """What it asks for from now on; windows that stay open keep what they were shown."""
        self.wants_line = line
        self.names = None if names is None else frozenset(names)
        known = self.panes
        self.panes = {
            key: known.get(key) or Pane(window)
            for key, window in ((window_key(window), window) for window in windows)
        }
        if self.names is not None:
            self.changes = {k: v for k, v in self.changes.items() if k in self.names}

    def take(
        self,
        changes: Iterable[VariableChange],
        contents: Mapping[WindowKey, Content],
        line: RunningLine | None,
        after_seq: int,
    ) -> None:
        """Something is new: it replaces what was there of the same thing."""
        self.after_seq = after_seq
        for change in changes:
            if self.names is None or change.name in self.names:
                self.changes.pop(change.name, None)
                self.changes[change.name] = change
        while len(self.changes) > CHANGES_MOST:
            del self.changes[next(iter(self.changes))]
        for key, content in contents.items():
            if key in self.panes:
                self.panes[key].now = content
        self.line = line

    def message(self) -> LiveMessage:
        """What the client is shown now, and has been shown from here on."""
        changes: list[VariableChange] = []
        room = MESSAGE_BYTES
        while self.changes and room > 0:
            changes.append(self.changes.pop(next(iter(self.changes))))
            room -= 400 + json_bytes(changes[-1].variable and changes[-1].variable.value)
        self.line_shown = self.line
        return LiveMessage(
            session=self.session,
            after_seq=self.after_seq,
            changes=changes,
            patches=self._patches(room),
            line=self.line,
        )

    def _patches(self, room: int) -> list[Patch]:
        found: list[Patch] = []
        for pane in self.panes.values():
            if room > 0 and pane.is_due:
                found.append(pane.patch())
                room -= sum(400 + json_bytes(row.child.variable.value) for row in found[-1].rows)
        return found


def window_key(window: Window) -> WindowKey:
    """What two windows onto the same rows have in common."""
    return repr([_plain(step) for step in window.path]), window.offset, window.limit


def _plain(step: PathElement) -> object:
    return step if isinstance(step, str) else (step.index, step.attr, step.key)


def _of_version(child: Child, version: int) -> Child:
    return replace(child, variable=replace(child.variable, version=version))
