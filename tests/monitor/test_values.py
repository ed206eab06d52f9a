"""Tests of values.py: every exact value comes back as it was, and a mistake names its place."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_monitor.values import MAX_BYTES, NotExact, ValueMistake, decode, encode

KEYS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(), st.binary(), st.tuples(st.integers())
)
SCALARS = st.one_of(
    KEYS,
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters(codec=None)),
    st.binary().map(bytearray),
    st.just("$type"),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.dictionaries(st.sampled_from(["a", "$type", "value", "\ud800"]), inner),
        st.frozensets(KEYS, max_size=4),
        st.sets(KEYS, max_size=4),
    ),
    max_leaves=12,
)


def same(left: Any, right: Any) -> bool:
    """Equal in type and value all the way down; nan is nan, and -0.0 is not 0.0."""
    if type(left) is not type(right):
        return False
    if type(left) is float:
        return repr(left) == repr(right)
    if type(left) is complex:
        return same(left.real, right.real) and same(left.imag, right.imag)
    if type(left) in (list, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if type(left) is dict:
        return same(list(left), list(right)) and same(list(left.values()), list(right.values()))
    return bool(left == right)


@given(VALUES)
def test_an_exact_value_comes_back_as_it_was(value: Any) -> None:
    try:
        encoded = encode(value)
    except NotExact:
        return
    over_the_wire = json.loads(json.dumps(encoded, allow_nan=False))
    assert same(decode(over_the_wire), value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_any_json_is_decoded_or_its_mistake_is_told(data: Any) -> None:
    words = "value: "
    try:
        decode(data)
    except ValueMistake as mistake:
        words = str(mistake)
    assert words.startswith("value")
    assert len(words) < 500


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (2**53 + 1, {"$type": "int", "value": "9007199254740993"}),
        (-(2**53), -(2**53)),
        (math.nan, {"$type": "float", "value": "nan"}),
        (-math.inf, {"$type": "float", "value": "-inf"}),
        ((1, 2), {"$type": "tuple", "value": [1, 2]}),
        (b"\x00\xff", {"$type": "bytes", "value": "AP8="}),
        ({1: 2}, {"$type": "dict", "value": [[1, 2]]}),
        ({"a": [1.5, None]}, {"a": [1.5, None]}),
    ],
)
def test_what_json_cannot_say_is_tagged(value: object, encoded: object) -> None:
    assert encode(value) == encoded


def test_what_is_too_large_cyclic_or_of_another_class_has_no_exact_value() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)

    class Celsius(float):
        pass

    for value in ("x" * MAX_BYTES, list(range(10_000)), cycle, Celsius(3), {"a": object()}):
        with pytest.raises(NotExact):
            encode(value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"$type": "lambda", "value": 1}, "value.$type: must be one of"),
        ({"$type": "int", "value": 5}, "value.value: must be the digits"),
        ({"$type": "int"}, "exactly the fields"),
        ([1, {"units": [{"$type": "set", "value": [[1]]}]}], "value[1].units[0].value[0]"),
        ({"$type": "dict", "value": [[1, 2], [1, 3]]}, "is there twice"),
        ({"$type": "bytes", "value": "§"}, "must be base64"),
    ],
)
def test_a_mistake_names_its_place(data: object, words: str) -> None:
    with pytest.raises(ValueMistake) as mistake:
        decode(data)
    assert words in str(mistake.value)


def test_hostile_depth_and_size_are_refused_before_they_cost() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueMistake, match="nested deeper"):
        decode(deep)
    with pytest.raises(ValueMistake, match="more than"):
        decode([0] * 2_000_000)
    with pytest.raises(ValueMistake, match="digits of an integer"):
        decode({"$type": "int", "value": "9" * 5000})
