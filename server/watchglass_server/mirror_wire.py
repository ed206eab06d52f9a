"""The server ⇄ the process of its mirror: what they tell each other, one message a line. Pure."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from watchglass_server import json_wire
from watchglass_sync.mirror_listener import MirrorStatus, Span
from watchglass_sync.permissions import Permission
from watchglass_sync.remote_commands import CommandOutcome, RemoteCommand

# A command's code or value, of which JSON escapes some letters as six, or all sessions there are.
LINE_BYTES: Final = 128 * 2**20


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is"):
    """Either way."""


# --- to the mirror


class Begin(Message, frozen=True, tag="begin"):
    """First: what to mirror, and where to. `journal` and `credentials` are paths.

    `log_level` as a number of `logging`; `ended_at`: the last event of each session at the start.
    """

    journal: str
    uri: str
    database: str
    credentials: str
    origin: str
    public: bool
    log_level: int
    ended_at: dict[str, int]


class Changed(Message, frozen=True, tag="changed"):
    """The journal has something new of these sessions, or has lost them."""

    sessions: list[str]


class Performed(Message, frozen=True, tag="performed"):
    """What became of a command that was asked for by this number."""

    number: int
    outcome: CommandOutcome


class CatchUp(Message, frozen=True, tag="catch_up"):
    """Say when all that was told of before has its rows, or could not within so many seconds."""

    number: int
    limit_s: float


class Stop(Message, frozen=True, tag="stop"):
    """Write what there is, within so many seconds, and end."""

    grace_s: float


# --- from the mirror


class Status(Message, frozen=True, tag="status"):
    """It is like this now."""

    status: MirrorStatus


class Connected(Message, frozen=True, tag="connected"):
    """The database has the rows of so many events of each session."""

    positions: dict[str, int]


class Read(Message, frozen=True, tag="read"):
    """These events are about to be written."""

    spans: dict[str, Span]


class Written(Message, frozen=True, tag="written"):
    """What was read has its rows."""


class Forgotten(Message, frozen=True, tag="forgotten"):
    """It follows this session no more."""

    session: str


class Elsewhere(Message, frozen=True, tag="elsewhere"):
    """Other servers write the rows of these."""

    sessions: list[str]


class Granted(Message, frozen=True, tag="granted"):
    """All that the owner has granted."""

    permissions: list[Permission]


class Perform(Message, frozen=True, tag="perform"):
    """Do what a row of `command` asks for, and answer by this number."""

    number: int
    command: RemoteCommand


class Drop(Message, frozen=True, tag="drop"):
    """Nobody waits for the answer of this number any more."""

    number: int


class CaughtUp(Message, frozen=True, tag="caught_up"):
    """The answer to CatchUp."""

    number: int
    is_caught_up: bool


ToMirror = Begin | Changed | Performed | CatchUp | Stop
FromMirror = (
    Status
    | Connected
    | Read
    | Written
    | Forgotten
    | Elsewhere
    | Granted
    | Perform
    | Drop
    | CaughtUp
)
M = TypeVar("M")


def encoded(message: Message) -> bytes:
    """The message as a line."""
    return json_wire.dumps(msgspec.to_builtins(message)).encode() + b"\n"


def to_mirror(line: bytes) -> ToMirror:
    """What a server says. Raises ValueError."""
    said: ToMirror = _decoded(line, ToMirror)
    return said


def from_mirror(line: bytes) -> FromMirror:
    """What a mirror says. Raises ValueError."""
    said: FromMirror = _decoded(line, FromMirror)
    return said


def _decoded(line: bytes, kind: Any) -> Any:
    return msgspec.convert(json_wire.loads(line.decode()), kind)
