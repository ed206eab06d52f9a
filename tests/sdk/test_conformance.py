"""What a test client of SpacetimeDB has to show, case by case, over a real server.

`TOPICS` names the cases of each topic: a test, or one with how often it runs. The cases of rows are
here; the others are in the files that `FILES` lists.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from spacetimedb_client import Connection, ReducerError, connect
from spacetimedb_client.module import Module
from tests.sdk import test_client, test_faults, test_real_types
from tests.sdk.conftest import Publish
from tests.sdk.test_real_types import KINDS, Sent, module_of
from tests.support.arena import arena
from tests.support.waiting import until

# A key tells rows apart by equality; the others have an order of no use, or none.
KEYS = (
    *(f"{sign}{bits}" for sign in "iu" for bits in (8, 16, 32, 64, 128, 256)),
    *("bool", "f32", "f64", "text", "bytes", "identity", "connection", "timestamp", "duration"),
)
FILES: tuple[ModuleType, ...] = (test_client, test_faults, test_real_types)
TOPICS: Mapping[str, Mapping[str, int]] = {
    "rows of each type: inserted, updated, deleted, and told to a bystander": {
        "test_rows_of_each_type_come_change_and_go": len(KINDS),
        "test_rows_are_changed_and_deleted_by_keys_of_each_type": len(KEYS),
        "test_a_failed_insert_of_each_key_keeps_the_first_row": len(KEYS),
    },
    "identities": {
        "test_connecting_says_who_we_are_and_a_token_keeps_it": 1,
        "test_a_row_has_the_identity_and_connection_of_its_caller": 1,
        "test_arguments_by_position_by_name_and_as_a_dict": 1,
    },
    "enums with and without payload, vectors, options": {
        "test_sums_and_products_arrive_as_their_classes": 1,
        "test_indexes_find_and_filter": 1,
        "test_every_type_of_the_issue_is_there": 1,
    },
    "large rows and compression": {
        "test_large_rows_pass_in_every_compression": 3,
        "test_t13_others_have_their_turn_while_very_many_rows_come": 1,
    },
    "reducers: success, failure, panic": {
        "test_rows_come_and_change_and_go_with_events": 1,
        "test_a_reducer_that_refuses_raises_its_words_and_keeps_nothing": 1,
        "test_a_reducer_that_crashes_is_an_internal_error_and_the_next_call_works": 1,
        "test_failures_among_many_calls_reach_their_own": 1,
        "test_wrong_arguments_are_refused_before_anything_is_sent": 1,
        "test_calls_that_nobody_awaits_happen": 1,
        "test_a_batch_is_done_wholly_or_not_at_all": 1,
        "test_upsert_and_clear": 1,
        "test_only_the_owner_may_call_guarded_reducers": 1,
    },
    "callers and bystanders": {
        "test_bystanders_hear_of_rows_and_not_of_failures": 1,
        "test_light_connections_hear_of_rows_without_their_reducer": 1,
        "test_callers_hear_of_their_rows_before_their_call_returns": 1,
    },
    "overlapping queries and joins": {
        "test_overlapping_queries_hold_a_row_until_the_last_one_is_gone": 1,
        "test_a_row_that_leaves_a_query_is_deleted": 1,
        "test_joins_follow_both_tables": 1,
        "test_bad_queries_are_told_and_spoil_nothing": 1,
        "test_queries_asked_once": 1,
    },
    "unsubscribing": {
        "test_a_subscription_may_end_before_it_holds": 1,
        "test_a_subscription_ends_with_its_block": 1,
        "test_many_subscriptions_that_end_before_they_hold_leave_nothing": 1,
    },
    "re-authentication": {
        "test_stored_credentials_are_used_again_and_replaced_when_refused": 1,
        "test_a_token_provider_is_asked_again_when_its_token_is_refused": 1,
        "test_a_token_that_is_none_is_told": 1,
    },
    "row-level security": {"test_row_level_security_shows_each_their_own": 1},
    "the life of a connection": {
        "test_who_is_connected_is_a_table": 1,
        "test_a_module_that_refuses_clients_is_an_error": 1,
        "test_awaiting_connect_leaves_closing_to_the_caller": 1,
        "test_a_connection_that_is_closed_ends_what_waits": 1,
        "test_a_connection_that_comes_back_says_so": 1,
        "test_a_server_that_closes_is_told_with_its_reason": 1,
    },
    "scheduled reducers": {"test_scheduled_reducers_run_and_stop": 1},
}


def test_each_case_is_there_and_they_are_enough() -> None:
    known = {name for file in FILES for name in vars(file)} | set(globals())
    named = [name for cases in TOPICS.values() for name in cases]
    assert not set(named) - known
    assert len(named) == len(set(named)) >= 40
    assert sum(sum(cases.values()) for cases in TOPICS.values()) >= 45


def heard_by(conn: Connection, table: str) -> list[tuple[Any, ...]]:
    """What the callbacks of a table are told, in order, as bytes: NaN equals nothing."""
    events: list[tuple[Any, ...]] = []
    handle, codec = conn.db[table], conn.bindings.tables[table].codec

    def note(kind: str) -> Any:
        return lambda _, *rows: events.append((kind, *map(codec.encode, rows)))

    handle.on_insert(note("insert"))
    handle.on_update(note("update"))
    handle.on_delete(note("delete"))
    return events


@pytest.mark.parametrize("name", KINDS)
async def test_rows_of_each_type_come_change_and_go(publish: Publish, name: str) -> None:
    database = await publish(module_of(name))
    async with connect(*database.address) as conn, connect(*database.address) as other:
        sent = Sent(conn, name)
        ours, theirs = (heard_by(each, sent.table) for each in (conn, other))
        for each in (conn, other):
            await each.subscribe(sent.query)
        expected: list[tuple[Any, ...]] = []
        for row, newer in zip(sent.rows, reversed(sent.rows), strict=True):
            changed = newer.replace(id=row.id)
            before, after = sent.bytes_of([row]), sent.bytes_of([changed])
            await sent.call("insert", row)
            await sent.call("update", changed)
            await conn.reducers[f"{sent.table}_delete"](row.id)
            told = [("update", *before, *after)] if before != after else []
            expected += [("insert", *before), *told, ("delete", *after)]
        assert ours == expected
        await until(lambda: theirs == expected)
        assert len(other.db[sent.table]) == 0


def keyed_by(name: str) -> Module:
    module = Module()
    key = KINDS[name].made(module)
    module.mirror(module.table("keyed", {"key": key, "note": str}, primary_key="key"))
    return module


@pytest.mark.parametrize("name", KEYS)
async def test_rows_are_changed_and_deleted_by_keys_of_each_type(
    publish: Publish, name: str
) -> None:
    async with connect(*(await publish(keyed_by(name))).address) as conn:
        await conn.subscribe("SELECT * FROM keyed")
        events = heard_by(conn, "keyed")
        made, binding = conn.bindings.types.Keyed, conn.bindings.tables["keyed"]
        keys = list(dict.fromkeys(KINDS[name].extremes(None)))
        for key in keys:
            await conn.reducers.keyed_insert(made(key, "old"))
        for key in keys:
            await conn.reducers.keyed_upsert(made(key, "new"))
        assert sorted(map(repr, conn.db.keyed)) == sorted(repr(made(key, "new")) for key in keys)
        for key in keys:
            if binding.key is not None:
                assert conn.db.keyed.key.find(key) == made(key, "new")
            await conn.reducers.keyed_delete(key)
        assert len(conn.db.keyed) == 0
        kinds = [kind for kind, *_ in events]
        # Floats are equal otherwise than their bytes: such rows are told apart as a whole.
        changed = ["update"] if binding.key else ["delete", "insert"]
        assert kinds == ["insert"] * len(keys) + changed * len(keys) + ["delete"] * len(keys)


@pytest.mark.parametrize("name", KEYS)
async def test_a_failed_insert_of_each_key_keeps_the_first_row(publish: Publish, name: str) -> None:
    async with connect(*(await publish(keyed_by(name))).address) as conn:
        await conn.subscribe("SELECT * FROM keyed")
        made = conn.bindings.types.Keyed
        for key in dict.fromkeys(KINDS[name].extremes(None)):
            await conn.reducers.keyed_insert(made(key, "first"))
            with pytest.raises(ReducerError, match="same unique value"):
                await conn.reducers.keyed_insert(made(key, "second"))
        assert {row.note for row in conn.db.keyed} == {"first"}


async def test_a_row_has_the_identity_and_connection_of_its_caller(publish: Publish) -> None:
    database = await publish(arena())
    async with connect(*database.address) as ann, connect(*database.address) as bo:
        await ann.subscribe("SELECT * FROM call")
        await ann.reducers.say("ann", 1)
        await bo.reducers.say("bo", 2)
        await until(lambda: len(ann.db.call) == 2)
        callers = {row.args[-1]: (row.caller, row.connection) for row in ann.db.call}
        assert callers == {
            1: (ann.identity, ann.connection_id),
            2: (bo.identity, bo.connection_id),
        }


async def test_callers_hear_of_their_rows_before_their_call_returns(publish: Publish) -> None:
    database = await publish(arena())
    async with connect(*database.address) as conn:
        await conn.subscribe("SELECT * FROM level")
        events = heard_by(conn, "level")
        for number in range(50):
            await conn.reducers.level_insert({"player": number, "level": 0})
            assert len(events) == len(conn.db.level) == number + 1


async def test_many_subscriptions_that_end_before_they_hold_leave_nothing(publish: Publish) -> None:
    database = await publish(arena())
    async with connect(*database.address) as conn:
        for number in range(20):
            await conn.reducers.level_insert({"player": number, "level": number})
        events = heard_by(conn, "level")
        asked = []
        for number in range(20):
            query = f"SELECT * FROM level WHERE level >= {number}"
            asked.append(asyncio.create_task(conn.subscribe(query)))
        await asyncio.sleep(0)
        for subscription in list(conn._subscriptions.values())[1:]:
            await subscription.unsubscribe()
        kept, *_ = await asyncio.gather(*asked)
        assert len(conn.db.level) == 20
        assert all(conn.db.level.player.find(number) for number in range(20))
        await kept.unsubscribe()
        assert len(conn.db.level) == 0
        assert len(events) == 2 * 20
