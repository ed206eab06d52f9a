"""A server that is gone for good, and another one that goes on with what the mirror has of it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from spacetimedb_client import Admin, FileCredentials
from spacetimedb_client.testing import Server
from tests.support.client import Client, Json
from tests.support.databases import lasting, server_program
from tests.support.mirror_client import MirrorClient, mirror_command
from tests.support.mirrored import Mirrored
from tests.support.serving import Serving
from tests.support.waiting import until, until_true
from watchglass_server.mirroring import CREDENTIALS
from watchglass_sync.journal import Journal
from watchglass_sync.records import RESUMED_FROM

__all__ = ["lasting", "server_program"]

pytestmark = pytest.mark.slow
DATABASE = "watchglass"
CODE = """
import math
units = 3; print("hello"); half = "\\ud800"; nothing = None
points = [(1, 2.5), {"a": b"\\x00"}]; huge = 2**70; odd = {1, 2}; inf = float("inf")
text = "x" * 9000
def double(x): return 2 * x
class Endless:
    while units != 3: pass  # it is 4 when this is run again
gone = 1
"""


class Scene:
    """One database, and servers with a data directory each."""

    def __init__(self, database: Server, folder: Path, cache_dir: Path) -> None:
        self.uri, self._folder, self._cache_dir = database.uri, folder, cache_dir
        self.address = f"{database.uri}/{DATABASE}"

    def first(self) -> Serving:
        return self.serving("first")

    def second(self, name: str = "second") -> Serving:
        """It has the token of the first one's database, and nothing else of it."""
        kept = FileCredentials(self._folder / "first" / "data" / CREDENTIALS)
        token = self._folder / "token"
        shutil.copy(kept.path(self.uri, DATABASE), token)
        return self.serving(name, "--resume-from-mirror", "--spacetimedb-token-file", str(token))

    def serving(self, name: str, *arguments: str) -> Serving:
        mirror = ("--spacetimedb", self.address, "--pool-min-size", "1")
        return Serving(self._folder / name, *mirror, *arguments, cache_dir=self._cache_dir)

    def mirrored(self, name: str) -> Mirrored:
        return Mirrored(self.uri, DATABASE, self._folder / name / "data")


@pytest.fixture
def scene(lasting: Server, tmp_path: Path, cache_dir: Path) -> Scene:
    return Scene(lasting, tmp_path, cache_dir)


def verdicts(state: Json) -> dict[str, tuple[str, str | None]]:
    return {one["name"]: (one["verdict"], one["why"]) for one in state["restore"]}


async def killed_at_work(scene: Scene) -> tuple[str, str]:
    """The ids of the session and of its last execution, which never ended."""
    mirrored = scene.mirrored("first")
    with scene.first() as first:
        async with Client(first.url, first.token) as client:
            session = await client.create(name="arena")
            await client.run(session, CODE)
            await client.execute(session, "units += 1; del gone; units / 0")
            other = await client.create(name="ended")
            await client.call("session.destroy", session=other)
            last = await client.submit(session, "import time\nlate = 7\ntime.sleep(600)")

            async def is_there() -> bool:
                running = [row["status"] for row in await mirrored.rows("execution")]
                names = {row["name"] for row in await mirrored.rows("variable")}
                return running[-1:] == ["running"] and "late" in names

            await until_true(is_there)
            first.kill()
    return session, last


async def test_another_server_goes_on_with_code_and_variables_and_says_what_became_of_each(
    scene: Scene,
) -> None:
    session, last = await killed_at_work(scene)
    with scene.second() as second:
        assert "sessions to resume: 1" in second.words()
        async with Client(second.url, second.token) as client:
            (one,) = (await client.call("session.list"))["sessions"]
            assert (one["session"], one["name"], one["status"]) == (session, "arena", "hibernated")
            log = client.log(session)
            joined = await client.join(session)
            assert [each["status"] for each in joined["state"]["executions"]] == [
                "ok", "error", "died",
            ]  # fmt: skip
            ran_before = joined["state"]["executions"]
            assert [each["number"] for each in ran_before] == [1, 2, 3]
            assert ran_before[0]["code"] == CODE
            assert "late = 7" in ran_before[2]["code"]
            assert ran_before[2]["execution"] == last
            assert ran_before[0]["outputs"] == [
                {"type": "stream", "name": "stdout", "text": "hello\n"}
            ]
            assert ran_before[1]["outputs"][0]["message"] == "division by zero"
            code = "repr([units, half, nothing, points, huge, odd, inf, late])"
            ran = await client.run(session, f"print({code})")
            assert ran.stdout == (
                "[4, '\\ud800', None, [(1, 2.5), {'a': b'\\x00'}], 1180591620717411303424, {1, 2}, "
                "inf, 7]\n"
            )
            reset = await log.event("state.reset")
            assert reset["data"]["reason"] == "restored"
            told = verdicts(reset["data"])
            assert "gone" not in told
            assert {name for name, (verdict, _) in told.items() if verdict == "restored"} >= {
                "units", "half", "nothing", "points", "huge", "odd", "inf", "late",
            }  # fmt: skip
            assert told["text"] == ("rerun", "the mirror had no exact value of this str")
            again = "its definition in In [1] was run again"
            assert told["double"] == told["math"] == ("restored", again)
            endless = "its definition in In [1] was not run again: it took too long"
            assert told["Endless"] == ("rerun", endless)
            assert (await client.run(session, "double(math.floor(2.5))")).result == "4"
        second.stop()
    assert not (wrong := await scene.mirrored("second").differences()), "\n".join(wrong)
    async with await Journal.open(second.data_dir) as journal:
        (row,) = await journal.sessions()
    assert str(row.fields[RESUMED_FROM]).startswith("j")  # for a take-over that comes later


async def test_the_first_server_leaves_alone_what_another_one_continues(scene: Scene) -> None:
    session, _ = await killed_at_work(scene)
    with scene.second() as second:
        async with Client(second.url, second.token) as client:
            await client.join(session)
            await client.run(session, "units = 100")
            first = scene.first()
            with first:
                async with Client(first.url, first.token) as old:
                    await old.join(session)
                    await old.run(session, "units = -1")
                    mine = await old.create(name="mine")

                    async def is_mirrored() -> bool:
                        rows = await scene.mirrored("first").rows("session")
                        return mine in {row["session"] for row in rows}

                    await until_true(is_mirrored)
            assert f"session {session} is continued by another server" in first.words()
            await client.run(session, "units += 1")
        second.stop()
    wrong = await scene.mirrored("second").differences()
    assert [one for one in wrong if not one.startswith("sessions")] == []
    rows = await scene.mirrored("second").rows("variable")
    assert [row["preview"] for row in rows if row["key"] == f"{session}/units"] == ["101"]


async def test_a_server_that_runs_on_stops_writing_what_another_one_has_taken(
    scene: Scene,
) -> None:
    with scene.first() as first:
        async with Client(first.url, first.token) as old:
            session = await old.create(name="arena")
            await old.run(session, "x = 1")

            async def is_mirrored() -> bool:
                return len(await scene.mirrored("first").rows("variable")) == 1

            await until_true(is_mirrored)
            with scene.second() as second:
                await old.run(session, "x = 2")
                await old.run(session, "x = 3")
                await old.log(session).event("mirror.state", state="off")
                async with Client(second.url, second.token) as client:
                    await client.join(session)
                    assert await client.value(session, "x") == 1
                second.stop()
            await until_true(lambda: said(first, "is continued by another server"))
    assert not (wrong := await scene.mirrored("second").differences()), "\n".join(wrong)


async def said(serving: Serving, words: str) -> bool:
    return words in serving.words()


async def test_whoever_was_granted_a_session_goes_on_with_it_and_each_command_happens_once(
    scene: Scene,
) -> None:
    with scene.first() as first:
        async with (
            Client(first.url, first.token) as client,
            MirrorClient.opened(scene.uri, DATABASE) as ann,
        ):
            session = await client.create(name="arena")
            await client.run(session, "units = 1")
            status, said = await mirror_command(
                first.data_dir, "grant", ann.identity, "editor", session
            )
            assert status == 0, said
            await until(lambda: ann.values(session) == {"units": "1"})
            first.kill()
            asked = asyncio.create_task(ann.ask("k0", session, "Execute", "units += 10"))
            await asyncio.sleep(0.2)
            with scene.second() as second:
                assert (await asked).ok
                await until(lambda: ann.values(session) == {"units": "11"})
                with first:
                    for number in range(5):
                        done = await ann.ask(f"k{number + 1}", session, "Execute", "units += 1")
                        assert done.ok
                    await until(lambda: ann.values(session) == {"units": "16"})
                    async with Client(first.url, first.token) as old:
                        await old.join(session)
                        listed = await old.call("execution.list", session=session)
                        assert len(listed["executions"]) == 1
                second.stop()
    assert not (wrong := await scene.mirrored("second").differences()), "\n".join(wrong)


async def test_nothing_is_doubled_by_a_server_that_is_killed_while_it_resumes(
    scene: Scene,
) -> None:
    count = 8
    with scene.first() as first:
        async with Client(first.url, first.token) as client:
            sessions = [await client.create(name=f"s{n}") for n in range(count)]
            for number, session in enumerate(sessions):
                await client.run(session, f"for i in range({300 + number}): x = i; print(i)")

            async def is_there() -> bool:
                rows = await scene.mirrored("first").rows("execution")
                return [row["status"] for row in rows] == ["ok"] * count

            await until_true(is_there)
        first.kill()
    second = scene.second()
    resumed, taken = "resumed session", "takes over its rows"
    for mark in ("sessions to resume", resumed, resumed, taken, taken):
        await killed_after(second, mark)
    assert max(second.words().count(f"{resumed} {session}") for session in sessions) == 1
    with second:
        async with Client(second.url, second.token) as client:
            listed = (await client.call("session.list"))["sessions"]
            assert {one["session"] for one in listed} == set(sessions)
            for number, session in enumerate(sessions):
                await client.join(session)
                assert await client.value(session, "x") == 299 + number
                listed = await client.call("execution.list", session=session)
                assert len(listed["executions"]) == 1
        second.stop()
    assert not (wrong := await scene.mirrored("second").differences()), "\n".join(wrong)
    positions = await scene.mirrored("second").rows("position")
    assert len({row["origin"] for row in positions}) == 1


async def killed_after(serving: Serving, mark: str) -> None:
    """Started, and killed as soon as its log has these words once more."""
    serving.home.mkdir(parents=True, exist_ok=True)
    serving.log.touch()
    marks = serving.words().count(mark)
    starting = asyncio.create_task(asyncio.to_thread(serving.start))

    async def is_said() -> bool:
        return starting.done() or serving.words().count(mark) > marks

    await until_true(is_said, interval=0.002)
    serving.kill()
    await asyncio.gather(starting, return_exceptions=True)


async def test_rows_that_cannot_be_are_counted_and_cost_nothing_else(scene: Scene) -> None:
    with scene.first() as first:
        async with Client(first.url, first.token) as client:
            good, bare = await client.create(name="good"), await client.create(name="bare")
            await client.run(good, "print('a'); x = 1; 2")
            mirrored = scene.mirrored("first")

            async def is_there() -> bool:
                rows = await mirrored.rows("execution")
                return [row["status"] for row in rows] == ["ok"] and len(
                    await mirrored.rows("session")
                ) == 2

            await until_true(is_there)
        first.kill()
    kept = FileCredentials(scene.serving("first").data_dir / CREDENTIALS)
    async with Admin(scene.uri, token=kept.load(scene.uri, DATABASE)) as admin:
        await admin.sql(DATABASE, "UPDATE output SET kind = 'telepathy' WHERE kind = 'stream'")
        await admin.sql(DATABASE, "DELETE FROM session WHERE session = ?", bare)
    with scene.second() as second:
        words = second.words()
        assert "with exact values; left out 1 rows that cannot be" in words
        assert f"session '{bare}' is not resumed: it has no row in `session`" in words
        async with Client(second.url, second.token) as client:
            assert len((await client.call("session.list"))["sessions"]) == 1
            joined = await client.join(good)
            (ran,) = joined["state"]["executions"]
            assert [each["type"] for each in ran["outputs"]] == ["execute_result"]
            assert await client.value(good, "x") == 1
        second.stop()
    wrong = await scene.mirrored("second").differences()
    assert wrong == []
    positions = await mirrored.rows("position")
    assert len({row["origin"] for row in positions}) == 2


async def test_a_token_of_somebody_else_opens_nothing(scene: Scene, tmp_path: Path) -> None:
    await killed_at_work(scene)
    async with Admin(scene.uri) as admin:
        token = tmp_path / "token"
        token.write_text((await admin.create_identity()).token)
    arguments = ("--resume-from-mirror", "--spacetimedb-token-file", str(token))
    serving = scene.serving("other", *arguments)
    with pytest.raises(AssertionError, match="owner"):
        await asyncio.to_thread(serving.start)
    assert "Traceback" not in serving.words()
    assert "start without --resume-from-mirror" in serving.words()


def test_without_a_token_it_says_where_one_is(scene: Scene) -> None:
    serving = scene.serving("alone", "--resume-from-mirror")
    with pytest.raises(AssertionError, match="--spacetimedb-token-file"):
        serving.start()
    assert "in spacetimedb/" in serving.words()


def test_with_no_database_it_says_what_can_be_done(
    lasting: Server, scene: Scene, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("not-looked-at")
    arguments = ("--resume-from-mirror", "--spacetimedb-token-file", str(token))
    serving = scene.serving("alone", *arguments)
    with pytest.raises(AssertionError, match="start without --resume-from-mirror"):
        serving.start()
    lasting.kill()
    with pytest.raises(AssertionError, match="start without --resume-from-mirror"):
        serving.start()
