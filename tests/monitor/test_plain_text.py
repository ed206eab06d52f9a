"""plain_text: results as IPython lays them out."""

import time
from collections import Counter, OrderedDict, defaultdict, deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_monitor.plain_text import MAX_CHARS, MAX_ITEMS, cut, plain_text


@pytest.mark.parametrize(
    "value",
    [
        *([], (), {}, set(), frozenset(), [1], (1,), (1, 2), {1: 2}, {1}, frozenset({1})),
        *(deque([1]), deque([1], 3), defaultdict(list, {1: [2]}), Counter("aa"), "text", None),
        *(OrderedDict(a=1), [[(1,)]], {"a": {"b": (1,)}}, 1.5, b"x", [None, "q'"]),
    ],
)
def test_what_fits_on_a_line_is_its_repr(value: object) -> None:
    assert plain_text(value) == repr(value)


def test_a_wide_list_has_one_item_a_line() -> None:
    assert plain_text(list(range(100, 125))).split("\n")[:2] == ["[100,", " 101,"]


def test_nested_containers_are_indented_under_their_key() -> None:
    value = {"name": "x" * 60, "items": list(range(1000, 1020)), "t": ("y" * 90,)}
    assert plain_text(value).split("\n") == [
        "{'name': '" + "x" * 60 + "',",
        " 'items': [1000,",
        *(f"           {n}," for n in range(1001, 1019)),
        "           1019],",
        " 't': ('" + "y" * 90 + "',)}",
    ]


def test_a_container_in_itself_is_three_dots() -> None:
    ring: list[object] = [1]
    ring.append(ring)
    table: dict[str, object] = {"long": "x" * 80}
    table["self"] = table
    assert plain_text(ring) == "[1, [...]]"
    assert plain_text(table) == "{'long': '" + "x" * 80 + "',\n 'self': {...}}"


def test_only_so_many_items_are_shown() -> None:
    started = time.monotonic()
    lines = plain_text(list(range(1_000_000))).split("\n")
    assert len(lines) == MAX_ITEMS + 1
    assert lines[-1] == " ...]"
    assert time.monotonic() - started < 1


def test_a_repr_of_several_lines_takes_them() -> None:
    class Two:
        def __repr__(self) -> str:
            return "one\ntwo"

    assert plain_text([Two(), 1]) == "[one\ntwo,\n 1]"


def test_each_repr_is_called_once() -> None:
    class Counting:
        calls = 0

        def __repr__(self) -> str:
            Counting.calls += 1
            return "x" * 50

    plain_text([[[Counting()], Counting()]])
    assert Counting.calls == 2


def test_a_subclass_with_a_repr_of_its_own_keeps_it() -> None:
    class Mine(list[int]):
        def __repr__(self) -> str:
            return "mine"

    assert plain_text([Mine([1])]) == "[mine]"


def test_very_deep_nesting_ends_in_words() -> None:
    deep: list[object] = []
    for _ in range(50_000):
        deep = [deep]
    assert "RecursionError" in plain_text(deep)


def test_a_long_text_keeps_head_and_tail() -> None:
    text = cut("a" * 50 + "b" * 50, 20)
    assert text.startswith("a" * 10 + "\n")
    assert text.endswith("\n" + "b" * 10)
    assert "80 characters" in text
    assert len(plain_text("x" * (2 * MAX_CHARS))) < MAX_CHARS + 200


values = st.recursive(
    st.one_of(st.integers(), st.text(max_size=30), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(st.text(max_size=10), inner, max_size=6),
        st.tuples(inner, inner),
    ),
)


@given(values)
def test_the_text_of_plain_values_reads_back_as_the_value(value: object) -> None:
    assert eval(plain_text(value)) == value
