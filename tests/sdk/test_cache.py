"""The cache against an oracle that counts rows naively, and its indexes against a search."""

from __future__ import annotations

import random
import struct
from collections import Counter
from typing import Any

import pytest

from spacetimedb_bsatn import Schema
from spacetimedb_bsatn.algebraic import ArrayType, Primitive, product
from spacetimedb_bsatn.schema import Index, IndexKind, Table, TypeName, Unique
from spacetimedb_client.bindings import Bindings
from spacetimedb_client.cache import ClientCache, Staged, TableCache
from spacetimedb_client.errors import ProtocolError
from spacetimedb_client.protocol.messages import (
    NO_ROWS,
    RowList,
    TableUpdate,
)
from spacetimedb_client.row_changes import Delete, Insert, Update

ROWS = product(
    ("id", Primitive.U32),
    ("name", Primitive.STRING),
    ("score", Primitive.I32),
    ("ratio", Primitive.F64),
)
SCHEMA = Schema(
    (ROWS, product(("x", Primitive.U8), ("y", ArrayType(Primitive.U8)))),
    (TypeName("Player", 0), TypeName("Spot", 1)),
    (
        Table(
            "player",
            0,
            primary_key=0,
            indexes=(
                Index((0,), IndexKind.BTREE, "id"),
                Index((1,), IndexKind.BTREE, "name"),
                Index((2,), IndexKind.BTREE, "by_score"),
                Index((1, 2), IndexKind.BTREE, "by_both"),
            ),
            uniques=(Unique((0,)), Unique((1,))),
        ),
        Table("spot", 1),
    ),
)
BINDINGS = Bindings(SCHEMA)
Player: Any = BINDINGS.types.Player
Spot: Any = BINDINGS.types.Spot


def row_list(table: str, rows: list[Any]) -> RowList:
    codec = BINDINGS.tables[table].codec
    parts = [codec.encode(row) for row in rows]
    starts = [sum(map(len, parts[:at])) for at in range(len(parts))]
    return RowList(b"".join(parts), None, tuple(starts))


def update(table: str, deletes: list[Any], inserts: list[Any]) -> TableUpdate:
    return TableUpdate(table, row_list(table, inserts), row_list(table, deletes))


def changes(staged: dict[str, Staged], table: str = "player") -> list[Any]:
    return list(staged[table].changes()) if table in staged else []


def test_new_rows_are_inserts_and_a_pair_of_one_key_is_an_update() -> None:
    cache = ClientCache(BINDINGS)
    ann, bo = Player(1, "Ann", 0, 0.5), Player(2, "Bo", 0, 0.5)
    assert changes(cache.apply([update("player", [], [ann, bo])])) == [Insert(ann), Insert(bo)]
    better = ann.replace(score=5)
    assert changes(cache.apply([update("player", [ann], [better])])) == [Update(ann, better)]
    assert changes(cache.apply([update("player", [bo], [])])) == [Delete(bo)]
    assert list(cache.tables["player"]) == [better]


def test_events_are_in_the_order_of_the_server() -> None:
    cache = ClientCache(BINDINGS)
    rows = [Player(n, f"p{n}", n, 0.0) for n in range(5)]
    cache.apply([update("player", [], rows)])
    newer = rows[3].replace(score=9)
    fresh = Player(9, "p9", 0, 0.0)
    told = changes(cache.apply([update("player", [rows[3], rows[1]], [fresh, newer])]))
    assert told == [Update(rows[3], newer), Delete(rows[1]), Insert(fresh)]


def test_a_row_of_two_queries_goes_when_both_are_gone() -> None:
    cache = ClientCache(BINDINGS)
    ann = Player(1, "Ann", 0, 0.5)
    both = [update("player", [], [ann]), update("player", [], [ann])]
    assert changes(cache.apply(both)) == [Insert(ann)]
    assert cache.tables["player"].count_of(1) == 2
    assert changes(cache.apply([update("player", [ann], [])])) == []
    assert changes(cache.apply([update("player", [ann], [])])) == [Delete(ann)]


def test_the_same_row_taken_and_given_is_no_change() -> None:
    cache = ClientCache(BINDINGS)
    odd = Player(1, "Ann", 0, float("nan"))
    cache.apply([update("player", [], [odd])])
    assert changes(cache.apply([update("player", [odd], [odd])])) == []


def test_rows_without_a_key_are_told_apart_by_their_bytes() -> None:
    cache = ClientCache(BINDINGS)
    spot = Spot(1, b"a")
    assert changes(cache.apply([update("spot", [], [spot, spot])]), "spot") == [Insert(spot)]
    assert changes(cache.apply([update("spot", [spot], [Spot(2, b"")])]), "spot") == [
        Insert(Spot(2, b""))
    ]
    assert len(cache.tables["spot"]) == 2


def test_taking_more_than_was_given_is_an_error_and_changes_nothing_in_any_table() -> None:
    cache = ClientCache(BINDINGS)
    spot = Spot(1, b"a")
    with pytest.raises(ProtocolError, match="player"):
        cache.apply([update("spot", [], [spot]), update("player", [Player(1, "x", 0, 0.0)], [])])
    assert len(cache.tables["spot"]) == 0


def test_rows_of_an_unknown_table_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ProtocolError, match="generate them anew"):
        ClientCache(BINDINGS).apply([TableUpdate("unheard", NO_ROWS)])


def test_rows_of_event_tables_are_told_and_not_kept() -> None:
    cache = ClientCache(BINDINGS)
    ann = Player(1, "Ann", 0, 0.5)
    told = cache.apply([TableUpdate("player", row_list("player", [ann, ann]), is_event=True)])
    assert changes(told) == [Insert(ann), Insert(ann)]
    assert len(cache.tables["player"]) == 0


def test_a_unique_value_may_pass_from_one_row_to_another_in_one_transaction() -> None:
    cache = ClientCache(BINDINGS)
    table = cache.tables["player"]
    ann, bo = Player(1, "Ann", 0, 0.0), Player(2, "Bo", 0, 0.0)
    cache.apply([update("player", [], [ann, bo])])
    names = table.unique_index("name")
    swapped = [ann.replace(name="Bo"), bo.replace(name="Ann")]
    cache.apply([update("player", [ann, bo], swapped)])
    assert [names.find("Ann"), names.find("Bo"), names.find("Cy")] == [
        swapped[1],
        swapped[0],
        None,
    ]


def test_filters_of_one_column() -> None:
    cache = ClientCache(BINDINGS)
    rows = [Player(n, f"p{n}", n // 2, 0.0) for n in range(10)]
    cache.apply([update("player", [], rows)])
    by_score = cache.tables["player"].ordered_index("by_score")
    assert [row.id for row in by_score.filter(1)] == [2, 3]
    assert [row.id for row in by_score.filter(3, ...)] == [6, 7, 8, 9]
    assert [row.id for row in by_score.filter(..., 0)] == [0, 1]
    assert [row.id for row in by_score.filter(1, 2)] == [2, 3, 4, 5]
    assert [row.id for row in by_score.filter((1, 2))] == [2, 3, 4, 5]
    assert [row.id for row in by_score.filter(slice(1, 2))] == [2, 3]
    assert [row.id for row in by_score.filter(slice(4, None))] == [8, 9]
    assert list(by_score.filter(77)) == []
    with pytest.raises(TypeError):
        by_score.filter(1, 2, 3)


def test_filters_of_two_columns_take_the_first_alone() -> None:
    cache = ClientCache(BINDINGS)
    rows = [Player(n, "ab"[n % 2] + str(n), n, 0.0) for n in range(4)]
    cache.apply([update("player", [], rows)])
    both = cache.tables["player"].ordered_index("by_both")
    assert [row.id for row in both.filter("a0")] == [0]
    assert [row.id for row in both.filter(("b1", 1))] == [1]
    assert [row.id for row in both.filter("a2", ...)] == [2, 1, 3]
    assert [row.id for row in both.filter(("a0", 0), ("b1", 1))] == [0, 2, 1]
    assert [row.id for row in both.filter(slice("a0", "b1"))] == [0, 2]


class Oracle:
    """Rows as a bag for each query; the union, counted, is what a client holds."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.server: dict[int, Any] = {}
        self.queries: list[int | None] = []  # each: all rows, or those below a score

    def matches(self, query: int | None, row: Any) -> bool:
        return query is None or row.score < query

    def step(self) -> list[TableUpdate]:
        """One transaction, or one subscription that begins or ends."""
        choice = self.random.random()
        if choice < 0.05 and len(self.queries) < 4:
            query = self.random.choice([None, 3, 6])
            self.queries.append(query)
            return [self._of_query(query, [], list(self.server.values()))]
        if choice < 0.1 and self.queries:
            query = self.queries.pop(self.random.randrange(len(self.queries)))
            return [self._of_query(query, list(self.server.values()), [])]
        deletes, inserts = self._transaction()
        return [self._of_query(query, deletes, inserts) for query in self.queries]

    def _of_query(self, query: int | None, deletes: list[Any], inserts: list[Any]) -> TableUpdate:
        return update(
            "player",
            [row for row in deletes if self.matches(query, row)],
            [row for row in inserts if self.matches(query, row)],
        )

    def _transaction(self) -> tuple[list[Any], list[Any]]:
        before = dict(self.server)
        for _ in range(self.random.randrange(1, 4)):
            key = self.random.randrange(8)
            if self.random.random() < 0.3:
                self.server.pop(key, None)
            else:
                score = self.random.randrange(9)
                self.server[key] = Player(key, f"p{key}", score, 0.0)
        keys = [*before, *(key for key in self.server if key not in before)]
        gone = [before[key] for key in keys if key in before and self._differs(before, key)]
        come = [
            self.server[key] for key in keys if key in self.server and self._differs(before, key)
        ]
        self.random.shuffle(gone)
        self.random.shuffle(come)
        return gone, come

    def _differs(self, before: dict[int, Any], key: int) -> bool:
        return before.get(key) != self.server.get(key)

    def held(self) -> Counter[Any]:
        return Counter(
            row
            for query in self.queries
            for row in self.server.values()
            if self.matches(query, row)
        )


def replayed(rows: dict[int, Any], events: list[Any]) -> dict[int, Any]:
    """The rows that a listener knows who has heard all events."""
    known = dict(rows)
    for event in events:
        match event:
            case Insert(row):
                assert row.id not in known
                known[row.id] = row
            case Update(old, new):
                assert known[old.id] == old
                assert old != new
                known[new.id] = new
            case Delete(row):
                assert known.pop(row.id) == row
    return known


def test_random_transactions_with_overlapping_queries_agree_with_the_oracle(soak: bool) -> None:
    steps, seed = (200_000 if soak else 5_000), random.randrange(10**9)
    oracle, cache, heard = Oracle(seed), ClientCache(BINDINGS), dict[int, Any]()
    table = cache.tables["player"]
    names, scores = table.unique_index("name"), table.ordered_index("by_score")
    for step in range(steps):
        heard = replayed(heard, changes(cache.apply(oracle.step())))
        held = oracle.held()
        assert heard == table.rows == {row.id: row for row in held}, f"seed {seed}, step {step}"
        assert all(table.count_of(row.id) == count for row, count in held.items())
        if step % 50 == 0:
            assert_indexes_agree(table, names, scores)


def assert_indexes_agree(table: TableCache, names: Any, scores: Any) -> None:
    for row in table:
        assert names.find(row.name) is row
    for low in range(9):
        expected = sorted(row.id for row in table if low <= row.score <= low + 2)
        assert sorted(row.id for row in scores.filter(low, low + 2)) == expected


def test_a_difference_takes_over_how_often_a_row_is_held() -> None:
    older, newer = ClientCache(BINDINGS), ClientCache(BINDINGS)
    ann = Player(1, "Ann", 0, 0.5)
    older.apply([update("player", [], [ann])])
    newer.apply([update("player", [], [ann]), update("player", [], [ann])])
    staged = older.difference(newer)
    older.commit(staged)
    assert changes(staged) == []
    assert older.tables["player"].count_of(1) == 2


def test_a_difference_makes_one_cache_the_other(soak: bool) -> None:
    for seed in range(5000 if soak else 200):
        older, newer, oracle = ClientCache(BINDINGS), ClientCache(BINDINGS), Oracle(seed)
        oracle.queries = [None, 5]
        for at in range(12):
            updates = oracle.step()
            if at < 6:
                older.apply(updates)
            newer.apply(updates)
        before = dict(older.tables["player"].rows)
        staged = older.difference(newer)
        older.commit(staged)
        assert older.tables["player"].rows == newer.tables["player"].rows
        assert replayed(before, changes(staged)) == newer.tables["player"].rows
        assert all(
            older.tables["player"].count_of(key) == newer.tables["player"].count_of(key)
            for key in range(8)
        )


def test_very_many_rows_are_taken_and_given_back(soak: bool) -> None:
    count = 1_000_000 if soak else 100_000
    sizes = struct.Struct("<II")
    bindings = Bindings(
        Schema(
            (product(("id", Primitive.U32), ("value", Primitive.U32)),),
            (TypeName("Pair", 0),),
            (Table("pair", 0, primary_key=0),),
        )
    )
    cache = ClientCache(bindings)
    rows = RowList(b"".join(sizes.pack(n, n) for n in range(count)), sizes.size)
    cache.apply([TableUpdate("pair", inserts=rows)])
    assert len(cache.tables["pair"]) == count
    cache.apply([TableUpdate("pair", deletes=rows)])
    assert len(cache.tables["pair"]) == 0
