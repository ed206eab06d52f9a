"""Every type with its extremes, in all its positions and on all ways, through a real server.

`KINDS` has the types, `columns_of` the positions, and each test below is a way: BSATN by reducers,
subscriptions and SQL; JSON by the same; HTTP; and a literal in SQL. A Uuid is none of them: 1.2.0
refuses it in a module, so that test_golden_bytes.py and test_codec.py alone hold its bytes.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from spacetimedb_bsatn import (
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
from spacetimedb_bsatn.algebraic import INTEGERS, AlgebraicType, ArrayType, Primitive, option
from spacetimedb_client import Connection, connect
from spacetimedb_client.module import Module
from spacetimedb_client.query import literal
from tests.sdk.conftest import Database, Publish

MICROS = (-(2**63), -1, 0, 2**63 - 1)
LARGEST_F32, SMALLEST_F32 = 3.4028234663852886e38, 1.401298464324817e-45
LARGEST_F64, SMALLEST_F64 = 1.7976931348623157e308, 5e-324
NO_NUMBERS = (math.inf, -math.inf, math.nan)


@dataclass(frozen=True, slots=True)
class Kind:
    """A type, or how a module gets one, and extreme values of it; both may need the module's."""

    type: AlgebraicType | Callable[[Module], AlgebraicType]
    values: list[Any] | Callable[[Any], list[Any]]
    in_json: bool = True

    def made(self, module: Module) -> AlgebraicType:
        return self.type(module) if callable(self.type) else self.type

    def extremes(self, types: Any) -> list[Any]:
        return self.values(types) if callable(self.values) else self.values


def phase(module: Module) -> AlgebraicType:
    return module.enum("Phase", "Lobby", "Running", "Paused")


def place(module: Module) -> AlgebraicType:
    return module.product("Place", x=Primitive.F64, at=module.product("At", name=Primitive.STRING))


def shape(module: Module) -> AlgebraicType:
    return module.sum("Shape", Circle=Primitive.U128, Path=ArrayType(Primitive.I16), Empty=None)


def outcome(module: Module) -> AlgebraicType:
    """A Result is inline in modules of 2.x; 1.2.0 takes it where the sum has a name."""
    return module.sum("Outcome", ok=Primitive.U64, err=Primitive.STRING)


KINDS: dict[str, Kind] = {
    **{
        str(each): Kind(each, [r.low, -1 * r.signed, 1, r.high]) for each, r in INTEGERS.items()
    },
    "bool": Kind(Primitive.BOOL, [True, False]),
    "f32": Kind(Primitive.F32, [0.0, -0.0, 1.5, LARGEST_F32, -LARGEST_F32, SMALLEST_F32]),
    "f64": Kind(Primitive.F64, [0.0, -0.0, -0.1, LARGEST_F64, -LARGEST_F64, SMALLEST_F64]),
    "infinitef32": Kind(Primitive.F32, list(NO_NUMBERS), in_json=False),
    "infinitef64": Kind(Primitive.F64, list(NO_NUMBERS), in_json=False),
    "text": Kind(Primitive.STRING, ["", "aé😀\0\n'\"", "x" * 3000]),
    "bytes": Kind(sats.BYTES, [b"", bytes(range(256))]),
    "identity": Kind(sats.IDENTITY, [Identity(0), Identity(2**256 - 1)]),
    "connection": Kind(sats.CONNECTION_ID, [ConnectionId(0), ConnectionId(2**128 - 1)]),
    "timestamp": Kind(sats.TIMESTAMP, [Timestamp(each) for each in MICROS]),
    "duration": Kind(sats.TIME_DURATION, [TimeDuration(each) for each in MICROS]),
    "schedule": Kind(
        sats.SCHEDULE_AT,
        [ScheduleAt.Interval(TimeDuration(2**63 - 1)), ScheduleAt.Time(Timestamp(2**62))],
    ),
    "unit": Kind(sats.UNIT, [()]),
    "nested": Kind(ArrayType(ArrayType(Primitive.U16)), [(), ((1, 2), (), (3,))]),
    "options": Kind(ArrayType(option(Primitive.STRING)), [(None, "a", None), ()]),
    "optional": Kind(option(option(Primitive.I256)), [None, Some(None), Some(-(2**255))]),
    "enumerated": Kind(phase, lambda types: list(types.Phase)),
    "place": Kind(
        place, lambda types: [types.Place(-0.0, types.At("")), types.Place(1e308, types.At("é"))]
    ),
    "shape": Kind(
        shape,
        lambda types: [
            types.Shape.Circle(2**128 - 1), types.Shape.Path((-(2**15), 2**15 - 1)),
            types.Shape.Empty(),
        ],
    ),
    "outcome": Kind(outcome, [Ok(2**64 - 1), Err("é")]),
}  # fmt: skip
IN_JSON = [name for name, kind in KINDS.items() if kind.in_json]


def columns_of(module: Module, name: str) -> dict[str, AlgebraicType]:
    """All positions of a type."""
    type_ = KINDS[name].made(module)
    box = module.product(f"Box{name}", inner=type_)
    return {
        "id": Primitive.U32,
        "alone": type_,
        "many": ArrayType(type_),
        "maybe": option(type_),
        "boxed": box,
        "chosen": module.sum(f"Choice{name}", Left=type_, Right=box, Neither=None),
    }


def module_of(name: str) -> Module:
    module = Module()
    module.mirror(module.table(f"of_{name}", columns_of(module, name), primary_key="id"))
    return module


def rows_of(types: Any, name: str) -> list[Any]:
    """One for each extreme, in all its positions."""
    row, box, choice = (
        getattr(types, each) for each in (f"Of{name.title()}", f"Box{name}", f"Choice{name}")
    )
    values = KINDS[name].extremes(types)
    rows: list[Any] = []
    for at, value in enumerate(values * (1 + (len(values) < 3))):
        left = choice.Left() if name == "unit" else choice.Left(value)
        chosen = [left, choice.Right(box(value)), choice.Neither()][at % 3]
        many = (bytes(values) if name == "u8" else tuple(values)) if at else type_of_many(name)
        maybe = some(name, value) if at % 2 else None
        rows.append(row(at, value, many, maybe, box(value), chosen))
    return rows


def type_of_many(name: str) -> Any:
    """An array without items."""
    return b"" if name == "u8" else ()


def some(name: str, value: Any) -> Any:
    """An option inside of an option says so."""
    return Some(value) if name == "optional" else value


class Sent:
    """The rows of one type, and what should come back: the same bytes, as NaN equals nothing."""

    def __init__(self, conn: Connection, name: str) -> None:
        self.table = f"of_{name}"
        self.query = f"SELECT * FROM of_{name}"
        self.conn = conn
        self.rows = rows_of(conn.bindings.types, name)

    def bytes_of(self, rows: Iterable[Any]) -> list[bytes]:
        codec = self.conn.bindings.tables[self.table].codec
        return [codec.encode(row) for row in sorted(rows, key=lambda row: row.id)]

    async def call(self, reducer: str, *rows: Any) -> None:
        for row in rows or self.rows:
            await self.conn.reducers[f"{self.table}_{reducer}"](row)

    def assert_same(self, rows: Iterable[Any]) -> None:
        assert self.bytes_of(rows) == self.bytes_of(self.rows)


async def round_trip(conn: Connection, name: str) -> None:
    """Inserted, updated, asked for, read anew and deleted."""
    sent = Sent(conn, name)
    async with await conn.subscribe(sent.query):
        await sent.call("insert")
        sent.assert_same(conn.db[sent.table])
        for row in sent.rows:
            await sent.call("update", row.replace(maybe=None), row)
        sent.assert_same(conn.db[sent.table])
        sent.assert_same(await conn.sql(sent.query))
    async with await conn.subscribe(sent.query):
        sent.assert_same(conn.db[sent.table])
        await conn.reducers[f"{sent.table}_delete_rows"](sent.rows)
        assert len(conn.db[sent.table]) == 0


def as_owner(database: Database, **options: Any) -> Any:
    return connect(*database.address, token=database.owner.token, **options)


@pytest.mark.parametrize("name", KINDS)
async def test_each_type_passes_reducers_subscriptions_and_sql(publish: Publish, name: str) -> None:
    async with as_owner(await publish(module_of(name))) as conn:
        await round_trip(conn, name)


@pytest.mark.parametrize("name", IN_JSON)
async def test_each_type_passes_the_json_protocol(publish: Publish, name: str) -> None:
    async with as_owner(await publish(module_of(name)), protocol="json") as conn:
        await round_trip(conn, name)


@pytest.mark.parametrize("name", IN_JSON)
async def test_each_type_passes_calls_and_sql_over_http(publish: Publish, name: str) -> None:
    database = await publish(module_of(name))
    async with database.admin() as admin, contextlib.AsyncExitStack() as stack:
        bindings = await admin.bindings(database.name)  # whose classes its calls take
        sent = Sent(await stack.enter_async_context(as_owner(database, module=bindings)), name)
        for row in sent.rows:
            await admin.call(database.name, f"{sent.table}_insert", row)
        made = type(sent.rows[0])
        told = await admin.sql(database.name, sent.query, into=made, module=bindings)
        sent.assert_same(told)
        plain = sorted(await admin.sql(database.name, sent.query), key=lambda row: row.id)
        assert [each.id for each in plain] == [each.id for each in sent.rows]
        if name not in ("enumerated", "place", "shape", "outcome"):  # classes of the answer's own
            for column in ("alone", "many", "maybe"):
                found = [getattr(row, column) for row in plain]
                assert found == [getattr(row, column) for row in sent.rows]


# What SQL of 1.2.0 has words for; of floats, infinities have none.
LITERALS = (*map(str, INTEGERS), *("bool", "f32", "f64", "text", "bytes", "identity", "connection"))


@pytest.mark.parametrize("name", LITERALS)
async def test_each_literal_of_sql_finds_its_rows(publish: Publish, name: str) -> None:
    async with as_owner(await publish(module_of(name))) as conn:
        sent = Sent(conn, name)
        await sent.call("insert")
        for value in KINDS[name].extremes(None):
            query = f"{sent.query} WHERE alone = {literal(value)}"
            expected = sent.bytes_of(row for row in sent.rows if row.alone == value)
            assert sent.bytes_of(await conn.sql(query)) == expected, query
            async with await conn.subscribe(query):
                assert sent.bytes_of(conn.db[sent.table]) == expected, query


def test_every_type_of_the_issue_is_there() -> None:
    primitives = {each.type for each in KINDS.values() if isinstance(each.type, Primitive)}
    special = {sats.IDENTITY, sats.CONNECTION_ID, sats.TIMESTAMP, sats.TIME_DURATION}
    assert primitives == set(Primitive)
    assert {*special, sats.SCHEDULE_AT, sats.BYTES, sats.UNIT} <= {
        each.type for each in KINDS.values() if not callable(each.type)
    }
