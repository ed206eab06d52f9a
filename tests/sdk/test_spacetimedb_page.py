"""docs/spacetimedb.md names every public call, and each of its programs runs as it is printed."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

import spacetimedb_bsatn
import spacetimedb_client
import spacetimedb_client.earlier_names
import spacetimedb_client.game_loop
import spacetimedb_client.module
import spacetimedb_client.sync
import spacetimedb_client.testing
from spacetimedb_bsatn import Schema, f64, u32, u64
from spacetimedb_client import Delete, Insert, Update, connect
from spacetimedb_client.connecting import connect as connect_with_arguments
from spacetimedb_client.module import Module, Operation
from spacetimedb_client.tables import IndexHandle, TableHandle
from spacetimedb_client.testing import FakeServer
from tests.sdk.conftest import Publish

PAGE = (Path(__file__).parents[2] / "docs" / "spacetimedb.md").read_text()
WORDS = set(re.findall(r"\w+", PAGE))
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
LISTED: tuple[ModuleType, ...] = (
    spacetimedb_bsatn,
    spacetimedb_client,
    spacetimedb_client.module,
    spacetimedb_client.testing,
)
# Without a list of public names: their classes are reached by what `connect` returns.
REACHED: tuple[type, ...] = (
    TableHandle,
    IndexHandle,
    spacetimedb_client.sync.SyncConnection,
    spacetimedb_client.sync.SyncTable,
    spacetimedb_client.sync.SyncIndex,
    spacetimedb_client.sync.SyncCall,
    spacetimedb_client.sync.SyncSubscription,
    spacetimedb_client.game_loop.GameConnection,
    spacetimedb_client.earlier_names.ModernSpacetimeDBClient,
    spacetimedb_client.earlier_names.ClientBuilder,
    spacetimedb_client.earlier_names.SubscriptionBuilder,
)
# What one part of the client asks of another: no call of a user's.
INNER = {
    "Changes": {"put", "has_room"},
    "Classes": {"name_of", "resolved", "is_flat"},
    "Connection": {"check_thread", "live_link", "end_subscription"},
    "Schema": {"row_type", "of_public", "name_of", "view_as_table"},
    "TableHandle": {"dispatch", "has_streams", "has_room"},
}


def public_classes() -> Iterator[type]:
    yield from REACHED
    for package in LISTED:
        for name in package.__all__:
            value = getattr(package, name)
            if inspect.isclass(value) and value.__module__.startswith("spacetimedb_"):
                yield value


def calls_of(made: type) -> set[str]:
    """Its own methods and properties."""
    kinds = (FunctionType, property, classmethod, staticmethod)
    own = {name for name, value in vars(made).items() if isinstance(value, kinds)}
    return {name for name in own if not name.startswith("_")}


@pytest.mark.parametrize("package", LISTED, ids=lambda each: each.__name__)
def test_each_public_name_is_on_the_page(package: ModuleType) -> None:
    assert not [name for name in package.__all__ if name not in WORDS]


def test_each_public_method_is_on_the_page() -> None:
    missing = {
        f"{made.__name__}.{name}"
        for made in public_classes()
        for name in calls_of(made) - INNER.get(made.__name__, set()) - WORDS
    }
    assert not missing


def test_each_argument_of_connect_is_in_its_table() -> None:
    section = PAGE.partition("## Connecting")[2].partition("\n## ")[0]
    told = set(re.findall(r"`(\w+)`", section))
    assert set(inspect.signature(connect_with_arguments).parameters) - {"uri", "database"} <= told


def arena() -> Schema:
    """What the programs of the page connect to."""
    module = Module()
    phase = module.enum("Phase", "Lobby", "Running")
    columns = {"id": u64, "name": str, "score": int, "phase": phase, "banned": bool}
    indexes = ["score", ("phase", "score")]
    module.table("player", columns, primary_key="id", unique=["name"], indexes=indexes)
    module.table("level", {"player_id": u64, "level": u32}, primary_key="player_id")
    module.reducer("join_game", Operation.NOTHING, params={"name": str})
    module.reducer("move", Operation.NOTHING, params={"x": f64, "y": f64})
    player, *others = module.schema.tables
    named = tuple(
        replace(each, accessor={"score": "by_score"}.get(each.accessor or "", each.accessor))
        for each in player.indexes
    )
    return replace(module.schema, tables=(replace(player, indexes=named), *others))


@pytest.fixture
async def server() -> Any:
    """The page's own, with a player in it."""
    async with FakeServer(arena(), database="arena") as fake:
        player = fake.types.Player

        def join(call: Any, name: str) -> None:
            rows = call.tx.rows("player")
            call.tx.insert("player", player(len(rows) + 1, name, 100, 1, False))

        fake.on_reducer("join_game", join)
        fake.on_reducer("move", lambda *_: None)
        yield fake


def block(beginning: str) -> str:
    """A program of the page; where it leaves something out, nothing is."""
    [found] = [each for each in BLOCKS if each.startswith(beginning)]
    return str(found).replace("…", "...")


async def run(text: str, uri: str, **names: Any) -> dict[str, Any]:
    """As if it stood in a coroutine."""
    text = text.replace("http://127.0.0.1:3000", uri)
    code = compile(text, "docs/spacetimedb.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    made: Callable[[], Any] = FunctionType(code, names)
    result = made()
    if code.co_flags & inspect.CO_COROUTINE:
        assert isinstance(result, Awaitable)
        await result
    return names


async def run_in_thread(text: str, uri: str, **names: Any) -> None:
    """A program with a loop of its own."""
    code = compile(text.replace("http://127.0.0.1:3000", uri), "docs/spacetimedb.md", "exec")
    await asyncio.to_thread(exec, code, names)


async def test_the_first_program(server: FakeServer, capsys: pytest.CaptureFixture[str]) -> None:
    await run_in_thread(block("import asyncio\nfrom spacetimedb_client import connect"), server.uri)
    assert capsys.readouterr().out == "Ann 100\n"


async def test_the_programs_about_rows(server: FakeServer) -> None:
    async with connect(*server.address) as conn:
        await conn.subscribe("SELECT * FROM player")
        for name in ("Ann", "Bo"):
            await conn.reducers.join_game(name)
        phases = conn.bindings.types.Phase
        await run(block("players = conn.db.player"), server.uri, conn=conn, Phase=phases)
        queries = block("t = arena.tables").replace("arena.tables", "queries")
        query = conn.queries.player.where(name="Ann")
        names = {"queries": conn.queries, "query": query, "row": next(iter(conn.db.player))}
        await run(queries, server.uri, **names)
        kinds = {"Insert": Insert, "Update": Update, "Delete": Delete}
        changes = block("async for change in")
        iterating = asyncio.create_task(run(changes, server.uri, conn=conn, **kinds))
        await conn.reducers.join_game("Cy")
    async with asyncio.timeout(5):
        await iterating


async def test_the_program_without_asyncio(
    server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_in_thread(block("from spacetimedb_client.sync"), server.uri)
    assert capsys.readouterr().out.startswith("Player(id=1, name='Ann'")


async def test_the_program_that_draws_frames(server: FakeServer) -> None:
    class Enough(Exception):
        pass

    drawn: list[int] = []

    def draw(players: Any) -> None:
        drawn.append(len(players))
        if len(drawn) == 10:
            raise Enough

    names: dict[str, Any] = {"draw": draw}
    with pytest.raises(Enough):
        await run_in_thread(block("from spacetimedb_client.game_loop"), server.uri, **names)
    assert drawn == [0] * 10


async def test_the_program_about_bytes() -> None:
    await run(block("from spacetimedb_bsatn import Classes"), "")


async def test_the_programs_that_publish_and_administer(
    publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    database = await publish(Module())
    owner = {"token": database.owner.token}
    text = block("from spacetimedb_client.module")
    async with database.admin() as admin:
        names = await run(text, database.uri, admin=admin, u64=u64)
        module: Module = names["module"]
        arena_types = await admin.bindings("arena")
        player = arena_types.types.Player(0, "O'Hara", arena_types.types.Phase.Lobby)
        await admin.call("arena", "player_insert", player)
        # The page's arena has a reducer, and logs that somebody follows for ever.
        words = block('async with Admin("http').replace("arena.Player", "arena.types.Player")
        words = words.replace('"join_game", name="Ann"', '"player_clear"')
        words = words.replace(", follow=True", "")
        names = {"Admin": spacetimedb_client.Admin, "wasm": module.build(), "arena": arena_types}
        await run(words, database.uri, **names, **owner)
        await admin.delete("arena")
    assert "O'Hara" in capsys.readouterr().out


async def test_the_program_with_a_fake_server(capsys: pytest.CaptureFixture[str]) -> None:
    await run_in_thread(block("import asyncio\nfrom spacetimedb_bsatn import u32"), "")
    assert capsys.readouterr().out == "['Ann', 'Bob']\n"


async def test_the_test_of_the_page(publish: Publish) -> None:
    module = Module()
    module.table("player", {"id": u32}, primary_key="id")
    names = await run(block("async def test_joining"), "", module=module, connect=connect)
    await names["test_joining"](publish)


def test_each_program_of_the_page_is_run_by_a_test() -> None:
    asked = re.findall(r"block\([\"'](.+?)[\"']\)", Path(__file__).read_text())
    begun = tuple(each.encode().decode("unicode_escape") for each in asked)
    assert [each for each in BLOCKS if not each.startswith(begun)] == []
