"""The history of a variable, asked of a real server: who wrote it, where, and when."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client import CallFailed, Client
from tests.support.serving import Serving

pytestmark = pytest.mark.slow


def ben_at(server: Serving) -> Client:
    return Client(server.url, server.token, name="Ben")


async def changes(client: Client, session: str, name: str, **fields: object) -> list[Any]:
    answer = await client.call("variable.history", session=session, name=name, **fields)
    return list(answer["changes"])


async def test_each_change_says_who_made_it_where_and_what_it_was(server: Serving) -> None:
    async with Client(server.url, server.token) as ada, ben_at(server) as ben:
        session = await ada.create()
        await ada.join(session)
        await ben.join(session)
        ran = await ada.run(session, "# a comment\nx = 1.5")
        await ben.call("variable.set", session=session, name="x", expression="float('nan')")
        await ben.run(session, "x = [1, 2]")
        await ada.call("variable.set", session=session, path=["x", {"index": 0}], value=9)
        await ben.call("variable.delete", session=session, name="x")
        found = (await changes(ada, session, "x"))[::-1]
        assert [(one["op"], one["author"], one["line"]) for one in found] == [
            ("set", "Ada", 2),
            ("set", "Ben", None),
            ("set", "Ben", 1),
            ("set", "Ada", None),
            ("delete", "Ben", None),
        ]
        assert [one["preview"] for one in found] == ["1.5", "nan", "[1, 2]", "[9, 2]", None]
        assert [one["type"] for one in found] == ["float", "float", "list", "list", None]
        assert found[0]["execution"] == ran.execution
        assert [one["nth"] for one in found] == [1, 2, 3, 4, 5]
        assert [one["number"] for one in found] == [1, None, 2, None, None]
        assert [one["execution"] is None for one in found] == [False, True, False, True, True]
        told = [
            (one["author"], one["op"])
            for event in ada.log(session).events.values()
            if event["type"] == "variables.changed"
            for one in event["data"]["changes"]
        ]
        assert told == [(one["author"], one["op"]) for one in found]


async def test_the_line_is_one_of_the_execution_that_made_the_change(server: Serving) -> None:
    async with Client(server.url, server.token) as ada:
        session = await ada.create()
        step = "# 1\n# 2\n# 3\ndef step():\n    global x\n    x = x + 1\n"
        await ada.run(session, step + "x = 0\nstep()")
        await ada.run(session, "\nstep()")
        later = "import asyncio\nasync def tick():\n    await asyncio.sleep(0.2)\n    step()\n"
        await ada.run(session, later + "task = asyncio.ensure_future(tick())")
        await ada.run(session, "await task")
        found = [(one["value"], one["number"], one["line"]) for one in
                 (await changes(ada, session, "x"))[::-1]]  # fmt: skip
        assert found == [(1, 1, 6), (2, 2, 2), (3, 3, 4)]


async def test_an_edit_that_was_refused_is_nobodys_later(server: Serving) -> None:
    async with Client(server.url, server.token) as ada, ben_at(server) as ben:
        session = await ada.create()
        await ada.join(session)
        await ben.join(session)
        await ada.run(session, "x = 1")
        with pytest.raises(CallFailed, match="conflict"):
            await ben.call("variable.set", session=session, name="x", value=2, if_version=99)
        await ada.call("variable.set", session=session, name="x", value=3)
        assert (await changes(ada, session, "x"))[0]["author"] == "Ada"


async def test_without_values_only_numbers_keep_theirs(server: Serving) -> None:
    async with Client(server.url, server.token) as ada:
        session = await ada.create()
        for value in ("[1, 2]", "'text'", "2**70", "True", "float('inf')", "0.5", "None"):
            await ada.run(session, f"x = {value}")
        whole = [one["value"] for one in await changes(ada, session, "x")][::-1]
        brief = [one["value"] for one in await changes(ada, session, "x", values=False)][::-1]
        infinite = {"$type": "float", "value": "inf"}
        big = {"$type": "int", "value": str(2**70)}
        assert whole == [[1, 2], "text", big, True, infinite, 0.5, None]
        assert brief == [None, None, big, True, infinite, 0.5, None]


async def test_pages_by_before_seq_are_the_whole_history(server: Serving) -> None:
    async with Client(server.url, server.token) as ada:
        session = await ada.create()
        for value in range(7):
            await ada.run(session, f"x = {value}")
        await ada.submit(session, "x = 7\nwhile True: pass")
        await ada.log(session).event("variables.changed", running=True)
        before = None
        paged: list[tuple[int, int]] = []
        more = True
        while more:
            page = await ada.call(
                "variable.history", session=session, name="x", limit=3, before_seq=before
            )
            paged += [(one["value"], one["number"]) for one in page["changes"]]
            before, more = page["changes"][-1]["seq"], page["more"]
        assert paged == [(value, value + 1) for value in range(7, -1, -1)]
