"""The client against a real server: rows, calls, subscriptions, and how each of them fails."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_client import (
    AuthError,
    Cause,
    ConnectError,
    Connection,
    ConnectionId,
    ConnectionLost,
    ConversionError,
    DatabaseNotFound,
    Delete,
    EventContext,
    FileCredentials,
    Insert,
    InvalidState,
    QueryError,
    ReducerError,
    ReducerInternalError,
    ScheduleAt,
    SubscriptionError,
    TimeDuration,
    Timestamp,
    Update,
    connect,
    load,
)
from spacetimedb_client.bindings import Bindings
from spacetimedb_client.module import BatchStep, Module, Operation, batch
from tests.sdk.conftest import Database, Publish
from tests.support.arena import arena, closed, guarded, scheduled
from tests.support.waiting import until

EVERYTHING = ("SELECT * FROM player", "SELECT * FROM event", "SELECT * FROM level")


@pytest.fixture
async def database(publish: Publish) -> Database:
    return await publish(arena())


def player(conn: Connection, name: str, **fields: Any) -> Any:
    types = conn.bindings.types
    plain = types.Player(0, name, 0, types.Phase.Lobby, types.Spot(0.0, 0.0), ())
    return plain.replace(**fields)


class Heard:
    """What the callbacks of a table were told."""

    def __init__(self, conn: Connection, table: str) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.contexts: list[EventContext] = []
        handle = conn.db[table]
        handle.on_insert(self._note("insert"))
        handle.on_update(self._note("update"))
        handle.on_delete(self._note("delete"))

    def _note(self, kind: str) -> Any:
        def note(context: EventContext, *rows: Any) -> None:
            self.contexts.append(context)
            self.events.append((kind, *rows))

        return note


async def test_connecting_says_who_we_are_and_a_token_keeps_it(database: Database) -> None:
    async with connect(*database.address) as conn:
        identity, token = conn.identity, conn.token
        assert token not in repr(conn)
    async with connect(*database.address, token=token) as again:
        assert again.identity == identity
        assert again.connection_id != conn.connection_id


async def test_awaiting_connect_leaves_closing_to_the_caller(database: Database) -> None:
    conn = await connect(*database.address)
    await conn.close()
    await conn.close()
    with pytest.raises(InvalidState, match="closed"):
        await conn.reducers.nothing()


async def test_a_database_that_is_not_there_is_told(database: Database) -> None:
    with pytest.raises(DatabaseNotFound, match="publish"):
        await connect(database.uri, "not-there")
    bindings = await load(*database.address)
    with pytest.raises(DatabaseNotFound, match="not-there"):
        await connect(database.uri, "not-there", module=bindings, check_schema="off")


async def test_a_token_that_is_none_is_told(database: Database) -> None:
    bindings = await load(*database.address)
    with pytest.raises(AuthError):
        await connect(*database.address, token="nonsense")
    with pytest.raises(AuthError):
        await connect(*database.address, token="nonsense", module=bindings, check_schema="off")


async def test_no_server_is_told() -> None:
    with pytest.raises(ConnectError, match="cannot be reached"):
        await connect("http://127.0.0.1:1", "any")
    with pytest.raises(ConnectError, match="no address"):
        await connect("ftp://example", "any")


async def test_stored_credentials_are_used_again_and_replaced_when_refused(
    database: Database, tmp_path: Path
) -> None:
    credentials = FileCredentials(tmp_path)
    async with connect(*database.address, token=credentials) as conn:
        identity = conn.identity
    async with connect(*database.address, token=credentials) as conn:
        assert conn.identity == identity
    file = credentials.path(*database.address)
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("of another server")
    async with connect(*database.address, token=credentials) as conn:
        assert conn.identity != identity


async def test_a_token_provider_is_asked_again_when_its_token_is_refused(
    database: Database,
) -> None:
    tokens = ["old", database.owner.token]

    async def provide() -> str:
        return tokens.pop(0)

    async with connect(*database.address, token=provide) as conn:
        assert conn.identity == database.owner.identity


async def test_rows_come_and_change_and_go_with_events(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.subscribe(*EVERYTHING)
        heard = Heard(conn, "player")
        await conn.reducers.player_insert(player(conn, "Ann"))
        [ann] = conn.db.player
        better = ann.replace(score=7, bag=("axe", "egg"))
        await conn.reducers.player_update(better)
        await conn.reducers.player_delete(ann.id)
        assert heard.events == [("insert", ann), ("update", ann, better), ("delete", better)]
        assert {context.cause for context in heard.contexts} == {Cause.TRANSACTION}
        assert heard.contexts[0].reducer is not None
        assert heard.contexts[0].reducer.reducer == "player_insert"
        assert heard.contexts[0].arguments["row"].name == "Ann"
        assert len(conn.db.player) == 0


@pytest.mark.parametrize("light", [False, True])
async def test_an_event_says_whether_the_call_was_ours(database: Database, light: bool) -> None:
    async with connect(*database.address, light=light) as conn, connect(*database.address) as other:
        await conn.subscribe(*EVERYTHING)
        heard = Heard(conn, "player")
        await conn.reducers.player_insert(player(conn, "Ann"))
        await other.reducers.player_insert(player(other, "Bo"))
        await conn.reducers.player_delete(next(iter(conn.db.player)).id)
        assert [context.is_own for context in heard.contexts] == [True, False, True]
        await conn.reducers.player_delete(next(iter(conn.db.player)).id)


async def test_indexes_find_and_filter(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.subscribe(*EVERYTHING)
        phase = conn.bindings.types.Phase
        for n in range(6):
            row = player(conn, f"p{n}", score=n // 2, phase=phase(n % 2))
            await conn.reducers.player_insert(row)
        table = conn.db.player
        assert table.id.find(1).name == "p0"
        assert table.name.find("p3").id == 4
        assert table.name.find("nobody") is None
        assert [row.name for row in table.score.filter(1, ...)] == ["p2", "p3", "p4", "p5"]
        assert [row.name for row in table.phase_score.filter(phase.Running)] == ["p1", "p3", "p5"]
        with pytest.raises(TypeError, match="filter"):
            table.score.find(1)
        with pytest.raises(AttributeError, match="no index 'bag'"):
            table.bag.find(1)


async def test_sums_and_products_arrive_as_their_classes(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.subscribe("SELECT * FROM event")
        types = conn.bindings.types
        happening = types.Happening
        for what in (
            happening.Joined("Ann"),
            happening.Moved(types.Spot(1.0, 2.0)),
            happening.Left(),
        ):
            await conn.reducers.event_insert({"at": Timestamp(5), "what": what})
        seen = set()
        for event in conn.db.event:
            match event.what:
                case happening.Joined(name):
                    seen.add(name)
                case happening.Moved(types.Spot(x, y)):
                    seen.add((x, y))
                case happening.Left():
                    seen.add("left")
        assert seen == {"Ann", (1.0, 2.0), "left"}


async def test_a_reducer_that_refuses_raises_its_words_and_keeps_nothing(
    database: Database,
) -> None:
    async with connect(*database.address) as conn:
        with pytest.raises(ReducerError) as refused:
            await conn.reducers.refuse("Names must not be empty")
        assert refused.value.message == "Names must not be empty"
        await conn.subscribe(*EVERYTHING)
        await conn.reducers.player_insert(player(conn, "Ann"))
        with pytest.raises(ReducerError, match="same unique value"):
            await conn.reducers.player_insert(player(conn, "Ann", score=5))
        assert [row.score for row in conn.db.player] == [0]


async def test_a_reducer_that_crashes_is_an_internal_error_and_the_next_call_works(
    database: Database,
) -> None:
    async with connect(*database.address) as conn:
        with pytest.raises(ReducerInternalError, match="fatal error"):
            await conn.reducers.crash()
        await conn.reducers.nothing()


async def test_failures_among_many_calls_reach_their_own(database: Database) -> None:
    async with connect(*database.address) as conn:
        calls = [
            conn.reducers.refuse(str(n)) if n % 3 else conn.reducers.nothing() for n in range(300)
        ]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        for n, answer in enumerate(answers):
            told = answer.message if isinstance(answer, ReducerError) else answer
            assert told == (str(n) if n % 3 else None)


async def test_arguments_by_position_by_name_and_as_a_dict(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.subscribe("SELECT * FROM call")
        await conn.reducers.say("a", 1)
        await conn.reducers.say("a", loudness=1)
        await conn.reducers.say(text="a", loudness=1)
        await conn.reducers.say({"text": "a", "loudness": 1})
        rows = list(conn.db.call)
        assert len(rows) == 4
        assert {row.args for row in rows} == {b"\x01\0\0\0a\x01"}
        assert {row.caller for row in rows} == {conn.identity}
        assert {row.connection for row in rows} == {conn.connection_id}


async def test_wrong_arguments_are_refused_before_anything_is_sent(database: Database) -> None:
    async with connect(*database.address) as conn:
        with pytest.raises(ConversionError, match=r"say\.loudness: 300 .* 0 to 255"):
            await conn.reducers.say("a", 300)
        with pytest.raises(TypeError, match="needs loudness"):
            await conn.reducers.say("a")
        with pytest.raises(TypeError, match="no parameter 'volume'"):
            await conn.reducers.say("a", volume=1)
        with pytest.raises(TypeError, match="takes 2 arguments, not 3"):
            await conn.reducers.say("a", 1, 2)
        with pytest.raises(TypeError, match="twice"):
            await conn.reducers.say("a", text="b")
        with pytest.raises(AttributeError, match="no reducer 'shout'"):
            await conn.reducers.shout("a")


async def test_calls_that_nobody_awaits_happen(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.subscribe("SELECT * FROM call")
        for n in range(20):
            conn.reducers.say.nowait("a", n)
        conn.reducers.refuse.nowait("nobody hears this")
        await until(lambda: len(conn.db.call) == 20)
        assert [row.args[-1] for row in conn.db.call.id.filter(..., ...)] == list(range(20))


async def test_bystanders_hear_of_rows_and_not_of_failures(database: Database) -> None:
    async with connect(*database.address) as caller, connect(*database.address) as bystander:
        await bystander.subscribe(*EVERYTHING)
        heard = Heard(bystander, "player")
        await caller.reducers.player_insert(player(caller, "Ann"))
        with pytest.raises(ReducerError):
            await caller.reducers.player_insert(player(caller, "Ann", score=1))
        await until(lambda: heard.events)
        [(kind, row)] = heard.events
        assert (kind, row.name) == ("insert", "Ann")
        assert heard.contexts[0].reducer is not None
        assert heard.contexts[0].reducer.caller == caller.identity
        assert len(caller.db.player) == 0  # not subscribed


async def test_light_connections_hear_of_rows_without_their_reducer(database: Database) -> None:
    async with (
        connect(*database.address) as caller,
        connect(*database.address, light=True) as bystander,
    ):
        await bystander.subscribe(*EVERYTHING)
        heard = Heard(bystander, "player")
        await caller.reducers.player_insert(player(caller, "Ann"))
        await until(lambda: heard.events)
        assert heard.contexts[0].reducer is None
        await bystander.reducers.nothing()


async def test_rows_are_applied_then_subscriptions_then_callbacks_then_the_waiting_task(
    database: Database,
) -> None:
    async with connect(*database.address) as conn:
        await conn.reducers.player_insert(player(conn, "Ann"))
        order: list[str] = []
        table = conn.db.player
        table.on_insert(lambda _, row: order.append(f"{row.name} of {len(table)}"))
        await conn.subscribe(*EVERYTHING)
        order.append("subscribed")
        await conn.reducers.player_insert(player(conn, "Bo"))
        order.append("called")
        assert order == ["Ann of 1", "subscribed", "Bo of 2", "called"]


async def test_overlapping_queries_hold_a_row_until_the_last_one_is_gone(
    database: Database,
) -> None:
    async with connect(*database.address) as conn:
        await conn.reducers.player_insert(player(conn, "Ann", score=5))
        every = await conn.subscribe("SELECT * FROM player")
        heard = Heard(conn, "player")
        some = await conn.subscribe("SELECT * FROM player WHERE score = 5", "SELECT * FROM player")
        again = await conn.subscribe("SELECT * FROM player")
        assert heard.events == []
        [ann] = conn.db.player
        await conn.reducers.player_update(ann.replace(score=6))
        assert [kind for kind, *_ in heard.events] == ["update"]
        await every.unsubscribe()
        await again.unsubscribe()
        assert len(conn.db.player) == 1
        await some.unsubscribe()
        assert len(conn.db.player) == 0
        assert heard.contexts[-1].cause is Cause.UNSUBSCRIBED


async def test_a_row_that_leaves_a_query_is_deleted(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.subscribe("SELECT * FROM player WHERE score > 3")
        heard = Heard(conn, "player")
        await conn.reducers.player_insert(player(conn, "Ann", score=5))
        [ann] = conn.db.player
        await conn.reducers.player_update(ann.replace(score=1))
        await conn.reducers.player_update(ann.replace(score=9))
        assert [kind for kind, *_ in heard.events] == ["insert", "delete", "insert"]


async def test_joins_follow_both_tables(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.subscribe("SELECT player.* FROM player JOIN level ON player.id = level.player")
        await conn.reducers.player_insert(player(conn, "Ann"))
        assert len(conn.db.player) == 0
        await conn.reducers.level_insert({"player": 1, "level": 3})
        assert [row.name for row in conn.db.player] == ["Ann"]
        await conn.reducers.level_delete(1)
        assert len(conn.db.player) == 0


async def test_bad_queries_are_told_and_spoil_nothing(database: Database) -> None:
    async with connect(*database.address) as conn:
        for query in ("SELECT * FROM nowhere", "nonsense", "SELECT * FROM secret"):
            with pytest.raises(SubscriptionError):
                await conn.subscribe("SELECT * FROM player", query)
        await conn.subscribe("SELECT * FROM player")
        with pytest.raises(TypeError, match="at least one"):
            await conn.subscribe()


async def test_a_subscription_may_end_before_it_holds(database: Database) -> None:
    async with connect(*database.address) as conn:
        asked = asyncio.create_task(conn.subscribe("SELECT * FROM player"))
        await asyncio.sleep(0)
        [subscription] = conn._subscriptions.values()
        await subscription.unsubscribe()
        await subscription.unsubscribe()
        await asked
        await conn.reducers.player_insert(player(conn, "Ann"))
        assert len(conn.db.player) == 0
        assert not subscription.is_active


async def test_a_subscription_ends_with_its_block(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.reducers.player_insert(player(conn, "Ann"))
        async with await conn.subscribe("SELECT * FROM player") as subscription:
            assert subscription.is_active
            assert len(conn.db.player) == 1
        assert len(conn.db.player) == 0


async def test_queries_asked_once(database: Database) -> None:
    async with connect(*database.address) as conn:
        for n in range(3):
            await conn.reducers.player_insert(player(conn, f"p{n}", score=n))
        types = conn.bindings.types
        rows = await conn.sql("SELECT * FROM player WHERE score > 0", into=types.Player)
        assert sorted(row.name for row in rows) == ["p1", "p2"]
        with pytest.raises(QueryError, match="nowhere"):
            await conn.sql("SELECT * FROM nowhere")
        with pytest.raises(QueryError, match="no Event"):
            await conn.sql("SELECT * FROM player", into=types.Event)


@pytest.mark.parametrize("compression", ["none", "gzip", "brotli"])
async def test_large_rows_pass_in_every_compression(database: Database, compression: Any) -> None:
    async with connect(*database.address, compression=compression) as conn:
        await conn.subscribe("SELECT * FROM blob")
        data = bytes(range(256)) * 8192
        for n in range(3):
            await conn.reducers.blob_insert({"id": n, "data": data})
        assert [row.data == data for row in conn.db.blob] == [True] * 3
    async with connect(*database.address, compression=compression) as conn:
        await conn.subscribe("SELECT * FROM blob")
        assert len(conn.db.blob) == 3


async def test_changes_are_iterated(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.subscribe(*EVERYTHING)
        changes = conn.db.player.changes()
        await conn.reducers.player_insert(player(conn, "Ann"))
        [ann] = conn.db.player
        await conn.reducers.player_update(ann.replace(score=1))
        await conn.reducers.player_delete(ann.id)
        seen = [await anext(changes) for _ in range(3)]
        assert seen == [
            Insert(ann),
            Update(ann, ann.replace(score=1)),
            Delete(ann.replace(score=1)),
        ]
    assert [change async for change in changes] == []


async def test_a_slow_iterator_stops_the_connection_and_loses_nothing(database: Database) -> None:
    async with connect(*database.address) as conn, connect(*database.address) as other:
        await conn.subscribe("SELECT * FROM call")
        changes = conn.db.call.changes(maxsize=5, overflow="block")
        for n in range(40):
            await other.reducers.say("x", n)
        await asyncio.sleep(0.05)
        assert len(conn.db.call) < 20
        seen = [await anext(changes) for _ in range(40)]
        assert [change.row.args[-1] for change in seen if isinstance(change, Insert)] == list(
            range(40)
        )


async def test_callbacks_are_removed_and_their_errors_stop_nobody(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.subscribe(*EVERYTHING)
        problems: list[Exception] = []
        seen: list[str] = []
        conn.on_callback_error(problems.append)

        def fail(_: EventContext, row: Any) -> None:
            raise ValueError(row.name)

        async def later(_: EventContext, row: Any) -> None:
            await asyncio.sleep(0.02 if row.name == "Ann" else 0)
            seen.append(row.name)

        remove = conn.db.player.on_insert(fail)
        conn.db.player.on_insert(later)
        await conn.reducers.player_insert(player(conn, "Ann"))
        remove()
        await conn.reducers.player_insert(player(conn, "Bo"))
        await until(lambda: seen == ["Ann", "Bo"])
        assert [str(problem) for problem in problems] == ["Ann"]


async def test_another_thread_is_told_where_to_go(database: Database) -> None:
    async with connect(*database.address) as conn:
        problems: list[Exception] = []

        def call() -> None:
            try:
                conn.reducers.nothing.nowait()
            except RuntimeError as problem:
                problems.append(problem)

        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        assert "run_coroutine_threadsafe" in str(problems[0])


async def test_a_connection_that_is_closed_ends_what_waits(database: Database) -> None:
    conn = await connect(*database.address)
    calls = [asyncio.create_task(conn.reducers.nothing()) for _ in range(50)]
    await asyncio.sleep(0)
    await conn.close()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    lost = [each for each in answers if isinstance(each, ConnectionLost)]
    assert lost
    assert all(each.outcome_unknown for each in lost)


async def test_a_cancelled_call_is_forgotten_and_still_happens(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.subscribe("SELECT * FROM call")
        call = asyncio.create_task(conn.reducers.say("x", 1))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await conn.reducers.nothing()
        await until(lambda: len(conn.db.call) == 1)


async def test_more_calls_than_may_be_in_flight_wait_their_turn(database: Database) -> None:
    async with connect(*database.address, max_in_flight=4) as conn:
        await conn.subscribe("SELECT * FROM call")
        await asyncio.gather(*(conn.reducers.say("x", n) for n in range(100)))
        assert len(conn.db.call) == 100


async def test_who_is_connected_is_a_table(database: Database) -> None:
    async with connect(*database.address) as first:
        await first.subscribe("SELECT * FROM online")
        async with connect(*database.address) as second:
            await until(lambda: len(first.db.online) == 2)
            row = first.db.online.connection.find(second.connection_id)
            assert row.identity == second.identity
        await until(lambda: len(first.db.online) == 1)


async def test_a_module_that_refuses_clients_is_an_error(publish: Publish) -> None:
    database = await publish(closed())
    with pytest.raises((ConnectError, ConnectionLost)):
        await connect(*database.address)


async def test_scheduled_reducers_run_and_stop(publish: Publish) -> None:
    database = await publish(scheduled())
    async with connect(*database.address) as conn, database.admin() as admin:
        await conn.subscribe("SELECT * FROM call", "SELECT * FROM timer")
        once = ScheduleAt.Time(Timestamp.now() + TimeDuration(1000))
        await conn.reducers.timer_insert({"id": 0, "at": once})
        await until(lambda: len(conn.db.call) == 1)
        await until(lambda: len(conn.db.timer) == 0)
        [call] = conn.db.call
        assert call.caller == await admin.database_identity(database.name)
        await conn.reducers.timer_insert({"id": 0, "at": TimeDuration(5000)})
        await until(lambda: len(conn.db.call) > 3)
        [timer] = conn.db.timer
        await conn.reducers.timer_delete(timer.id)
        assert timer.at == ScheduleAt.Interval(TimeDuration(5000))


async def test_row_level_security_shows_each_their_own(publish: Publish) -> None:
    database = await publish(guarded())
    async with (
        connect(*database.address, token=database.owner.token) as owner,
        connect(*database.address) as ann,
    ):
        for conn in (owner, ann):
            await conn.subscribe("SELECT * FROM note")
        await owner.reducers.note_insert({"id": 1, "owner": owner.identity, "text": "mine"})
        await ann.reducers.note_insert({"id": 2, "owner": ann.identity, "text": "hers"})
        await until(lambda: len(owner.db.note) == 2)
        assert [row.text for row in ann.db.note] == ["hers"]


async def test_an_inbox_has_a_row_for_each_call_that_its_caller_and_the_owner_see(
    publish: Publish,
) -> None:
    database = await publish(guarded())
    async with (
        connect(*database.address, token=database.owner.token) as owner,
        connect(*database.address) as ann,
        connect(*database.address) as bob,
    ):
        for conn in (owner, ann, bob):
            await conn.subscribe("SELECT * FROM wish")
        wanted = ann.bindings.types.Wanted
        await ann.reducers.wish("a", wanted.Said("x" * 100_000))
        await ann.reducers.wish("b", wanted.Counted(7))
        await ann.reducers.wish("", wanted.Left())
        await until(lambda: len(owner.db.wish) == 3)
        first, second, third = sorted(owner.db.wish, key=lambda row: row.id)
        assert (first.caller, first.key, first.wanted.value) == (ann.identity, "a", "x" * 100_000)
        assert (second.wanted.value, third.key) == (7, "")
        assert first.at <= second.at <= third.at
        assert first.connection == ann.connection_id
        assert len(ann.db.wish) == 3
        assert len(bob.db.wish) == 0


async def test_an_inbox_for_some_refuses_the_others(publish: Publish) -> None:
    database = await publish(guarded())
    async with (
        connect(*database.address, token=database.owner.token) as owner,
        connect(*database.address) as ann,
        connect(*database.address) as bob,
    ):
        await owner.subscribe("SELECT * FROM secret")
        for _ in range(2):
            with pytest.raises(ReducerError, match="members only: ask Ann"):
                await ann.reducers.secret("x" * 100_000)
        await owner.reducers.member_insert({"identity": ann.identity, "name": "x" * 10_000})
        await owner.reducers.member_insert({"identity": owner.identity, "name": ""})
        await ann.reducers.secret("hers")
        await owner.reducers.secret("mine")
        with pytest.raises(ReducerError, match="members only"):
            await bob.reducers.secret("his")
        await owner.reducers.member_delete(ann.identity)
        with pytest.raises(ReducerError, match="members only"):
            await ann.reducers.secret("again")
        assert sorted(row.text for row in owner.db.secret) == ["hers", "mine"]


async def test_only_the_owner_may_call_guarded_reducers(publish: Publish) -> None:
    database = await publish(arena(owner_only=True))
    async with connect(*database.address) as stranger:
        with pytest.raises(ReducerError, match="only the owner"):
            await stranger.reducers.nothing()
    async with connect(*database.address, token=database.owner.token) as owner:
        await owner.reducers.nothing()


async def test_a_batch_is_done_wholly_or_not_at_all(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.subscribe("SELECT * FROM level")
        heard = Heard(conn, "level")
        level = conn.bindings.tables["level"]
        row = level.row
        good = [
            BatchStep(Operation.INSERT, 2, level.codec.encode(row(1, 1))),
            BatchStep(Operation.UPSERT, 2, level.codec.encode(row(1, 2))),
            BatchStep(Operation.INSERT, 2, level.codec.encode(row(2, 1))),
        ]
        await conn.reducers.apply(batch(good))
        assert sorted(conn.db.level, key=lambda each: each.player) == [row(1, 2), row(2, 1)]
        bad = [
            BatchStep(Operation.DELETE_KEY, 2, b"\x01" + bytes(7)),
            BatchStep(Operation.INSERT, 2, level.codec.encode(row(2, 9))),
        ]
        with pytest.raises(ReducerError, match="level: a row with the same unique value"):
            await conn.reducers.apply(batch(bad))
        with pytest.raises(ReducerInternalError):
            await conn.reducers.apply(batch(good[1:2])[:-1])
        assert len(conn.db.level) == 2
        assert len(heard.events) == 2


async def test_upsert_and_clear(database: Database) -> None:
    async with connect(*database.address) as conn:
        await conn.subscribe("SELECT * FROM level")
        heard = Heard(conn, "level")
        for level in (1, 2):
            await conn.reducers.level_upsert({"player": 1, "level": level})
        await conn.reducers.level_clear()
        assert [kind for kind, *_ in heard.events] == ["insert", "update", "delete"]


async def test_other_bindings_than_the_servers_are_noticed(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    other = Module()
    other.table("player", {"id": int}, primary_key="id")
    bindings = Bindings(other.schema)
    async with connect(*database.address, module=bindings):
        assert "generate them anew" in caplog.text
    with pytest.raises(ValueError, match="generate them anew"):
        await connect(*database.address, module=bindings, check_schema="error")
    same = await load(*database.address)
    async with connect(*database.address, module=same, check_schema="error") as conn:
        assert conn.bindings is same


async def test_a_server_that_closes_is_told_with_its_reason(database: Database) -> None:
    conn = await connect(*database.address, reconnect=False)
    told: list[object] = []
    conn.on_disconnect(told.append)
    await conn._link._socket.send([b"\xff"])
    with pytest.raises(ConnectionLost, match="1011: unknown tag"):
        await conn.wait_closed()
    assert len(told) == 1
    await conn.close()


async def test_the_json_protocol_says_the_same(database: Database) -> None:
    async with connect(*database.address, protocol="json") as conn:
        await conn.subscribe(*EVERYTHING)
        heard = Heard(conn, "player")
        phase = conn.bindings.types.Phase
        ann = player(conn, "Ann", phase=phase.Paused, bag=("a", "b"))
        await conn.reducers.player_insert(ann)
        await conn.reducers.player_update(ann.replace(id=1, score=-5))
        assert heard.events[-1][2] == ann.replace(id=1, score=-5)
        assert heard.contexts[0].arguments["row"].name == "Ann"
        moved = conn.bindings.types.Happening.Moved(conn.bindings.types.Spot(1.5, -2.0))
        await conn.reducers.event_insert({"at": Timestamp(5), "what": moved})
        assert [event.what for event in conn.db.event] == [moved]
        assert await conn.sql("SELECT * FROM player") == list(conn.db.player)
        with pytest.raises(ReducerError, match="no"):
            await conn.reducers.refuse("no")
        with pytest.raises(SubscriptionError):
            await conn.subscribe("nonsense")
        with pytest.raises(QueryError):
            await conn.sql("nonsense")
    async with connect(*database.address, protocol="json") as conn:
        async with await conn.subscribe("SELECT * FROM player"):
            assert len(conn.db.player) == 1
        assert len(conn.db.player) == 0


async def test_t10_a_connection_id_can_be_chosen(database: Database) -> None:
    chosen = ConnectionId(0x1234)
    async with connect(*database.address, connection_id=chosen) as conn:
        assert conn.connection_id == chosen
        with pytest.raises(ReducerError, match="no"):
            await conn.reducers.refuse("no")


async def test_t13_others_have_their_turn_while_very_many_rows_come(database: Database) -> None:
    async with connect(*database.address) as conn:
        table = conn.bindings.tables["level"]
        steps = [
            BatchStep(Operation.INSERT, 2, table.codec.encode(table.row(n, 0)))
            for n in range(100_000)
        ]
        await conn.reducers.apply(batch(steps))
        turns = 0

        async def count_turns() -> None:
            nonlocal turns
            while len(conn.db.level) == 0:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count_turns())
        await conn.subscribe("SELECT * FROM level")
        await counting
        assert len(conn.db.level) == 100_000
        assert turns > 5
