"""A dump of exact values: what it holds comes back, what is none is lost alone."""

import json

import pytest

from tests.support.namespaces import fresh, names_of
from watchglass_monitor.load import load
from watchglass_monitor.value_dump import DAMAGED, MAGIC
from watchglass_monitor.values import encode
from watchglass_sync import value_dump as twin

VALUES = {
    "units": 3, "half": "\ud800", "nothing": None, "points": [(1, 2.5), {"a": b"\0"}],
    "huge": 2**70, "odd": {1, 2}, "inf": float("inf"), "pairs": {(1, 2): frozenset({3})},
}  # fmt: skip


def test_every_kind_of_exact_value_comes_back() -> None:
    data = twin.value_dump({name: encode(value) for name, value in VALUES.items()}, {"units": 9})
    again = fresh()
    found = load(data, again)
    assert {name: again[name] for name in names_of(again)} == VALUES
    assert found.versions == {"units": 9}
    assert {one.verdict for one in found.verdicts} == {"restored"}


def test_what_is_no_value_is_lost_and_costs_no_other() -> None:
    values = {
        "good": 1, "bad": {"$type": "tuple"}, "In": [], "__builtins__": {}, "": 2,
        "twice": {"$type": "set", "value": [1, 1]},
    }  # fmt: skip
    again = fresh()
    found = load(twin.value_dump(values, {"bad": 1, "good": 2}), again)
    lost = {one.name: one.why for one in found.verdicts if one.verdict == "lost"}
    assert names_of(again) == ["good"]
    assert "__builtins__" not in again
    assert lost == {
        "bad": 'it is no value: value: a tagged value has exactly the fields "$type" and "value"',
        "In": "a variable cannot have this name",
        "__builtins__": "a variable cannot have this name",
        "": "a variable cannot have this name",
        "twice": "it is no value: value.value[1]: is there twice",
    }
    assert found.versions == {"good": 2}


@pytest.mark.parametrize(
    "rest", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, json.dumps([1]).encode()]
)
def test_damaged_bytes_bring_nothing_back(rest: bytes) -> None:
    again = fresh()
    found = load(MAGIC + rest, again)
    assert (found.verdicts, found.why) == ([], DAMAGED)
    assert names_of(again) == []


def test_both_sides_write_the_same_name_in_front() -> None:
    assert MAGIC == twin.MAGIC
