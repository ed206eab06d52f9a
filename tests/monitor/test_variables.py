"""Tests of variables.py and paths.py: what a client sees, sets and deletes in a namespace."""

import collections
import types
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from watchglass_monitor.paths import Path, VariableError, parse_path
from watchglass_monitor.values import decode
from watchglass_monitor.variables import VariableMonitor


@dataclass
class Unit:
    hp: int = 10


def monitored(**variables: Any) -> tuple[dict[str, Any], VariableMonitor]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    monitor = VariableMonitor(namespace)
    monitor.start()
    namespace.update(variables)
    monitor.collect(scan=True, budget_ms=1000)
    return namespace, monitor


def changes(monitor: VariableMonitor) -> dict[str, Any]:
    found = monitor.collect(scan=True, budget_ms=1000)
    return {
        one["name"]: one["variable"]["preview"] if one["op"] == "set" else None for one in found
    }


def test_bound_changed_in_place_and_deleted_names_are_told() -> None:
    namespace, monitor = monitored(x=1, units=[Unit()], gone=3)
    namespace["x"] = 2
    namespace["units"][0].hp = 5
    del namespace["gone"]
    assert changes(monitor) == {"x": "2", "units": "[Unit(hp=5)]", "gone": None}
    assert changes(monitor) == {}


def test_what_is_too_deep_to_be_watched_whole_says_so_as_long_as_it_is() -> None:
    def nested(depth: int) -> list[Any]:
        return [nested(depth - 1)] if depth else []

    namespace, monitor = monitored(deep=nested(300), plain=[[1]])
    told = {each["name"]: each.get("truncated") for each in monitor.snapshot()}
    assert told == {"deep": True, "plain": None}
    namespace["deep"][0] = 1
    (change,) = monitor.collect(scan=True, budget_ms=1000)
    assert change["op"] == "set"
    assert "truncated" not in change["variable"]
    namespace["plain"][0] = nested(300)
    (change,) = monitor.collect(scan=True, budget_ms=1000)
    assert change["op"] == "set"
    assert change["variable"].get("truncated") is True


def crowded(most: int, count: int) -> tuple[dict[str, Any], VariableMonitor]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    monitor = VariableMonitor(namespace, most=lambda: most)
    monitor.start()
    namespace.update({f"n{n}": n for n in range(count)})
    return namespace, monitor


@pytest.mark.parametrize("count", [50, 20_000], ids=["a few", "a crowd"])
def test_beyond_the_limit_variables_are_counted_and_told_when_there_is_room(count: int) -> None:
    namespace, monitor = crowded(10, count)
    assert list(changes(monitor)) == [f"n{n}" for n in range(10)]
    assert monitor.left_out == count - 10
    assert len(monitor.snapshot()) == 10
    namespace["n5"] = -5
    assert changes(monitor) == {"n5": "-5"}
    for n in range(count - 3):
        del namespace[f"n{n}"]
    told = changes(monitor)
    assert {name for name, shown in told.items() if shown} == {f"n{count - n}" for n in (1, 2, 3)}
    assert monitor.left_out == 0


def test_a_variable_that_is_left_out_is_read_and_set_as_any_other() -> None:
    namespace, monitor = crowded(10, 50)
    changes(monitor)
    assert monitor.get(["n40"])["variable"]["value"] == 40
    assert monitor.set(["n40"], {"value": 7})["value"] == 7
    assert namespace["n40"] == 7
    assert changes(monitor) == {}
    monitor.delete("n40")
    assert monitor.left_out == 39


def test_a_value_is_set_only_at_the_version_that_was_seen() -> None:
    namespace, monitor = monitored(x=41)
    namespace["x"] += 1
    (change,) = monitor.collect(scan=True)
    assert change["op"] == "set"
    seen = change["variable"]["version"]
    changed = monitor.set(["x"], {"value": 50}, if_version=seen)
    assert (namespace["x"], changed["version"]) == (50, seen + 1)
    with pytest.raises(VariableError) as conflict:
        monitor.set(["x"], {"value": 60}, if_version=seen)
    assert conflict.value.code == "conflict"
    assert conflict.value.variable is not None
    assert (conflict.value.variable["value"], namespace["x"]) == (50, 50)


def test_a_change_in_place_makes_the_version_that_was_seen_old() -> None:
    namespace, monitor = monitored(units=[Unit()])
    seen = monitor.snapshot()[0]["version"]
    namespace["units"][0].hp = 3
    with pytest.raises(VariableError, match="changed in the meantime"):
        monitor.set(["units", {"index": 0}, {"attr": "hp"}], {"value": 9}, if_version=seen)
    assert namespace["units"][0].hp == 3


@pytest.mark.parametrize(
    ("path", "assignment", "expected"),
    [
        (["new"], {"value": 5}, "ns['new'] == 5"),
        (["x"], {"expression": "x + len(units)"}, "ns['x'] == 3"),
        (["units", {"index": 1}, {"attr": "hp"}], {"value": 3}, "ns['units'][1].hp == 3"),
        (["table", {"key": "gold"}], {"value": [1]}, "ns['table']['gold'] == [1]"),
        (["table", {"key": {"$type": "tuple", "value": [1, 2]}}], {"value": 0},
         "ns['table'][(1, 2)] == 0"),
        (["ring", {"index": 0}], {"value": 7}, "ns['ring'][0] == 7"),
    ],
)  # fmt: skip
def test_a_path_is_set(path: Any, assignment: dict[str, Any], expected: str) -> None:
    namespace, monitor = monitored(
        x=1,
        units=[Unit(), Unit()],
        table={"gold": 3, (1, 2): 4},
        ring=collections.deque([1, 2]),
    )
    monitor.set(path, assignment)
    assert eval(expected, {"ns": namespace})


@pytest.mark.parametrize(
    ("path", "assignment", "code"),
    [
        (["nothing", {"attr": "x"}], {"value": 1}, "variable_not_found"),
        (["units", {"index": 9}], {"value": 1}, "variable_not_found"),
        (["pair", {"index": 0}], {"value": 1}, "not_settable"),
        (["not a name"], {"value": 1}, "not_settable"),
        (["x"], {}, "bad_request"),
        (["x"], {"value": 1, "expression": "1"}, "bad_request"),
        (["x"], {"expression": "1 / 0"}, "bad_request"),
        (["x"], {"expression": "x = 1"}, "bad_request"),
        (["x"], {"expression": "exit(1)"}, "bad_request"),
        ([], {"value": 1}, "bad_request"),
        ("x", {"value": 1}, "bad_request"),
        (["x", {"index": -1}], {"value": 1}, "bad_request"),
        (["x", {"index": 1, "attr": "y"}], {"value": 1}, "bad_request"),
    ],
)
def test_what_cannot_be_set_is_refused_and_nothing_changes(
    path: Any, assignment: dict[str, Any], code: str
) -> None:
    variables: dict[str, Any] = {"x": 1, "units": [Unit()], "pair": (1, 2)}
    namespace, monitor = monitored(**variables)
    with pytest.raises(VariableError) as refused:
        monitor.set(path, assignment)
    assert refused.value.code == code
    assert refused.value.hint
    assert {name: namespace[name] for name in variables} == variables


@given(st.recursive(st.none() | st.integers() | st.text() | st.floats(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_any_path_is_parsed_or_refused_in_words(data: Any) -> None:
    found: Any = None
    try:
        found = parse_path(data)
    except VariableError as error:
        found = error
    assert type(found) is Path or found.code == "bad_request"
    assert len(str(found)) < 1000


def test_a_long_list_is_opened_by_ranges() -> None:
    _, monitor = monitored(long=list(range(10**5)))
    window = monitor.get(["long"], 50_000, 3)
    assert window["total"] == 10**5
    assert [child["key"] for child in window["children"]] == [
        {"index": 50_000}, {"index": 50_001}, {"index": 50_002},
    ]  # fmt: skip
    assert monitor.get(["long"], 10**6, 3)["children"] == []


@pytest.mark.parametrize(
    "value",
    [
        [1, [2]], (1, 2), {"a": 1, 2: 3, (4,): 5, None: 6}, {1, 2}, collections.deque([1]),
        Unit(), types.SimpleNamespace(a=1), {"a": {"b": Unit()}}, collections.Counter("aab"),
        types.MappingProxyType({"a": 1}), range(5),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_listed_under_a_value_can_be_followed(value: Any) -> None:
    _, monitor = monitored(value=value)
    pending: list[list[Any]] = [["value"]]
    count = 0
    while pending:
        path = pending.pop()
        found = monitor.get(path, 0, 100)
        assert found["total"] >= len(found["children"])
        for child in found["children"]:
            again = monitor.get([*path, child["key"]], 0, 0)["variable"]
            assert again["preview"] == child["preview"]
            count += 1
            if child["expandable"] and len(path) < 3:
                pending.append([*path, child["key"]])
    assert count > 0


NAMES = st.sampled_from(["a", "b", "c", "_hidden"])
VALUES = st.sampled_from([1, "text", None, 2.5]) | st.lists(st.integers(), max_size=3)


class ClientsPicture(RuleBasedStateMachine):
    """Whatever code does: a client that applies the changes sees what is there."""

    def __init__(self) -> None:
        super().__init__()
        self.namespace, self.monitor = monitored()
        self.picture: dict[str, Any] = {}

    @rule(name=NAMES, value=VALUES)
    def assign(self, name: str, value: Any) -> None:
        self.namespace[name] = value

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        self.namespace.pop(name, None)

    @rule()
    def clear(self) -> None:
        self.namespace.clear()
        self.namespace["__name__"] = "__main__"

    @rule(name=NAMES, value=st.integers())
    def append(self, name: str, value: int) -> None:
        if type(found := self.namespace.get(name)) is list:
            found.append(value)

    @rule(name=NAMES, other=NAMES)
    def alias(self, name: str, other: str) -> None:
        if name in self.namespace:
            self.namespace[other] = self.namespace[name]

    @rule(name=NAMES, value=st.integers())
    def set_by_hand(self, name: str, value: int) -> None:
        self.monitor.set([name], {"value": value})

    @invariant()
    def client_sees_what_is_there(self) -> None:
        for change in self.monitor.collect(scan=True, budget_ms=1000):
            if change["op"] == "set":
                before = self.picture.get(change["name"], {"version": 0})
                assert change["variable"]["version"] > before["version"]
                self.picture[change["name"]] = change["variable"]
            else:
                del self.picture[change["name"]]
        fresh = {one["name"]: one for one in self.monitor.snapshot()}
        assert self.picture == fresh
        assert {name: self.namespace[name] for name in fresh} == {
            name: decode(one["value"]) for name, one in fresh.items()
        }


ClientsPicture.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestClientsPicture = ClientsPicture.TestCase
