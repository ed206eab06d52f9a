"""Python's values ⇄ columns of every kind of type, exactly or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from spacetimedb_bsatn.algebraic import (
    BYTES,
    CONNECTION_ID,
    IDENTITY,
    SCHEDULE_AT,
    TIME_DURATION,
    TIMESTAMP,
    UNIT,
    UUID,
    AlgebraicType,
    ArrayType,
    Primitive,
    option,
    product,
    result,
    sum_of,
)
from spacetimedb_bsatn.plain import decode_plain, encode_plain
from watchglass_sync.errors import ValueMisfit
from watchglass_sync.row_values import plain_of, python_of

HEX = "c2" * 32
POINT = product(("x", Primitive.F32), ("y", Primitive.F32))
KIND = sum_of(("Tank", UNIT), ("Scout", UNIT))
SHAPE = sum_of(("Circle", Primitive.F64), ("Dot", UNIT), ("At", POINT))

EXACT: list[tuple[AlgebraicType, list[Any]]] = [
    (Primitive.BOOL, [True, False]),
    (Primitive.U8, [0, 255]),
    (Primitive.I8, [-128, 127]),
    (Primitive.U64, [2**64 - 1]),
    (Primitive.I128, [-(2**127)]),
    (Primitive.U256, [2**256 - 1]),
    (Primitive.F64, [0.1, -0.0, 1e300, float("inf")]),
    (Primitive.F32, [0.5]),
    (Primitive.STRING, ["", "ß’\n\0"]),
    (BYTES, [b"", b"\0\xff"]),
    (ArrayType(Primitive.I32), [[], [1, -2]]),
    (option(Primitive.STRING), [None, "x"]),
    (option(option(Primitive.U8)), [{"some": None}, {"some": 4}, {"none": None}]),
    (POINT, [{"x": 0.5, "y": -1.0}]),
    (product((None, Primitive.U8), (None, Primitive.BOOL)), [[7, True]]),
    (UNIT, [{}]),
    (KIND, ["Tank", "Scout"]),
    (SHAPE, [{"Circle": 1.5}, {"Dot": None}, {"At": {"x": 1.0, "y": 2.0}}]),
    (result(Primitive.U8, Primitive.STRING), [{"ok": 1}, {"err": "no"}]),
    (IDENTITY, [HEX]),
    (CONNECTION_ID, [HEX[:32]]),
    (UUID, ["12345678-1234-5678-1234-567812345678"]),
    (TIMESTAMP, [-5, 1_795_282_541_775_499]),
    (TIME_DURATION, [10]),
    (SCHEDULE_AT, [{"Interval": 5}, {"Time": 6}]),
]


@pytest.mark.parametrize(("type_", "cases"), EXACT)
def test_each_value_comes_back_as_it_went(type_: AlgebraicType, cases: list[Any]) -> None:
    for value in cases:
        plain = plain_of(type_, (), value, "t.c")
        told = python_of(type_, (), decode_plain(type_, (), encode_plain(type_, (), plain)))
        assert told == value
        assert type(told) is type(value)
        assert repr(told) == repr(value)


def test_what_says_the_same_in_another_form_is_taken() -> None:
    assert plain_of(Primitive.F64, (), 3, "c") == 3.0
    assert plain_of(BYTES, (), [1, 2], "c") == b"\1\2"
    assert plain_of(KIND, (), {"Scout": None}, "c") == plain_of(KIND, (), "Scout", "c")
    assert plain_of(SHAPE, (), "Dot", "c") == plain_of(SHAPE, (), {"Dot": {}}, "c")
    assert plain_of(IDENTITY, (), f"0x{HEX}", "c") == plain_of(IDENTITY, (), HEX, "c")


@pytest.mark.parametrize(
    ("type_", "value", "words"),
    [
        (Primitive.U8, 256, "t.c: 256 is not u8, a whole number from 0 to 255"),
        (Primitive.U8, 1.0, "t.c: 1.0 is not u8"),
        (Primitive.U8, None, "t.c: None is not u8"),
        (Primitive.F32, 1e39, "t.c: 1e+39 is not f32"),
        (Primitive.BOOL, 1, "t.c: 1 is not a bool"),
        (Primitive.STRING, "\ud800", "t.c: '\\ud800' is not a str that UTF-8 can encode"),
        (BYTES, "text", "t.c: 'text' is not bytes"),
        (BYTES, [300], "t.c[0]: 300 is not u8"),
        (ArrayType(Primitive.U16), [1, "x"], "t.c[1]: 'x' is not u16"),
        (ArrayType(Primitive.U16), {"a": 1}, "t.c: {'a': 1} is not a list or tuple"),
        (POINT, {"x": 1.0}, "t.c: {'x': 1.0} is not a dict of x, y"),
        (POINT, {"x": 1.0, "y": "z"}, "t.c.y: 'z' is not f32"),
        (KIND, "Plane", "t.c: 'Plane' is not one of Tank, Scout"),
        (SHAPE, {"Circle": 1.0, "Dot": None}, "is not one of Circle, Dot, At"),
        (SHAPE, {"Circle": "wide"}, "t.c.Circle: 'wide' is not f64"),
        (SHAPE, {1: 2}, "is not one of Circle, Dot, At"),
        (IDENTITY, "c2", "t.c: 'c2' is not what names one, as text"),
        (IDENTITY, 5, "t.c: 5 is not what names one, as text"),
        (UUID, "x", "t.c: 'x' is not what names one, as text"),
        (TIMESTAMP, "now", "t.c: 'now' is not i64"),
        (TIMESTAMP, 2**63, "is not i64"),
        (option(Primitive.U8), "x", "t.c: 'x' is not u8"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    type_: AlgebraicType, value: Any, words: str
) -> None:
    with pytest.raises(ValueMisfit) as caught:
        plain_of(type_, (), value, "t.c")
    assert words in str(caught.value)
