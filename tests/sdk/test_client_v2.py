"""The client over v2 and v3, which only servers from 2.0 on speak: the test plays the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from spacetimedb_bsatn import Schema
from spacetimedb_bsatn.algebraic import ArrayType, Primitive, Ref, product, sum_of
from spacetimedb_bsatn.reader import Reader
from spacetimedb_bsatn.schema import Procedure, Reducer, Table, TypeName, View
from spacetimedb_bsatn.writer import Writer
from spacetimedb_client import (
    Connection,
    Insert,
    ProcedureError,
    ReducerError,
    ReducerInternalError,
)
from spacetimedb_client.bindings import Bindings
from spacetimedb_client.link import Link
from spacetimedb_client.options import Options
from spacetimedb_client.protocol.conversation import Conversation
from spacetimedb_client.protocol.dialect import Frame
from spacetimedb_client.protocol.v2 import V2, V3
from tests.support.fake_socket import FakeSocket
from tests.support.frames import (
    frame,
    initial_connection,
    reducer_result,
    reducer_result_ok,
    write_rows,
    write_transaction_v2,
)
from tests.support.waiting import until

SCHEMA = Schema(
    (
        product(("id", Primitive.U8), ("name", Primitive.STRING)),
        sum_of(("TooFar", Primitive.U8), ("Other", Primitive.STRING)),
    ),
    (TypeName("Player", 0), TypeName("Refusal", 1)),
    (Table("player", 0, primary_key=0), Table("hit", 0, is_event=True)),
    (
        Reducer("roll", product(("n", Primitive.U8)), ok_type=Primitive.U32, err_type=Ref(1)),
        Reducer("say", product(), err_type=Primitive.STRING),
    ),
    (Procedure("add", product(("n", Primitive.U8)), Primitive.U64),),
    (View("mine", product(), ArrayType(Ref(0)), primary_key=("id",)),),
)
BINDINGS = Bindings(SCHEMA)
Player: Any = BINDINGS.types.Player
ANN = Player(1, "Ann")


def encoded(row: Any) -> bytes:
    return BINDINGS.tables["player"].codec.encode(row)


@pytest.fixture
def server() -> FakeSocket:
    return FakeSocket()


@pytest.fixture(params=[V2(), V3()], ids=["v2", "v3"])
async def conn(server: FakeSocket, request: pytest.FixtureRequest) -> AsyncIterator[Connection]:
    link = Link(server, Conversation(request.param))
    server.say(initial_connection())
    connected = await link.start()
    opened = Connection(Options("http://test", "test", reconnect=False), BINDINGS, link, connected)
    yield opened
    await opened.close()


async def call_of(server: FakeSocket) -> tuple[int, str, bytes]:
    """Number, name and arguments of a call."""
    message: Reader = await server.asked()
    message.u8()
    number, _ = message.u32(), message.u8()
    return number, message.string(), message.bytes_()


async def subscribe(conn: Connection, server: FakeSocket, *rows: Any) -> int:
    asked = asyncio.create_task(conn.subscribe("SELECT * FROM player"))
    message = await server.asked()
    message.u8()
    request_id, query_set = message.u32(), message.u32()
    writer = Writer().u8(1).u32(request_id).u32(query_set).u32(1).string("player")
    write_rows(writer, [encoded(row) for row in rows])
    server.say(frame(writer))
    await asked
    return query_set


async def test_a_reducer_returns_its_value_with_its_rows(
    conn: Connection, server: FakeSocket
) -> None:
    query_set = await subscribe(conn, server, ANN)
    assert list(conn.db.player) == [ANN]
    call = asyncio.create_task(conn.reducers.roll(6))
    number, name, args = await call_of(server)
    assert (name, args) == ("roll", b"\x06")
    better = encoded(ANN.replace(name="Anna"))
    server.say(
        frame(reducer_result_ok(number, b"\x05\0\0\0", [("player", [encoded(ANN)], [better])]))
    )
    assert await call == 5
    assert query_set
    assert [row.name for row in conn.db.player] == ["Anna"]


async def test_errors_have_the_type_that_the_reducer_has(
    conn: Connection, server: FakeSocket
) -> None:
    call = asyncio.create_task(conn.reducers.roll(1))
    number, _, _ = await call_of(server)
    server.say(frame(reducer_result(number, 2, bytes(Writer().bytes_(b"\0\x07")))))
    with pytest.raises(ReducerError) as refused:
        await call
    assert refused.value.value == BINDINGS.types.Refusal.TooFar(7)
    call = asyncio.create_task(conn.reducers.say())
    number, _, _ = await call_of(server)
    words = bytes(Writer().bytes_(bytes(Writer().string("not now"))))
    server.say(frame(reducer_result(number, 2, words)))
    with pytest.raises(ReducerError, match="not now") as told:
        await call
    assert told.value.message == "not now"
    call = asyncio.create_task(conn.reducers.say())
    number, _, _ = await call_of(server)
    server.say(frame(reducer_result(number, 3, bytes(Writer().string("boom")))))
    with pytest.raises(ReducerInternalError, match="boom"):
        await call


async def test_procedures_return_values_and_fail(conn: Connection, server: FakeSocket) -> None:
    call = asyncio.create_task(conn.procedures.add(2))
    number, name, _ = await call_of(server)
    assert name == "add"
    done = Writer().u8(7).u8(0).bytes_(b"\x03" + bytes(7)).unsigned(0, 8).unsigned(0, 8)
    server.say(frame(done.u32(number)))
    assert await call == 3
    call = asyncio.create_task(conn.procedures.add(2))
    number, _, _ = await call_of(server)
    failed = Writer().u8(7).u8(1).string("no network").unsigned(0, 8).unsigned(0, 8)
    server.say(frame(failed.u32(number)))
    with pytest.raises(ProcedureError, match="no network"):
        await call


async def test_rows_of_event_tables_are_told_and_not_kept(
    conn: Connection, server: FakeSocket
) -> None:
    changes = conn.db.hit.changes()
    writer = Writer().u8(4).u32(1).u32(1).u32(1).string("hit").u32(1).u8(1)
    write_rows(writer, [encoded(ANN), encoded(ANN)])
    server.say(frame(writer))
    assert [await anext(changes) for _ in range(2)] == [Insert(ANN), Insert(ANN)]
    assert len(conn.db.hit) == 0


async def test_rows_of_views_are_kept_like_those_of_tables(
    conn: Connection, server: FakeSocket
) -> None:
    writer = Writer().u8(4)
    write_transaction_v2(writer, 1, [("mine", [], [encoded(ANN)])])
    server.say(frame(writer))
    await until(lambda: len(conn.db.mine))
    assert list(conn.db.mine) == [ANN]


async def test_ending_a_subscription_asks_for_its_rows_and_drops_them(
    conn: Connection, server: FakeSocket
) -> None:
    query_set = await subscribe(conn, server, ANN)
    [subscription] = conn._subscriptions.values()
    ending = asyncio.create_task(subscription.unsubscribe())
    message = await server.asked()
    assert (message.u8(), message.u32() > 0, message.u32(), message.u8()) == (1, True, query_set, 1)
    writer = Writer().u8(2).u32(9).u32(query_set).u8(0).u32(1).string("player")
    write_rows(writer, [encoded(ANN)])
    server.say(frame(writer))
    await ending
    assert len(conn.db.player) == 0


async def test_calls_that_nobody_awaits_are_answered_and_forgotten(
    conn: Connection, server: FakeSocket
) -> None:
    conn.reducers.say.nowait()
    number, _, _ = await call_of(server)
    assert conn._link.talk.in_flight == 1
    server.say(frame(reducer_result(number, 1)))
    await until(lambda: conn._link.talk.in_flight == 0)


async def test_a_lone_call_is_sent_at_once_and_those_of_one_turn_together(
    conn: Connection, server: FakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    send = server.send

    async def counted(frames: Sequence[Frame]) -> None:
        batches.append(len(frames))
        await send(frames)

    monkeypatch.setattr(server, "send", counted)
    calls = [asyncio.create_task(conn.reducers.roll(6)) for _ in range(4)]
    numbers = [(await call_of(server))[0] for _ in calls]
    assert batches == [1, 3]
    for number in numbers:
        server.say(frame(reducer_result_ok(number, b"\x05\0\0\0", [])))
    assert await asyncio.gather(*calls) == [5, 5, 5, 5]
