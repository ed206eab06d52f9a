"""Watch expressions at a real server: followed while code runs, kept, told, found again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import CallFailed, Client, SessionLog
from tests.support.serving import Serving

pytestmark = pytest.mark.slow

COUNTING = "import time\nn = 0\nend = time.time() + {seconds}\nwhile time.time() < end:\n    n += 1"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("watches")
    with Serving(folder, "--pool-min-size", "2", cache_dir=cache_dir) as server:
        yield server


def watched(log: SessionLog, watch: str) -> list[dict[str, Any]]:
    """The watch, at each of its changes."""
    return [
        one
        for event in sorted(log.events.values(), key=lambda event: int(event["seq"]))
        if event["type"] == "watches.changed" and watch in event["data"]["changed"]
        for one in event["data"]["watches"]
        if one["watch"] == watch
    ]


def now(log: SessionLog, watch: str) -> dict[str, Any]:
    """The watch as it is now, with the exact value of its variable beside."""
    found = watched(log, watch)[-1:] or [{}]
    return {**found[0], "value": found[0].get("variable", {}).get("value")}


async def test_a_watch_changes_while_a_loop_runs_and_alerts_once(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        await client.run(session, "n = 0")
        added = await client.call(
            "watch.add", session=session, expression="n*2", condition="value > 10"
        )
        assert (added["variable"]["value"], added["met"]) == (0, False)
        log = client.log(session)
        ran = await client.execute(session, COUNTING.format(seconds=2))
        seen = [one["variable"]["value"] for one in watched(log, added["watch"])]
        assert 6 <= len(seen) <= 14
        assert seen == sorted(seen)
        assert seen[-1] == 2 * await client.value(session, "n")
        alerts = [each["data"] for each in log.events.values() if each["type"] == "watch.alert"]
        assert [alert["execution"] for alert in alerts] == [ran.execution]
        assert alerts[0]["line"] in (3, 4, 5)
        found = await client.call("watch.history", session=session, watch=added["watch"], limit=3)
        assert found["more"]
        assert [change["value"] for change in found["changes"]] == seen[:-4:-1]
        assert found["changes"][0]["execution"] == ran.execution
        earlier = await client.call(
            "watch.history",
            session=session,
            watch=added["watch"],
            before_seq=found["changes"][-1]["seq"],
        )
        assert [change["value"] for change in earlier["changes"]] == seen[-4::-1]


async def test_what_is_wrong_with_a_watch_is_named(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        for fields, field in (
            ({"expression": "n +"}, "expression"),
            ({"expression": "n = 1"}, "expression"),
            ({"expression": "n", "condition": "value >"}, "condition"),
            ({"expression": "n" * 501}, "expression"),
            ({"expression": "(" * 400}, "expression"),
        ):
            with pytest.raises(CallFailed) as caught:
                await client.call("watch.add", session=session, **fields)
            assert (caught.value.code, caught.value.error["field"]) == ("bad_request", field)
        with pytest.raises(CallFailed, match="no watch 'w'"):
            await client.call("watch.remove", session=session, watch="w")
        state = (await client.call("session.join", session=session))["state"]
        assert state["watches"] == []


async def test_an_error_of_the_expression_is_its_state_until_it_has_a_value(
    serving: Serving,
) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        added = await client.call("watch.add", session=session, expression="later + 1")
        assert added["error"] == "NameError: name 'later' is not defined"
        await client.run(session, "later = 1")
        log = client.log(session)
        await log.until(lambda: "variable" in now(log, added["watch"]), "a value")
        history = await client.call("watch.history", session=session, watch=added["watch"])
        assert [(each["value"], each.get("error")) for each in history["changes"]] == [
            (2, None),
            (None, added["error"]),
        ]


async def test_a_watch_is_seen_while_the_code_sleeps_and_awaits(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        await client.run(session, "n = 0")
        await client.submit(
            session,
            "import asyncio, time\nfor _ in range(4):\n    n += 1; time.sleep(0.3)\n"
            "for _ in range(4):\n    n += 1; await asyncio.sleep(0.3)",
        )
        added = await client.call("watch.add", session=session, expression="n")
        log = client.log(session)
        await log.until(lambda: now(log, added["watch"])["value"] == 8, "the last value")
        assert len(watched(log, added["watch"])) >= 6


async def test_a_variable_that_is_set_by_hand_changes_a_watch_at_once(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        await client.run(session, "units = [1, 2]")
        added = await client.call("watch.add", session=session, expression="len(units)")
        log = client.log(session)
        await client.call("variable.set", session=session, name="units", value=[1, 2, 3])
        await log.until(lambda: now(log, added["watch"])["value"] == 3, "3", timeout=1)


async def test_removing_by_expression_asks_which_where_that_is_not_clear(
    serving: Serving,
) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        made = [
            await client.call("watch.add", session=session, expression="1", condition=condition)
            for condition in ("value > 0", "value > 1")
        ]
        with pytest.raises(CallFailed, match="2 watches"):
            await client.call("watch.remove", session=session, expression="1")
        removed = await client.call(
            "watch.remove", session=session, expression="1", condition="value > 1"
        )
        assert removed["watch"] == made[1]["watch"]
        removed = await client.call("watch.remove", session=session, expression=" 1 ")
        assert removed["watch"] == made[0]["watch"]


async def test_watches_outlive_the_process_and_the_server(tmp_path: Path, cache_dir: Path) -> None:
    arguments = ("--pool-min-size", "1", "--token", "t" * 20)
    serving = Serving(tmp_path, *arguments, cache_dir=cache_dir)
    with serving:
        async with Client(serving.url, serving.token) as client:
            session = await client.create()
            await client.run(session, "n = 20")
            added = await client.call(
                "watch.add", session=session, expression="n * 2", condition="value > 10"
            )
            assert added["met"] is True
        await asyncio.to_thread(serving.kill)
        serving.start()
        async with Client(serving.url, serving.token) as client:
            state = (await client.join(session))["state"]
            assert [one["variable"]["value"] for one in state["watches"]] == [40]
            log = client.log(session)
            assert (await log.event("state.reset"))["data"]["watches"] == state["watches"]
            await client.run(session, "n = 21")
            await log.until(lambda: now(log, added["watch"])["value"] == 42, "its next value")
            assert not [each for each in log.events.values() if each["type"] == "watch.alert"]
            await client.call("restart", session=session)
            await log.until(lambda: "error" in now(log, added["watch"]), "an empty namespace")
            history = await client.call("watch.history", session=session, watch=added["watch"])
            assert [each["value"] for each in history["changes"]] == [None, 42, 40]


async def test_a_watch_that_nothing_can_stop_costs_one_process(
    tmp_path: Path, cache_dir: Path
) -> None:
    arguments = ("--pool-min-size", "1", "--interrupt-grace", "0.5")
    with Serving(tmp_path, *arguments, cache_dir=cache_dir) as serving:
        async with Client(serving.url, serving.token) as client:
            session = await client.create()
            await client.run(session, "kept = 1")
            endless = await client.call(
                "watch.add", session=session, expression="sum(iter(int, 1))"
            )
            assert "error" not in endless
            log = client.log(session)
            stuck = await client.submit(session, "1")
            await client.call("interrupt", session=session)
            await log.event("execution.finished", execution=stuck)
            ran = await client.execute(session, "kept + 1")
            assert (ran.status, ran.result) == ("ok", "2")
            state = (await client.call("session.join", session=session))["state"]
            assert [one["suspended"] for one in state["watches"]] == [True]


async def test_a_slow_watch_slows_nothing_down(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        await client.run(session, "tries = []")
        added = await client.call(
            "watch.add",
            session=session,
            expression="tries.append(1) or sum(i for i in range(10**9))",
        )
        assert added["error"] == "It took longer than 50 ms, and is tried less often now."
        for number in range(40):
            await client.run(session, f"x = {number}")
        assert int((await client.run(session, "len(tries)")).result or "") < 10
