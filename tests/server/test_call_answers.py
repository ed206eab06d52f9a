"""What a process answers, as callers get it: checked, and never larger than an answer may be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.support.hostile_host import CHILD, VARIABLE
from watchglass_server.call_answers import (
    MATCH_CHARACTERS,
    completions,
    repr_text,
    variable_now,
    variable_page,
    watch_problems,
)
from watchglass_server.errors import AnswerError
from watchglass_server.fields import MAX_ANSWER_BYTES
from watchglass_server.json_wire import dumps


def test_a_page_loses_its_values_and_then_its_last_rows() -> None:
    large = {**CHILD, "value": "x" * 16_000, "preview": "y" * 200, "type": "t" * 1000}
    answer = {"variable": VARIABLE, "children": [large] * 1000, "total": 1000}
    page = variable_page(answer)
    assert len(page.children) == 1000
    assert all(child.variable.value is None for child in page.children)
    assert len(dumps(msgspec.to_builtins(page))) < MAX_ANSWER_BYTES


@pytest.mark.parametrize(
    "changed",
    [
        {"children": [{**CHILD, "key": 5}]},
        {"children": [CHILD] * 1001},
        {"children": [5]},
        {"variable": {**VARIABLE, "preview": "x" * 201}},
        {"variable": {**VARIABLE, "type": "\ud800" * 2000}},
        {"variable": {"name": "\x1b[2J"}},
        {"total": -1},
        {"variable": None},
    ],
)
def test_an_answer_that_is_none_is_no_page(changed: dict[str, Any]) -> None:
    with pytest.raises(AnswerError) as caught:
        variable_page({"variable": VARIABLE, "children": [CHILD], "total": 1, **changed})
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 3000


def test_a_value_larger_than_the_contract_says_is_not_passed_on() -> None:
    answer = {"variable": {**VARIABLE, "value": ["x" * 1000] * 100}}
    assert variable_now(answer).variable.value is None


def test_matches_too_long_to_be_typed_are_left_out() -> None:
    matches = [{"text": "x" * size, "type": "t"} for size in (1, MATCH_CHARACTERS + 1)]
    found = completions({"matches": matches, "start": 0, "end": 1})
    assert [match.text for match in found.matches] == ["x"]


def test_a_repr_is_cut_to_what_an_answer_holds() -> None:
    cut = repr_text({"text": "\x00" * 2**21})
    assert cut.truncated
    assert len(dumps(cut.text)) < MAX_ANSWER_BYTES


def test_a_problem_with_a_field_that_nobody_sent_is_no_answer() -> None:
    with pytest.raises(AnswerError):
        watch_problems({"problems": {"token": "wrong"}})
