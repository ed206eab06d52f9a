"""Calls and events: the contract's names, the fields' limits, what a wrong field is told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_server.fields import PathStep
from watchglass_server.messages import (
    CALLS,
    EVENTS,
    MAX_VALUES,
    NOT_AVAILABLE,
    decode_command,
    plain_path,
    tagged,
)
from watchglass_server.refusals import Refused
from watchglass_server.roles import LEAST_ROLE

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def names_in_table(heading: str, until: str) -> set[str]:
    """The names in the first column of a table of the contract."""
    part = PAGE[PAGE.index(heading) : PAGE.index(until)]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    return {name for cell in rows for name in re.findall(r"`([a-z_.]+)`", cell)}


def refusal(event: str, payload: object) -> Refused:
    with pytest.raises(Refused) as caught:
        decode_command(event, payload)
    return caught.value


def test_every_call_of_the_contract_is_there_and_has_a_role() -> None:
    promised = names_in_table("### Calls: client → server", "`path` is a list")
    assert promised == CALLS.keys() == LEAST_ROLE.keys()
    assert NOT_AVAILABLE.keys() < CALLS.keys()


def test_every_event_of_the_contract_is_there() -> None:
    assert names_in_table("| type | data |", "### A variable") == EVENTS.keys()


def test_a_call_without_fields_may_come_without_an_object() -> None:
    assert decode_command("session.list", None) == decode_command("session.list", {})


def test_a_missing_field_and_one_too_many_are_named() -> None:
    assert refusal("execute", {"session": "s"}).error.field == "code"
    assert refusal("execute", {"session": "s", "code": "", "cod": 1}).error.field == "cod"
    nested = {"session": "s", "path": ["x", {"idx": 1}]}
    assert refusal("variable.get", nested).error.field == "path[1].idx"


def test_the_two_ways_to_name_a_variable_exclude_each_other() -> None:
    for fields in (
        {},
        {"name": "x"},
        {"value": 1},
        {"name": "x", "path": ["x"], "value": 1},
        {"name": "x", "value": 1, "expression": "1"},
    ):
        assert refusal("variable.set", {"session": "s", **fields}).error.code == "bad_request"
    decode_command("variable.set", {"session": "s", "name": "x", "value": None})


def test_code_is_measured_in_bytes_not_in_characters() -> None:
    decode_command("execute", {"session": "s", "code": "x" * 2**20})
    assert refusal("execute", {"session": "s", "code": "x" * (2**20 + 1)}).error.code == "too_large"
    assert refusal("execute", {"session": "s", "code": "é" * 2**20}).error.code == "too_large"
    decode_command("execute", {"session": "s", "code": "\ud800"})


@pytest.mark.parametrize("payload", [{"\ud800": 1}, {"session": "s", "role": "\ud800"}])
def test_half_of_a_surrogate_pair_where_it_cannot_be_is_refused(payload: dict[str, Any]) -> None:
    error = refusal("session.share", payload).error
    assert (error.code, error.field) == ("bad_request", "payload")


def test_a_value_with_too_many_parts_is_too_large() -> None:
    value = [0] * (MAX_VALUES + 1)
    error = refusal("variable.set", {"session": "s", "name": "x", "value": value}).error
    assert (error.code, error.field) == ("too_large", "value")


@given(st.sampled_from(sorted(CALLS)), json_values)
def test_whatever_comes_is_decoded_or_refused_with_a_next_step(event: str, payload: Any) -> None:
    command, error = None, None
    try:
        command = decode_command(event, payload)
    except Refused as refused:
        error = refused.error
    if error is None:
        assert isinstance(command, CALLS[event].command)
    else:
        assert error.message
        assert error.hint
        assert error.field is not None


def test_what_a_client_made_up_is_not_sent_back_whole() -> None:
    error = refusal("execute", {"x" * 10_000_000: 1, "session": "s", "code": ""}).error
    assert len(error.message) + len(error.field or "") < 1000


@given(st.integers(), json_values)
def test_integers_that_javascript_would_round_go_tagged(number: int, value: Any) -> None:
    sent = tagged(number)
    back = int(sent["value"]) if isinstance(sent, dict) else sent
    assert back == number
    for found in re.findall(r"(?<![\w.\"])-?\d{17,}(?![\w.\"])", json.dumps(tagged([value]))):
        assert abs(int(found)) <= 2**53 or "e" in found


def test_a_path_goes_on_as_it_came() -> None:
    path = ["units", {"index": 3}, {"attr": "hp"}, {"key": {"$type": "tuple", "value": [1]}}]
    decoded = msgspec.convert(path, list[str | PathStep])
    assert plain_path(decoded) == path
    assert plain_path(["d", PathStep(key=None)]) == ["d", {"key": None}]
