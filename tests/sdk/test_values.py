"""The values that Python has no class for: what they equal, show and compute."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import spacetimedb_bsatn
from spacetimedb_bsatn import (
    Classes,
    ConnectionId,
    ConversionError,
    Identity,
    Row,
    ScheduleAt,
    TimeDuration,
    Timestamp,
    ValidationError,
)
from spacetimedb_bsatn.algebraic import Primitive, described, option, product
from spacetimedb_bsatn.names import class_name, distinct, python_name
from tests.support.sats_values import SCHEMA

CLASSES: Any = Classes(SCHEMA).all()
WITHOUT_MSGSPEC = """
import sys
sys.modules["msgspec"] = None
from spacetimedb_bsatn import (
    Classes, Codecs, ConnectionId, ConversionError, Identity, Ref, Schema, Row, Timestamp
)
from spacetimedb_bsatn.algebraic import IDENTITY, TIMESTAMP, Primitive, product
who, at = Identity(5), Timestamp(6)
assert who == Identity(5) != Identity(6) and who != ConnectionId(5) and who != 5
assert {who: 1}[Identity(5)] == 1 and who < Identity(6) and at <= Timestamp(6) and at > Timestamp(5)
assert not hasattr(who, "__dict__") and not hasattr(at, "__dict__")
for type_, value in ((IDENTITY, who), (TIMESTAMP, at)):
    one = Codecs(Classes(Schema(()))).of(type_)
    assert one.decode(one.encode(value)) == value
for make in (lambda: Identity(-1), lambda: Identity(1 << 256), lambda: Timestamp(1 << 63)):
    try:
        make()
    except ConversionError:
        continue
    raise AssertionError("out of range")
schema = Schema((product(("id", Primitive.U64), ("name", Primitive.STRING)),))
classes = Classes(schema)
Type0 = classes.of(0)
codec = Codecs(classes).of(Ref(0))
row = codec.decode(codec.encode(Type0(1, "a")))
assert row == Type0(1, "a") and hash(row) == hash(Type0(1, "a")) and isinstance(row, Row)
assert row.replace(name="b") == Type0(1, "b")
try:
    row.id = 2
except AttributeError:
    print("frozen")
"""


def test_an_identity_is_its_hexadecimal_digits() -> None:
    text = "c2" + "0" * 61 + "5"
    who = Identity.from_hex("0x" + text)
    assert str(who) == text
    assert eval(repr(who)) == who
    assert Identity.from_bytes(bytes(who)) == who
    assert {who: 1}[Identity.from_hex(text)] == 1
    assert Identity(1) < Identity(2) <= Identity(2)


def test_numbers_of_different_meaning_are_never_equal() -> None:
    assert Identity(5) != ConnectionId(5)
    assert Identity(5) != 5
    assert Timestamp(5) != TimeDuration(5)
    with pytest.raises(TypeError):
        assert Identity(5) < ConnectionId(6)  # type: ignore[operator]


def test_numbers_with_a_name_cannot_be_changed_nor_be_out_of_range() -> None:
    for value, field in ((Identity(5), "value"), (Timestamp(6), "micros")):
        with pytest.raises(AttributeError):
            setattr(value, field, 7)
    for make, number in ((Identity, 1 << 256), (ConnectionId, -1), (TimeDuration, 1 << 63)):
        with pytest.raises(ConversionError, match=make.__name__):
            make(number)


def test_the_collector_does_not_visit_what_tables_have_millions_of() -> None:
    assert not any(
        map(gc.is_tracked, (Identity(5), ConnectionId(5), Timestamp(6), TimeDuration(7)))
    )


def test_times_compute_with_timedelta() -> None:
    at = Timestamp.from_datetime(datetime(2026, 1, 2, tzinfo=UTC))
    assert at + timedelta(days=1) - at == TimeDuration.from_seconds(86400)
    assert (at - TimeDuration(1)).to_datetime() == datetime(
        2026, 1, 1, 23, 59, 59, 999999, tzinfo=UTC
    )
    assert str(at) == "2026-01-02T00:00:00+00:00"
    assert (-TimeDuration(5)).total_seconds() == -0.000005


def test_a_time_that_no_datetime_shows_is_shown_as_its_number() -> None:
    assert str(Timestamp(2**63 - 1)) == "Timestamp(9223372036854775807)"
    with pytest.raises(ConversionError):
        Timestamp(2**63)


def test_a_row_is_frozen_and_replaced() -> None:
    point: Any = CLASSES["Point"](1.0, 2.0, CLASSES["Colour"].Red)
    assert issubclass(CLASSES["Point"], Row)
    assert point.replace(x=3.0) == CLASSES["Point"](3.0, 2.0, CLASSES["Colour"].Red)
    with pytest.raises(AttributeError):
        point.x = 5.0


def test_rows_are_dataclasses_where_msgspec_is_missing() -> None:
    folder = Path(spacetimedb_bsatn.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_MSGSPEC],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "frozen\n"


def test_variants_match() -> None:
    shape = CLASSES["Shape"]
    match shape.Circle(2.0):
        case shape.Circle(radius):
            assert radius == 2.0
        case _:
            pytest.fail("no match")
    assert isinstance(shape.Empty(), shape)
    assert shape.Empty() == shape.Empty()
    assert {shape.Empty(), shape.Circle(1.0), shape.Circle(1.0)} == {
        shape.Circle(1.0),
        shape.Empty(),
    }
    assert repr(shape.Circle(1.0)) == "Shape.Circle(1.0)"
    with pytest.raises(AttributeError, match="cannot be changed"):
        shape.Circle(1.0).value = 2.0


def test_values_are_copied_and_pickled() -> None:
    for value in (Identity(5), Timestamp(6), ScheduleAt.Time(Timestamp(7))):
        assert copy.deepcopy(value) == value
        assert pickle.loads(pickle.dumps(value)) == value


def test_names_that_python_does_not_allow_get_an_underscore() -> None:
    assert python_name("class") == "class_"
    assert python_name("replace") == "replace_"
    assert python_name("2d") == "_2d"
    assert python_name("a-b") == "a_b"
    assert class_name("game_state") == "GameState"
    assert class_name("Exception") == "Exception_"


def test_two_names_that_become_one_are_an_error_that_says_both() -> None:
    with pytest.raises(ValidationError, match="'a-b' and 'a_b' would both be 'a_b'"):
        distinct(["a-b", "a_b"], "fields of T")


def test_types_are_written_as_people_do() -> None:
    type_ = product(("a", option(Primitive.U8)), ("b", SCHEMA.types[2]))
    assert described(type_) == "(option of u8, Red or Green or None)"
