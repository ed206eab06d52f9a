"""Tagged JSON ⇄ values: the server's side reads and writes what the monitor's side does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_monitor import values
from watchglass_sync.errors import ValueMisfit
from watchglass_sync.tagged_json import tagged, untagged

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**300), 2**300)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"))
    | st.binary(max_size=50),
    lambda inside: (
        st.lists(inside, max_size=4) | st.dictionaries(st.text() | st.just("$type"), inside)
    ),
    max_leaves=10,
)


@given(PLAIN)
def test_what_is_written_here_is_read_inside_and_the_other_way_round(value: Any) -> None:
    assert values.decode(tagged(value)) == value
    assert untagged(tagged(value)) == value
    try:
        told = values.encode(value)
    except values.NotExact:
        return
    assert untagged(told) == value


def test_what_no_json_says_by_itself() -> None:
    assert untagged(values.encode((1, bytearray(b"x"), "\ud800"))) == [1, b"x", "\ud800"]
    assert repr(untagged(values.encode(float("nan")))) == "nan"
    assert tagged(2**53) == 2**53
    assert tagged(-(2**53) - 1) == {"$type": "int", "value": "-9007199254740993"}


@pytest.mark.parametrize(
    "data",
    [
        {"$type": "set", "value": [1]},
        {"$type": "int", "value": []},
        {"$type": "int", "value": "x"},
        {"$type": "bytes", "value": 5},
        {"$type": "dict", "value": [1]},
        {"$type": "dict", "value": [[1, 2]]},
        {"$type": "float", "value": None},
    ],
)
def test_what_is_no_value_of_a_row_is_refused(data: Any) -> None:
    with pytest.raises(ValueMisfit):
        untagged(data)
