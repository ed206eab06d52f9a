"""Queries written in Python: their SQL, what they match, and that a server agrees."""

from __future__ import annotations

from typing import Any

import pytest

from spacetimedb_bsatn import ConversionError, Identity, Timestamp, f64
from spacetimedb_client import connect
from spacetimedb_client.bindings import Bindings
from spacetimedb_client.module import Module
from spacetimedb_client.query import Queries
from tests.sdk.conftest import Publish


def shop() -> Module:
    module = Module()
    columns = {
        "id": int,
        "name": str,
        "price": f64,
        "sold": bool,
        "owner": Identity,
        "at": Timestamp,
        "data": bytes,
    }
    module.mirror(module.table("item", columns, primary_key="id", indexes=["owner"]))
    module.mirror(module.table("friend", {"who": Identity}, primary_key="who"))
    module.table("kinds", {"kind": module.enum("Kind", "A", "B")})
    return module


BINDINGS = Bindings(shop().schema)
T = Queries(BINDINGS)
ME, YOU = Identity(1), Identity(2)


def rows() -> list[Any]:
    row = BINDINGS.types.Item
    return [
        row(n, name, n * 0.5, n % 2 == 0, ME if n < 3 else YOU, Timestamp(n), bytes([n]))
        for n, name in enumerate(["a", "b's", "", "x\ny", "b's"])
    ]


QUERIES: list[tuple[Any, str | None]] = [
    (T.item, ""),
    (T.item.where(lambda p: p.id >= 2), '"item"."id" >= 2'),
    (T.item.where(name="b's"), "\"item\".\"name\" = 'b''s'"),
    (T.item.where(lambda p: p.sold), '"item"."sold" = true'),
    (T.item.where(lambda p: ~p.sold), '"item"."sold" <> true'),
    (
        T.item.where(lambda p: (p.price > 0.5) & ~((p.id == 2) | p.sold)),
        '("item"."price" > 0.5 AND ("item"."id" <> 2 AND "item"."sold" <> true))',
    ),
    (T.item.where(lambda p: p.id < 3).where(id=1), '("item"."id" < 3 AND "item"."id" = 1)'),
    (T.item.where(owner=YOU), f'"item"."owner" = 0x{YOU}'),
    (T.item.where(data=b"\x02"), '"item"."data" = 0x02'),
    (T.item.where(lambda p: (p.id == -1) | (p.name != "a")), None),
]


@pytest.mark.parametrize(("query", "condition"), QUERIES)
def test_a_query_is_written_as_sql(query: Any, condition: str | None) -> None:
    if condition is not None:
        where = f" WHERE {condition}" if condition else ""
        assert str(query) == f'SELECT "item".* FROM "item"{where}'


async def test_the_server_and_the_query_agree_about_rows(publish: Publish) -> None:
    database = await publish(shop())
    async with connect(*database.address, module=BINDINGS) as conn:
        assert str(conn.queries.item) == str(T.item)
        for row in rows():
            await conn.reducers.item_insert(row)
        await conn.reducers.friend_insert({"who": YOU})
        for query, _ in QUERIES:
            expected = [row for row in rows() if query.matches(row)]
            assert sorted(await conn.sql(query), key=lambda row: row.id) == expected, str(query)
            async with await conn.subscribe(query):
                assert sorted(conn.db.item, key=lambda row: row.id) == expected, str(query)
        joined = T.item.semijoin(T.friend, on=lambda item, friend: item.owner == friend.who)
        async with await conn.subscribe(joined.where(lambda p: p.id > 3)):
            assert [row.id for row in conn.db.item] == [4]
        other = T.friend.right_semijoin(T.item, on=lambda friend, item: friend.who == item.owner)
        async with await conn.subscribe(other):
            assert len(conn.db.item) == 2


def test_values_of_another_type_are_refused_before_anything_is_sent() -> None:
    with pytest.raises(ConversionError, match=r"item\.name: 5"):
        T.item.where(name=5)
    with pytest.raises(ConversionError, match=r"item\.id: '5'"):
        T.item.where(lambda p: p.id > "5")
    with pytest.raises(AttributeError, match="no column 'prize', only id, name"):
        T.item.where(prize=5)
    with pytest.raises(AttributeError, match="no table 'items'"):
        assert T.items
    with pytest.raises(TypeError, match="cannot compare"):
        T.kinds.where(kind=0)


def test_words_of_python_that_cannot_be_seen_are_refused() -> None:
    with pytest.raises(TypeError, match=r"write & \| ~"):
        T.item.where(lambda p: p.id > 5 and p.id < 9)
    with pytest.raises(TypeError, match=r"write & \| ~"):
        T.item.where(lambda p: not p.sold)
    with pytest.raises(TypeError, match="no bool"):
        T.item.where(lambda p: p.id)
    with pytest.raises(TypeError, match="no condition"):
        T.item.where(lambda p: True)


def test_joins_need_equal_columns_of_equal_types() -> None:
    with pytest.raises(TypeError, match=r"is i64, and .* is Identity"):
        T.item.semijoin(T.friend, on=lambda item, friend: item.id == friend.who)
    with pytest.raises(TypeError, match="== only"):
        T.item.semijoin(T.friend, on=lambda item, friend: item.owner > friend.who)
    with pytest.raises(TypeError, match="compares a column of each"):
        T.item.semijoin(T.friend, on=lambda item, _: item.id == 5)
    joined = T.item.semijoin(T.friend, on=lambda item, friend: item.owner == friend.who)
    with pytest.raises(TypeError, match="by the server"):
        joined.matches(rows()[0])
    with pytest.raises(TypeError, match="no more"):
        joined.semijoin(T.friend, on=lambda item, friend: item.owner == friend.who)
