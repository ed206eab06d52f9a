"""Variables that are rows of a game's database, at a real server and a real database."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from spacetimedb_client.testing import Server
from tests.support.bound import ASKED_S, ROW, arena, bind, game, mirror_token, until_value
from tests.support.client import Client
from tests.support.databases import database, server_program, serving
from tests.support.served import Wire, refused
from tests.support.serving import Serving
from tests.support.session_page import SessionPage
from tests.support.waiting import until_true

__all__ = ["database", "server_program", "serving"]

pytestmark = pytest.mark.slow


async def stderr_of(client: Client, session: str, part: str) -> str:
    """What the session's standard error says, once it has this in it."""
    log = client.log(session)

    def said() -> str:
        events = [log.events[seq] for seq in sorted(log.events)]
        return "".join(e["data"]["text"] for e in events if e["type"] == "stream")

    await log.until(lambda: part in said(), f"{part!r} on stderr")
    return said()


# --- both ways


async def test_a_column_is_a_variable_both_ways(database: Server, serving: Serving) -> None:
    async with game(database.uri) as arena, Client(serving.url, serving.token) as client:
        await arena.put()
        session = await client.create()
        bound = await bind(client, session, "hp", column="hp")
        assert (bound["follows"], bound["writes"]) == ("arena/unit[3].hp", "unit_update")
        assert bound["is_equal"]
        assert await client.value(session, "hp") == 10
        await arena.put(hp=7)
        await until_value(client, session, "hp", 7)
        await client.run(session, "hp -= 2")
        await arena.until(lambda: arena.unit().hp == 5, "hp of 5")
        await client.call("variable.set", session=session, name="hp", value=6)
        await arena.until(lambda: arena.unit().hp == 6, "hp of 6")
        history = await client.call("variable.history", session=session, name="hp")
        assert history["changes"][2]["author"] == "arena/unit"
        await client.call("session.unbind", session=session, name="hp")
        await client.run(session, "hp = 1")
        await asyncio.sleep(0.3)
        assert arena.unit().hp == 6


async def test_a_whole_row_is_a_dict_of_which_items_are_set_and_columns_written(
    database: Server, serving: Serving
) -> None:
    async with game(database.uri) as arena, Client(serving.url, serving.token) as client:
        await arena.put(**ROW)
        session = await client.create()
        assert (await bind(client, session, "unit"))["follows"] == "arena/unit[3]"
        await client.run(session, "known = unit; unit['x'] = 1.5")
        await arena.until(lambda: arena.unit().x == 1.5, "x of 1.5")
        await arena.put(hp=4, name="Bo")
        await until_value(client, session, "unit", {**ROW, "hp": 4, "x": 1.5, "name": "Bo"})
        assert (await client.run(session, "known is unit, known['hp']")).result == "(True, 4)"
        await client.run(session, "unit = {**unit, 'hp': 3, 'x': 2}")
        await arena.until(lambda: (arena.unit().hp, arena.unit().x) == (3, 2.0), "hp and x")
        await arena.sql("DELETE FROM unit WHERE id = 3")
        await until_value(client, session, "unit", None)
        await arena.put(hp=9)
        await until_value(client, session, "unit", {**ROW, "hp": 9})


async def test_a_row_is_seen_and_written_while_a_loop_runs(
    database: Server, serving: Serving
) -> None:
    async with game(database.uri) as arena, Client(serving.url, serving.token) as client:
        await arena.put(**ROW)
        session = await client.create()
        await bind(client, session, "hp", column="hp")
        await bind(client, session, "x", column="x")
        running = asyncio.create_task(client.run(session, "while hp: x += 1"))
        await arena.until(lambda: arena.unit().x > 1000, "x that moves")
        await arena.put(hp=0)
        await running
        x = await client.value(session, "x")
        await arena.until(lambda: arena.unit().x == x, f"x of {x}")


async def test_a_variable_that_is_new_or_other_gets_the_row_and_another_binding_replaces_it(
    database: Server, serving: Serving
) -> None:
    async with game(database.uri) as arena, Client(serving.url, serving.token) as client:
        await arena.put(**ROW)
        await arena.put(**{**ROW, "id": 4, "hp": 44})
        session = await client.create()
        await client.run(session, "hp = 'mine'")
        await bind(client, session, "hp", column="hp")
        assert await client.value(session, "hp") == 10
        await bind(client, session, "hp", column="hp", key=4)
        assert await client.value(session, "hp") == 44
        assert arena.unit().hp == 10
        await arena.put(hp=11)
        await client.run(session, "hp = 45")
        await arena.until(lambda: arena.unit(4).hp == 45, "hp of 45")
        assert arena.unit().hp == 11
        joined = Client(serving.url, serving.token)
        async with joined:
            state = (await joined.join(session))["state"]
            assert state["bindings"] == [
                {"name": "hp", "table": "arena/unit", "key": 4, "column": "hp",
                 "follows": "arena/unit[4].hp"}
            ]  # fmt: skip


async def test_the_example_of_the_page_does_what_it_says(
    database: Server, serving: Serving
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "mirror.md").read_text("utf-8")
    part = page.partition("## Variables that are rows")[2]
    example = part.partition("```python\n")[2].partition("```")[0]
    lines = ["async def example(socket, session):", *(f"    {x}" for x in example.splitlines())]
    found: dict[str, Any] = {}
    exec("\n".join(lines), found)
    async with (
        game(database.uri) as arena,
        Client(serving.url, serving.token) as client,
        await Wire(serving.url).connect(serving.token) as wire,
    ):
        await arena.put(**ROW)
        session = await client.create()
        await bind(client, session, "first", column="hp")
        await found["example"](wire.socket, session)
        await arena.until(lambda: arena.unit().hp == 8, "hp of 8")


async def test_the_page_marks_a_variable_that_follows_a_row(
    database: Server, serving: Serving, browser: Browser
) -> None:
    ada = await SessionPage.of(browser, serving.address)
    session = await ada.create()
    async with game(database.uri) as arena, Client(serving.url, serving.token) as client:
        await arena.put(**ROW)
        await client.join(session)
        await ada.run("hp = mine = 1")
        await bind(client, session, "hp", column="hp")
        mark = ada.variable("hp").get_by_test_id("variable-follows")
        await expect(mark).to_have_attribute("title", "Follows arena/unit[3].hp, and writes it")
        await ada.sees("hp", "10")
        await expect(ada.get("variable-follows")).to_have_count(1)
        await client.call("session.unbind", session=session, name="hp")
        await expect(ada.get("variable-follows")).to_have_count(0)
    ada.assert_no_complaints()


# --- what does not fit


async def test_what_fits_no_row_is_told_and_set_back(database: Server, serving: Serving) -> None:
    async with game(database.uri) as arena, Client(serving.url, serving.token) as client:
        await arena.put(**ROW)
        session = await client.create()
        await bind(client, session, "hp", column="hp")
        await bind(client, session, "unit")
        for bad in ("hp = 300", "hp = 'many'", "del hp", "hp = [1]", "hp = object()", "hp = None"):
            await client.run(session, bad)
            await until_value(client, session, "hp", 10)
        said = await stderr_of(client, session, "300 is not u8")
        assert "hp (arena/unit[3].hp): unit.hp: 300 is not u8, a whole number from 0 to 255" in said
        for bad in ("del unit['x']", "unit['id'] = 4", "unit['y'] = 1", "unit = None", "unit = 7"):
            await client.run(session, bad)
            await until_value(client, session, "unit", ROW)
        said = await stderr_of(client, session, "None deletes no row")
        assert "`id` is the row's key" in said
        assert arena.unit().hp == 10


async def test_a_value_too_large_to_be_told_is_set_and_not_written(
    database: Server, serving: Serving
) -> None:
    async with game(database.uri) as arena, Client(serving.url, serving.token) as client:
        await arena.put(**{**ROW, "name": "n" * 10_000})
        session = await client.create()
        await bind(client, session, "name", column="name")
        await bind(client, session, "unit")
        for letter in "ab":
            await arena.put(name=letter * 10_000)

            async def is_set(letter: str = letter) -> bool:
                told = await client.run(session, "name[0], unit['name'][0], len(name)")
                return told.result == f"('{letter}', '{letter}', 10000)"

            await until_true(is_set, timeout=ASKED_S)
        await client.run(session, "name += 'c'")
        await stderr_of(client, session, "no exact form of at most 8 KiB")

        async def is_back() -> bool:
            return (await client.run(session, "len(name)")).result == "10000"

        await until_true(is_back, timeout=ASKED_S)
        await client.run(session, "name = 'short'")
        await arena.until(lambda: arena.unit().name == "short", "a short name")


async def test_a_row_that_is_not_there_cannot_be_written(
    database: Server, serving: Serving
) -> None:
    async with game(database.uri), Client(serving.url, serving.token) as client:
        session = await client.create()
        await bind(client, session, "hp", column="hp", key=77)
        assert await client.value(session, "hp") is None
        await client.run(session, "hp = 5")
        await stderr_of(client, session, "there is no such row now")
        await until_value(client, session, "hp", None)


async def test_what_cannot_be_bound_is_refused_with_what_there_is(
    database: Server, serving: Serving
) -> None:
    async with game(database.uri), Client(serving.url, serving.token) as client:
        session = await client.create()
        await bind(client, session, "hp", column="hp")
        cases: list[tuple[dict[str, Any], str, str]] = [
            ({"name": "2x"}, "name", "no name of a variable"),
            ({"name": "for"}, "name", "no name of a variable"),
            ({"table": "nowhere/unit"}, "table", "no database 'nowhere'"),
            ({"table": "a b?/unit"}, "table", "no database 'a b?'"),
            ({"table": "arena/units"}, "table", "no table 'units'"),
            ({"column": "mana"}, "column", "no column 'mana'"),
            ({"key": "three"}, "key", "'three' is not u32"),
            ({"key": -1}, "key", "-1 is not u32"),
            ({"key": {"$type": "int", "value": []}}, "key", "is no int"),
            ({"key": None}, "key", "None is not u32"),
        ]
        for fields, field, words in cases:
            sent = {"name": "v", "table": "arena/unit", "key": 3, **fields}
            error = await refused(client, "session.bind", session=session, **sent)
            assert (error["code"], error["field"]) == ("bad_request", field), error
            assert words in error["message"]
        error = await refused(client, "session.unbind", session=session, name="v")
        assert "Those that do: 'hp'." in error["hint"]
        for number in range(99):
            await bind(client, session, f"v{number}", column="hp")
        where = {"name": "last", "table": "arena/unit", "key": 3}
        error = await refused(client, "session.bind", session=session, **where)
        assert error["code"] == "limit_exceeded"
        await client.call("session.destroy", session=session)


async def test_the_mirrors_own_tables_are_for_the_owner_of_the_server_and_never_written(
    database: Server, serving: Serving
) -> None:
    async with game(database.uri), Client(serving.url, serving.token) as client:
        session = await client.create()
        await bind(client, session, "hp", column="hp")
        shared = await client.call("session.share", session=session, role="owner")
        where = {"name": "other", "table": "session", "key": session, "column": "name"}
        async with Client(serving.url, shared["token"]) as owner:
            await owner.join(session)
            error = await refused(owner, "session.bind", session=session, **where)
            assert error["code"] == "forbidden"
        bound = await client.call("session.bind", session=session, **where)
        assert bound["writes"] is None
        await client.run(session, "other = 'mine'")
        await stderr_of(client, session, "are written by the mirror alone")
        await client.call("session.rename", session=session, name="renamed")
        await until_value(client, session, "other", "renamed")


async def test_without_a_mirror_there_is_nothing_to_bind_to(client: Client) -> None:
    session = await client.create()
    where = {"name": "v", "table": "arena/unit", "key": 3}
    error = await refused(client, "session.bind", session=session, **where)
    assert (error["code"], "--spacetimedb" in error["hint"]) == ("not_available", True)


# --- whose database


async def test_a_database_of_ours_without_reducers_is_written_by_sql(
    database: Server, serving: Serving
) -> None:
    token = await mirror_token(database.uri, serving.data_dir)
    module = arena(reducers=False)
    async with (
        game(database.uri, module=module, token=token, database="ours") as ours,
        Client(serving.url, serving.token) as client,
    ):
        await ours.put()
        session = await client.create()
        bound = await bind(client, session, "unit", table="ours/unit")
        assert bound["writes"] == "sql"
        await client.run(session, "unit['x'], unit['name'] = 2.5, \"O'Hara\"")
        await ours.until(lambda: (ours.unit().x, ours.unit().name) == (2.5, "O'Hara"), "both")
        for hp in range(20):
            await client.run(session, f"unit['hp'] = {hp}")
        await ours.until(lambda: ours.unit().hp == 19, "hp of 19")
        assert (await client.value(session, "unit"))["hp"] == 19
        await client.run(session, "unit['x'] = float('nan')")
        await stderr_of(client, session, "SQL has no words for this value of `x`, f64")
        row = {"id": 3, "hp": 19, "x": 2.5, "name": "O'Hara"}
        await until_value(client, session, "unit", row)
        await client.run(session, "unit['x'] = -1.0")
        await stderr_of(client, session, "a reducer `unit_update` that takes a row")
        await until_value(client, session, "unit", row)


async def test_somebody_elses_database_without_reducers_is_only_followed(
    database: Server, serving: Serving
) -> None:
    module = arena(reducers=False)
    async with (
        game(database.uri, module=module, database="theirs") as theirs,
        Client(serving.url, serving.token) as client,
    ):
        await theirs.put()
        session = await client.create()
        bound = await bind(client, session, "hp", table="theirs/unit", column="hp")
        assert bound["writes"] is None
        assert "none of `unit_update`" in bound["why"]
        await theirs.put(hp=3)
        await until_value(client, session, "hp", 3)
        await client.run(session, "hp = 200")
        await stderr_of(client, session, "is somebody else's database")
        await until_value(client, session, "hp", 3)


# --- asleep


async def test_a_sleeping_session_is_not_woken_by_its_row(
    database: Server, tmp_path: Path, cache_dir: Path
) -> None:
    mirror = ("--spacetimedb", f"{database.uri}/asleep", "--idle-limit", "1")
    with Serving(tmp_path, *mirror, cache_dir=cache_dir) as serving:
        async with game(database.uri) as arena:
            await arena.put(**ROW)
            async with Client(serving.url, serving.token) as client:
                session = await client.create()
                await bind(client, session, "hp", column="hp")

            async def status() -> str:
                async with Client(serving.url, serving.token) as looking:
                    (one,) = (await looking.call("session.list"))["sessions"]
                    return str(one["status"])

            async def is_asleep() -> bool:
                return await status() == "hibernated"

            await until_true(is_asleep, timeout=ASKED_S)
            await arena.put(hp=55)
            await asyncio.sleep(0.5)
            assert await status() == "hibernated"
            async with Client(serving.url, serving.token) as client:
                await client.join(session)
                await until_value(client, session, "hp", 55)
