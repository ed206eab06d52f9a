"""Sessions as rows of a real database, through cuts and kills of either side."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from pathlib import Path
from typing import Self

import pytest
from aiohttp import ClientSession

from spacetimedb_client import Admin, ConnectError
from spacetimedb_client.testing import Server
from tests.support.client import Client
from tests.support.databases import lasting, server_program
from tests.support.mirror_client import mirror_command, until_published
from tests.support.mirrored import Mirrored
from tests.support.serving import Serving
from tests.support.waiting import until_true
from tests.support.wire_proxy import WireProxy

__all__ = ["lasting", "server_program"]

pytestmark = pytest.mark.slow
DATABASE = "watchglass"
FAULTS = ("cut", "cut in a batch", "kill database", "kill mirror", "kill server")


async def test_what_runs_is_seen_as_rows(lasting: Server, tmp_path: Path, cache_dir: Path) -> None:
    mirrored = Mirrored(lasting.uri, DATABASE, tmp_path / "data")
    mirror = ("--spacetimedb", f"{lasting.uri}/{DATABASE}", "--pool-min-size", "1")
    with Serving(tmp_path, *mirror, cache_dir=cache_dir) as serving:
        assert await mirrored.rows("session") == [], "the tables are there before it says ready"
        async with Client(serving.url, serving.token) as client:
            session = await client.create(name="arena")
            await client.run(session, "units = 3; print('hello'); name = '\\ud800'; nothing = None")
            await client.execute(session, "del nothing; units / 0")

            async def is_there() -> bool:
                rows = await mirrored.rows("execution")
                return [row["status"] for row in rows] == ["ok", "error"]

            await until_true(is_there)
            variables = {row["name"]: row for row in await mirrored.rows("variable")}
            assert variables["units"]["value"].value == 3
            assert variables["units"]["json"] == "3"
            assert variables["name"]["json"] == '{"$type": "str", "value": "7aCA"}'
            assert "nothing" not in variables
            (process,) = await mirrored.rows("process")
            assert process["state"] == "idle"
            (one,) = await mirrored.rows("session")
            assert (one["session"], one["name"], one["executions"]) == (session, "arena", 2)
            assert {row["role"] for row in await mirrored.rows("participant")} == {"owner"}
            gone = await client.create()
            await client.run(gone, "x = 1")
            await client.call("session.destroy", session=gone)

            async def is_gone() -> bool:
                return len(await mirrored.rows("session")) == 1

            await until_true(is_gone)
            found = await imported(serving, b"kept = 1\n", "py")

            async def is_here() -> bool:
                return any(row["session"] == found for row in await mirrored.rows("session"))

            await until_true(is_here)
        serving.stop()
    assert await mirrored.rows("participant") == []
    assert not (wrong := await mirrored.differences()), "\n".join(wrong)


async def imported(serving: Serving, file: bytes, form: str) -> str:
    """The session that a file becomes."""
    url = f"{serving.url}/api/sessions/import?format={form}"
    headers = {"Authorization": f"Bearer {serving.token}"}
    async with ClientSession() as http, http.post(url, data=file, headers=headers) as answer:
        session: str = (await answer.json())["session"]
        return session


@pytest.mark.timeout(3600)
async def test_after_cuts_and_kills_in_any_order_the_tables_are_what_the_journal_says(
    lasting: Server, tmp_path: Path, cache_dir: Path, soak: bool
) -> None:
    chance = random.Random(5)
    mirrored = Mirrored(lasting.uri, DATABASE, tmp_path / "data")
    async with WireProxy(lasting.port, seed=5) as proxy:
        address = f"{proxy.uri}/{DATABASE}"
        mirrored.uri = proxy.uri
        arguments = ("--spacetimedb", address, "--pool-min-size", "1")
        serving = Serving(tmp_path, *arguments, cache_dir=cache_dir)
        with serving:
            faults = [*FAULTS, *chance.choices(FAULTS, k=96 if soak else 6)]
            chance.shuffle(faults)
            asker = await Asker.granted(serving, lasting.uri)
            for fault in faults:
                await under_load(serving, fault, lasting, proxy, asker)
            async with Client(serving.url, serving.token) as client:
                await client.create(name="last")

                async def is_there() -> bool:
                    rows = await mirrored.rows("session")
                    return any(row["name"] == "last" for row in rows)

                await until_true(is_there)
                await until_true(asker.is_answered)
            await asyncio.to_thread(serving.stop)  # the proxy is in this loop
            ran = Counter(row["code"] for row in await mirrored.rows("execution"))
            assert {ran[code] for code in asker.codes} == {1}
        assert not (wrong := await mirrored.differences()), "\n".join(wrong)


async def under_load(
    serving: Serving, fault: str, database: Server, proxy: WireProxy, asker: Asker
) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        running = asyncio.create_task(
            client.execute(session, "for i in range(400):\n  x = i; print(i)\n  y = [x] * 3")
        )
        asking = asyncio.create_task(asker.execute(session))
        await asyncio.sleep(0.2)
        if fault == "cut":
            proxy.cut()
        elif fault == "cut in a batch":
            proxy.cut_after(700, for_client=False)
            await asyncio.sleep(0.3)
        elif fault == "kill database":
            database.kill()
            await asyncio.sleep(0.1)
            await asyncio.to_thread(database.start)
        elif fault == "kill mirror":
            await kill_mirror(serving)
        else:
            await asyncio.to_thread(serving.kill)
            running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    if fault == "kill server":
        await asyncio.to_thread(serving.start)
    await asyncio.wait_for(asking, 60)


def is_process(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def kill_mirror(serving: Serving) -> None:
    """The process of the mirror, as soon as there is one."""

    async def is_there() -> bool:
        return len(serving.mirrors()) == 1

    await until_true(is_there)
    os.kill(serving.mirrors()[0], signal.SIGKILL)


async def test_the_mirror_is_a_process_that_nobody_waits_for_and_that_comes_back(
    lasting: Server, tmp_path: Path, cache_dir: Path
) -> None:
    mirrored = Mirrored(lasting.uri, DATABASE, tmp_path / "data")
    mirror = ("--spacetimedb", f"{lasting.uri}/{DATABASE}", "--pool-min-size", "1")
    with Serving(tmp_path, *mirror, cache_dir=cache_dir) as serving:
        async with Client(serving.url, serving.token) as client:
            session = await client.create()

            async def has(value: int) -> None:
                async def is_there() -> bool:
                    return [row["value"].value for row in await mirrored.rows("variable")] == [
                        value
                    ]

                await until_true(is_there)

            await client.run(session, "x = 1")
            await has(1)
            await kill_mirror(serving)
            await client.run(session, "x = 2")
            await has(2)
            (stopped,) = serving.mirrors()
            os.kill(stopped, signal.SIGSTOP)
            await client.run(session, "x = 3")
            told = await client.log(session).event("mirror.state", state="behind")
            assert told["data"]["behind_by"] > 0
            await asyncio.to_thread(serving.kill)
            os.kill(stopped, signal.SIGCONT)

            async def is_gone() -> bool:
                return not is_process(stopped)

            await until_true(is_gone)
        await asyncio.to_thread(serving.start)
        await has(3)
        (stopped,) = serving.mirrors()
        os.kill(stopped, signal.SIGSTOP)
        await asyncio.to_thread(serving.stop)
        assert not is_process(stopped)
    words = serving.words()
    assert words.count("another one is started") == 1
    assert words.count("does not end") == 1


class Asker:
    """Somebody who has code executed by rows, and asks again, with the same key, until it is."""

    def __init__(self, uri: str, token: str) -> None:
        self.codes: list[str] = []
        self._uri, self._token = uri, token

    @classmethod
    async def granted(cls, serving: Serving, uri: str) -> Self:
        await until_published(uri, DATABASE)
        async with Admin(uri) as admin:
            made = await admin.create_identity()
        status, said = await mirror_command(serving.data_dir, "grant", str(made.identity), "editor")
        assert status == 0, said
        return cls(uri, made.token)

    async def execute(self, session: str) -> None:
        code = f"asked = {len(self.codes)}"
        self.codes.append(code)
        while code not in await self._answered():
            with contextlib.suppress(ConnectError):
                async with Admin(self._uri, token=self._token) as admin:
                    types = (await admin.bindings(DATABASE)).types
                    action = types.Action.Execute(types.Execute(code))
                    await admin.call(DATABASE, "command", code, session, action)
            await asyncio.sleep(0.2)

    async def is_answered(self) -> bool:
        return await self._answered() >= set(self.codes)

    async def _answered(self) -> set[str]:
        with contextlib.suppress(ConnectError):
            async with Admin(self._uri, token=self._token) as admin:
                rows = await admin.sql(DATABASE, "SELECT * FROM command_result")
                return {row.command for row in rows if row.ok}
        return set()
