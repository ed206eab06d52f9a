"""BSATN byte for byte: the same vectors that tests/sdk/test_real_types.py sends to a server."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from spacetimedb_bsatn import (
    Classes,
    Codecs,
    ConnectionId,
    Err,
    Identity,
    Ok,
    ScheduleAt,
    Some,
    TimeDuration,
    Timestamp,
)
from spacetimedb_bsatn import algebraic as sats
from spacetimedb_bsatn.algebraic import AlgebraicType, ArrayType, Primitive, option, product, result
from tests.support.sats_values import COLOUR, POINT, SCHEMA, SHAPE, TREE

CLASSES: Any = Classes(SCHEMA).all()
Point, Tree, Colour, Shape = (CLASSES[name] for name in ("Point", "Tree", "Colour", "Shape"))
CODECS = Codecs(Classes(SCHEMA, CLASSES))

VECTORS: list[tuple[AlgebraicType, Any, str]] = [
    (Primitive.BOOL, True, "01"),
    (Primitive.BOOL, False, "00"),
    (Primitive.I8, -128, "80"),
    (Primitive.U8, 255, "ff"),
    (Primitive.I16, -2, "feff"),
    (Primitive.U16, 0x1234, "3412"),
    (Primitive.I32, -(2**31), "00000080"),
    (Primitive.U32, 2**32 - 1, "ffffffff"),
    (Primitive.I64, -1, "ffffffffffffffff"),
    (Primitive.U64, 1, "0100000000000000"),
    (Primitive.I128, -(2**127), "00" * 15 + "80"),
    (Primitive.I128, -2, "fe" + "ff" * 15),
    (Primitive.U128, 2**127 + 5, "05" + "00" * 14 + "80"),
    (Primitive.I256, -1, "ff" * 32),
    (Primitive.U256, 2**255 + 1, "01" + "00" * 30 + "80"),
    (Primitive.F32, 1.5, "0000c03f"),
    (Primitive.F64, -0.1, "9a9999999999b9bf"),
    (Primitive.STRING, "", "00000000"),
    (Primitive.STRING, "aé😀", "0700000061c3a9f09f9880"),
    (sats.BYTES, b"\x00\xff", "0200000000ff"),
    (ArrayType(Primitive.U16), (1, 2), "0200000001000200"),
    (ArrayType(Primitive.STRING), ("a",), "010000000100000061"),
    (ArrayType(Primitive.BOOL), (True, False), "020000000100"),
    (option(Primitive.U8), 7, "0007"),
    (option(Primitive.U8), None, "01"),
    (option(option(Primitive.U8)), Some(None), "0001"),
    (option(option(Primitive.U8)), Some(7), "000007"),
    (option(option(Primitive.U8)), None, "01"),
    (result(Primitive.U8, Primitive.STRING), Ok(1), "0001"),
    (result(Primitive.U8, Primitive.STRING), Err("x"), "010100000078"),
    (sats.UNIT, (), ""),
    (product(("a", Primitive.U8), ("b", Primitive.BOOL)), (3, True), "0301"),
    (sats.IDENTITY, Identity.from_hex("c2" + "00" * 30 + "05"), "05" + "00" * 30 + "c2"),
    (sats.CONNECTION_ID, ConnectionId(258), "0201" + "00" * 14),
    (sats.TIMESTAMP, Timestamp(1_000_000), "40420f0000000000"),
    (sats.TIME_DURATION, TimeDuration(-1), "ff" * 8),
    (sats.UUID, UUID("00112233-4455-6677-8899-aabbccddeeff"), "ffeeddccbbaa99887766554433221100"),
    (sats.SCHEDULE_AT, ScheduleAt.Interval(TimeDuration(2)), "000200000000000000"),
    (sats.SCHEDULE_AT, ScheduleAt.Time(Timestamp(3)), "010300000000000000"),
    (COLOUR, Colour.Green, "01"),
    (COLOUR, Colour.None_, "02"),
    (POINT, Point(1.0, 0.5, Colour.Red), "000000000000f03f0000003f00"),
    (SHAPE, Shape.Empty(), "02"),
    (SHAPE, Shape.Circle(1.0), "00000000000000f03f"),
    (SHAPE, Shape.Path((Point(0.0, 0.0, Colour.Green),)), "0101000000" + "00" * 12 + "01"),
    (TREE, Tree("r", (Tree("s", ()),)), "010000007201000000010000007300000000"),
]


@pytest.mark.parametrize(("type_", "value", "data"), VECTORS)
def test_each_value_has_these_bytes(type_: AlgebraicType, value: Any, data: str) -> None:
    codec = CODECS.of(type_)
    assert codec.encode(value).hex() == data
    assert codec.decode(bytes.fromhex(data)) == value
