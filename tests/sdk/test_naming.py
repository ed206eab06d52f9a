"""Types without a name get one, by their place."""

from __future__ import annotations

from typing import Any

from spacetimedb_bsatn import Schema
from spacetimedb_bsatn.algebraic import (
    UNIT,
    ArrayType,
    Primitive,
    Ref,
    option,
    product,
    result,
    sum_of,
)
from spacetimedb_bsatn.naming import with_names
from spacetimedb_bsatn.schema import Reducer, TypeName
from spacetimedb_client.bindings import Bindings
from tests.sdk.conftest import Publish
from tests.support.arena import arena
from tests.support.arena_bindings import Phase

SIDES = sum_of(("Left", Primitive.U8), ("Right", product(("x", Primitive.F64))))
COLOUR = sum_of(("Red", UNIT), ("Green", UNIT))


def schema() -> Schema:
    inner = product(
        ("side", SIDES),
        ("colours", ArrayType(COLOUR)),
        ("again", option(SIDES)),
        ("pair", product((None, Primitive.U8), (None, COLOUR))),
        ("outcome", result(COLOUR, Primitive.STRING)),
    )
    paint = Reducer("paint", product(("colour", COLOUR), ("spot", product(("y", Primitive.U8)))))
    return Schema((inner,), (TypeName("Thing", 0),), reducers=(paint,))


def test_inner_types_are_named_by_their_place_and_equal_ones_share_a_name() -> None:
    named = with_names(schema())
    names = [each.name for each in named.type_names]
    assert names == ["Thing", "ThingSide", "ThingSideRight", "ThingColours", "PaintSpot"]
    assert named.types[1] == sum_of(("Left", Primitive.U8), ("Right", Ref(2)))


def test_their_values_have_classes() -> None:
    bindings = Bindings(schema())
    types: Any = bindings.types
    side, colour = types.ThingSide, types.ThingColours
    thing = types.Thing(
        side.Left(5),
        (colour.Red, colour.Green),
        side.Right(types.ThingSideRight(1.0)),
        (1, colour.Red),
        bindings.codecs.of(result(Ref(3), Primitive.STRING)).decode(b"\0\1"),
    )
    codec = bindings.codecs.of(Ref(0))
    assert codec.decode(codec.encode(thing)) == thing


def test_a_schema_whose_types_have_names_stays_as_it_is() -> None:
    assert with_names(arena().schema) == arena().schema
    assert with_names(with_names(schema())) == with_names(schema())


async def test_answers_of_sql_have_values(publish: Publish) -> None:
    database = await publish(arena())
    async with database.admin() as admin:
        spot = {"x": 1.5, "y": 2.0}
        sent = {
            "id": 0,
            "name": "Ann",
            "score": 1,
            "phase": Phase.Running,
            "spot": spot,
            "bag": [],
        }
        await admin.call(database.name, "player_insert", sent)
        answer = await admin.sql(database.name, "SELECT * FROM player")
        (row,) = answer.rows
        assert (row.id, row.name, row.score, row.bag) == (1, "Ann", 1, ())
        assert (row.phase.name, row.spot.x) == ("Running", 1.5)
