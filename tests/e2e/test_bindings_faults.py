"""Variables and rows of which both sides change at once, through cuts and kills of either."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from spacetimedb_client.testing import Server
from tests.support.bound import ASKED_S, ROW, Game, bind, game, until_value
from tests.support.client import Client
from tests.support.databases import database, lasting, server_program, serving
from tests.support.serving import Serving
from tests.support.waiting import until_true
from tests.support.wire_proxy import WireProxy

__all__ = ["database", "lasting", "server_program", "serving"]

pytestmark = pytest.mark.slow
FIGHT = """
import random
chance = random.Random({seed})
for i in range({rounds} * 2000):
    if i % 40 == 0:
        hp = chance.randrange(256)
        unit["x"] = float(i)
        unit["name"] = f"session {{i}}"
"""


async def fight(arena: Game, client: Client, session: str, rounds: int, seed: int) -> None:
    """Both sides change the same columns, very often, for a while."""
    chance = random.Random(seed)
    code = FIGHT.format(seed=seed, rounds=rounds)
    running = asyncio.create_task(client.run(session, code, timeout=60))
    while not running.done():
        await arena.put(hp=chance.randrange(256), name=f"game {chance.random()}")
        await asyncio.sleep(0.003)  # so that on one processor the others have their turn
    await running


@pytest.mark.timeout(180)
async def test_both_sides_end_equal_however_both_changed_it(
    database: Server, serving: Serving
) -> None:
    async with game(database.uri) as arena, Client(serving.url, serving.token) as client:
        await arena.put(**ROW)
        session = await client.create()
        await bind(client, session, "hp", column="hp")
        await bind(client, session, "unit")
        for seed in range(3):
            await fight(arena, client, session, 100, seed)
            await arena_and_session_are_equal(arena, client, session)


@pytest.mark.timeout(180)
async def test_both_sides_end_equal_after_cuts_in_the_middle_of_it(
    database: Server, tmp_path: Path, cache_dir: Path
) -> None:
    async with WireProxy(database.port, seed=3) as proxy, game(database.uri) as arena:
        mirror = ("--spacetimedb", f"{proxy.uri}/cut", "--pool-min-size", "1")
        with Serving(tmp_path, *mirror, cache_dir=cache_dir) as serving:
            async with Client(serving.url, serving.token) as client:
                await arena.put(**ROW)
                session = await client.create()
                await bind(client, session, "hp", column="hp")
                await bind(client, session, "unit")
                for seed in range(5):
                    fighting = asyncio.create_task(fight(arena, client, session, 100, seed))
                    await asyncio.sleep(0.2)
                    proxy.cut()
                    await fighting
                    await client.run(session, f"hp = {seed}")
                await arena_and_session_are_equal(arena, client, session)
            await asyncio.to_thread(serving.stop)  # the proxy is in this loop


async def arena_and_session_are_equal(arena: Game, client: Client, session: str) -> None:
    """And they stay so."""

    async def are_equal() -> bool:
        row = {name: getattr(arena.unit(), name) for name in ROW}
        values = [await client.value(session, name) for name in ("hp", "unit")]
        return values == [row["hp"], row]

    await until_true(are_equal, timeout=ASKED_S)
    await asyncio.sleep(0.5)  # the record of it may still be on its way
    row, log = arena.unit(), client.log(session)
    seq = log.seq
    await asyncio.sleep(0.4)
    assert await are_equal()
    assert arena.unit() == row
    later = {log.events[one]["type"] for one in range(seq + 1, log.seq + 1)}
    assert later <= {"process.state", "mirror.state"}


@pytest.mark.timeout(180)
async def test_a_binding_holds_through_kills_of_the_database_the_process_and_the_server(
    lasting: Server, tmp_path: Path, cache_dir: Path
) -> None:
    token = "fixed-for-this-test"
    flags = ("--spacetimedb", f"{lasting.uri}/watchglass", "--pool-min-size", "1", "--token", token)
    with Serving(tmp_path, *flags, cache_dir=cache_dir) as serving:
        async with game(lasting.uri) as arena:
            await arena.put()
            async with Client(serving.url, token) as client:
                session = await client.create()
                await bind(client, session, "hp", column="hp")
                await bind(client, session, "unit")
                lasting.kill()
                await client.run(session, "hp = 5")
                assert await client.value(session, "hp") == 5
                await asyncio.to_thread(lasting.start)
                await arena.until(lambda: arena.unit().hp == 5, "hp of 5", timeout=60)
                await arena_and_session_are_equal(arena, client, session)
                os.kill(serving.children()[0], signal.SIGKILL)
                await client.log(session).event("process.state", state="dead")
                await arena.put(hp=6)
                await client.run(session, "1")
                await until_value(client, session, "hp", 6)
                await client.call("restart", session=session)
                await until_value(client, session, "hp", 6)
                await arena_and_session_are_equal(arena, client, session)
            await asyncio.to_thread(serving.kill)
            await arena.put(hp=7)
            await asyncio.to_thread(serving.start)
            async with Client(serving.url, token) as client:
                await client.join(session)
                await until_value(client, session, "hp", 7)
                await client.run(session, "hp = 8")
                await arena.until(lambda: arena.unit().hp == 8, "hp of 8")
                await client.run(session, "hp = 9")
            await asyncio.to_thread(serving.stop)
            await arena.until(lambda: arena.unit().hp == 9, "hp of 9")


@pytest.mark.timeout(3600)
async def test_both_sides_end_equal_after_faults_in_any_order(
    lasting: Server, tmp_path: Path, cache_dir: Path, soak: bool
) -> None:
    chance, token = random.Random(11), "fixed-for-this-test"
    async with WireProxy(lasting.port, seed=11) as proxy, game(lasting.uri) as arena:
        mirror = ("--spacetimedb", f"{proxy.uri}/watchglass", "--pool-min-size", "1")
        with Serving(tmp_path, *mirror, "--token", token, cache_dir=cache_dir) as serving:
            await arena.put(**ROW)
            async with Client(serving.url, token) as client:
                session = await client.create()
                await bind(client, session, "hp", column="hp")
                await bind(client, session, "unit")
            for seed in range(40 if soak else 4):
                async with Client(serving.url, token) as client:
                    await client.join(session)
                    await client.submit(session, FIGHT.format(seed=seed, rounds=60))
                    fault = chance.choice(("cut", "database", "process", "server"))
                    await asyncio.sleep(chance.random() * 0.5)
                    await happen(fault, serving, lasting, proxy)
                if fault == "server":
                    await asyncio.to_thread(serving.start)
                await arena.until(lambda: not arena.connection.is_stale, "rows", timeout=60)
                await arena.put(hp=seed)
            async with Client(serving.url, token) as client:
                await client.join(session)
                await client.run(session, "hp = 77", timeout=60)
                await arena_and_session_are_equal(arena, client, session)
            await asyncio.to_thread(serving.stop)  # the proxy is in this loop


async def happen(fault: str, serving: Serving, database: Server, proxy: WireProxy) -> None:
    match fault:
        case "cut":
            proxy.cut()
        case "database":
            database.kill()
            await asyncio.to_thread(database.start)
        case "process":
            for child in serving.children():
                os.kill(child, signal.SIGKILL)
        case "server":
            await asyncio.to_thread(serving.kill)
