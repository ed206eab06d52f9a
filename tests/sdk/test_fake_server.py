"""The fake server: one program sees the same there as on a real server; and what only it can do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from spacetimedb_client import (
    Admin,
    AuthError,
    ConnectError,
    Connection,
    QueryError,
    ReducerError,
    ReducerInternalError,
    SubscriptionError,
    ValidationError,
    connect,
)
from spacetimedb_client.testing import FakeServer, ReducerCall
from spacetimedb_client.testing.fake import ProtocolVersion
from spacetimedb_client.transport import Http
from tests.sdk.conftest import Publish
from tests.support.arena import arena
from tests.support.waiting import until

Seen = list[tuple[Any, ...]]


def play(server: FakeServer) -> FakeServer:
    """The reducers of the arena that the program calls."""

    def refuse(call: ReducerCall, text: str) -> None:
        raise ReducerError(text)

    server.on_reducer("player_insert", lambda call, row: call.tx.insert("player", row) and None)
    server.on_reducer("player_update", lambda call, row: call.tx.update("player", row) and None)
    server.on_reducer("player_delete_rows", delete_rows)
    server.on_reducer("refuse", refuse)
    return server


def delete_rows(call: ReducerCall, rows: Any) -> None:
    for row in rows:
        call.tx.delete("player", row)


def player(conn: Connection, name: str, score: int = 0) -> Any:
    types = conn.bindings.types
    return types.Player(0, name, score, types.Phase.Lobby, types.Spot(1.5, 2.5), ("rope",))


async def program(uri: str, database: str) -> Seen:
    """Inserts, updates, deletes, fails; what it was told, in order."""
    seen: Seen = []
    async with connect(uri, database) as conn, connect(uri, database) as other:
        conn.db.player.on_insert(lambda event, row: seen.append(("insert", row.name, row.score)))
        conn.db.player.on_update(lambda event, old, new: seen.append(("update", new.score)))
        conn.db.player.on_delete(lambda event, row: seen.append(("delete", row.name)))
        await conn.reducers.player_insert(player(conn, "Early", 1))
        subscription = await conn.subscribe("SELECT * FROM player")
        second = await conn.subscribe("SELECT * FROM player WHERE name = 'Ann'")
        await conn.reducers.player_insert(player(conn, "Ann"))
        ann = conn.db.player.name.find("Ann")
        await conn.reducers.player_update(ann.replace(score=5))
        await other.reducers.player_insert(player(other, "Bob", 9))
        await until(lambda: len(conn.db.player) == 3)
        await conn.reducers.player_delete_rows([conn.db.player.name.find("Ann")])
        seen.append(("refused", await refusal(conn)))
        seen.append(("sql", sorted(row.name for row in await conn.sql("SELECT * FROM player"))))
        with pytest.raises(SubscriptionError):
            await conn.subscribe("SELECT * FROM nothing_like_it")
        await second.unsubscribe()
        await subscription.unsubscribe()
        seen.append(("left", len(conn.db.player)))
    return seen


async def refusal(conn: Connection) -> str:
    with pytest.raises(ReducerError) as refused:
        await conn.reducers.refuse("not today")
    return refused.value.message


EXPECTED: Seen = [
    ("insert", "Early", 1),
    ("insert", "Ann", 0),
    ("update", 5),
    ("insert", "Bob", 9),
    ("delete", "Ann"),
    ("refused", "not today"),
    ("sql", ["Bob", "Early"]),
]


@pytest.fixture(params=["v1", "v2"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[FakeServer]:
    protocol: ProtocolVersion = request.param
    async with FakeServer(arena(), protocol=protocol) as started:
        yield play(started)


async def test_a_program_sees_what_it_did(server: FakeServer) -> None:
    seen = await program(*server.address)
    assert seen[: len(EXPECTED)] == EXPECTED
    assert seen[-1] == ("left", 0)
    assert [row.name for row in server.rows("player")] == ["Early", "Bob"]


async def test_a_program_sees_the_same_on_a_real_server(publish: Publish) -> None:
    database = await publish(arena())
    async with FakeServer(arena()) as fake:
        assert await program(*play(fake).address) == await program(*database.address)


def insert_levels(server: FakeServer, levels: dict[int, int]) -> None:
    with server.transaction() as tx:
        for each, level in levels.items():
            tx.insert("level", server.types.Level(each, level))


async def test_a_transaction_is_told_at_once_or_not_at_all(server: FakeServer) -> None:
    async with connect(*server.address) as conn:
        await conn.subscribe("SELECT * FROM level")
        counts: list[int] = []
        conn.db.level.on_insert(lambda event, row: counts.append(len(conn.db.level)))
        insert_levels(server, {1: 10, 2: 10})
        await until(lambda: len(counts) == 2)
        assert counts == [2, 2]
        with pytest.raises(ValidationError, match="already has a row"):
            insert_levels(server, {3: 10, 1: 11})
        assert len(server.rows("level")) == 2
        server.update("level", server.types.Level(1, 12))
        server.delete("level", server.types.Level(2, 10))
        await until(lambda: list(conn.db.level) == [conn.bindings.types.Level(1, 12)])


async def test_a_mistake_in_a_handler_is_a_crash_and_keeps_nothing(server: FakeServer) -> None:
    def half(call: ReducerCall) -> None:
        call.tx.insert("level", server.types.Level(1, 10))
        raise ZeroDivisionError

    server.on_reducer("nothing", half)
    async with connect(*server.address) as conn:
        with pytest.raises(ReducerInternalError):
            await conn.reducers.nothing()
        with pytest.raises(ReducerInternalError, match="on_reducer"):
            await conn.reducers.crash()
    assert server.rows("level") == []


async def test_a_slow_reducer_answers_when_it_is_done(server: FakeServer) -> None:
    go = asyncio.Event()

    async def slow(call: ReducerCall) -> None:
        await go.wait()

    server.on_reducer("nothing", slow)
    async with connect(*server.address) as conn:
        call = asyncio.ensure_future(conn.reducers.nothing())
        await asyncio.sleep(0.05)
        assert not call.done()
        go.set()
        await call


async def test_a_dropped_client_comes_back_and_hears_the_difference(server: FakeServer) -> None:
    async with connect(*server.address) as conn:
        identity = conn.identity
        await conn.subscribe("SELECT * FROM level")
        server.drop()
        server.insert("level", server.types.Level(7, 1))
        await until(lambda: len(conn.db.level) == 1)
        assert conn.identity == identity


async def test_a_refused_client_hears_the_status(server: FakeServer) -> None:
    server.refuse(503)
    bindings = server.bindings
    with pytest.raises(ConnectError, match="503"):
        await connect(*server.address, module=bindings, check_schema="off")
    server.refuse(None)
    async with connect(*server.address) as conn:
        assert conn.identity


async def test_statements_over_http_are_answered_as_on_a_real_server(
    server: FakeServer, publish: Publish
) -> None:
    database = await publish(arena())
    answers: list[list[Any]] = []
    for uri, name in (server.address, database.address):
        async with connect(uri, name) as conn, Admin(uri) as admin:
            await conn.reducers.player_insert(player(conn, "O'Hara", 7))
            query = "SELECT * FROM player WHERE name = ?"
            typed = await admin.sql(
                name, query, "O'Hara", into=conn.bindings.types.Player, module=conn.bindings
            )
            plain = await admin.sql(name, query, "O'Hara")
            with pytest.raises(QueryError):
                await admin.sql(name, "SELECT * FROM nothing_like_it")
            codec = conn.bindings.tables["player"].codec
            answers.append([plain.columns, *map(codec.encode, typed), *map(repr, plain)])
            assert len(typed) == 1
    fake, real = ([str(part).replace("id=0", "id=1") for part in answer] for answer in answers)
    assert fake[0] == real[0]
    assert fake[2] == real[2]


async def test_a_token_for_an_address_is_of_the_same_identity() -> None:
    async with FakeServer(arena()) as server:
        async with Admin(server.uri) as nobody:
            me = await nobody.create_identity()
            with pytest.raises(AuthError):
                await nobody.websocket_token()
        async with Admin(server.uri, token=me.token) as admin:
            token = await admin.websocket_token()
        assert token != me.token
        async with connect(*server.address, token=token) as conn:
            assert conn.identity == me.identity


async def test_pages_of_every_origin_may_ask() -> None:
    """As they may ask a real server, also with a token, which a browser asks about first."""
    async with FakeServer(arena()) as server, Http(server.uri) as http:
        asked = await http.request("OPTIONS", "/v1/identity/websocket-token")
        refused = await http.request("POST", "/v1/identity/websocket-token")
    assert (asked.status, refused.status) == (200, 401)
    for answer in (asked, refused):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"]
