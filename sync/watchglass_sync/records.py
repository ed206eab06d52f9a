"""Server → journal: what can be appended, and the rows that come back. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

JsonObject = Mapping[str, object]

RESUMED_FROM = "resumed_from"
"""In a session's row: the data directory whose rows in the mirror it was read from."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event of a session; `seq` continues the stored ones by exactly 1."""

    seq: int
    time: str
    type: str
    data: JsonObject


@dataclass(frozen=True, slots=True)
class OutputRecord:
    """Text that an execution printed, put behind what is stored of it. `name`: stdout or stderr."""

    execution: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """One execution as `execution.list` gives it; the same id replaces the row."""

    execution: str
    number: int
    data: JsonObject


@dataclass(frozen=True, slots=True)
class DumpRecord:
    """The namespace after execution `number`, as the process wrote it; the newest is kept."""

    number: int
    data: bytes
    entries: Sequence[JsonObject]


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """The session's row (name, status, limits, …): creates it, or replaces its fields."""

    fields: JsonObject


@dataclass(frozen=True, slots=True)
class StateRecord:
    """The fold of all events up to `seq`; the newest is kept."""

    seq: int
    state: JsonObject


@dataclass(frozen=True, slots=True)
class ShareRecord:
    """One share of the session (role, label, hash of its token, …): creates or replaces it."""

    share: str
    fields: JsonObject


@dataclass(frozen=True, slots=True)
class ShareRevoked:
    """The share is gone."""

    share: str


@dataclass(frozen=True, slots=True)
class SessionDeleted:
    """The session and all that is stored of it are gone; its id may be used again."""


Record = (
    EventRecord
    | OutputRecord
    | ExecutionRecord
    | DumpRecord
    | SessionRecord
    | StateRecord
    | ShareRecord
    | ShareRevoked
    | SessionDeleted
)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session as stored: its fields, and the `seq` of its last event (0: none)."""

    session: str
    fields: dict[str, object]
    last_seq: int


@dataclass(frozen=True, slots=True)
class Event:
    """One stored event."""

    seq: int
    time: str
    type: str
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a session is rebuilt from: apply `events` (those after `state_seq`) to `state`."""

    row: SessionRow
    state: dict[str, object] | None
    state_seq: int
    events: list[Event]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of output, `name` stdout or stderr."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class StoredExecution:
    """One execution's row."""

    execution: str
    number: int
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class StoredDump:
    """The last dump of a session's namespace."""

    number: int
    data: bytes
    entries: list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One share as stored."""

    session: str
    share: str
    fields: dict[str, object]


@dataclass(frozen=True, slots=True)
class VariableChange:
    """One change of a variable, or of a watch: its element in the event that told of it.

    `nth`: the how manyth of its variable. `number`: of its execution, once that is stored.
    """

    seq: int
    time: str
    nth: int
    change: dict[str, object]
    number: int | None
