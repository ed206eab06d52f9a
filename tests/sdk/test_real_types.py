"""Every type with its extremes, in arrays, options, products and sums, through a real server."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from spacetimedb_bsatn import (
    ConnectionId,
    Identity,
    ScheduleAt,
    TimeDuration,
    Timestamp,
)
from spacetimedb_bsatn import algebraic as sats
from spacetimedb_bsatn.algebraic import (
    INTEGERS,
    AlgebraicType,
    ArrayType,
    Primitive,
    option,
)
from spacetimedb_client import connect
from spacetimedb_client.module import Module
from tests.sdk.conftest import Publish

MICROS = (-(2**63), -1, 0, 2**63 - 1)
TYPES: dict[str, tuple[AlgebraicType, list[Any]]] = {
    **{str(each): (each, [r.low, -1 * r.signed, 1, r.high]) for each, r in INTEGERS.items()},
    "bool": (Primitive.BOOL, [True, False]),
    "f32": (Primitive.F32, [0.0, -0.0, 1.5, 3.4028234663852886e38, -math.inf]),
    "f64": (Primitive.F64, [0.0, -0.1, 5e-324, 1.7976931348623157e308, math.inf]),
    "text": (Primitive.STRING, ["", "aé😀\0\n'\"", "x" * 3000]),
    "bytes": (sats.BYTES, [b"", bytes(range(256))]),
    "identity": (sats.IDENTITY, [Identity(0), Identity(2**256 - 1)]),
    "connection": (sats.CONNECTION_ID, [ConnectionId(0), ConnectionId(2**128 - 1)]),
    "timestamp": (sats.TIMESTAMP, [Timestamp(each) for each in MICROS]),
    "duration": (sats.TIME_DURATION, [TimeDuration(each) for each in MICROS]),
    "schedule": (
        sats.SCHEDULE_AT,
        [ScheduleAt.Interval(TimeDuration(5)), ScheduleAt.Time(Timestamp(2**62))],
    ),
    "nested": (ArrayType(ArrayType(Primitive.U16)), [(), ((1, 2), (), (3,))]),
    "options": (ArrayType(option(Primitive.STRING)), [(None, "a", None), ()]),
}


def all_types(types: dict[str, tuple[AlgebraicType, list[Any]]]) -> Module:
    """A table for each type."""
    module = Module()
    for name, (type_, _) in types.items():
        box = module.product(f"Box{name}", inner=type_)
        choice = module.sum(f"Choice{name}", Left=type_, Right=box, Neither=None)
        columns = {
            "id": Primitive.U32,
            "alone": type_,
            "many": ArrayType(type_),
            "maybe": option(type_),
            "boxed": box,
            "chosen": choice,
        }
        module.mirror(module.table(f"of_{name}", columns, primary_key="id"))
    return module


def astuple(row: Any) -> tuple[Any, ...]:
    return tuple(getattr(row, field) for field in type(row).__match_args__)


def rows_of(types: Any, name: str, values: list[Any]) -> list[Any]:
    """One for each extreme, in all its positions."""
    row, box, choice = (
        getattr(types, each) for each in (f"Of{name.title()}", f"Box{name}", f"Choice{name}")
    )
    rows: list[Any] = []
    for at, value in enumerate(values):
        chosen = [choice.Left(value), choice.Right(box(value)), choice.Neither()][at % 3]
        many = bytes(values) if name == "u8" else tuple(values)
        rows.append(row(at, value, many, value if at % 2 else None, box(value), chosen))
    return rows


def by_id(rows: Iterable[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: row.id)


async def test_every_type_comes_back_as_it_was_sent(publish: Publish) -> None:
    module = all_types(TYPES)
    database = await publish(module)
    async with connect(*database.address, token=database.owner.token) as conn:
        types = conn.bindings.types
        for name, (_, values) in TYPES.items():
            async with await conn.subscribe(f"SELECT * FROM of_{name}"):
                rows = rows_of(types, name, values)
                for row in rows:
                    await conn.reducers[f"of_{name}_insert"](row)
                assert sorted(conn.db[f"of_{name}"], key=lambda row: row.id) == rows, name
                for row in rows:
                    await conn.reducers[f"of_{name}_update"](row.replace(maybe=None))
                    await conn.reducers[f"of_{name}_update"](row)
                assert sorted(conn.db[f"of_{name}"], key=lambda row: row.id) == rows, name
                answer = await conn.sql(f"SELECT * FROM of_{name}")
                assert sorted(answer, key=lambda row: row.id) == rows, name


async def test_every_type_passes_the_json_protocol(publish: Publish) -> None:
    module = all_types(TYPES)
    database = await publish(module)
    owner = database.owner.token
    async with connect(*database.address, token=owner, protocol="json") as conn:
        for name, (_, values) in TYPES.items():
            if name in ("f32", "f64"):
                continue  # JSON has no infinity
            async with await conn.subscribe(f"SELECT * FROM of_{name}"):
                rows = rows_of(conn.bindings.types, name, values)
                for row in rows:
                    await conn.reducers[f"of_{name}_insert"](row)
                assert sorted(conn.db[f"of_{name}"], key=lambda row: row.id) == rows, name


async def test_sql_over_http_says_the_same_as_the_rows(publish: Publish) -> None:
    module = all_types(TYPES)
    database = await publish(module)
    async with (
        connect(*database.address, token=database.owner.token) as conn,
        database.admin() as admin,
    ):
        for name, (_, values) in TYPES.items():
            if name in ("f32", "f64"):
                continue  # JSON has no infinity
            rows = rows_of(conn.bindings.types, name, values)
            for row in rows:
                await conn.reducers[f"of_{name}_insert"](row)
            answer = await admin.sql(database.name, f"SELECT * FROM of_{name}")
            for column in ("alone", "many", "maybe"):
                found = [getattr(row, column) for row in by_id(answer)]
                assert found == [getattr(row, column) for row in rows], name
            made = type(rows[0])
            query = f"SELECT * FROM of_{name}"
            told = await admin.sql(database.name, query, into=made, module=conn.bindings)
            assert by_id(told) == rows, name
