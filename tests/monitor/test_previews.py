"""Tests of previews.py: short, bounded, like `repr` where that is harmless, and no code is run."""

import array
import collections
import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import time
import types
import uuid
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_monitor.children import children, count_children
from watchglass_monitor.fingerprint import fingerprint
from watchglass_monitor.previews import MAX_CHARACTERS, preview
from watchglass_monitor.summary import summary


class Point(NamedTuple):
    x: int
    y: int


class Colour(enum.Enum):
    RED = 1


@dataclass
class Unit:
    hp: int = 10
    tags: list[str] = field(default_factory=list)


AS_REPR: list[Any] = [
    None, True, 0, -5, 2**100, 1.5, -0.0, float("nan"), 1 + 2j, ..., NotImplemented,
    "text", "it's", 'both \' and "', "\x00\n\ud800", "", b"bytes\xff", bytearray(b"ab"),
    [], [1, [2, [3]]], (), (1,), (1, 2), {}, {"a": 1, (2,): [3]}, set(), {1}, frozenset(),
    frozenset({1}), range(3), range(1, 9, 2), slice(1, None), decimal.Decimal("1.50"),
    fractions.Fraction(1, 3), collections.deque([1, 2], maxlen=3), array.array("i", [1, 2]),
    uuid.UUID(int=5), pathlib.PurePosixPath("/a/b"),
    Point(1, 2), Colour.RED, types.SimpleNamespace(a=1), ValueError("no", 3),
]  # fmt: skip


@pytest.mark.parametrize("value", AS_REPR, ids=lambda value: type(value).__name__)
def test_small_values_are_shown_as_their_repr(value: Any) -> None:
    assert preview(value) == repr(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Unit(), "Unit(hp=10, tags=[])"),
        (datetime.datetime(2026, 1, 31, 12, 5), "datetime(2026-01-31 12:05:00)"),
        (datetime.timedelta(hours=2), "timedelta(2:00:00)"),
        (lambda x, *rest, key=None: x, "<function lambda(x, *rest, key=None)>"),
        (functools.partial(int, "5"), "partial(<class int>, '5')"),
        (functools.partial(int), "partial(<class int>)"),
        (collections.defaultdict(list, {"a": [1]}), "defaultdict(list, {'a': [1]})"),
        (Unit, "<class Unit>"),
        (Colour, "<class Colour(Enum)>"),
        (datetime, "<module datetime>"),
        (len, "<built-in function len>"),
        ((n for n in range(3)), "<generator <genexpr>, suspended>"),
        (list(range(1000)), "[0, 1, 2, 3"),
    ],
    ids=str,
)
def test_other_values_are_shown_in_their_own_words(value: Any, shown: str) -> None:
    assert preview(value).startswith(shown)


HOLDERS = st.recursive(
    st.none() | st.integers() | st.text(max_size=300) | st.binary(max_size=300) | st.floats(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=80),
        st.lists(inner).map(tuple),
        st.dictionaries(st.text(), inner),
        st.builds(Unit, inner, st.lists(inner)),
        st.lists(inner).map(collections.deque),
    ),
)


@given(HOLDERS)
def test_a_preview_never_is_longer_than_it_may_be(value: Any) -> None:
    shown = preview(value)
    assert 0 < len(shown) <= MAX_CHARACTERS
    assert "\n" not in shown
    shown.encode()


def test_a_container_in_itself_is_shown_once() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    assert preview(loop) == "[1, […]]"
    unit = Unit()
    unit.tags.append(unit)  # type: ignore[arg-type]
    assert preview(unit) == "Unit(hp=10, tags=[Unit(…)])"


def test_what_is_huge_or_deep_costs_no_more_than_what_is_small() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    huge = [list(range(10**6)), "x" * 10**8, dict.fromkeys(range(10**6)), 2**1_000_000, deep]
    for value in huge:
        began = time.perf_counter()
        shown = preview(value)
        took = time.perf_counter() - began
        assert len(shown) <= MAX_CHARACTERS
        assert took < 0.5, "a bound on time that only quadratic work passes"
    while deep:
        deep = deep.pop()


HOSTILE = """
ran = []

def trap(name):
    def method(*args, **kwargs):
        ran.append(name)
        raise RuntimeError(name)
    return method

class Meta(type):
    __instancecheck__ = trap("instancecheck")
    __subclasscheck__ = trap("subclasscheck")
    __hash__ = trap("meta hash")
    __eq__ = trap("meta eq")
    __repr__ = trap("meta repr")
    __len__ = trap("meta len")
    __getattribute__ = trap("meta getattribute")

methods = {name: trap(name) for name in (
    "__repr__", "__str__", "__len__", "__iter__", "__getitem__", "__contains__", "__eq__",
    "__hash__", "__bool__", "__format__", "__dir__", "__getattr__", "__getattribute__",
    "__length_hint__", "__sizeof__", "__index__", "__int__", "__float__", "__lt__", "__reversed__",
    "__reduce__", "__reduce_ex__", "__copy__", "__deepcopy__", "__bytes__", "keys", "items",
)}
methods["computed"] = property(trap("property"))
methods["__class__"] = property(trap("__class__"))
kinds = [Meta("Hostile" + base.__name__, (base,), dict(methods))
         for base in (object, list, dict, tuple, set, int, str, float, bytes, Exception)]
values = [object.__new__(kinds[0]), list.__new__(kinds[1]), dict.__new__(kinds[2]),
          tuple.__new__(kinds[3], (1, 2)), set.__new__(kinds[4]), int.__new__(kinds[5], 5),
          str.__new__(kinds[6], "x"), float.__new__(kinds[7], 2.5), bytes.__new__(kinds[8], b"y"),
          Exception.__new__(kinds[9], "z")]
ran.clear()
"""


def test_looking_at_hostile_objects_runs_none_of_their_code() -> None:
    namespace: dict[str, Any] = {}
    exec(HOSTILE, namespace)
    for value in [*namespace["values"], *namespace["kinds"], namespace["values"]]:
        summary("x", value, 1)
        preview([value, {"a": value}])
        fingerprint(value)
        total = count_children(value)
        for child in children(value, 0, min(total, 50)):
            preview(child.value)
    assert namespace["ran"] == []
