"""A session's state machine in a test: inputs in, what it recorded and asked for out."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from watchglass_server import host_messages as h
from watchglass_server import session_inputs as i
from watchglass_server.exit_info import ExitInfo
from watchglass_server.session import apply, new_session
from watchglass_server.session_fold import Fold, decode_event, fold
from watchglass_server.session_state import Session, SessionLimits
from watchglass_sync.records import DumpRecord, ExecutionRecord, OutputRecord

A = TypeVar("A")
LIMITS = SessionLimits(memory_bytes=2**29, output_bytes=2**26, wall_s=None, max_queue=5)


class Script:
    """One session, and a clock that the test moves."""

    def __init__(self, limits: SessionLimits = LIMITS) -> None:
        self.clock = 1000.0
        self.session: Session = new_session("s", "name", limits, self.moment)
        self.first: Fold = self.session.fold
        self.actions: list[i.Action] = []

    @property
    def moment(self) -> i.Moment:
        return i.Moment(f"time {self.clock:.3f}", self.clock)

    def apply(self, happened: i.Input, *, after: float = 0.0) -> list[i.Action]:
        """What it asks for because of this."""
        self.clock += after
        self.session, actions = apply(self.session, happened, self.moment)
        self.actions += actions
        return list(actions)

    def said(self, event: Any, *, after: float = 0.0) -> list[i.Action]:
        """The process says something."""
        return self.apply(i.HostSaid(self.session.generation, event), after=after)

    def ready(self) -> Script:
        """Give it the process that it asked for."""
        self.apply(i.ProcessReady(self.session.generation, 30))
        return self

    def started(self) -> Script:
        """With a process, and nothing to do."""
        self.apply(i.Wake())
        return self.ready()

    def execute(
        self,
        code: str = "1",
        execution: str = "e1",
        author: str | None = None,
        *,
        by_owner: bool = False,
    ) -> None:
        self.apply(i.Execute(execution, code, author, by_owner=by_owner))

    def finish(self, status: Any = "ok") -> list[i.Action]:
        """The process has done what it was given."""
        assert self.session.running is not None
        return self.said(h.Finished(self.session.running.number, status, 1.5, 40))

    def died(self, cause: str = "signal") -> list[i.Action]:
        return self.apply(
            i.ProcessEnded(self.session.generation, ExitInfo(None, 9, cause, "It is gone."))
        )

    def asked(self, kind: type[A]) -> list[A]:
        """Everything of a kind that it has asked for."""
        return [action for action in self.actions if isinstance(action, kind)]

    def events(self, *types: str) -> list[dict[str, Any]]:
        """The data of the events, of these types only."""
        return [
            msgspec.to_builtins(record.event.data)
            for record in self.asked(i.Record)
            if not types or record.event.type in types
        ]

    def types(self) -> list[str]:
        return [record.event.type for record in self.asked(i.Record)]

    def outputs(self) -> list[OutputRecord]:
        return [one.record for one in self.asked(i.Store) if isinstance(one.record, OutputRecord)]

    def stored_executions(self) -> list[ExecutionRecord]:
        return [
            one.record for one in self.asked(i.Store) if isinstance(one.record, ExecutionRecord)
        ]

    def dumps(self) -> list[DumpRecord]:
        return [one.record for one in self.asked(i.Store) if isinstance(one.record, DumpRecord)]

    def refolded(self) -> Fold:
        """What the events add up to when they are read back from JSON."""
        known = self.first
        for record in self.asked(i.Record):
            event = record.event
            text = msgspec.json.encode(event.data)
            known = fold(
                known, decode_event(event.seq, event.time, event.type, msgspec.json.decode(text))
            )
        return known


def variable(name: str, version: int = 1, value: Any = 1) -> h.Variable:
    """A variable as a process tells of it."""
    return h.Variable(
        name, "int", "builtins", repr(value)[:200], None, 28, None, None, False, True, version,
        value,
    )  # fmt: skip


def was_set(name: str, request_id: int = 0, version: int = 1, value: Any = 1) -> h.SetChange:
    return h.SetChange(name, 1, request_id, variable=variable(name, version, value))


def watch_value(name: str, value: Any, met: bool | None = None) -> h.WatchValue:
    """What a process tells of the watch of a name; None: that there is no value."""
    if value is None:
        return h.WatchValue(f"w{name}", None, f"NameError: {name}", None, None)
    return h.WatchValue(f"w{name}", variable(name, 0, value), None, met, None)
