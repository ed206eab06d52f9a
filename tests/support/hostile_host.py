"""A process that says anything at all, against all that reads it: no I/O, one value of each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, cast

import msgspec

from tests.support.mutation import FROM_HOST, Mutation
from tests.support.session_script import Script
from watchglass_server import call_answers, json_wire
from watchglass_server import session_inputs as i
from watchglass_server.commands import ViewSetCommand, Window
from watchglass_server.errors import AnswerError, QueryError
from watchglass_server.fields import MAX_MESSAGE_BYTES, PathStep
from watchglass_server.frames import encode_message
from watchglass_server.host_answers import RestoreAnswer, read_answer
from watchglass_server.host_messages import Live
from watchglass_server.host_protocol import HostEvent, HostProtocol, HostProtocolError, Reply
from watchglass_server.live_sender import LiveSender
from watchglass_server.live_views import LiveViews
from watchglass_server.outbox import Outbox
from watchglass_server.rooms import Client, Membership, Rooms
from watchglass_server.session import apply
from watchglass_server.session_fold import decode_event
from watchglass_server.session_process_link import refusal_of
from watchglass_server.session_state import Session
from watchglass_server.session_view import session_state

VARIABLE = next(each for each in FROM_HOST if each["type"] == "variables")["changes"][0]["variable"]
CHILD = {**VARIABLE, "key": {"index": 0}, "label": "[0]"}
FRAME = {"name": "f", "file": "<In[1]>", "number": 2, "line": 3, "locals": [VARIABLE]}
Reader = Callable[[Mapping[str, Any], Session], object]
# What is asked, what a process may answer, and what reads it.
QUESTIONS: Sequence[tuple[dict[str, Any], Reader]] = (
    (
        {"matches": [{"text": "print", "type": "function"}], "start": 0, "end": 3},
        lambda answer, _: call_answers.completions(answer),
    ),
    (
        {"found": True, "signature": "f(x)", "docstring": "…", "type": "function"},
        lambda answer, _: call_answers.inspection(answer),
    ),
    (
        {"status": "incomplete", "indent": "    "},
        lambda answer, _: call_answers.completeness(answer),
    ),
    (
        {"variable": VARIABLE, "children": [CHILD, CHILD], "total": 2},
        lambda answer, _: call_answers.variable_page(answer),
    ),
    ({"variable": VARIABLE}, lambda answer, _: call_answers.variable_now(answer)),
    ({"text": "repr", "truncated": False}, lambda answer, _: call_answers.repr_text(answer)),
    ({"frames": [FRAME, FRAME], "omitted": 1}, call_answers.running_frames),
    (
        {"problems": {"condition": "it is none"}},
        lambda answer, _: call_answers.watch_problems(answer),
    ),
    (
        {
            "variables": [VARIABLE],
            "verdicts": [{"name": "x", "verdict": "lost", "why": "it was a socket"}],
        },
        lambda answer, _: read_answer(answer, RestoreAnswer),
    ),
)
ERRORS = [each for each in FROM_HOST if each["type"] == "reply" and not each["ok"]]
EXECUTED = 2
SAID = [
    json.loads(re.sub(r'"request_id": [789]\b', f'"request_id": {EXECUTED}', json.dumps(each)))
    for each in FROM_HOST[1:]
    if each["type"] != "reply"
]
READY = encode_message(FROM_HOST[0])


@dataclass(frozen=True)
class Heard:
    """What came of some bytes."""

    events: int
    error: str | None


class HostileHost:
    """One conversation that has come half way, again and again from the same state."""

    def __init__(self) -> None:
        script = Script().started()
        for number in range(1, EXECUTED + 1):
            script.execute("x = 1", f"e{number}")
            if number < EXECUTED:
                script.finish()
        script.apply(i.AddWatch("w1", "n * 2", "value > 10"))
        script.apply(i.AddWatch("w2", "m", None))
        self.session = script.session
        self.moment = script.moment
        self.queries = self._conversation()[1]
        self.views = _Looking(self.session)

    def stream(self, random: Random, frames: int = 5) -> bytes:
        """Frames that such a process might send."""
        answers = [
            {"type": "reply", "request_id": query, "ok": True, "result": answer}
            for query, (answer, _) in zip(self.queries, QUESTIONS, strict=True)
        ]
        errors = [{**each, "request_id": random.choice(self.queries)} for each in ERRORS]
        ids = [*range(EXECUTED + 2), *self.queries]
        messages = [*SAID, *SAID, *answers, *errors]
        return Mutation(random).stream(messages, ids, frames)

    def hear(self, data: bytes, cuts: int = 1) -> Heard:
        """Read the bytes in so many pieces, and do all that follows of what they say."""
        host, queries = self._conversation()
        readers = {query: read for query, (_, read) in zip(queries, QUESTIONS, strict=True)}
        session, heard = self.session, 0
        size = len(data) // cuts + 1
        try:
            for at in range(0, len(data), size):
                try:
                    events = host.receive_data(data[at : at + size])
                except HostProtocolError as error:
                    for event in error.events:
                        session = self._take(session, event, readers)
                        heard += 1
                    raise
                for event in events:
                    session = self._take(session, event, readers)
                    heard += 1
        except (HostProtocolError, AnswerError) as error:
            return Heard(heard, str(error))
        finally:
            _write(msgspec.to_builtins(session_state(session.fold)))
        return Heard(heard, None)

    def _conversation(self) -> tuple[HostProtocol, list[int]]:
        host = HostProtocol(2**26)
        host.receive_data(READY)
        for number in range(1, EXECUTED + 1):
            host.execute(number, number, "x = 1", store_history=True)
            if number < EXECUTED:
                finished = {"status": "ok", "duration_ms": 1, "memory_bytes": 1}
                host.receive_data(
                    encode_message({"type": "finished", "request_id": number, **finished})
                )
        host.interrupt(EXECUTED, 1)
        return host, [host.query("x", {})[0] for _ in QUESTIONS]

    def _take(self, session: Session, event: HostEvent, readers: Mapping[int, Reader]) -> Session:
        match event:
            case Live():
                self.views.take(session, event)
            case Reply(request_id=request_id, result=QueryError() as error):
                assert request_id in readers
                _write(msgspec.to_builtins(refusal_of(error).error))
            case Reply(request_id=request_id, result=answer):
                assert not isinstance(answer, QueryError)
                _write(msgspec.to_builtins(readers[request_id](answer, session)))
            case _:
                session = self._recorded(session, event)
        return session

    def _recorded(self, session: Session, event: HostEvent) -> Session:
        before = session.fold.seq
        session, actions = apply(session, i.HostSaid(session.generation, event), self.moment)
        records = [action.event for action in actions if isinstance(action, i.Record)]
        assert [one.seq for one in records] == list(range(before + 1, session.fold.seq + 1))
        for one in records:
            data = _write(msgspec.to_builtins(one.data))
            decode_event(one.seq, one.time, one.type, data)
        return session


class _Looking:
    """Somebody who looks at all variables and into one of them."""

    def __init__(self, session: Session) -> None:
        window = Window(path=["x", PathStep(index=0)])
        client = Client(
            client="c",
            grant=None,
            outbox=cast(Outbox, None),
            live=Unsent(cast(Any, None)),
            origin="",
            is_open=lambda share: True,
        )
        rooms = Rooms()
        rooms.enter(client, "s", Membership("p", "viewer", None))
        self.looked = Looked(session)
        self.views = LiveViews(rooms)
        self.views.look(client, self.looked, ViewSetCommand(session="s", windows=[window]))
        self.view = client.live.views["s"]

    def take(self, session: Session, picture: Live) -> None:
        self.looked.state = session
        self.views.take(self.looked, picture)
        _write(msgspec.to_builtins(self.view.message()))


class Unsent(LiveSender):
    """Keeps what it would send."""

    def wake(self) -> None:
        """There is nobody to send to."""


class Looked:
    """A living session, as far as it is looked at."""

    session = "s"

    def __init__(self, state: Session) -> None:
        self.state = state

    def look(self, wanted: dict[str, Any] | None) -> None:
        """The process would be asked for this."""


def _write(value: Any) -> Any:
    """What a client gets of it."""
    text = json_wire.dumps(value)
    assert len(text.encode()) < MAX_MESSAGE_BYTES
    return json.loads(text)
