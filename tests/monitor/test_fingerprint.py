"""Tests of fingerprint.py and scanner.py: what changes inside of a value is found, nothing else."""

import array
import collections
import copy
import io
import random
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_monitor import fingerprint as fingerprint_module
from watchglass_monitor import scanner as scanner_module
from watchglass_monitor.fingerprint import fingerprint
from watchglass_monitor.scanner import Scanner


@dataclass
class Unit:
    hp: int = 10
    items: list[Any] = field(default_factory=list)


class Slotted:
    __slots__ = ("a", "b")

    b: int

    def __init__(self) -> None:
        self.a = 1


class ListOfOurs(list[Any]):
    pass


def counter() -> Any:
    count = 0

    def more() -> int:
        nonlocal count
        count += 1
        return count

    return more


def slotted_b(value: Slotted) -> None:
    value.b = 2


def default_mutated(value: Any) -> None:
    value.__defaults__[0].append(1)


def with_default(into: list[int] = []) -> list[int]:  # noqa: B006
    return into


IN_PLACE: list[tuple[Any, Any]] = [
    ([1], lambda v: v.append(2)),
    ([1, 2], lambda v: v.reverse()),
    ([1, True], lambda v: v.__setitem__(0, 1.0)),
    ([0], lambda v: v.__setitem__(0, False)),
    (["a"], lambda v: v.__setitem__(0, b"a")),
    (list(range(10_000)), lambda v: v.__setitem__(7777, -1)),
    ({"a": 1}, lambda v: v.update(a=2)),
    ({"a": {"b": {"c": [1]}}}, lambda v: v["a"]["b"]["c"].append(2)),
    ({"a": 1, "b": 2}, lambda v: v.update(a=v.pop("a"))),
    ({1}, lambda v: v.add(2)),
    (collections.deque([1]), lambda v: v.appendleft(0)),
    (collections.OrderedDict(a=1, b=2), lambda v: v.move_to_end("a")),
    (collections.defaultdict(list), lambda v: v["new"]),
    (collections.Counter("ab"), lambda v: v.update("a")),
    (bytearray(b"ab"), lambda v: v.__setitem__(0, 0)),
    (array.array("d", [1.0] * 9999), lambda v: v.__setitem__(9998, 2.0)),
    (Unit(), lambda v: setattr(v, "hp", 9)),
    (Unit(), lambda v: setattr(v, "brand_new", 9)),
    (Unit(), lambda v: v.items.append(1)),
    ([Unit() for _ in range(50)], lambda v: setattr(v[49], "hp", 0)),
    (Slotted(), slotted_b),
    (ListOfOurs([1]), lambda v: v.append(2)),
    (ListOfOurs([1]), lambda v: setattr(v, "name", 2)),
    (iter([1, 2, 3]), next),
    ((n for n in range(3)), next),
    (counter(), lambda v: v()),
    (with_default, default_mutated),
    (io.StringIO(), lambda v: v.write("x")),
    (random.Random(1), lambda v: v.random()),
]


@pytest.mark.parametrize(("value", "change"), IN_PLACE, ids=range(len(IN_PLACE)))
def test_a_change_in_place_is_seen_and_looking_is_no_change(value: Any, change: Any) -> None:
    before = fingerprint(value)
    assert fingerprint(value) == before
    change(value)
    assert fingerprint(value) != before


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


def containers_in(value: Any, depth: int = 0) -> list[Any]:
    if depth > 3 or type(value) not in (list, dict):
        return []
    inner = value if type(value) is list else value.values()
    return [value, *(found for one in inner for found in containers_in(one, depth + 1))]


@given(st.lists(NESTED, min_size=1), st.data())
def test_any_store_anywhere_in_nested_containers_is_seen(value: Any, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(containers_in(value)))
    before, copied = fingerprint(value), copy.deepcopy(value)
    if type(place) is list and place:
        place[data.draw(st.integers(0, len(place) - 1))] = data.draw(NESTED)
    elif type(place) is dict:
        place[data.draw(st.text(max_size=3))] = data.draw(NESTED)
    if repr(value) != repr(copied):
        assert fingerprint(value) != before


def test_the_scanner_finds_each_change_and_keeps_to_its_time() -> None:
    namespace: dict[str, Any] = {f"v{n}": [n] for n in range(200)}
    namespace["large"] = list(range(300_000))
    scanner = Scanner()
    for name, value in namespace.items():
        scanner.bound(name, value)
    drain(scanner, namespace)
    namespace["v150"].append("new")
    found = drain(scanner, namespace)
    assert [one.name for one in found if one.certain] == ["v150"]
    del namespace["v150"]
    scanner.forget("v150")
    assert drain(scanner, namespace) == []


class StolenTime:
    """A clock that jumps while it is told to, as when other processes have the processor."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.jump_s = 0.0

    def __call__(self) -> float:
        self.now += 1e-6 + self.jump_s
        return self.now


def test_time_that_other_processes_took_is_not_charged_to_a_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = StolenTime()
    for module in (scanner_module, fingerprint_module):
        monkeypatch.setattr(module, "perf_counter", clock)
    namespace: dict[str, Any] = {"text": io.StringIO("a")}
    scanner = Scanner()
    scanner.bound("text", namespace["text"])
    clock.jump_s = 0.5
    assert [one.name for one in scanner.scan(namespace, clock() + 0.002)] == ["text"]
    clock.jump_s = 0.0
    namespace["text"].hp = 72
    assert [one.name for one in scanner.scan(namespace, clock() + 0.002)] == ["text"]


def drain(scanner: Scanner, namespace: dict[str, Any]) -> list[Any]:
    """Rounds until each variable has been walked over, each call with the budget of real ones."""
    found = []
    end = perf_counter() + 1.0
    while perf_counter() < end:
        found += scanner.scan(namespace, perf_counter() + 0.002)
    return found
