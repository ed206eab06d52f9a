"""The client for programs without asyncio: calls that wait, and a loop that draws frames."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from spacetimedb_client import (
    Admin,
    DatabaseNotFound,
    InvalidState,
    ReducerError,
    SubscriptionError,
    game_loop,
    sync,
)
from spacetimedb_client.earlier_names import ModernSpacetimeDBClient
from spacetimedb_client.testing import Server
from tests.support.arena import arena


@pytest.fixture
def database(database_server: Server) -> Iterator[tuple[str, str]]:
    """Of a test that has no event loop."""

    async def publish() -> str:
        async with Admin(database_server.uri) as admin:
            owner = await admin.create_identity()
        async with Admin(database_server.uri, token=owner.token) as admin:
            await admin.publish("waiting", arena().build(), clear=True)
        return owner.token

    async def delete(token: str) -> None:
        async with Admin(database_server.uri, token=token) as admin:
            await admin.delete("waiting")

    token = asyncio.run(publish())
    yield database_server.uri, "waiting"
    asyncio.run(delete(token))


def wait_until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_calls_wait_and_rows_are_there(database: tuple[str, str]) -> None:
    with sync.connect(*database) as conn:
        with conn.subscribe("SELECT * FROM level", "SELECT * FROM call") as subscription:
            heard: list[tuple[str, int]] = []
            thread = threading.current_thread()

            def note(_: object, row: object) -> None:
                assert threading.current_thread() is not thread
                heard.append(("insert", len(heard)))

            remove = conn.db.level.on_insert(note)
            conn.reducers.level_insert({"player": 1, "level": 2})
            assert conn.db.level.player.find(1).level == 2
            assert [row.level for row in conn.db.level.player.filter(1)] == [2]
            assert [row.level for row in conn.db["level"]] == [2]
            assert len(conn.db.level) == 1
            wait_until(lambda: len(heard) == 1)
            remove()
            conn.reducers.level_insert({"player": 2, "level": 2})
            with pytest.raises(ReducerError, match="no"):
                conn.reducers.refuse("no")
            conn.reducers.say.nowait("a", 1)
            wait_until(lambda: len(conn.db.call) == 1)
            assert len(conn.sql("SELECT * FROM level")) == 2
            assert len(heard) == 1
            assert subscription.is_active
        assert len(conn.db.level) == 0


def test_many_threads_share_a_connection(database: tuple[str, str]) -> None:
    with sync.connect(*database) as conn:
        conn.subscribe("SELECT * FROM level")

        def insert(first: int) -> None:
            for n in range(20):
                conn.reducers.level_insert({"player": first + n, "level": 0})

        threads = [threading.Thread(target=insert, args=(100 * n,)) for n in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(conn.db.level) == 100


def test_what_goes_wrong_while_connecting_leaves_no_thread(database: tuple[str, str]) -> None:
    before = threading.active_count()
    with pytest.raises(DatabaseNotFound):
        sync.connect(database[0], "not-there")
    assert threading.active_count() == before


def test_all_happens_during_a_tick(database: tuple[str, str]) -> None:
    with game_loop.connect(*database) as conn:
        conn.wait(conn.conn.subscribe("SELECT * FROM level"))
        seen: list[int] = []
        conn.db.level.on_insert(lambda _, row: seen.append(row.player))
        call = conn.start(conn.reducers.level_insert({"player": 1, "level": 0}))
        time.sleep(0.05)
        assert not call.done()
        while not call.done():
            conn.frame_tick()
        assert seen == [1]
        conn.reducers.level_insert.nowait({"player": 2, "level": 0})
        conn.frame_tick()
        time.sleep(0.1)
        assert len(conn.db.level) == 1
        ticks = 0
        while len(conn.db.level) < 2:
            ticks += conn.frame_tick(max_ms=4)
        assert seen == [1, 2]


def test_a_tick_without_news_is_short(database: tuple[str, str]) -> None:
    with game_loop.connect(*database) as conn:
        conn.frame_tick()
        start = time.perf_counter()
        for _ in range(100):
            assert conn.frame_tick(max_ms=50) == 0
        assert time.perf_counter() - start < 2


def test_the_names_of_earlier_clients_work(database: tuple[str, str]) -> None:
    uri, name = database
    builder = ModernSpacetimeDBClient.builder().with_uri(uri).with_module_name(name)
    with builder.build() as client:
        context = client.get_context()
        context.reducers.level_insert({"player": 1, "level": 5})
        context.reducers.level_insert({"player": 2, "level": 1})
        applied: list[bool] = []
        selected = client.subscription_builder().select("level").where("level > 3")
        subscription = selected.on_applied(lambda: applied.append(True)).subscribe()
        assert applied == [True]
        assert subscription is not None
        assert [row.player for row in context.db.level] == [1]
        refused: list[Exception] = []
        client.subscription_builder().select("nowhere").on_error(refused.append).subscribe()
        assert isinstance(refused[0], SubscriptionError)
        assert context.identity == client.identity
    with pytest.raises(InvalidState, match="with_uri"):
        ModernSpacetimeDBClient.builder().build()
