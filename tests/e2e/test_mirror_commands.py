"""Identities of a real database see, and change by rows, what was granted to them and no more."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import re
import shlex
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from spacetimedb_client import ReducerError
from spacetimedb_client.testing import Server
from tests.sdk.conftest import server_program
from tests.support.client import CallFailed, Client
from tests.support.mirror_client import MirrorClient, mirror_command, until_published
from tests.support.mirrored import Mirrored
from tests.support.serving import Serving
from tests.support.waiting import until, until_true

__all__ = ["server_program"]

pytestmark = pytest.mark.slow
DATABASE = "watchglass"


@dataclass
class Scene:
    """A database, a server that mirrors into it, and its owner in the browser."""

    database: Server
    serving: Serving
    owner: Client
    mirrored: Mirrored

    def somebody(self) -> AbstractAsyncContextManager[MirrorClient]:
        return MirrorClient.opened(self.database.uri, DATABASE)

    async def say(self, *arguments: str) -> str:
        """What the command says, which succeeds."""
        status, said = await mirror_command(self.serving.data_dir, *arguments)
        assert status == 0, said
        return said


@pytest.fixture
async def scene(server_program: Path, tmp_path: Path, cache_dir: Path) -> AsyncIterator[Scene]:
    async with opened(server_program, tmp_path, cache_dir) as scene:
        yield scene


@asynccontextmanager
async def opened(program: Path, folder: Path, cache_dir: Path, *flags: str) -> AsyncIterator[Scene]:
    with Server(folder / "db", binary=program, in_memory=True) as database:
        mirror = ("--spacetimedb", f"{database.uri}/{DATABASE}", "--pool-min-size", "1", *flags)
        mirrored = Mirrored(database.uri, DATABASE, folder / "data")
        with Serving(folder, *mirror, cache_dir=cache_dir) as serving:
            await until_published(database.uri, DATABASE)
            async with Client(serving.url, serving.token) as owner:
                yield Scene(database, serving, owner, mirrored)


async def test_an_identity_sees_the_sessions_granted_to_it_while_they_are(scene: Scene) -> None:
    one, other = await scene.owner.create(name="one"), await scene.owner.create(name="other")
    await scene.owner.run(one, "x = 1; print('hello')")
    await scene.owner.run(other, "secret = 'B' * 20")
    async with scene.somebody() as ann, scene.somebody() as stranger:
        assert ann.seen() == {}
        said = await scene.say("grant", ann.identity, "viewer", one)
        assert said == f"{ann.identity} is viewer in session {one}.\n"
        await until(lambda: ann.values(one) == {"x": "1"})
        assert ann.seen()["output"] == 1
        assert {row.session for row in ann.db.session} == {one}
        # A transaction is told whole to whoever sees a row of it: it is of one session.
        told: list[bytes] = []
        ann.db.variable.on_update(lambda event, *_: told.append(event.reducer.args))
        await scene.owner.run(other, "secret = 'C' * 20; also = 1")
        await scene.owner.run(one, "x = 2")
        await until(lambda: ann.values(one) == {"x": "2"})
        assert told
        assert not any(b"secret" in args for args in told)
        assert stranger.seen() == {}

        await scene.say("revoke", ann.identity, one)
        await until(lambda: ann.seen() == {})
        await scene.owner.run(one, "x = 3")
        assert "nothing is granted" in (await scene.say("list")).lower()


async def test_each_of_several_identities_sees_each_change(scene: Scene) -> None:
    session = await scene.owner.create(name="one")
    async with scene.somebody() as ann, scene.somebody() as bob, scene.somebody() as eve:
        for who in (ann, bob, eve):
            await scene.say("grant", who.identity, "viewer", session)
        await until(lambda: all(len(who.db.session) == 1 for who in (ann, bob, eve)))
        await scene.owner.call("session.rename", session=session, name="two")
        await scene.owner.call("execute", session=session, code="while True: pass")
        tables = [(who.db.session, who.db.process) for who in (ann, bob, eve)]
        told = [("two", "busy")] * 3
        await until(
            lambda: (
                [(one.name, two.state) for each in tables for one, two in zip(*each, strict=True)]
                == told
            )
        )
        await scene.say("revoke", ann.identity, session)
        await until(lambda: ann.seen() == {})
        await scene.owner.call("session.destroy", session=session)
        await until(lambda: bob.seen() == eve.seen() == {})


async def test_editors_execute_and_set_and_delete_variables(scene: Scene) -> None:
    session = await scene.owner.create()
    async with scene.somebody() as ann:
        await scene.say("grant", ann.identity, "editor", session, "--name", "ann's game")
        done = await ann.ask("k1", session, "Execute", "x = 41")
        assert (done.ok, done.session, done.code, done.message) == (True, session, None, None)
        await until(lambda: ann.values(session) == {"x": "41"})
        row = ann.db.execution.key.find(f"{session}/{done.execution}")
        assert (row.code, row.author) == ("x = 41", "ann's game")
        assert await ann.ask("k1", session, "Execute", "x = 41") == done
        await ann.ask("k2", session, "SetVariable", "x", '[1, {"a": null}]')
        await until(lambda: ann.values(session) == {"x": '[1, {"a": null}]'})
        for text in ("[", "1e999"):
            wrong = await ann.ask(f"k3 {text}", session, "SetVariable", "x", text)
            assert (wrong.ok, wrong.code) == (False, "bad_request")
            assert "`json` is no JSON" in wrong.message
        await ann.ask("k4", session, "DeleteVariable", "x")
        await until(lambda: ann.values(session) == {})
        assert len(ann.db.execution) == 1
        assert await scene.mirrored.rows("command") == []


async def test_nobody_takes_the_id_of_an_execution_that_a_command_will_have(scene: Scene) -> None:
    session = await scene.owner.create()
    async with scene.somebody() as ann:
        await scene.say("grant", ann.identity, "editor", session)
        ids = hashlib.sha256(f"{ann.identity}/k".encode()).hexdigest()
        taken = {"code": "x = 1", "execution": f"m{ids[:31]}"}
        with pytest.raises(CallFailed) as refused:
            await scene.owner.call("execute", session=session, **taken)
        assert (refused.value.code, refused.value.error["field"]) == ("bad_request", "execution")
        done = await ann.ask("k", session, "Execute", "x = 2")
        assert (done.ok, done.execution) == (True, taken["execution"])


async def test_who_has_no_role_is_refused_and_learns_nothing(scene: Scene) -> None:
    session = await scene.owner.create()
    other = await scene.owner.create()
    async with scene.somebody() as ann, scene.somebody() as bob, scene.somebody() as stranger:
        await scene.say("grant", ann.identity, "editor", session)
        await scene.say("grant", bob.identity, "owner", other)
        refused = await bob.ask("k", session, "Execute", "x = 1")
        missing = await bob.ask("l", "nosuchsession", "Interrupt")
        assert (refused.code, missing.code) == ("unauthorized", "unauthorized")
        assert refused.message.replace(session, "nosuchsession") == missing.message
        for key, where, kind, *more in (
            ("a", session, "DestroySession"),
            ("b", "", "CreateSession", "mine"),
        ):
            answer = await ann.ask(key, where, kind, *more)
            assert (answer.ok, answer.code) == (False, "forbidden")
            assert "watchglass mirror grant" in answer.message
        for key in ("", "k" * 101):
            assert "Choose a new one" in (await ann.ask(key, session, "Interrupt")).message
        with pytest.raises(
            ReducerError, match="ask the owner of this server for `watchglass mirror"
        ):
            await stranger.ask("k", session, "Interrupt")
        await scene.say("revoke", bob.identity, other)
        with pytest.raises(ReducerError, match="you have no role in any session"):
            await bob.ask("m", other, "Interrupt")
        assert len(bob.db.command_result) == 2
        assert len(ann.db.command_result) == 4
        assert stranger.seen() == bob.seen() == {}


async def test_a_flood_of_strangers_holds_nobody_up(scene: Scene) -> None:
    session = await scene.owner.create()
    async with scene.somebody() as ann, scene.somebody() as stranger:
        await scene.say("grant", ann.identity, "editor", session)
        types = stranger.connection.bindings.types
        interrupt = types.Action.Interrupt()
        calls = (
            stranger.connection.reducers.command(str(number), session, interrupt)
            for number in range(2000)
        )
        flood = asyncio.gather(*calls, return_exceptions=True)
        assert (await ann.ask("k", session, "Execute", "x = 1")).ok
        assert {type(problem) for problem in await flood} == {ReducerError}
        assert len(stranger.db.command_result) == 0
        assert await scene.mirrored.rows("command") == []


async def test_of_a_command_of_many_megabytes_little_is_kept(scene: Scene) -> None:
    session = await scene.owner.create()
    async with scene.somebody() as ann:
        await scene.say("grant", ann.identity, "viewer", session)
        types = ann.connection.bindings.types
        large = 15 * 2**20
        await ann.connection.reducers.command("k" * large, "s" * large, types.Action.Interrupt())
        await until(lambda: len(ann.db.command_result) == 1)
        (row,) = ann.db.command_result
        assert (row.ok, row.code, len(row.command), len(row.session)) == (
            False,
            "bad_request",
            101,
            65,
        )
    assert "it is tried again" not in scene.serving.words()


async def test_what_waits_for_code_that_does_not_listen_stops_nobody_from_ending_it(
    scene: Scene,
) -> None:
    session = await scene.owner.create()
    async with scene.somebody() as ann, scene.somebody() as arena:
        await scene.say("grant", ann.identity, "editor", session)
        await scene.say("grant", arena.identity, "owner", session)
        await ann.ask("deaf", session, "Execute", "sum(range(10**13))")
        await until(lambda: [row.status for row in ann.db.execution] == ["running"])
        types = ann.connection.bindings.types
        edit = types.Action.SetVariable(types.SetVariable("x", "1"))
        for number in range(3):
            await ann.connection.reducers.command(f"edit {number}", session, edit)
        assert (await arena.ask("stop", session, "Interrupt")).ok
        assert (await arena.ask("end", session, "DestroySession")).ok
        await until(lambda: arena.seen() == {})


async def test_one_key_at_several_sessions_happens_once(scene: Scene) -> None:
    sessions = [await scene.owner.create() for _ in range(2)]
    async with scene.somebody() as ann:
        await scene.say("grant", ann.identity, "owner")
        types = ann.connection.bindings.types
        execute = types.Action.Execute(types.Execute("x = 1"))
        await asyncio.gather(
            *(ann.connection.reducers.command("k", each, execute) for each in sessions * 5)
        )
        await until_rows(scene.mirrored, "command", 0)
        assert len(ann.db.command_result) == len(await scene.mirrored.rows("execution")) == 1
        create = types.Action.CreateSession(types.CreateSession("made"))
        await asyncio.gather(
            *(ann.connection.reducers.command("new", str(number), create) for number in range(5))
        )
        await until(lambda: len(ann.db.command_result) == 2)
        await until_rows(scene.mirrored, "command", 0)
        await until(lambda: [row.name for row in ann.db.session].count("made") == 1)


async def until_rows(mirrored: Mirrored, table: str, count: int) -> None:
    async def are_there() -> bool:
        return len(await mirrored.rows(table)) == count

    await until_true(are_there)


async def test_an_owner_of_all_sessions_makes_and_ends_them(scene: Scene) -> None:
    async with scene.somebody() as arena:
        await scene.say("grant", arena.identity, "owner", "--name", "arena")
        assert f"{arena.identity}  owner  (all)    arena" in await scene.say("list")
        made = await arena.ask("new", "", "CreateSession", "made")
        await until(lambda: [row.name for row in arena.db.session] == ["made"])
        assert made.session == next(iter(arena.db.session)).session
        run = await arena.ask("loop", made.session, "Execute", "while True: pass")
        own = arena.db.execution.key
        name = f"{made.session}/{run.execution}"
        await until(lambda: (row := own.find(name)) and row.status == "running")
        await arena.ask("stop", made.session, "Interrupt")
        await until(lambda: own.find(name).status == "interrupted")
        await arena.ask("gone", made.session, "DestroySession")
        await until(lambda: arena.seen() == {} and len(arena.db.access) == 0)
        assert len(arena.db.command_result) == 4


async def test_an_imported_session_is_seen_at_once(scene: Scene) -> None:
    async with scene.somebody() as ann:
        await scene.say("grant", ann.identity, "viewer")
        headers = {"Authorization": f"Bearer {scene.serving.token}"}
        async with aiohttp.ClientSession(scene.serving.url, headers=headers) as http:
            path = "/api/sessions/import?format=py&name=old"
            async with http.post(path, data=b"x = 1\n") as response:
                assert response.status == 200
        await until(lambda: [row.name for row in ann.db.session] == ["old"])
        await until(lambda: [row.code for row in ann.db.execution] == ["x = 1"])


async def test_commands_that_came_while_no_server_ran_are_performed_by_the_next(
    scene: Scene,
) -> None:
    session = await scene.owner.create()
    await scene.owner.run(session, "count = 0")
    async with scene.somebody() as ann:
        await scene.say("grant", ann.identity, "editor", session)
        await until(lambda: ann.values(session) == {"count": "0"})
        scene.serving.kill()
        types = ann.connection.bindings.types
        add = types.Action.Execute(types.Execute("count += 1"))
        for key in ("a", "b", "a"):
            await ann.connection.reducers.command(key, session, add)
        scene.serving.start()
        await until(lambda: ann.values(session) == {"count": "2"})
        assert len(ann.db.command_result) == 2


async def test_in_a_public_mirror_everyone_sees_all_and_commands_only_by_a_role(
    server_program: Path, tmp_path: Path, cache_dir: Path
) -> None:
    async with opened(server_program, tmp_path, cache_dir, "--mirror-public") as scene:
        session = await scene.owner.create()
        await scene.owner.run(session, "x = 1")
        async with scene.somebody() as ann, scene.somebody() as bob:
            await until(lambda: ann.values(session) == bob.values(session) == {"x": "1"})
            await scene.say("grant", ann.identity, "viewer", session)
            assert (await ann.ask("k", session, "Interrupt")).code == "forbidden"
            assert len(bob.db.command_result) == 0


async def test_a_mirror_becomes_public_and_private_again_with_its_rows(
    server_program: Path, tmp_path: Path, cache_dir: Path
) -> None:
    with Server(tmp_path / "db", binary=server_program, in_memory=True) as database:
        mirror = ("--spacetimedb", f"{database.uri}/{DATABASE}", "--pool-min-size", "1")
        session = ""
        for flags, seen in ((), 0), (("--mirror-public",), 1), ((), 0):
            with Serving(tmp_path, *mirror, *flags, cache_dir=cache_dir) as serving:
                async with Client(serving.url, serving.token) as owner:
                    if session:
                        await owner.join(session)
                    session = session or await owner.create()
                    await owner.run(session, f"x = {seen}")
                    mirrored = Mirrored(database.uri, DATABASE, tmp_path / "data")
                    await until_rows(mirrored, "variable", 1)
                    async with MirrorClient.opened(database.uri, DATABASE) as ann:
                        assert len(ann.db.variable) == seen
            assert not (wrong := await mirrored.differences()), "\n".join(wrong)


async def test_the_commands_of_the_owner_say_what_is_wrong(scene: Scene, tmp_path: Path) -> None:
    identity = "c2" + "0" * 62
    for arguments, words in (
        (("grant", "xyz", "viewer"), "IDENTITY: 'xyz' is not 64 hexadecimal digits"),
        (("grant", identity, "viewer", "nosuchone"), "has no session 'nosuchone'"),
        (("revoke", identity), "this identity had no role in all sessions"),
        (("list", "--spacetimedb", scene.database.uri + "/other"), "has no token"),
        (("list", "--spacetimedb", "here"), "names no database"),
    ):
        status, said = await mirror_command(scene.serving.data_dir, *arguments)
        assert status == 1
        assert words in said
    status, said = await mirror_command(tmp_path / "empty", "list")
    assert (status, "no server with a mirror has run" in said) == (1, True)


async def test_the_page_is_right(scene: Scene, tmp_path: Path) -> None:
    session = await scene.owner.create()
    await scene.owner.run(session, "score = 1")
    shells, pythons = blocks("sh"), blocks("python")
    async with scene.somebody() as ann:
        for line in next(block for block in shells if " grant " in block).splitlines():
            words = shlex.split(line.replace("c200…8b1f", ann.identity))[2:]
            said = await scene.say(*(session if word == "aivqs2mvd6k4" else word for word in words))
            assert said
            if "viewer" in words:
                names = {"conn": ann.connection, "session": session}
                await performed(pythons[1], names)
                await until(lambda: ann.values(session) == {"score": "100"})
    printed: list[object] = []
    names = {"data_dir": scene.serving.data_dir, "print": lambda *words: printed.append(words)}
    reading = pythons[0].replace("http://127.0.0.1:3000", scene.database.uri)
    watching = asyncio.create_task(
        performed(reading + "\n    ready.set()\n    await asyncio.sleep(600)", names)
    )
    ready = names["ready"] = asyncio.Event()
    names["asyncio"] = asyncio
    await asyncio.wait({watching, asyncio.create_task(ready.wait())}, return_when="FIRST_COMPLETED")
    assert ready.is_set(), watching.exception()
    await scene.owner.run(session, "score = 7")
    await until(lambda: (session, "7") in printed)
    watching.cancel()


def blocks(language: str) -> list[str]:
    """The examples of the page."""
    page = (Path(__file__).parents[2] / "docs" / "mirror.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)```", page, re.MULTILINE | re.DOTALL)


async def performed(code: str, names: dict[str, Any]) -> None:
    """Run an example that awaits."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    work = eval(compile(code, "docs/mirror.md", "exec", flags=flags), names)
    await work
