"""One session at one moment, and the step by which it becomes the next one. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from watchglass_server.cpu_hour import CpuHour
from watchglass_server.fields import MAX_CODE_BYTES, FinalStatus
from watchglass_server.messages import EVENTS, Notification
from watchglass_server.notifications import ParticipantNotification
from watchglass_server.package_policy import PackagePolicy
from watchglass_server.pictures import StreamPart
from watchglass_server.pip_command import PipCommand
from watchglass_server.session_fold import Fold, SessionEvent, fold, variable_bytes
from watchglass_server.session_inputs import Action, Edit, Moment, Record


class Phase(enum.Enum):
    """Where the session's process stands."""

    NONE = "none"
    STARTING = "starting"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What a session may use; None: no limit."""

    memory_bytes: int
    output_bytes: int
    wall_s: float | None = None
    cpu_s: float | None = None
    cpu_hour_s: float | None = None
    interrupt_grace_s: float = 5.0
    max_queue: int = 100
    code_bytes: int = MAX_CODE_BYTES
    variables: int = 10_000
    variables_bytes: int = 8 * 2**20
    participants: int = 100
    calls_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class CpuAccount:
    """The processor time of a session: of its process when it was last read, and of the hour."""

    hour: CpuHour = field(default_factory=CpuHour)
    generation: int = 0
    process_s: float = 0.0
    read_at: float = 0.0
    # Of the execution that runs, or ran last; and which it is.
    execution: str = ""
    execution_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """How large the variables are that clients were told of, and which were left out for that."""

    size_bytes: int = 0
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ending:
    """Running code that was interrupted: since when, why, and what happens if it goes on."""

    since: float
    status: FinalStatus
    cause: str
    message: str
    is_told: bool = False

    @property
    def is_limit(self) -> bool:
        """True when a limit was reached, false when somebody interrupted it."""
        return self.status == "timeout"


@dataclass(frozen=True, slots=True)
class Running:
    """The execution that the process works on."""

    number: int
    execution: str
    since: float
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """How much one execution has printed and displayed."""

    since: float
    sent_bytes: int = 0
    displays: int = 0
    is_cut: bool = False
    dropped_bytes: int = 0
    dropped_displays: int = 0
    lost_bytes: int = 0
    tail: tuple[StreamPart, ...] = ()
    told_at: float = 0.0
    is_told: bool = True
    pieces: int = 0
    unkept_bytes: int = 0
    display_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Aside:
    """What executions left that had ended: bytes, of which some are forgiven each second."""

    spent: float = 0.0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Pip:
    """What the session does about `%pip`: the request that is worked on, and when some came."""

    request: int | None = None
    number: int = 0
    command: PipCommand | None = None
    asked_at: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """One session: what its events say, and what only the living one knows."""

    fold: Fold
    limits: SessionLimits
    phase: Phase = Phase.NONE
    generation: int = 0
    running: Running | None = None
    meters: Mapping[str, Meter] = field(default_factory=dict)
    aside: Aside = Aside()
    # Which execution a number of this process stands for; and its questions by our numbers.
    numbers: Mapping[int, str] = field(default_factory=dict)
    inputs: Mapping[int, int] = field(default_factory=dict)
    # Whose the changes will be that no execution makes.
    edits: tuple[Edit, ...] = ()
    # Executions that changed since they were last stored.
    unstored: frozenset[str] = frozenset()
    stored_at: float = 0.0
    memory_bytes: int | None = None
    watcher: str | None = None
    cpu: CpuAccount = field(default_factory=CpuAccount)
    told: Told | None = None
    policy: PackagePolicy = field(default_factory=PackagePolicy)
    # Executions that are not finished, and were sent by the owner of the server.
    by_owner: frozenset[str] = frozenset()
    pip: Pip = Pip()

    @property
    def sizes(self) -> Told:
        """How large its variables are, counted where no change has counted them yet."""
        if self.told is not None:
            return self.told
        return Told(sum(variable_bytes(one.variable) for one in self.fold.variables.values()))

    @property
    def is_busy(self) -> bool:
        """True while code runs or waits."""
        return self.running is not None or bool(self.fold.queue)

    @property
    def needs_ticks(self) -> bool:
        """True while something depends on time passing."""
        return (
            self.running is not None
            or bool(self.unstored)
            or any(not meter.is_told for meter in self.meters.values())
        )


_TYPES: dict[type, str] = {}
for _type, _notification in EVENTS.items():
    _TYPES.setdefault(_notification, _type)


class Step:
    """One step of a session: collects the next state and the actions, and is thrown away."""

    def __init__(self, session: Session, moment: Moment) -> None:
        self.session = session
        self.moment = moment
        self.actions: list[Action] = []

    def record(self, data: Notification, type: str | None = None) -> None:
        """Make the next event."""
        assert type is not None or not isinstance(data, ParticipantNotification)
        event = SessionEvent(
            seq=self.session.fold.seq + 1,
            time=self.moment.time,
            type=type or _TYPES[data.__class__],
            data=data,
        )
        self.session = replace(self.session, fold=fold(self.session.fold, event))
        self.actions.append(Record(event))

    def act(self, action: Action) -> None:
        """Ask for something."""
        self.actions.append(action)

    def change(self, **fields: Any) -> None:
        """Change what only the living session knows."""
        self.session = replace(self.session, **fields)

    def touch(self, execution: str) -> None:
        """Note that an execution is no longer as it was stored."""
        if execution not in self.session.unstored:
            self.change(unstored=self.session.unstored | {execution})
