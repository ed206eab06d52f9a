"""What does not fit a type is refused, with what would; what means the same is taken."""

from __future__ import annotations

import array
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from spacetimedb_bsatn import (
    Classes,
    Codecs,
    ConversionError,
    Identity,
    ScheduleAt,
    Some,
    SpacetimeDBError,
    TimeDuration,
    Timestamp,
)
from spacetimedb_bsatn import algebraic as sats
from spacetimedb_bsatn.algebraic import AlgebraicType, ArrayType, Primitive, option, product, result
from tests.support.sats_values import COLOUR, POINT, SCHEMA, SHAPE, TREE

CLASSES: Any = Classes(SCHEMA).all()
Point, Tree, Colour, Shape = (CLASSES[name] for name in ("Point", "Tree", "Colour", "Shape"))
CODECS = Codecs(Classes(SCHEMA, CLASSES))

WRONG: list[tuple[AlgebraicType, Any, str]] = [
    (Primitive.U8, 256, "u8, a whole number from 0 to 255; it fits i16"),
    (Primitive.U8, -1, "it fits i8"),
    (Primitive.I64, 2**63, "it fits u64"),
    (Primitive.U256, 2**256, "no integer type holds it"),
    (Primitive.I128, -(2**127) - 1, "it fits i256"),
    (Primitive.I256, 2**255, "it fits u256"),
    (Primitive.U32, 1.5, "pass int"),
    (Primitive.U32, "7", "pass int"),
    (Primitive.U32, None, "NoneType is no number"),
    (Primitive.BOOL, "yes", "True or False"),
    (Primitive.BOOL, 2, "a bool"),
    (Primitive.STRING, b"x", "pass bytes.decode"),
    (Primitive.STRING, 5, "pass str"),
    (Primitive.STRING, "\ud800", "lone surrogate"),
    (Primitive.F32, 1e39, "it fits f64"),
    (Primitive.F64, "1.0", "pass float"),
    (Primitive.F64, 10**400, "too large"),
    (sats.BYTES, "text", "pass str.encode"),
    (sats.BYTES, 5, "pass bytes"),
    (sats.BYTES, [1, 256], r"thing\[1\]: 256"),
    (ArrayType(Primitive.STRING), "abc", "array of one"),
    (ArrayType(Primitive.STRING), {"a": 1}, "pass list"),
    (ArrayType(Primitive.STRING), {"a"}, "pass list"),
    (ArrayType(Primitive.U16), [1, "x"], r"thing\[1\]: 'x'"),
    (option(option(Primitive.U8)), 5, r"Some\(value\)"),
    (result(Primitive.U8, Primitive.STRING), 5, r"Ok\(…\) or Err"),
    (sats.IDENTITY, "c2" * 32, "Identity.from_hex"),
    (sats.IDENTITY, 5, "pass Identity"),
    (sats.TIMESTAMP, 5, "pass Timestamp"),
    (sats.TIMESTAMP, datetime(2026, 1, 1), "time zone"),
    (sats.TIMESTAMP, TimeDuration(1), "pass Timestamp"),
    (sats.SCHEDULE_AT, 5, "ScheduleAt.Interval"),
    (COLOUR, 3, "one of Colour.Red, Colour.Green"),
    (COLOUR, "Red", "one of Colour.Red"),
    (POINT, 5, "pass Point"),
    (POINT, {"x": 1.0, "y": 2.0}, "missing: class_"),
    (POINT, {"x": 1.0, "y": 2.0, "class": 0, "z": 3}, "not a field: z"),
    (POINT, {"x": 1.0, "y": "?", "class": 0}, "thing.y: '\\?'"),
    (TREE, Tree("a", [Tree("b", [Tree(7, ())])]), r"thing.children\[0\].children\[0\].name: 7"),
    (SHAPE, Shape.Circle("x"), "thing.Circle: 'x'"),
    (SHAPE, Shape.Circle, r"write Shape.Circle\(…\)"),
    (SHAPE, Shape.Empty, r"write Shape.Empty\(\)"),
    (product(("a", Primitive.U8), ("b", Primitive.U8)), (1,), "a tuple of 2"),
    (product(("a", Primitive.U8), ("b", Primitive.U8)), (1, 300), "thing.b: 300"),
]


@pytest.mark.parametrize(("type_", "value", "told"), WRONG)
def test_a_value_that_does_not_fit_is_told_with_what_would(
    type_: AlgebraicType, value: Any, told: str
) -> None:
    with pytest.raises(ConversionError, match=told) as refused:
        CODECS.of(type_, "thing").encode(value)
    assert isinstance(refused.value, SpacetimeDBError)
    assert isinstance(refused.value, ValueError)
    assert refused.value.field.startswith(("thing", "Timestamp"))


EQUIVALENT: list[tuple[AlgebraicType, Any, Any]] = [
    (Primitive.F64, 1, 1.0),
    (sats.BYTES, bytearray(b"ab"), b"ab"),
    (sats.BYTES, memoryview(b"ab"), b"ab"),
    (sats.BYTES, [97, 98], b"ab"),
    (ArrayType(Primitive.U16), deque([1, 2]), (1, 2)),
    (ArrayType(Primitive.I32), array.array("i", [1, 2]), (1, 2)),
    (ArrayType(Primitive.STRING), ["a", "b"], ("a", "b")),
    (option(option(Primitive.U8)), Some(Some(5).value), Some(5)),
    (sats.TIMESTAMP, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), Timestamp(1_000_000)),
    (sats.TIME_DURATION, timedelta(milliseconds=5), TimeDuration(5000)),
    (sats.SCHEDULE_AT, timedelta(seconds=1), ScheduleAt.Interval(TimeDuration(1_000_000))),
    (sats.SCHEDULE_AT, Timestamp(5), ScheduleAt.Time(Timestamp(5))),
    (COLOUR, 1, Colour.Green),
    (POINT, {"x": 1, "y": 2, "class": 0}, Point(1.0, 2.0, Colour.Red)),
    (POINT, {"x": 1, "y": 2, "class_": 0}, Point(1.0, 2.0, Colour.Red)),
    (TREE, {"name": "a", "children": [{"name": "b", "children": []}]}, Tree("a", (Tree("b", ()),))),
    (product(("a", Primitive.U8)), [1], (1,)),
]


@pytest.mark.parametrize(("type_", "value", "same"), EQUIVALENT)
def test_what_means_the_same_is_taken(type_: AlgebraicType, value: Any, same: Any) -> None:
    codec = CODECS.of(type_)
    assert codec.encode(value) == codec.encode(same)
    assert codec.decode(codec.encode(value)) == same


def test_a_class_of_other_bindings_is_not_taken_for_ours() -> None:
    Other: Any = Classes(SCHEMA).all()["Point"]
    with pytest.raises(ConversionError, match="a Point"):
        CODECS.of(POINT, "thing").encode(Other(1.0, 2.0, 0))


def test_hex_must_have_its_length() -> None:
    with pytest.raises(ConversionError, match="64 hexadecimal digits"):
        Identity.from_hex("c2")


def test_a_value_of_other_bindings_is_told_from_one_that_does_not_fit() -> None:
    others: Any = Classes(SCHEMA).all()
    for type_, value in (
        (POINT, others["Point"](0.0, 0.0, others["Colour"].Red)),
        (SHAPE, others["Shape"].Circle(1.0)),
    ):
        with pytest.raises(ConversionError, match="of other bindings: take the class of those"):
            CODECS.of(type_).encode(value)
