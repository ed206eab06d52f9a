"""The client in a page: real Pyodide in a real Chromium, and in Node, with a real server."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Error

import hatch_build
from spacetimedb_bsatn import u32
from spacetimedb_client import connect
from spacetimedb_client.module import Module, Operation
from spacetimedb_client.pyodide_wheel import NAME, pyodide_wheel
from spacetimedb_client.testing import FakeServer
from tests.sdk.conftest import Database, Publish
from tests.support.arena import arena
from tests.support.browsing import chromium
from tests.support.commands import Commands
from tests.support.pyodide_page import Inside, pyodide_page, site
from tests.support.wire_proxy import WireProxy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    # One page serves all: it takes seconds to begin.
    pytest.mark.asyncio(loop_scope="module"),
]

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/spacetimedb.md"
CONNECT = """
from spacetimedb_client import *
from spacetimedb_client.errors import *

conn = await connect(uri, database, token=token)
conn.token == token
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page() -> AsyncIterator[Inside]:
    async with pyodide_page() as inside:
        yield inside


@pytest_asyncio.fixture(loop_scope="module")
async def inside(page: Inside) -> AsyncIterator[Inside]:
    """With no names of an earlier test, and no connection left for a later one."""
    await page.begin()
    yield page
    await page.run("if 'conn' in globals(): await conn.close()")
    await page.run("import gc; gc.collect()")
    assert page.complaints == []


@pytest_asyncio.fixture(loop_scope="module")
async def database(publish: Publish) -> Database:
    return await publish(arena())


async def connected(inside: Inside, database: Database, uri: str | None = None) -> None:
    token = database.owner.token
    given = {"uri": uri or database.uri, "database": database.name, "token": token}
    assert await inside.run(CONNECT, **given) is True


async def test_rows_calls_and_callbacks(inside: Inside, database: Database) -> None:
    await connected(inside, database)
    assert await inside.run("str(conn.identity)") == str(database.owner.identity)
    await inside.run("""
        told = []
        conn.db.level.on_insert(lambda _, row: told.append(("insert", row.player, row.level)))
        conn.db.level.on_update(lambda _, old, new: told.append(("update", old.level, new.level)))
        conn.db.level.on_delete(lambda _, row: told.append(("delete", row.player, row.level)))
        levels = await conn.subscribe("SELECT * FROM level")
    """)
    committed = "await conn.reducers.level_insert({'player': 1, 'level': 10}); len(conn.db.level)"
    assert await inside.run(committed) == 1
    async with connect(database.uri, database.name, token=database.owner.token) as other:
        await other.reducers.level_upsert({"player": 1, "level": 11})
        await other.reducers.level_insert({"player": 2**64 - 1, "level": 1})
    assert (
        await inside.run("await conn.reducers.level_delete(1); conn.db.level.player.find(1)")
        is None
    )
    assert await inside.run("str(told)") == str(
        [("insert", 1, 10), ("update", 10, 11), ("insert", 2**64 - 1, 1), ("delete", 1, 11)]
    )
    assert await inside.run("str(await conn.sql('SELECT * FROM level'))") == (
        f"[Level(player={2**64 - 1}, level=1)]"
    )
    await inside.run("await levels.unsubscribe(); await conn.close()")
    assert await inside.run("str(conn.state)") == "ConnectionState.CLOSED"


async def test_a_refusal_of_a_reducer_is_raised_and_changes_nothing(
    inside: Inside, database: Database
) -> None:
    await connected(inside, database)
    with pytest.raises(Error, match="ReducerError: refuse: not here"):
        await inside.run("await conn.reducers.refuse('not here')")
    with pytest.raises(Error, match="ReducerInternalError"):
        await inside.run("await conn.reducers.crash()")
    with pytest.raises(Error, match="ConversionError: level_insert"):
        await inside.run("await conn.reducers.level_insert({'player': -1, 'level': 1})")
    with pytest.raises(Error, match="SubscriptionError"):
        await inside.run("await conn.subscribe('SELECT * FROM nothing')")
    await inside.run("await conn.reducers.nothing()")


async def test_a_page_comes_back_with_its_lasting_token(inside: Inside, database: Database) -> None:
    token = database.owner.token
    port = int(database.uri.rsplit(":", 1)[1])
    async with WireProxy(port) as proxy:
        await connected(inside, database, proxy.uri)
        await inside.run("""
            lost, told = [], []
            conn.on_disconnect(lambda problem: lost.append(str(problem)))
            await conn.subscribe("SELECT * FROM level")
            for player in range(3):
                await conn.reducers.level_insert({"player": player, "level": 0})
            conn.db.level.on_insert(lambda event, row: told.append(("insert", event.cause.name)))
            conn.db.level.on_delete(lambda event, row: told.append(("delete", event.cause.name)))
        """)
        proxy.cut()
        async with connect(database.uri, database.name, token=token) as other:
            await other.reducers.level_delete(0)
            await other.reducers.level_insert({"player": 7, "level": 0})
        async with asyncio.timeout(20):
            while await inside.run("conn.is_stale or not lost"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await inside.run("sorted(row.player for row in conn.db.level)") == [1, 2, 7]
        assert await inside.run("lost") == ["the connection broke off"]
        assert sorted(await inside.run("told")) == [
            ["delete", "RECONNECTED"],
            ["insert", "RECONNECTED"],
        ]
        assert await inside.run("await conn.reducers.nothing(); conn.token == token") is True


@pytest.mark.parametrize("option", ["protocol='json'", "compression='gzip'", "light=True"])
async def test_every_kind_of_frame(inside: Inside, database: Database, option: str) -> None:
    await inside.run(
        f"""
        from spacetimedb_client import connect

        conn = await connect(uri, database, {option})
        await conn.subscribe("SELECT * FROM level", "SELECT * FROM blob")
        await conn.reducers.level_insert({{"player": 2**64 - 1, "level": 7}})
        await conn.reducers.blob_insert({{"id": 1, "data": bytes(range(256)) * 100}})
        """,
        uri=database.uri,
        database=database.name,
    )
    blob = f"Blob(id=1, data={bytes(range(256)) * 100!r})"
    rows = "str([*conn.db.level, *conn.db.blob])"
    assert await inside.run(rows) == f"[Level(player={2**64 - 1}, level=7), {blob}]"


async def test_large_messages_wait_for_the_network(inside: Inside, database: Database) -> None:
    await connected(inside, database)
    await inside.run("""
        import asyncio

        waited = []

        async def watch():
            while True:
                waited.append(conn._link._socket._channel.unsent_bytes)
                await asyncio.sleep(0)

        watching = asyncio.create_task(watch())
        await conn.subscribe("SELECT * FROM blob")
        for number in range(4):
            conn.reducers.blob_insert.nowait({"id": number, "data": bytes([number]) * 4_000_000})
        await conn.reducers.nothing()
        while len(conn.db.blob) < 4:
            await asyncio.sleep(0.01)
        watching.cancel()
    """)
    rows = "sorted((row.id, len(row.data), set(row.data) == {row.id}) for row in conn.db.blob)"
    assert await inside.run(rows) == [[number, 4_000_000, True] for number in range(4)]
    # One message at a time was handed to the browser, and the next one when it was gone.
    assert 1_000_000 < await inside.run("max(waited)") < 8_000_000


async def test_bindings_and_sql_without_a_connection(inside: Inside, database: Database) -> None:
    given = {"uri": database.uri, "database": database.name, "token": database.owner.token}
    assert await inside.run(
        """
        from spacetimedb_client import Admin, load

        bindings = await load(uri, database)
        async with Admin(uri, token=token) as admin:
            await admin.call(database, "level_insert", {"player": 3, "level": 4})
            rows = list(await admin.sql(database, "SELECT * FROM level WHERE player = ?", 3))
        [sorted(bindings.tables), rows[0].level, bindings.types.Level(1, 2).replace(level=5).level]
        """,
        **given,
    ) == [["blob", "call", "event", "level", "online", "player", "secret"], 4, 5]


async def test_somebody_new_stays_who_they_are(inside: Inside, database: Database) -> None:
    assert await inside.run(
        """
        from spacetimedb_client import connect

        conn = await connect(uri, database)
        async with connect(uri, database, token=conn.token) as again:
            same = conn.identity == again.identity and conn.token == again.token
        same
        """,
        uri=database.uri,
        database=database.name,
    )


async def test_administration(inside: Inside, database: Database) -> None:
    """The other methods of HTTP, and an answer that never ends."""
    given = {"uri": database.uri, "database": database.name, "token": database.owner.token}
    told = await inside.run(
        """
        import asyncio
        from spacetimedb_bsatn import u32
        from spacetimedb_client import Admin
        from spacetimedb_client.module import Module

        module = Module()
        module.mirror(module.table("thing", {"id": u32}, primary_key="id"))

        async def first_line(admin):
            async for line in admin.logs(database, lines=1, follow=True):
                return line.level

        async with Admin(uri, token=token) as admin:
            made = await admin.publish("made-in-a-page", module)
            called = await admin.call("made-in-a-page", "thing_insert", {"id": 5})
            found = [row.id for row in await admin.sql("made-in-a-page", "SELECT * FROM thing")]
            level = await asyncio.wait_for(first_line(admin), 10)
            names = await admin.names("made-in-a-page")
            await admin.delete("made-in-a-page")
        [made.operation, called.duration, found, level, names]
        """,
        **given,
    )
    assert told == ["created", None, [5], "Info", ["made-in-a-page"]]


async def test_what_is_wrong_has_the_same_errors_as_elsewhere(
    inside: Inside, database: Database
) -> None:
    await connected(inside, database)
    bound = "module=conn.bindings, check_schema='off'"  # the WebSocket is the first to ask
    for asked, error in {
        f"uri, database, token='bad', {bound}": "AuthError: .* does not accept the token",
        f"uri, 'nowhere', {bound}": "DatabaseNotFound: .* has no database 'nowhere'",
        f"'http://127.0.0.1:1', database, {bound}": "ConnectError: .* cannot be reached",
        "uri, 'nowhere'": "DatabaseNotFound",
        "'http://user:word@host', database": "ConnectError: an address has no user",
    }.items():
        with pytest.raises(Error, match=error):
            await inside.run(f"await connect({asked})")
    for facade in ("sync", "game_loop"):
        with pytest.raises(Error, match=r"InvalidState: .* inside Pyodide: use `async with"):
            await inside.run(
                f"from spacetimedb_client import {facade}; {facade}.connect(uri, database)"
            )


async def test_a_server_that_says_nothing_is_not_waited_for(
    inside: Inside, database: Database
) -> None:
    await connected(inside, database)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # nobody accepts what the kernel takes
        uri = "http://{}:{}".format(*silent.getsockname())
        for options in ("", ", module=conn.bindings, check_schema='off'"):
            with pytest.raises(Error, match=r"ConnectTimeout: .* within 0\.3 s"):
                await inside.run(f"await connect({uri!r}, 'x', timeout=0.3{options})")
    await inside.run("await conn.reducers.nothing()")


async def test_all_of_the_wheel_can_be_imported(inside: Inside) -> None:
    assert await inside.run("""
        import importlib, pkgutil, sys
        import spacetimedb_bsatn, spacetimedb_client

        found = [
            each.name
            for package in (spacetimedb_bsatn, spacetimedb_client)
            for each in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
        ]
        for name in found:
            importlib.import_module(name)
        [len(found) > 60, [name for name in ("aiohttp", "msgspec", "rich") if name in sys.modules]]
    """) == [True, []]


async def test_a_server_that_ends_the_connection_says_why(inside: Inside) -> None:
    async with FakeServer(arena(), protocol="v2") as server:
        uri, database = server.address
        with pytest.raises(
            Error, match="ConnectionLost: the server closed the connection with 1011"
        ):
            await inside.run(
                """
                from spacetimedb_client import connect

                conn = await connect(uri, database, reconnect=False)
                await conn._link._socket.send([b"no message"])
                await conn.wait_closed()
                """,
                uri=uri,
                database=database,
            )


async def test_the_page_of_the_document_runs_with_a_server_of_v2() -> None:
    module = Module()
    module.table("player", {"id": u32, "name": str}, primary_key="id")
    module.reducer("join_game", Operation.NOTE_CALL, module.calls_table(), params={"name": str})
    [html] = re.findall(r"```html\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert NAME in html
    async with FakeServer(module, protocol="v2", database="arena") as server:
        server.on_reducer(
            "join_game",
            lambda call, name: call.tx.insert("player", server.types.Player(1, name)),
        )
        server.insert("player", server.types.Player(0, "Bob"))
        html = html.replace("http://127.0.0.1:3000", server.uri)
        async with site(f"<!doctype html>\n{html}") as address, chromium() as browser:
            page = await browser.new_page()
            async with page.expect_console_message(
                lambda message: "Ann" in message.text, timeout=60_000
            ) as printed:
                await page.goto(address)
            said = (await printed.value).text
    assert said == "[Player(id=0, name='Bob'), Player(id=1, name='Ann')]"


async def test_a_program_in_node(database: Database, tmp_path: Path) -> None:
    wheel, program = tmp_path / NAME, tmp_path / "program.py"
    wheel.write_bytes(pyodide_wheel())
    program.write_text(f"""
from spacetimedb_client import ReducerError, connect

async with connect({database.uri!r}, {database.name!r}) as conn:
    await conn.subscribe("SELECT * FROM level")
    await conn.reducers.level_insert({{"player": 1, "level": 2}})
    try:
        await conn.reducers.refuse("not here")
    except ReducerError as problem:
        print(problem.message, list(conn.db.level))
""")
    node, _ = hatch_build.find_node()
    process = await asyncio.create_subprocess_exec(
        *(str(node), str(ROOT / "tests/support/pyodide_in_node.mjs"), str(wheel), str(program)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, problems = await process.communicate()
    assert process.returncode == 0, problems.decode()[-2000:]
    assert told.decode() == "not here [Level(player=1, level=2)]\n"


async def test_a_session_that_has_no_network_says_so(tmp_path: Path, cache_dir: Path) -> None:
    commands = Commands(tmp_path, cache_dir)
    commands.write(
        "program.py",
        f"""
import base64, pathlib, sys

wheel = pathlib.Path("client.whl")
wheel.write_bytes(base64.b64decode({base64.b64encode(pyodide_wheel()).decode()!r}))
sys.path.insert(0, str(wheel))
from spacetimedb_bsatn import Schema
from spacetimedb_client import Bindings, ConnectError, connect

nothing = Bindings(Schema((), (), (), ()))
for options in ({{}}, {{"module": nothing, "check_schema": "off"}}):
    try:
        await connect("http://127.0.0.1:3000", "arena", **options)
    except ConnectError as problem:
        print(problem)
""",
    )
    done = await asyncio.to_thread(commands.run, "run", "program.py")
    assert done.status == 0, done.stderr
    by_fetch, by_socket = done.stdout.splitlines()
    assert "cannot be reached: A session has no network" in by_fetch
    assert "cannot be reached: there is no network here" in by_socket
