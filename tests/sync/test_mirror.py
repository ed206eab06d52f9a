"""Events become operations on rows: a naive table of rows tells what they add up to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacetimedb_bsatn import Classes, Codec
from spacetimedb_client.module import BatchStep, Operation
from watchglass_sync.mirror import (
    CHANGES_KEPT,
    EXECUTIONS_KEPT,
    OUTPUTS_KEPT,
    TEXT_CHARACTERS,
    SessionMirror,
)
from watchglass_sync.mirror_address import MirrorAddress
from watchglass_sync.mirror_tables import ACTIONS, TABLES, MirrorTables
from watchglass_sync.records import Event, SessionRow

TIME = "2026-01-31T12:00:00.123456Z"
MOULD = MirrorTables(public=True)
CLASSES = Classes(MOULD.module.schema)
CODECS = {name: Codec(CLASSES, MOULD.tables[name].handle.row, name) for name in TABLES}


class BatchRefused(Exception):
    """A row is there already."""


class Rows:
    """Tables that do what a batch says, all of it or nothing."""

    def __init__(self) -> None:
        self._names = list(TABLES)
        self.tables: dict[str, dict[str, Any]] = {name: {} for name in TABLES}

    def apply(self, steps: list[BatchStep]) -> None:
        tables = {name: dict(rows) for name, rows in self.tables.items()}
        for step in steps:
            name = self._names[step.table]
            self._do(step, name, tables[name])
        self.tables = tables

    def _do(self, step: BatchStep, name: str, rows: dict[str, Any]) -> None:
        if step.operation is Operation.DELETE_KEY:
            rows.pop(step.data[4:].decode(), None)
            return
        is_deleted = step.operation is Operation.DELETE_ROWS
        row = CODECS[name].decode(step.data[4:] if is_deleted else step.data)
        key = getattr(row, next(iter(TABLES[name])))
        if is_deleted:
            assert step.data[:4] == b"\1\0\0\0"
            if rows.get(key) == row:
                del rows[key]
            return
        if step.operation is Operation.INSERT and key in rows:
            raise BatchRefused(f"{name} has {key}")
        assert step.operation in (Operation.INSERT, Operation.UPSERT)
        rows[key] = row

    def of(self, table: str) -> list[Any]:
        return list(self.tables[table].values())


class Scene:
    """One session whose events are told by type and data."""

    def __init__(self) -> None:
        self.mirror = SessionMirror("s1", "here", MOULD)
        self.rows = Rows()
        self.seq = 0

    def tell(self, *happened: tuple[str, dict[str, Any]]) -> None:
        events = [Event(self.seq + n, TIME, *one) for n, one in enumerate(happened, 1)]
        self.seq += len(happened)
        self.rows.apply(self.mirror.take(events))


def variable(name: str, value: Any = 5, kind: str = "int", version: int = 1) -> dict[str, Any]:
    return {
        "name": name, "type": kind, "preview": repr(value), "length": None, "value": value,
        "version": version,
    }  # fmt: skip


def changed(*changes: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "variables.changed", {"changes": list(changes), "running": False}


def put(name: str, value: Any = 5, kind: str = "int") -> dict[str, Any]:
    told = variable(name, value, kind)
    return {"op": "set", "name": name, "variable": told, "execution": "e1", "line": 2}


def gone(name: str) -> dict[str, Any]:
    return {"op": "delete", "name": name, "variable": None, "execution": None, "line": None}


QUEUED = ("execution.queued", {"execution": "e1", "number": 1, "code": "1 / 0", "author": "Ann"})
STARTED = ("execution.started", QUEUED[1])


def test_an_execution_is_one_row_from_its_queue_to_its_end() -> None:
    scene = Scene()
    scene.tell(QUEUED)
    (row,) = scene.rows.of("execution")
    assert (row.key, row.status, row.started_at) == ("s1/e1", "queued", None)
    scene.tell(
        STARTED,
        ("execute_result", {"execution": "e1", "number": 1, "bundle": {"text/plain": "7"}}),
        ("error", {"execution": "e1", "name": "E", "message": "m", "traceback": ["a", "b"]}),
        ("execution.finished", {"execution": "e1", "status": "error", "duration_ms": 1.5}),
    )
    (row,) = scene.rows.of("execution")
    assert (row.status, row.duration_ms, row.result, row.error) == ("error", 1.5, "7", "E: m")
    assert row.queued_at == row.started_at == row.finished_at
    kinds = [(row.place, row.kind, row.text) for row in scene.rows.of("output")]
    assert kinds == [(0, "execute_result", "7"), (1, "error", "a\nb")]
    assert scene.mirror.executions == {}


@pytest.mark.parametrize(
    ("value", "kind", "shown"),
    [
        (True, "bool", "Bool(True)"),
        (-(2**63), "int", "Int(-9223372036854775808)"),
        ({"$type": "int", "value": str(2**62)}, "int", f"Int({2**62})"),
        ({"$type": "int", "value": str(2**63)}, "int", "Unknown"),
        ({"$type": "int", "value": "9" * 5000}, "int", "Unknown"),
        (0.5, "float", "Float(0.5)"),
        ({"$type": "float", "value": "inf"}, "float", "Float(inf)"),
        ("é\ud800", "str", "Text('é?')"),
        (None, "NoneType", "Nothing"),
        (None, "object", "Unknown"),
        ([1, 2], "list", "Unknown"),
    ],
)
def test_exact_values_are_variants_of_a_sum(value: Any, kind: str, shown: str) -> None:
    scene = Scene()
    scene.tell(changed(put("x", value, kind)))
    (row,) = scene.rows.of("variable")
    assert shown in repr(row.value)
    assert (row.json is None) == (kind == "object")


def test_no_text_is_longer_than_a_message_to_the_database_can_be() -> None:
    scene = Scene()
    large = "é" * 2**25
    about = {**QUEUED[1], "code": large, "author": large}
    error = {"execution": "e1", "name": large, "message": "", "traceback": []}
    scene.tell(("execution.queued", about), ("error", error))
    (execution,), (output,) = scene.rows.of("execution"), scene.rows.of("output")
    assert len(execution.code) == len(execution.author) == len(output.name) == 2**20


def test_a_reset_leaves_the_variables_that_it_names() -> None:
    scene = Scene()
    scene.tell(changed(put("a"), put("b"), put("c")), changed(gone("c")))
    data = {"reason": "restored", "variables": [variable("b", 6), variable("d")]}
    scene.tell(("state.reset", data))
    assert {row.name: row.preview for row in scene.rows.of("variable")} == {"b": "6", "d": "5"}
    assert [row.deleted for row in scene.rows.of("variable_change")] == [False] * 3 + [True]


def test_outputs_and_changes_are_as_many_as_are_kept() -> None:
    scene = Scene()
    printed = ("stream", {"execution": "e1", "name": "stdout", "text": "x" * 20_000})
    scene.tell(*[printed] * (OUTPUTS_KEPT + 7), *[changed(put("x"))] * (CHANGES_KEPT + 5))
    outputs, changes = scene.rows.of("output"), scene.rows.of("variable_change")
    assert [row.place for row in outputs] == list(range(7, OUTPUTS_KEPT + 7))
    assert [row.place for row in changes] == list(range(5, CHANGES_KEPT + 5))
    assert {len(row.text) for row in outputs} == {TEXT_CHARACTERS}


def test_people_and_the_process_have_rows() -> None:
    scene = Scene()
    person = {"participant": "p1", "name": "Ann", "role": "owner"}
    exit_ = {"code": None, "cause": "memory", "message": "too much"}
    scene.tell(
        ("participant.joined", person),
        ("participant.joined", {**person, "participant": "p2"}),
        ("participant.left", person),
        ("process.state", {"state": "dead", "exit": exit_, "memory_bytes": 7}),
    )
    assert [row.participant for row in scene.rows.of("participant")] == ["p2"]
    (process,) = scene.rows.of("process")
    assert (process.state, process.cause, process.memory_bytes) == ("dead", "memory", 7)


def test_who_was_with_a_server_that_was_killed_is_there_no_more() -> None:
    scene = Scene()
    scene.mirror.alive_after = 3
    joined = ("participant.joined", {"participant": "p1", "name": "Ann", "role": "owner"})
    scene.tell(joined, ("process.state", {"state": "busy"}))
    assert [row.state for row in scene.rows.of("process")] == ["busy"]
    later = ("participant.joined", {"participant": "p2", "name": "Bob", "role": "viewer"})
    scene.tell(("stream", {"execution": None, "name": "stdout", "text": "x"}), later)
    assert [row.participant for row in scene.rows.of("participant")] == ["p2"]
    assert [row.state for row in scene.rows.of("process")] == ["hibernated"]


def test_very_old_executions_go_a_thousand_at_a_time() -> None:
    scene = Scene()
    dropped: list[int] = []
    for number in range(1, EXECUTIONS_KEPT + 2500):
        data = {"execution": f"e{number}", "number": number, "code": "", "author": None}
        scene.tell(("execution.queued", data))
        if (old := scene.mirror.surplus()) is not None:
            last = dropped[-1] if dropped else 0
            names = [f"e{n}" for n in range(last + 1, old + 1)]
            scene.rows.apply(scene.mirror.drop(names))
            dropped.append(old)
    assert dropped == [1000, 2000]
    assert len(scene.rows.of("execution")) == EXECUTIONS_KEPT + 499


def test_a_session_that_is_gone_leaves_nothing() -> None:
    scene = Scene()
    fields = {"name": "n", "created_at": TIME, "last_active_at": TIME, "executions": 3}
    scene.rows.apply(scene.mirror.describe(SessionRow("s1", fields, 3)))
    assert scene.rows.of("session")[0].executions == 3
    joined = ("participant.joined", {"participant": "p1", "name": "Ann", "role": "owner"})
    error: tuple[str, dict[str, Any]] = (
        "error",
        {"execution": None, "name": "E", "message": "m", "traceback": []},
    )
    scene.tell(
        QUEUED, STARTED, changed(put("x")), joined, error, ("process.state", {"state": "idle"})
    )
    scene.tell(("checkpoint.created", {"checkpoint": "c1", "execution": "e1"}))
    (taken,) = scene.rows.of("checkpoint")
    assert (taken.key, taken.execution) == ("s1/c1", "e1")
    scene.rows.apply(scene.mirror.forget(["e1"], ["c1"]))
    assert not any(scene.rows.tables.values())


def test_what_a_later_version_writes_changes_nothing_and_is_counted() -> None:
    scene = Scene()
    scene.tell(
        ("no.such.event", {}),
        ("stream", {"words": "other fields"}),
        changed(put("big") | {"variable": variable("big", version=2**64)}),
        changed(put("x")),
    )
    assert [row.name for row in scene.rows.of("variable")] == ["x"]
    assert scene.mirror.skipped == 2
    assert scene.rows.of("position")[0].seq == 4


def test_rows_are_made_one_by_one_and_an_event_that_is_wrong_holds_up_no_other() -> None:
    scene = Scene()
    wrong = ("variables.changed", {"changes": 5, "running": False})
    happened = [changed(put("x")), wrong, changed(put("y"))]
    events = [Event(seq, TIME, *one) for seq, one in enumerate(happened, 1)]
    taking = scene.mirror.taking(events)
    assert next(taking)
    assert (scene.mirror.position.seq, scene.mirror.skipped) == (1, 0)
    rest = [*taking]
    assert (scene.mirror.position.seq, scene.mirror.skipped) == (3, 1)
    assert len(rest) == 4


NAMES = st.sampled_from("abcd")
HAPPENED = st.one_of(
    NAMES.map(lambda name: changed(put(name))),
    NAMES.map(lambda name: changed(gone(name))),
    st.sets(NAMES).map(
        lambda names: ("state.reset", {"variables": [variable(name) for name in sorted(names)]})
    ),
    st.just(QUEUED), st.just(STARTED),
    st.just(("execution.finished", {"execution": "e1", "status": "ok", "duration_ms": 1.0})),
    st.just(("stream", {"execution": None, "name": "stdout", "text": "x"})),
)  # fmt: skip


@given(st.lists(HAPPENED, max_size=30), st.data())
def test_however_it_is_cut_and_repeated_the_rows_are_the_same(
    happened: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    whole = Scene()
    whole.tell(*happened)
    cut = Scene()
    at = data.draw(st.integers(0, len(happened)))
    cut.tell(*happened[:at])
    cut.tell(*happened[at:])
    assert cut.rows.tables == whole.rows.tables
    # A batch whose outcome nobody heard is not done once more, whoever tries.
    again = Scene()
    again.tell(*happened)
    again.mirror, again.seq = SessionMirror("s1", "here", MOULD), 0
    with pytest.raises(BatchRefused, match="position has s1"):
        again.tell(*happened)
    assert again.rows.tables == whole.rows.tables


def test_of_two_servers_that_write_one_session_the_later_one_is_refused() -> None:
    scene = Scene()
    scene.tell(changed(put("x")))
    other = SessionMirror("s1", "elsewhere", MOULD)
    assert scene.mirror.stored is not None
    keys = {"variable": ["s1/x"], "variable_change": ["s1/0"]}
    scene.rows.apply(other.take_over(scene.mirror.stored, keys))
    assert [len(rows) for rows in scene.rows.tables.values() if rows] == [1]
    late = scene.mirror.take([Event(2, TIME, *changed(put("x", 6)))])
    with pytest.raises(BatchRefused, match="position has s1"):
        scene.rows.apply(late)
    with pytest.raises(BatchRefused, match="position has s1"):
        scene.rows.apply(scene.mirror.forget([], []))
    scene.rows.apply(other.take([Event(1, TIME, *changed(put("x", 7)))]))
    assert [row.preview for row in scene.rows.of("variable")] == ["7"]
    (position,) = scene.rows.of("position")
    assert (position.origin, position.seq, position.changes) == ("elsewhere", 1, 1)


def test_an_address_names_a_server_and_a_database() -> None:
    address = MirrorAddress.parse("http://127.0.0.1:3000/arena/")
    assert (address.uri, address.database) == ("http://127.0.0.1:3000", "arena")
    assert str(address) == "http://127.0.0.1:3000/arena"
    for wrong in ("arena", "http://127.0.0.1:3000", "ftp://x/arena", "http:///arena", ""):
        with pytest.raises(ValueError, match="names no database"):
            MirrorAddress.parse(wrong)


def test_the_page_has_every_table_and_column() -> None:
    page = (Path(__file__).parents[2] / "docs" / "mirror.md").read_text()
    parts = re.split(r"^### `(\w+)`$", page, flags=re.MULTILINE)[1:]
    told = {
        name: re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }
    command = ["id", "caller", "connection", "at", "key", "session", "action"]
    assert told == {"command": command, **{name: list(all_) for name, all_ in TABLES.items()}}
    actions = re.findall(r"^\| `([A-Z]\w+)` \| (.*?) \|", page, re.MULTILINE)
    assert {kind: re.findall(r"`(\w+)`", columns) for kind, columns in actions} == {
        kind: list(columns) for kind, columns in ACTIONS.items()
    }
