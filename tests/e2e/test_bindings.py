"""Variables that are rows of a game's database, at a real server and a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacetimedb_client.testing import Server
from tests.sdk.conftest import server_program
from tests.support.bound import game, until_true
from tests.support.client import CallFailed, Client
from tests.support.serving import Serving

__all__ = ["server_program"]

pytestmark = pytest.mark.slow
ROW = {"id": 3, "hp": 10, "x": 0.0, "name": "Ann"}


@pytest.fixture
def lasting(server_program: Path, tmp_path: Path) -> Iterator[Server]:
    """A database server that keeps its rows on disk."""
    with Server(tmp_path / "db", binary=server_program, in_memory=False) as server:
        yield server


@pytest.fixture
def serving(lasting: Server, tmp_path: Path, cache_dir: Path) -> Iterator[Serving]:
    mirror = ("--spacetimedb", f"{lasting.uri}/watchglass", "--pool-min-size", "1")
    with Serving(
        tmp_path, *mirror, "--token", "fixed-for-this-test", cache_dir=cache_dir
    ) as started:
        yield started


async def bind(client: Client, session: str, name: str, **fields: object) -> dict[str, object]:
    """As soon as the mirror has been at its database: by its identity rows are bound."""
    where = {"table": "arena/unit", "key": 3, **fields}
    answers = []

    async def is_answered() -> bool:
        try:
            answers.append(await client.call("session.bind", session=session, name=name, **where))
        except CallFailed as failed:
            if failed.code != "not_available":
                raise
        return bool(answers)

    await until_true(is_answered)
    return answers[0]


async def until_value(client: Client, session: str, name: str, value: object) -> None:
    log = client.log(session)
    await log.until(
        lambda: log.variables.get(name, {}).get("value", "?") == value, f"{name} = {value!r}"
    )


async def test_a_column_is_a_variable_both_ways(lasting: Server, serving: Serving) -> None:
    async with game(lasting.uri) as arena, Client(serving.url, serving.token) as client:
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
    lasting: Server, serving: Serving
) -> None:
    async with game(lasting.uri) as arena, Client(serving.url, serving.token) as client:
        await arena.put()
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
