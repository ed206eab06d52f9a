"""A server that dies and comes back: rows are those of SELECT, events exactly the differences."""

from __future__ import annotations

import asyncio
import enum
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_client import (
    Admin,
    Cause,
    ConnectError,
    Connection,
    ConnectionLost,
    ConnectionState,
    Delete,
    EventContext,
    Insert,
    Update,
    backoff,
    connect,
)
from spacetimedb_client.module import BatchStep, Operation, batch
from spacetimedb_client.testing import Server
from tests.support.arena import arena
from tests.support.waiting import until
from tests.support.wire_proxy import WireProxy

ROWS_AT_ONCE = 50
DURABLE_SECONDS = 0.3  # by then a server has written down what it has said to have done


@pytest.fixture
def lasting(server_program: Path, tmp_path: Path) -> Iterator[Server]:
    """One that keeps its rows on disk."""
    with Server(tmp_path, binary=server_program, in_memory=False) as server:
        yield server


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spacetimedb_client.backoff.random.uniform", lambda _, high: high)
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 0.05)
    monkeypatch.setattr(backoff, "MOST_SECONDS", 0.2)


async def published(server: Server) -> str:
    """A database, and the token of its owner."""
    async with Admin(server.uri) as admin:
        owner = await admin.create_identity()
    async with Admin(server.uri, token=owner.token) as admin:
        await admin.publish("arena", arena().build())
    await asyncio.sleep(DURABLE_SECONDS)
    return owner.token


async def rows_of(server: Server, token: str, table: str) -> list[Any]:
    """What a new connection is told."""
    async with connect(server.uri, "arena", token=token) as conn:
        return plain(await conn.sql(f"SELECT * FROM {table}"))


def plain(rows: Iterable[Any]) -> list[Any]:
    """Each connection that loads its bindings has classes of its own."""
    return sorted((row.player, row.level) for row in rows)


async def test_after_a_crash_only_real_differences_are_told(
    lasting: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST_SECONDS", 1.0)  # time for the changes below
    token = await published(lasting)
    async with connect(lasting.uri, "arena", token=token) as conn:
        await conn.subscribe("SELECT * FROM level")
        for n in range(4):
            await conn.reducers.level_insert({"player": n, "level": 0})
        before = list(conn.db.level)
        await asyncio.sleep(DURABLE_SECONDS)
        told: list[tuple[Cause, Any]] = []
        changes = conn.db.level.changes()
        conn.db.level.on_update(lambda context, *_: told.append((context.cause, "update")))
        lasting.kill()
        await until(lambda: conn.state is ConnectionState.RECONNECTING)
        assert conn.is_stale
        assert list(conn.db.level) == before
        with pytest.raises(ConnectionLost, match="nothing was sent"):
            await conn.reducers.nothing()
        lasting.start()
        await change_meanwhile(lasting, token)
        await until(lambda: not conn.is_stale)
        seen = [await anext(changes) for _ in range(3)]
        assert sorted(seen, key=repr) == sorted(
            [
                Update(before[0], before[0].replace(level=7)),
                Delete(before[1]),
                Insert(before[0].replace(player=9)),
            ],
            key=repr,
        )
        row = conn.bindings.types.Level
        await conn.reducers.level_upsert(row(2, 5))
        assert [kind for _, kind in told] == ["update", "update"]
        assert {cause for cause, _ in told} == {Cause.RECONNECTED, Cause.TRANSACTION}


async def change_meanwhile(server: Server, token: str) -> None:
    """Quickly, by another connection: the first one waits some time before it comes back."""
    async with connect(server.uri, "arena", token=token) as other:
        for call in (
            other.reducers.level_upsert({"player": 0, "level": 7}),
            other.reducers.level_delete(1),
            other.reducers.level_insert({"player": 9, "level": 0}),
        ):
            await call


async def test_under_load_each_call_ends_and_the_cache_is_the_table(lasting: Server) -> None:
    token = await published(lasting)
    async with connect(lasting.uri, "arena", token=token) as conn:
        await conn.subscribe("SELECT * FROM level")
        known = {row.player: row for row in conn.db.level}
        follow(conn, known)
        fates: Counter[Fate] = Counter()
        for round_ in range(3):
            first = 10_000 * round_
            fates.update(await asyncio.gather(*(one_call(conn, first + n) for n in range(50))))
            calls = [asyncio.create_task(one_call(conn, first + 50 + n)) for n in range(2000)]
            await asyncio.sleep(0)  # now all are on their way, and the last has no answer yet
            lasting.kill()
            async with asyncio.timeout(20):
                outcomes = await asyncio.gather(*calls)
            fates.update(outcomes)
            lasting.start()
            await until(lambda: not conn.is_stale)
            await conn.reducers.nothing()
        rows = await rows_of(lasting, token, "level")
        assert plain(conn.db.level) == rows
        assert plain(known.values()) == rows
        # All were sent before the server died: nobody may say that one of them did not happen.
        assert fates.keys() == {Fate.COMMITTED, Fate.UNKNOWN}


class Fate(enum.Enum):
    """What a caller knows of his call."""

    COMMITTED = "committed"
    UNKNOWN = "unknown"
    NOT_SENT = "not sent"


async def one_call(conn: Connection, number: int) -> Fate:
    try:
        await conn.reducers.level_insert({"player": number, "level": 0})
    except ConnectionLost as lost:
        return Fate.UNKNOWN if lost.outcome_unknown else Fate.NOT_SENT
    return Fate.COMMITTED


def follow(conn: Connection, known: dict[int, Any]) -> None:
    """The rows as a listener knows them."""

    def insert(_: EventContext, row: Any) -> None:
        assert row.player not in known
        known[row.player] = row

    def delete(_: EventContext, row: Any) -> None:
        assert known.pop(row.player) == row

    def update(_: EventContext, old: Any, new: Any) -> None:
        assert known[old.player] == old
        assert old != new
        known[new.player] = new

    conn.db.level.on_insert(insert)
    conn.db.level.on_delete(delete)
    conn.db.level.on_update(update)
    conn.on_callback_error(lambda problem: known.clear())


async def test_through_a_bad_network_nothing_is_lost_or_told_twice(lasting: Server) -> None:
    token = await published(lasting)
    async with (
        WireProxy(lasting.port) as proxy,
        connect(proxy.uri, "arena", token=token) as conn,
    ):
        await conn.subscribe("SELECT * FROM level", "SELECT * FROM level WHERE player > 50")
        known: dict[int, Any] = {}
        follow(conn, known)
        losses: list[object] = []
        conn.on_disconnect(losses.append)
        for round_ in range(4):
            calls = [asyncio.create_task(one_call(conn, 100 * round_ + n)) for n in range(60)]
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            waiting = [call for call in calls if not call.done()]
            proxy.cut()
            await asyncio.gather(*calls)
            assert {call.result() for call in waiting} <= {Fate.COMMITTED, Fate.UNKNOWN}
            await until(lambda: len(losses) > round_)  # noqa: B023 - awaited in this round
            await until(lambda: not conn.is_stale)
            await conn.reducers.level_clear()
            await conn.reducers.level_insert({"player": round_, "level": 1})
            rows = await rows_of(lasting, token, "level")
            assert plain(conn.db.level) == plain(known.values()) == rows == [(round_, 1)]


def inserts(conn: Connection, first: int) -> bytes:
    """One transaction of many rows."""
    level = conn.bindings.tables["level"]
    rows = (level.row(number, 0) for number in range(first, first + ROWS_AT_ONCE))
    return batch([BatchStep(Operation.INSERT, 2, level.codec.encode(row)) for row in rows])


async def test_half_of_a_frame_is_no_part_of_a_transaction(lasting: Server, soak: bool) -> None:
    token = await published(lasting)
    places = random.Random(5)
    async with (
        WireProxy(lasting.port) as proxy,
        connect(proxy.uri, "arena", token=token) as conn,
        connect(lasting.uri, "arena", token=token) as other,
    ):
        await conn.subscribe("SELECT * FROM level")
        known: dict[int, Any] = {}
        follow(conn, known)
        sizes: set[int] = set()
        conn.db.level.on_insert(lambda *_: sizes.add(len(conn.db.level) % ROWS_AT_ONCE))
        losses: list[object] = []
        conn.on_disconnect(losses.append)
        for round_ in range(100 if soak else 8):
            proxy.cut_after(places.randrange(1, 12 * ROWS_AT_ONCE))
            await other.reducers.apply(inserts(other, ROWS_AT_ONCE * round_))
            await until(lambda: len(losses) > round_)  # noqa: B023 - awaited in this round
            assert len(conn.db.level) == ROWS_AT_ONCE * round_
            await until(lambda: not conn.is_stale)
            rows = await rows_of(lasting, token, "level")
            assert plain(conn.db.level) == plain(known.values()) == rows
            assert len(rows) == ROWS_AT_ONCE * (round_ + 1)
        assert sizes == {0}


async def test_a_network_that_stops_for_a_while_loses_nothing(lasting: Server) -> None:
    token = await published(lasting)
    async with (
        WireProxy(lasting.port) as proxy,
        connect(proxy.uri, "arena", token=token) as conn,
    ):
        await conn.subscribe("SELECT * FROM level")
        known: dict[int, Any] = {}
        follow(conn, known)
        proxy.hold()
        calls = [asyncio.create_task(one_call(conn, number)) for number in range(50)]
        await asyncio.sleep(0.2)
        assert not any(call.done() for call in calls)
        assert len(conn.db.level) == 0
        proxy.release()
        assert set(await asyncio.gather(*calls)) == {Fate.COMMITTED}
        proxy.hold()
        calls = [asyncio.create_task(one_call(conn, number)) for number in range(50, 60)]
        await asyncio.sleep(0.1)
        proxy.cut()
        proxy.release()
        assert set(await asyncio.gather(*calls)) == {Fate.UNKNOWN}
        await until(lambda: not conn.is_stale)
        rows = await rows_of(lasting, token, "level")
        assert plain(conn.db.level) == plain(known.values()) == rows


async def test_a_call_while_there_is_no_connection_is_not_sent(lasting: Server) -> None:
    token = await published(lasting)
    async with connect(lasting.uri, "arena", token=token) as conn:
        lasting.kill()
        await until(lambda: conn.state is ConnectionState.RECONNECTING)
        assert await one_call(conn, 1) is Fate.NOT_SENT
        lasting.start()
        await until(lambda: not conn.is_stale)
        assert await rows_of(lasting, token, "level") == []


async def test_who_loses_a_server_for_good_is_told(lasting: Server) -> None:
    token = await published(lasting)
    failed: list[Exception] = []
    conn = await connect(
        lasting.uri, "arena", token=token, max_attempts=2, on_connect_error=failed.append
    )
    lost: list[object] = []
    conn.on_disconnect(lost.append)
    lasting.kill()
    with pytest.raises(Exception, match="cannot be reached"):
        await conn.wait_closed()
    assert len(failed) == 2
    assert len(lost) == 2
    await conn.close()


async def test_a_server_set_up_anew_is_not_taken_for_the_old_one(
    lasting: Server, server_program: Path, tmp_path: Path
) -> None:
    token = await published(lasting)
    conn = await connect(lasting.uri, "arena", token=token)
    lasting.kill()
    other = Server(tmp_path / "other", binary=server_program, port=lasting.port)
    with other, pytest.raises(ConnectError):
        await conn.wait_closed()
    await conn.close()


async def test_a_connection_that_comes_back_says_so(lasting: Server) -> None:
    token = await published(lasting)
    async with connect(lasting.uri, "arena", token=token) as conn:
        first = conn.connection_id
        back: list[Connection] = []
        conn.on_connect(back.append)
        lasting.kill()
        lasting.start()
        await until(lambda: back)
        assert back == [conn]
        assert conn.connection_id != first
        await conn.reducers.nothing()
