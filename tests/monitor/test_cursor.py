"""cursor: where in the source the cursor is."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_monitor.cursor import (
    BEFORE,
    BEHIND,
    around,
    call_at,
    expression_start,
    name_end,
    place_at,
)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("x = 1", "code"),
        ("# a 'b", "comment"),
        ("'a", "string"),
        ("'a'", "code"),
        ("'a\\'", "string"),
        ("'''a'", "string"),
        ("'not closed\nx", "code"),
        ("f'{x", "code"),
        ("f'{x}", "string"),
        ("f'{{x", "string"),
        ("f'{d[\"k", "string"),
        ("rb'\\", "string"),
        ("x # '\ny", "code"),
    ],
)
def test_strings_and_comments_are_told_from_code(code: str, kind: str) -> None:
    assert place_at(code, len(code)).kind == kind


def test_open_brackets_are_told_by_position() -> None:
    assert place_at("f(a[1], {b: (", 13).brackets == (1, 8, 12)
    assert place_at("f(a) [", 6).brackets == (5,)


@pytest.mark.parametrize(
    ("code", "expression"),
    [
        ("x = a.b.c", "a.b.c"),
        ("f(a[0].b", "a[0].b"),
        ("y + d['k'](1, 2).z", "d['k'](1, 2).z"),
        ("'abc'", "'abc'"),
        ("x = rb'q'", "rb'q'"),
        ("[1, 2]", "[1, 2]"),
        ("return (a + b)", "(a + b)"),
        ("x", "x"),
        ("", ""),
        (")", ""),
        ("a b", "b"),
    ],
)
def test_the_expression_before_the_cursor_is_found_whole(code: str, expression: str) -> None:
    assert code[expression_start(code, len(code)) :] == expression


@pytest.mark.parametrize(
    ("code", "function"),
    [
        ("f(", "f"),
        ("f(a, b[", "f"),
        ("print(a.b(1, ", "a.b"),
        ("f(1)", None),
        ("(1, ", None),
        ("f(g(1), (2, ", "f"),
    ],
)
def test_the_call_around_the_cursor_is_found(code: str, function: str | None) -> None:
    call = call_at(code, len(code))
    assert (code[call[0] : call[1]] if call else None) == function


@given(st.text(alphabet="af.()[]{}'\"\\\n #b{}é1", max_size=40), st.integers(0, 45))
def test_no_text_makes_it_fail(code: str, cursor: int) -> None:
    cursor = min(cursor, len(code))
    place = place_at(code, cursor)
    assert all(code[bracket] in "([{" for bracket in place.brackets)
    assert 0 <= expression_start(code, cursor) <= cursor <= name_end(code, cursor) <= len(code)
    call_at(code, cursor)


def test_help_looks_at_the_lines_around_the_cursor() -> None:
    assert around("a.b", 2) == ("a.b", 2, 0)
    assert around("a.b", 9) == ("a.b", 3, 0)
    lines = "line = 1\n" * 10_000
    code, cursor, cut = around(lines, 50_000)
    assert (code[:cursor], len(code)) == (lines[cut:50_000], cursor + BEHIND)
    assert lines[cut - 1] == "\n"
    assert BEFORE - 10 < cursor <= BEFORE
    code, cursor, cut = around("x" * 100_000, 100_000)
    assert (cursor, cut) == (BEFORE, 100_000 - BEFORE)


def test_a_name_may_be_as_long_as_the_code() -> None:
    started = time.process_time()
    assert place_at("é" * 200_000 + "(", 200_001).brackets == (200_000,)
    assert time.process_time() - started < 2.0
