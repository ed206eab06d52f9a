"""The journal against a model of it: any appends, any reads, closed and opened at any time."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from watchglass_sync.errors import JournalOutOfOrder, SessionUnknown
from watchglass_sync.journal import Journal
from watchglass_sync.outputs import cut
from watchglass_sync.records import (
    Chunk,
    DumpRecord,
    Event,
    EventRecord,
    OutputRecord,
    Record,
    SessionDeleted,
    SessionRecord,
    StateRecord,
    StoredDump,
)

T = TypeVar("T")
TEXT = st.text(st.characters(), max_size=12)
SESSIONS = st.sampled_from(("a", "b", "ü\ud800"))
EXECUTIONS = st.sampled_from(("e1", "e2"))
NAMES = st.sampled_from(("x", "y", "é\ud800"))


class ModelSession:
    """What one session must look like."""

    def __init__(self) -> None:
        self.fields: dict[str, object] = {}
        self.events: list[Event] = []
        self.output: dict[str, list[Chunk]] = {}
        self.state: tuple[int, dict[str, object]] | None = None
        self.dump: StoredDump | None = None

    def changes(self, name: str) -> list[tuple[int, object]]:
        """Each change of a variable: where, and the element."""
        return [
            (event.seq, change)
            for event in self.events
            if isinstance(found := event.data.get("changes"), list)
            for change in found
            if change["name"] == name
        ]


class JournalModel(RuleBasedStateMachine):
    """Appends are not awaited until something is read, as the server does it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="journal-model-")
        self.loop = asyncio.new_event_loop()
        self.sessions: dict[str, ModelSession] = {}
        self.waiting: list[tuple[asyncio.Future[None], type[Exception] | None]] = []

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    @initialize()
    def open(self) -> None:
        self.journal = self.wait(Journal.open(Path(self.folder.name)))

    def append(
        self, session: str, records: list[Record], error: type[Exception] | None = None
    ) -> None:
        async def now() -> None:
            self.waiting.append((self.journal.append(session, records), error))

        if error is None and session not in self.sessions:
            error = SessionUnknown
        self.wait(now())

    @rule()
    def settle(self) -> None:
        outcomes = self.wait(self._settled())
        for outcome, (_, error) in zip(outcomes, self.waiting, strict=True):
            assert type(outcome) is (error or type(None)), outcome
        self.waiting.clear()

    async def _settled(self) -> list[BaseException | None]:
        return await asyncio.gather(*(one for one, _ in self.waiting), return_exceptions=True)

    @rule(session=SESSIONS, name=TEXT)
    def store_session(self, session: str, name: str) -> None:
        self.sessions.setdefault(session, ModelSession()).fields = {"name": name}
        self.append(session, [SessionRecord({"name": name})])

    @rule(session=SESSIONS)
    def delete_session(self, session: str) -> None:
        self.append(session, [SessionDeleted()])
        self.sessions.pop(session, None)

    @rule(session=SESSIONS, texts=st.lists(TEXT, min_size=1, max_size=4))
    def append_events(self, session: str, texts: list[str]) -> None:
        model = self.sessions.get(session, ModelSession())
        first = len(model.events) + 1
        events = [
            Event(seq, "t", "stream", {"text": text}) for seq, text in enumerate(texts, first)
        ]
        self.append(session, [EventRecord(e.seq, e.time, e.type, e.data) for e in events])
        model.events += events

    @rule(session=SESSIONS, names=st.lists(NAMES, max_size=3))
    def change_variables(self, session: str, names: list[str]) -> None:
        model = self.sessions.get(session, ModelSession())
        seq = len(model.events) + 1
        data = {"changes": [{"op": "set", "name": name} for name in names]}
        self.append(session, [EventRecord(seq, "t", "variables.changed", data)])
        model.events.append(Event(seq, "t", "variables.changed", dict(data)))

    @rule(session=SESSIONS, offset=st.sampled_from((-1, 0, 2)))
    def append_out_of_order(self, session: str, offset: int) -> None:
        if session in self.sessions:
            seq = len(self.sessions[session].events) + 1 + offset
            if seq in (0, len(self.sessions[session].events) + 1):
                return
            records: list[Record] = [EventRecord(seq, "t", "x", {}), SessionRecord({"bad": True})]
            self.append(session, records, JournalOutOfOrder)

    @rule(
        session=SESSIONS,
        execution=EXECUTIONS,
        name=st.sampled_from(("stdout", "stderr")),
        text=TEXT,
    )
    def print_text(self, session: str, execution: str, name: str, text: str) -> None:
        self.append(session, [OutputRecord(execution, name, text)])
        if session in self.sessions:
            self.sessions[session].output.setdefault(execution, []).append(Chunk(name, text))

    @rule(session=SESSIONS, number=st.integers(0, 9), data=st.binary(max_size=9))
    def store_dump(self, session: str, number: int, data: bytes) -> None:
        self.append(session, [DumpRecord(number, data, [{"name": "x"}])])
        if session in self.sessions:
            self.sessions[session].dump = StoredDump(number, data, [{"name": "x"}])

    @rule(session=SESSIONS, value=TEXT)
    def store_state(self, session: str, value: str) -> None:
        model = self.sessions.get(session, ModelSession())
        self.append(session, [StateRecord(len(model.events), {"value": value})])
        model.state = (len(model.events), {"value": value})

    @rule(session=SESSIONS)
    def load(self, session: str) -> None:
        self.settle()
        if (model := self.sessions.get(session)) is None:
            return
        loaded = self.wait(self.journal.load(session))
        state_seq, state = model.state or (0, None)
        assert (loaded.row.fields, loaded.row.last_seq) == (model.fields, len(model.events))
        assert (loaded.state_seq, loaded.state) == (state_seq, state)
        assert loaded.events == model.events[state_seq:]
        assert self.wait(self.journal.dump(session)) == model.dump

    @rule(session=SESSIONS, after=st.integers(0, 9), limit=st.integers(0, 4))
    def read_events(self, session: str, after: int, limit: int) -> None:
        self.settle()
        expected = self.sessions.get(session, ModelSession()).events[after : after + limit]
        assert self.wait(self.journal.events(session, after, limit)) == expected

    @rule(
        session=SESSIONS, execution=EXECUTIONS, offset=st.integers(0, 30), limit=st.integers(0, 30)
    )
    def read_output(self, session: str, execution: str, offset: int, limit: int) -> None:
        self.settle()
        chunks = self.sessions.get(session, ModelSession()).output.get(execution, [])
        found, total = self.wait(self.journal.output(session, execution, offset, limit))
        assert total == sum(len(chunk.text) for chunk in chunks)
        assert found == cut(chunks, offset, limit)

    @rule(session=SESSIONS, name=NAMES, before=st.none() | st.integers(0, 9))
    def read_history(self, session: str, name: str, before: int | None) -> None:
        self.settle()
        changes = self.sessions.get(session, ModelSession()).changes(name)
        expected = [one for one in changes if before is None or one[0] < before][::-1]
        found = self.wait(self.journal.history(session, name, before, 1000))
        assert [(one.seq, one.change) for one in found] == expected

    @rule()
    def reopen(self) -> None:
        self.wait(self.journal.close())
        self.settle()
        self.journal = self.wait(Journal.open(Path(self.folder.name)))

    @invariant()
    def every_session_is_listed(self) -> None:
        if not self.waiting and hasattr(self, "journal"):
            listed = {row.session: row.fields for row in self.wait(self.journal.sessions())}
            assert listed == {name: model.fields for name, model in self.sessions.items()}

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.settle()
            self.wait(self.journal.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.folder.cleanup()


JournalModel.TestCase.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, print_blob=True
)
TestJournalModel = JournalModel.TestCase
