"""Rows of a mirrored session become the events that made them; rows that are none are counted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacetimedb_bsatn import Timestamp
from tests.sync.test_mirror import CODECS, MOULD, Scene, gone, put, variable
from watchglass_sync.mirror import SessionMirror
from watchglass_sync.mirror_tables import TABLES
from watchglass_sync.mirrored_session import MirroredRows, MirroredSession, read_session
from watchglass_sync.records import Event
from watchglass_sync.value_dump import MAGIC

VALUE = MOULD.value
START = 1_769_860_800_000_000


def at(second: float) -> Timestamp:
    return Timestamp(START + int(second * 1e6))


def text(second: float) -> str:
    return f"{at(second).to_datetime():%Y-%m-%dT%H:%M:%S.%f}Z"


SESSION = {"session": "s1", "name": "arena", "created_at": at(0), "last_active_at": at(9)}


def execution(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "execution": f"e{number}", "number": number, "code": "x = 1", "author": "Ann",
        "status": "ok", "queued_at": at(number), "started_at": at(number + 0.1),
        "finished_at": at(number + 0.9), "duration_ms": 800.0, "error": None,
    } | fields  # fmt: skip


def output(place: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "execution": "e1", "place": place, "kind": "stream", "name": "stdout", "text": "hello",
        "bundle": None, "time": at(1.5),
    } | fields  # fmt: skip


def bound(name: str = "x", **fields: Any) -> dict[str, Any]:
    return {
        "name": name, "type": "int", "preview": "5", "length": None, "json": "5", "version": 4,
        "execution": "e1", "changed_at": at(1.6),
    } | fields  # fmt: skip


def change(place: int = 0, name: str = "x", **fields: Any) -> dict[str, Any]:
    return {
        "place": place, "name": name, "deleted": False, "type": "int", "preview": "1",
        "value": VALUE.Int(1), "execution": "e1", "line": 1, "author": "Ann", "time": at(1.5),
    } | fields  # fmt: skip


def read(**tables: list[dict[str, Any]]) -> MirroredSession:
    return read_session(MirroredRows(SESSION, **tables))


def changes_of(found: MirroredSession) -> list[tuple[str, str, object]]:
    return [
        (one["name"], one["op"], one["variable"] and one["variable"]["version"])
        for _, kind, data in found.events
        if kind == "variables.changed"
        for one in data["changes"]
    ]


def test_an_execution_is_told_from_its_queue_to_its_end() -> None:
    error = output(1, kind="error", name="ZeroDivisionError", text="Traceback\nZeroDivisionError")
    found = read(
        executions=[execution(error="ZeroDivisionError: no", status="error")],
        outputs=[error, output()],
    )
    assert [(time, kind) for time, kind, _ in found.events] == [
        (text(1), "execution.queued"),
        (text(1.1), "execution.started"),
        (text(1.5), "stream"),
        (text(1.5), "error"),
        (text(1.9), "execution.finished"),
        (text(1.9), "process.state"),
    ]
    assert found.events[3][2]["message"] == "no"
    assert found.events[3][2]["traceback"] == ["Traceback", "ZeroDivisionError"]
    assert found.events[4][2] == {"execution": "e1", "status": "error", "duration_ms": 800.0}
    assert [(one.execution, one.text) for one in found.outputs] == [("e1", "hello")]
    assert (found.name, found.created_at, found.bad) == ("arena", text(0), 0)


def test_what_was_open_ends_at_the_last_sign_of_life() -> None:
    running = execution(status="running", finished_at=None, duration_ms=None)
    waiting = execution(2, status="queued", started_at=None, finished_at=None, duration_ms=None)
    found = read(executions=[running, waiting], outputs=[output(time=at(7))])
    ends = [(time, data["status"]) for time, kind, data in found.events if "finished" in kind]
    assert ends == [(text(7), "died"), (text(7), "cancelled")]


def test_values_that_are_exact_are_dumped_and_of_the_others_is_said_that_they_are_not() -> None:
    rows = [
        bound("nothing", json="null", type="NoneType"),
        bound("half", json='{"$type": "str", "value": "7aCA"}', type="str"),
        bound("big", json=None, type="ndarray"),
    ]
    dump = read(executions=[execution(7), execution()], variables=rows).dump
    assert dump.number == 7
    assert dump.data.startswith(MAGIC)
    assert json.loads(dump.data[len(MAGIC) :]) == {
        "values": {"nothing": None, "half": {"$type": "str", "value": "7aCA"}},
        "versions": {"nothing": 4, "half": 4, "big": 4},
        "sources": [{"number": 1, "code": "x = 1", "names": ["big"]}],
    }
    told = {entry["name"]: (entry["stored"], entry["why"]) for entry in dump.entries}
    assert told["half"] == (True, None)
    assert told["big"] == (False, "the mirror had no exact value of this ndarray")


def test_the_last_change_of_a_variable_is_as_its_own_row_says() -> None:
    rows = [change(8, value=VALUE.Int(2)), change(9), change(7)]
    found = read(executions=[execution()], variables=[bound()], changes=rows)
    assert changes_of(found) == [("x", "set", 2), ("x", "set", 3), ("x", "set", 4)]
    (changed,) = [data for _, kind, data in found.events if kind == "variables.changed"]
    assert [one["variable"]["value"] for one in changed["changes"]] == [1, 2, 5]


def test_a_variable_whose_changes_are_no_longer_there_is_told_all_the_same() -> None:
    found = read(
        variables=[bound("old", changed_at=at(1)), bound("back", changed_at=at(3))],
        changes=[change(0, "back", deleted=True, type=None, preview=None, time=at(2))],
    )
    assert changes_of(found) == [("old", "set", 4), ("back", "delete", None), ("back", "set", 4)]


def test_a_variable_that_is_lost_without_a_change_is_deleted_at_the_end() -> None:
    found = read(changes=[change(0, "lost", time=at(2)), change(1, "x")], variables=[bound()])
    assert changes_of(found)[-1] == ("lost", "delete", None)


def test_changes_of_one_variable_keep_their_order_when_a_clock_was_set_back() -> None:
    rows = [change(0, time=at(5)), change(1, time=at(2), deleted=True)]
    found = read(changes=rows)
    assert [op for _, op, _ in changes_of(found)] == ["set", "delete"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"executions": [execution(execution="a/b")]},
        {"executions": [execution(number=2**31 + 1)]},
        {"executions": [execution(code="x" * (2**20 + 1))]},
        {"executions": [execution(queued_at=Timestamp(2**62))]},
        {"executions": [execution(queued_at=Timestamp(-1))]},
        {"executions": [execution(duration_ms=float("nan"))]},
        {"outputs": [output(execution="e9")]},
        {"outputs": [output(kind="telepathy")]},
        {"outputs": [output(name="stdlog")]},
        {"outputs": [output(kind="display_data", bundle="[]")]},
        {"outputs": [output(kind="display_data", bundle='{"a": NaN}')]},
        {"outputs": [output(kind="display_data", bundle='{"a": 1e999}')]},
        {"outputs": [output(kind="display_data", bundle="[" * 100_000)]},
        {"variables": [bound(name="")]},
        {"variables": [bound(json="[" * 300 + "]" * 300)]},
        {"variables": [bound(json="{")]},
        {"variables": [bound(version=2**60)]},
        {"changes": [change(line=-1)]},
        {"changes": [change(preview=None)]},
        {"changes": [{}]},
    ],
)
def test_a_row_that_cannot_be_costs_itself_alone(wrong: dict[str, list[dict[str, Any]]]) -> None:
    good = {"executions": [execution()], "outputs": [output()], "variables": [bound()]}
    whole = read(**good)
    found = read(**{**good, **{name: [*good.get(name, []), *rows] for name, rows in wrong.items()}})
    assert found.bad == 1
    assert found.events == whole.events
    assert found.dump == whole.dump


def test_a_session_without_a_row_that_says_when_it_was_is_none() -> None:
    with pytest.raises(ValueError, match="its row in `session` is none"):
        read_session(MirroredRows({**SESSION, "created_at": "yesterday"}))


NAMES = st.sampled_from("abc")
HAPPENED = st.one_of(
    st.tuples(NAMES, st.integers(0, 2**70)).map(lambda one: put(one[0], big(one[1]))),
    NAMES.map(gone),
)


def big(value: int) -> Any:
    return value if value <= 2**53 else {"$type": "int", "value": str(value)}


@given(st.lists(st.lists(HAPPENED, max_size=5), max_size=6), st.sets(NAMES))
def test_the_rows_of_what_is_told_are_those_that_it_was_told_from(
    batches: list[list[dict[str, Any]]], lost: set[str]
) -> None:
    scene = Scene()
    for changes in batches:
        scene.tell(("variables.changed", {"changes": changes, "running": False}))
    kept = [row.name for row in scene.rows.of("variable") if row.name not in lost]
    scene.tell(("state.reset", {"variables": [variable(name, 7) for name in kept]}))
    again = Scene()
    again.mirror = SessionMirror("s1", "elsewhere", MOULD)
    found = read(
        variables=[plain("variable", row) for row in scene.rows.of("variable")],
        changes=[plain("variable_change", row) for row in scene.rows.of("variable_change")],
    )
    assert found.bad == 0
    events = [Event(seq, *one) for seq, one in enumerate(found.events, 1)]
    again.rows.apply(again.mirror.take(events))
    assert again.mirror.skipped == 0
    assert shown(again) == shown(scene)


def shown(scene: Scene) -> dict[str, tuple[str, str | None, Any]]:
    return {row.name: (row.preview, row.json, row.value) for row in scene.rows.of("variable")}


def plain(table: str, row: Any) -> dict[str, Any]:
    assert CODECS[table].encode(row)
    return {name: getattr(row, name) for name in TABLES[table]}
