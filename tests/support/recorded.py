"""Recorded and written sessions, played again up to any frame: what a broken one does then."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacetimedb_bsatn import DecodeError
from spacetimedb_client.bindings import Bindings
from spacetimedb_client.cache import ClientCache, Staged
from spacetimedb_client.errors import ProtocolError
from spacetimedb_client.protocol.conversation import Conversation
from spacetimedb_client.protocol.dialect import Dialect, Frame
from spacetimedb_client.protocol.messages import (
    Event,
    QueryResult,
    SubscribeApplied,
    TransactionUpdate,
    UnsubscribeApplied,
)
from spacetimedb_client.protocol.v1 import V1
from spacetimedb_client.protocol.v1_json import V1Json
from spacetimedb_client.protocol.v2 import V2, V3
from tests.support.recording import SCHEMA, asked

VECTORS = Path(__file__).parents[1] / "vectors" / "server_frames_v1.json"
BINDINGS = Bindings(SCHEMA)
DIALECTS: Mapping[str, Dialect] = {
    each.subprotocol: each for each in (V1(), V1Json(SCHEMA), V2(), V3())
}
REFUSED = (DecodeError, ProtocolError)  # all that a connection expects of a frame

Step = Mapping[str, Any]
Contents = dict[str, tuple[dict[Any, Any], dict[Any, int]]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One frame, and all that was asked and said before it."""

    session: str
    protocol: str
    what: str
    event: str
    frame: Frame
    before: Sequence[Step]
    ends: Sequence[int] = ()  # where whole messages of v3 end, before the last one

    def __str__(self) -> str:
        return f"{self.session}: {self.what}"


def sessions() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(VECTORS.read_text())
    return loaded


def frames_of(session: Mapping[str, Any]) -> Iterator[Recorded]:
    steps = session["steps"]
    for at, step in enumerate(steps):
        if "frame" in step:
            yield Recorded(
                session["session"], session["protocol"], step["what"], step["event"],
                frame_of(session["protocol"], step), steps[:at],
            )  # fmt: skip


def frame_of(protocol: str, step: Step) -> Frame:
    text: str = step["frame"]
    return text if ".json." in protocol else bytes.fromhex(text)


RECORDED = [each for session in sessions() for each in frames_of(session)]


class Client:
    """A conversation and its cache, without a connection: what a frame does to both."""

    def __init__(self, recorded: Recorded) -> None:
        self.talk = Conversation(DIALECTS[recorded.protocol])
        self.cache = ClientCache(BINDINGS)
        for step in recorded.before:
            if "frame" in step:
                self._follow(self.talk.receive_data(frame_of(recorded.protocol, step)))
            else:
                ask(self.talk, step)

    def _follow(self, events: Sequence[Event]) -> None:
        for event in events:
            for staged in staged_by(self.cache, event):
                self.cache.commit(staged)

    def contents(self) -> Contents:
        return contents_of(self.cache)

    def is_refused(self, frame: Frame) -> bool:
        """Whether a frame is an error; what it does is done to a copy only.

        Any exception but those that a connection expects is not caught: it fails the test.
        """
        known = {id(self.talk.dialect): self.talk.dialect}
        try:
            events = copy.deepcopy(self.talk, known).receive_data(frame)
        except REFUSED:
            return True
        other = ClientCache(BINDINGS)
        other.commit(other.difference(self.cache))
        return any(is_refused_by(other, event) for event in events)


def is_refused_by(cache: ClientCache, event: Event) -> bool:
    """Does what an event says, wholly or not at all."""
    before = contents_of(cache)
    try:
        staged = staged_by(cache, event)
    except REFUSED:
        assert contents_of(cache) == before
        return True
    for each in staged:
        cache.commit(each)
        for table in each.values():
            list(table.changes())
    return False


def contents_of(cache: ClientCache) -> Contents:
    """All rows, and how often each is held."""
    return {
        name: (dict(table.rows), {key: table.count_of(key) for key in table.rows})
        for name, table in cache.tables.items()
    }


def ask(talk: Conversation, step: Step) -> None:
    """What was asked when it was recorded."""
    asked(talk, step["ask"], [_argument(each) for each in step["arguments"]])


def _argument(told: Any) -> Any:
    """Reducers' arguments are recorded in hexadecimal digits."""
    try:
        return bytes.fromhex(told) if isinstance(told, str) else told
    except ValueError:
        return told


def staged_by(cache: ClientCache, event: Event) -> list[dict[str, Staged]]:
    """What an event comes to, and what somebody reads who asked for it."""
    match event:
        case SubscribeApplied() | UnsubscribeApplied():
            return [cache.stage(event.updates)]
        case TransactionUpdate():
            return [cache.stage(event.updates)]
        case QueryResult():
            for name, rows in event.tables:
                if name in cache.tables:
                    cache.tables[name].decoded(rows)
    return []


def cut(frame: Frame) -> Iterator[Frame]:
    """At every offset."""
    return (frame[:length] for length in range(len(frame)))


def flipped(frame: Frame, all_bits: bool) -> Iterator[Frame]:
    """One bit at every offset, or each of the eight; what is no text is refused before us."""
    data = frame.encode() if isinstance(frame, str) else frame
    for at in range(len(data)):
        for bit in range(8) if all_bits else (at % 8,):
            broken = bytearray(data)
            broken[at] ^= 1 << bit
            if isinstance(frame, bytes):
                yield bytes(broken)
                continue
            try:
                yield broken.decode()
            except UnicodeDecodeError:
                continue
