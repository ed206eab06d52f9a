"""A bound variable and its row: who stands in a conflict, and that both always end equal."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass_sync.bindings import (
    UNSEEN,
    Action,
    Binding,
    Changed,
    Connected,
    Disconnected,
    Gone,
    Input,
    Loose,
    Reset,
    RowCame,
    SetDone,
    SetLost,
    SetRefused,
    SetVariable,
    Side,
    Slept,
    Tell,
    WriteLost,
    WriteRefused,
    WriteRow,
    Written,
    apply,
)

Columns = Mapping[str, int]
UNIT = {"hp": 10, "x": 0}


def after(*happened: Input, known: Binding | None = None) -> tuple[Binding, tuple[Action, ...]]:
    """The binding after all of these, and what the last one asked for."""
    known = known or Binding()
    actions: tuple[Action, ...] = ()
    for each in happened:
        known, actions = apply(known, each)
    return known, actions


def equal(columns: Columns = UNIT) -> Binding:
    """A binding whose sides are equal, with a process and a connection."""
    known, actions = after(Reset(1, columns), Connected(columns))
    assert known.is_equal
    assert not actions
    return known


def test_the_first_row_is_set_whatever_the_variable_was() -> None:
    known, actions = after(Reset(1, {"hp": 3, "x": 0}), Connected(UNIT))
    assert actions == (SetVariable(1, UNIT, frozenset({"hp"})),)
    assert after(SetDone(1, 2, UNIT), known=known)[0].is_equal


def test_a_change_of_one_side_goes_to_the_other_as_the_columns_that_changed() -> None:
    known, actions = after(RowCame({"hp": 9, "x": 0}), known=equal())
    assert actions == (SetVariable(1, {"hp": 9, "x": 0}, frozenset({"hp"})),)
    known, actions = after(SetDone(1, 2, {"hp": 9, "x": 0}), known=known)
    assert not actions
    assert after(Changed(3, {"hp": 9, "x": 5}), known=known)[1] == (WriteRow(2, {"x": 5}),)


def test_what_was_set_is_not_written_back_when_the_record_tells_of_it() -> None:
    known, _ = after(RowCame({"hp": 9, "x": 0}), known=equal())
    known, actions = after(SetDone(1, 2, {"hp": 9, "x": 0}), known=known)
    known, actions = after(RowCame({"hp": 8, "x": 0}), known=known)
    assert actions == (SetVariable(2, {"hp": 8, "x": 0}, frozenset({"hp"})),)
    known, actions = after(Changed(2, {"hp": 9, "x": 0}), known=known)
    known, actions = after(SetDone(2, 3, {"hp": 8, "x": 0}), known=known)
    assert known.is_equal
    assert not actions


def test_code_that_set_it_after_us_stands() -> None:
    known, _ = after(RowCame({"hp": 9, "x": 0}), known=equal())
    set_it = (Changed(3, {"hp": 1, "x": 0}), SetDone(1, 2, {"hp": 9, "x": 0}))
    assert after(*set_it, known=known)[1] == (WriteRow(2, {"hp": 1}),)


def test_one_write_is_under_way_and_the_newest_value_is_next() -> None:
    known, actions = after(Changed(2, {"hp": 10, "x": 1}), known=equal())
    assert actions == (WriteRow(1, {"x": 1}),)
    known, actions = after(
        Changed(3, {"hp": 10, "x": 2}), Changed(4, {"hp": 10, "x": 3}), known=known
    )
    assert not actions
    known, actions = after(RowCame({"hp": 10, "x": 1}), Written(1), known=known)
    assert actions == (WriteRow(2, {"x": 3}),)


def test_a_row_that_changed_during_a_write_is_looked_at_after_it_and_stands() -> None:
    known, _ = after(Changed(2, {"hp": 10, "x": 1}), known=equal())
    known, actions = after(RowCame({"hp": 10, "x": 7}), known=known)
    assert not actions
    known, actions = after(Written(1), known=known)
    assert actions == (SetVariable(2, {"hp": 10, "x": 7}, frozenset({"x"})),)


def test_a_reducer_that_makes_something_else_of_it_decides() -> None:
    known, _ = after(Changed(2, {"hp": 500, "x": 0}), known=equal())
    known, actions = after(RowCame({"hp": 100, "x": 0}), Written(1), known=known)
    assert actions == (SetVariable(2, {"hp": 100, "x": 0}, frozenset({"hp"})),)


def test_a_refused_write_is_told_and_set_back() -> None:
    known, _ = after(Changed(2, {"hp": 500, "x": 0}), known=equal())
    known, actions = after(WriteRefused(1, "too much"), known=known)
    assert actions == (Tell("too much"), SetVariable(2, UNIT, None))


def test_what_fits_no_row_is_told_and_set_back_and_told_no_second_time_by_our_own_set() -> None:
    known, actions = after(Changed(2, Loose("no number")), known=equal())
    assert actions == (Tell("no number"), SetVariable(1, UNIT, None))
    known, actions = after(SetDone(1, 3, UNIT), Changed(3, UNIT), known=known)
    assert known.is_equal
    assert not actions


def test_a_deleted_variable_and_a_deleted_row() -> None:
    known, actions = after(Gone("it follows a row"), known=equal())
    assert actions == (Tell("it follows a row"), SetVariable(1, UNIT, None))
    known, _ = after(SetDone(1, 3, UNIT), known=known)
    known, actions = after(RowCame(None), known=known)
    assert actions == (SetVariable(2, None, None),)
    known, actions = after(SetDone(2, 4, None), known=known)
    assert known.is_equal
    assert after(RowCame(UNIT), known=known)[1] == (SetVariable(3, UNIT, None),)


def test_edits_made_without_the_database_are_written_unless_the_row_changed_there() -> None:
    away, actions = after(Disconnected(), Changed(2, {"hp": 7, "x": 3}), known=equal())
    assert not actions
    assert after(Connected(UNIT), known=away)[1] == (WriteRow(1, {"hp": 7, "x": 3}),)
    _, actions = after(Connected({"hp": 1, "x": 0}), known=away)
    assert actions == (WriteRow(1, {"x": 3}),)


def test_a_lost_write_that_landed_is_nobody_elses_change() -> None:
    known, _ = after(Changed(2, {"hp": 7, "x": 0}), known=equal())
    known, _ = after(WriteLost(1), Disconnected(), Changed(3, {"hp": 6, "x": 0}), known=known)
    assert after(Connected({"hp": 7, "x": 0}), known=known)[1] == (WriteRow(2, {"hp": 6}),)


def test_a_sleeping_session_is_not_touched_and_gets_the_row_when_it_wakes() -> None:
    known, actions = after(Slept(), RowCame({"hp": 1, "x": 1}), known=equal())
    assert not actions
    _, actions = after(Reset(1, UNIT), known=known)
    assert actions == (SetVariable(1, {"hp": 1, "x": 1}, frozenset({"hp", "x"})),)


def test_what_a_new_process_brings_from_an_older_picture_is_not_written() -> None:
    known, _ = after(Changed(2, {"hp": 7, "x": 0}), known=equal())
    known, _ = after(RowCame({"hp": 7, "x": 0}), Written(1), Slept(), known=known)
    assert after(Reset(1, UNIT), known=known)[1] == (SetVariable(2, {"hp": 7, "x": 0}, None),)
    assert after(Reset(0, UNSEEN), known=known)[1] == (SetVariable(2, {"hp": 7, "x": 0}, None),)


def test_a_process_that_refuses_the_value_is_asked_again_when_something_changes() -> None:
    known, _ = after(RowCame({"hp": 9, "x": 0}), known=equal())
    known, actions = after(SetRefused(1, "no"), known=known)
    assert actions == (Tell("no"),)
    assert after(RowCame({"hp": 8, "x": 0}), known=known)[1] != ()


# --- the model: a database, a process, and wires between them that are slow and break


@dataclass
class World:
    """Both sides as they really are, and what is under way between them and the binding."""

    row: Columns | None = field(default_factory=lambda: dict(UNIT))
    variable: Side = None
    version: int = 0
    is_up: bool = True
    is_awake: bool = True
    known: Binding = field(default_factory=Binding)
    to_process: deque[SetVariable] = field(default_factory=deque)
    to_database: deque[WriteRow] = field(default_factory=deque)
    late: deque[WriteRow] = field(default_factory=deque)
    from_process: deque[Input] = field(default_factory=deque)
    record: deque[Input] = field(default_factory=deque)
    from_database: deque[Input] = field(default_factory=deque)
    steps: int = 0

    def take(self, happened: Input) -> None:
        self.steps += 1
        assert self.steps < 2000, "it goes on without end"
        self.known, actions = apply(self.known, happened)
        for action in actions:
            if isinstance(action, SetVariable):
                assert not self.to_process
                self.to_process.append(action)
            elif isinstance(action, WriteRow):
                assert not self.to_database
                self.to_database.append(action)

    # the process

    def code(self, name: str, value: int) -> None:
        """Code of the user changes a column, or makes something of it that is no row."""
        if not self.is_awake:
            return
        held = self.variable
        fits = isinstance(held, Mapping) and value >= 0
        self.variable = {**held, name: value} if fits else Loose("no row")  # type: ignore[dict-item]
        self._changed()

    def delete(self) -> None:
        if self.is_awake:
            self.variable = UNSEEN
            self.version += 1
            self.record.append(Gone("deleted"))

    def _changed(self) -> None:
        self.version += 1
        self.record.append(Changed(self.version, self.variable))

    def perform_set(self) -> None:
        if not (self.is_awake and self.to_process):
            return
        wanted = self.to_process.popleft()
        is_merge = wanted.only is not None and isinstance(self.variable, Mapping)
        if is_merge and wanted.picture is not None and wanted.only is not None:
            news = {name: wanted.picture[name] for name in wanted.only}
            self.variable = {**self.variable, **news}  # type: ignore[dict-item]
        else:
            self.variable = wanted.picture
        self._changed()
        self.from_process.append(SetDone(wanted.number, self.version, self.variable))

    def sleep(self) -> None:
        if self.is_awake:
            self.is_awake = False
            while self.record:
                self.take(self.record.popleft())
            self.to_process.clear()
            self.from_process.clear()
            self.take(Slept())

    def wake(self, older: int | None) -> None:
        if self.is_awake:
            return
        self.is_awake = True
        if older is not None:
            self.variable = {"hp": older, "x": older} if older else UNSEEN
            self.version = 1
        self.take(Reset(self.version, self.variable))

    def lose_set(self) -> None:
        """It takes too long: it happens later, or never."""
        if self.to_process and self.is_awake:
            wanted = self.to_process.popleft()
            self.variable = wanted.picture
            self._changed()
            self.take(SetLost(wanted.number, is_gone=False))

    # the database

    def foreign(self, row: Columns | None) -> None:
        self.row = row
        self._tell_row()

    def _tell_row(self) -> None:
        if self.is_up:
            self.from_database.append(RowCame(self.row))

    def perform_write(self) -> None:
        if self.is_up and self.to_database:
            wanted = self.to_database.popleft()
            refused = self.row is None or wanted.columns.get("hp", 0) > 90  # type: ignore[operator]
            if refused:
                self.from_database.append(WriteRefused(wanted.number, "no"))
                return
            self._write(wanted)
            self.from_database.append(Written(wanted.number))

    def perform_late(self) -> None:
        if self.late and self.row is not None:
            self._write(self.late.popleft())

    def _write(self, wanted: WriteRow) -> None:
        if self.row is not None:
            clamped = {name: min(int(str(v)), 50) for name, v in wanted.columns.items()}
            self.row = {**self.row, **clamped}
            self._tell_row()

    def cut(self, *, is_lost_first: bool) -> None:
        if not self.is_up:
            return
        self.is_up = False
        self.from_database.clear()
        number = self.known.writing.number if self.known.writing else None
        self.late.extend(self.to_database)
        self.to_database.clear()
        if number is not None and is_lost_first:
            self.take(WriteLost(number))
        self.take(Disconnected())
        if number is not None and not is_lost_first:
            self.take(WriteLost(number))

    def connect(self) -> None:
        if not self.is_up:
            self.is_up = True
            self.take(Connected(self.row))

    def deliver(self, queue: deque[Input]) -> None:
        if queue:
            self.take(queue.popleft())

    def come_to_rest(self) -> None:
        self.wake(None)
        self.connect()
        while True:
            before = self.steps
            self.perform_late()
            self.perform_set()
            self.perform_write()
            queues = (self.from_process, self.record, self.from_database)
            for queue in queues:
                self.deliver(queue)
            if before == self.steps and not any((*queues, self.to_process, self.to_database)):
                return


NAMES = st.sampled_from(("hp", "x"))
VALUES = st.integers(-5, 100)
ROWS = st.none() | st.fixed_dictionaries({"hp": VALUES, "x": VALUES})
STEPS = st.one_of(
    st.tuples(st.just("code"), NAMES, VALUES),
    st.tuples(st.just("foreign"), ROWS),
    st.tuples(st.just("wake"), st.none() | st.integers(0, 9)),
    st.tuples(st.just("cut"), st.booleans()),
    *(
        st.tuples(st.just(name))
        for name in (
            *("delete", "perform_set", "perform_write", "perform_late", "sleep", "connect"),
            *("lose_set", "from_process", "record", "from_database") * 2,
        )
    ),
)


@settings(max_examples=2000, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_both_sides_end_equal_to_the_row_whatever_happens_in_between(
    steps: list[tuple[object, ...]],
) -> None:
    world = World()
    world.take(Reset(0, UNSEEN))
    world.take(Connected(world.row))
    for name, *given_with in steps:
        match str(name), given_with:
            case "cut", [bool(is_lost_first)]:
                world.cut(is_lost_first=is_lost_first)
            case ("from_process" | "record" | "from_database") as queue, []:
                world.deliver(getattr(world, queue))
            case call, _:
                getattr(world, call)(*given_with)
    world.come_to_rest()
    assert world.variable == world.row
    assert world.known.is_equal
