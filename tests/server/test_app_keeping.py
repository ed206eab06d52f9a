"""A real server that is stopped, killed and started again: what was seen is there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.served import Wire, http, refused
from tests.support.serving import Serving

pytestmark = pytest.mark.slow


Start = Callable[..., Serving]


@pytest.fixture
def start(tmp_path: Path, cache_dir: Path) -> Iterator[Start]:
    """Starts a server on this test's folder; none outlives the test."""
    started: list[Serving] = []

    def start(*arguments: str) -> Serving:
        fixed = ("--pool-min-size", "1", "--token", "t" * 20)
        serving = Serving(tmp_path, *fixed, *arguments, cache_dir=cache_dir)
        started.append(serving)
        serving.start()
        return serving

    yield start
    for serving in started:
        serving.kill()


async def all_events(client: Client, session: str) -> dict[int, dict[str, Any]]:
    """The whole record, page by page, by `since`."""
    events: dict[int, dict[str, Any]] = {}
    more = True
    while more:
        answer = await client.call("session.join", session=session, since=len(events))
        events |= {event["seq"]: event for event in answer["events"]}
        more = bool(answer.get("more"))
    return events


async def test_sigterm_interrupts_what_runs_and_keeps_everything(start: Start) -> None:
    serving = start()
    async with Client(serving.url, serving.token) as client:
        session = await client.create(name="kept")
        await client.run(session, "x = [1, 2]")
        running = await client.submit(session, "while True: pass")
        await client.log(session).event("execution.started", execution=running)
        status, printed = await asyncio.to_thread(serving.stop)
        assert (status, printed) == (0, "")
        log = client.log(session)
        assert (await log.event("execution.finished", execution=running))["data"]["status"] == (
            "interrupted"
        )
        assert (await log.event("process.state", state="hibernated"))["data"]["reason"] == (
            "shutdown"
        )
    assert not (serving.data_dir / "server.json").exists()
    assert "Traceback" not in serving.words()

    serving.start()
    async with Client(serving.url, serving.token) as client:
        listed = (await client.call("session.list"))["sessions"]
        assert [(row["session"], row["name"]) for row in listed] == [(session, "kept")]
        assert listed[0]["status"] == "hibernated"
        await client.join(session)
        reset = await client.log(session).event("state.reset")
        assert reset["data"]["reason"] == "restored"
        assert {e["name"]: e["verdict"] for e in reset["data"]["restore"]} == {"x": "restored"}
        assert await client.value(session, "x") == [1, 2]
        events = await all_events(client, session)
        assert log.events.items() <= events.items()
    assert serving.stop()[0] == 0


async def test_after_kill_9_in_a_printing_loop_every_event_seen_is_there(start: Start) -> None:
    serving = start()
    client = Client(serving.url, serving.token)
    await client.connect()
    session = await client.create()
    await client.run(session, "kept = {'a': 1}")
    running = await client.submit(session, "n = 0\nwhile True:\n    n += 1\n    print(n)")
    queued = await client.submit(session, "never = 1")
    log = client.log(session)
    await log.until(lambda: len(log.events) > 30, "a flood")
    serving.kill()
    await client.close()
    seen = dict(log.events)

    serving.start()
    async with Client(serving.url, serving.token) as again:
        await again.join(session)
        reset = await again.log(session).event("state.reset")
        assert reset["data"]["reason"] == "recovered"
        events = await all_events(again, session)
        assert list(events) == list(range(1, len(events) + 1))
        assert seen.items() <= events.items()
        ends = {
            event["data"]["execution"]: event["data"]["status"]
            for event in events.values()
            if event["type"] == "execution.finished"
        }
        assert (ends[running], ends[queued]) == ("died", "cancelled")
        assert await again.value(session, "kept") == {"a": 1}
        verdicts = {e["name"]: e for e in reset["data"]["restore"]}
        assert verdicts["kept"]["verdict"] == "restored"
        assert verdicts["n"]["verdict"] == "lost"
        assert verdicts["n"]["execution"] == running
        once = await again.call(
            "execute", session=session, code="n = 0\nwhile True:\n    n += 1\n    print(n)",
            execution=running,
        )  # fmt: skip
        assert once["number"] == 2, "an execution was run again"
        assert (await again.run(session, "kept['a'] + 1")).result == "2"
        page = await again.call(
            "output.read", session=session, execution=running, offset=0, limit=100
        )
        assert page["chunks"][0]["text"].startswith("1\n2\n3\n")
    serving.stop()


async def test_each_kind_of_variable_gets_its_verdict(start: Start) -> None:
    serving = start()
    code = {
        "values": "import math\nvalues = [1, 2.5, {'a': (None, True)}]",
        "definition": "def double(x):\n    return 2 * x",
        "class": "class Unit:\n    def __init__(self, hp): self.hp = hp\nunit = Unit(7)",
        "generator": "squares = (n * n for n in range(10))",
        "file": "handle = open('/tmp/x', 'w')",
    }
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        ran = {name: (await client.run(session, text)).execution for name, text in code.items()}
        await asyncio.to_thread(serving.stop)
        serving.start()
        await client.reconnect(serving.url)
        reset = await client.log(session).event("state.reset")
        found = {entry["name"]: entry for entry in reset["data"]["restore"]}
        restored = {name for name, entry in found.items() if entry["verdict"] == "restored"}
        assert {"math", "values", "double", "Unit", "unit"} <= restored
        assert (found["squares"]["verdict"], found["squares"]["execution"]) == (
            "rerun",
            ran["generator"],
        )
        assert found["handle"]["verdict"] == "lost"
        assert all(entry["why"] for name, entry in found.items() if name not in restored)
        known = client.log(session).variables
        assert "squares" not in known
        answer = await client.run(session, "double(unit.hp), math.floor(values[1]), type(unit)")
        assert answer.result == "(14, 2, <class '__main__.Unit'>)"
        failed = await client.execute(session, "double('a' + 1)")
        assert failed.error is not None
    serving.stop()


async def test_an_idle_session_is_put_to_sleep_and_wakes_at_the_next_join(start: Start) -> None:
    serving = start("--idle-limit", "1s")
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        await client.run(session, "x = 5")
    async with Client(serving.url, serving.token) as client:
        row = (await client.call("session.list"))["sessions"][0]
        for _ in range(200):
            if row["status"] == "hibernated":
                break
            await asyncio.sleep(0.1)
            row = (await client.call("session.list"))["sessions"][0]
        assert (row["status"], row["participants"], row["memory_bytes"]) == ("hibernated", 0, None)
        await client.join(session)
        assert await client.value(session, "x") == 5
        log = client.log(session)
        assert (await log.event("state.reset"))["data"]["reason"] == "restored"
        # Code that runs is not idle, whether somebody looks or not.
        await client.submit(session, "import time\nfor n in range(30): time.sleep(0.1)")
    async with Client(serving.url, serving.token) as client:
        await asyncio.sleep(2)
        assert (await client.call("session.list"))["sessions"][0]["status"] == "busy"
    serving.stop()


async def test_a_session_that_nobody_uses_makes_room_for_a_new_one(start: Start) -> None:
    serving = start("--pool-min-size", "0", "--pool-max-size", "1", "--pool-timeout", "3s")
    async with Client(serving.url, serving.token) as first:
        one = await first.create()
        await first.run(one, "x = 5")
        async with Client(serving.url, serving.token) as second:
            full = await refused(second, "session.create")
            assert full["code"] == "pool_exhausted"
    async with Client(serving.url, serving.token) as second:
        other = await second.create()
        await second.run(other, "y = 6")
    async with Client(serving.url, serving.token) as first:
        await first.join(one)
        assert await first.value(one, "x") == 5
    serving.stop()


async def test_shares_outlive_the_server_and_are_stored_as_hashes(start: Start) -> None:
    serving = start()
    async with await Wire(serving.url).connect(serving.token) as wire:
        made = await wire.call("session.create")
        session = made["session"]
        share = await wire.call("session.share", session=session, role="editor")
    serving.stop()
    stored = b"".join(path.read_bytes() for path in serving.data_dir.iterdir() if path.is_file())
    for secret in (*made["tokens"].values(), share["token"], share["link"].partition("code=")[2]):
        assert secret.encode() not in stored
    serving.start()
    async with await Wire(serving.url).connect(share["token"]) as wire:
        assert (await wire.call("session.join", session=session))["role"] == "editor"
    async with await Wire(serving.url).connect(made["tokens"]["viewer"]) as wire:
        assert (await wire.error("execute", session=session, code="1"))["code"] == "forbidden"
    serving.stop()


async def test_a_node_process_killed_from_outside_is_told_at_once_and_replaced(
    start: Start,
) -> None:
    serving = start()
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        await client.run(session, "x = 1")
        log = client.log(session)
        for child in serving.children():
            os.kill(child, signal.SIGKILL)
        dead = await log.event("process.state", state="dead")
        assert dead["data"]["exit"]["cause"] == "signal"
        assert (await client.run(session, "x + 1")).result == "2"
        assert (await log.event("state.reset"))["data"]["reason"] == "recovered"
    serving.stop()


async def test_a_journal_that_cannot_grow_fails_calls_and_loses_nothing_that_was_seen(
    start: Start,
) -> None:
    """Another program holds the file: nothing can be stored, so nothing may be shown."""
    serving = start()
    async with await Wire(serving.url).connect(serving.token) as wire:
        session = (await wire.call("session.create"))["session"]
        database = sqlite3.connect(serving.data_dir / "journal.sqlite3", timeout=1)
        database.execute("BEGIN IMMEDIATE")
        shown = len(wire.events)
        answer = await wire.call("execute", session=session, code="x = 1")
        assert answer["error"]["code"] == "internal"
        assert len(wire.events) == shown
        database.rollback()
        database.close()
        await wire.dropped()
    async with Client(serving.url, serving.token) as client:
        await client.join(session)
        assert (await client.run(session, "1 + 1")).result == "2"
    serving.stop()


async def test_health_says_when_the_server_is_stopping(start: Start) -> None:
    serving = start()
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        stubborn = (
            "while True:\n    try:\n        print()\n        while True: pass\n    except: pass"
        )
        execution = await client.submit(session, stubborn)
        await client.log(session).event("stream", execution=execution)  # it is where it catches
        stopping = asyncio.create_task(asyncio.to_thread(serving.stop))
        statuses = set()
        while not stopping.done():
            with contextlib.suppress(OSError):
                statuses.add((await asyncio.to_thread(http, f"{serving.url}/healthz"))[0])
            await asyncio.sleep(0.05)
        assert 503 in statuses
        assert (await stopping)[0] == 0


async def test_processes_that_are_killed_one_after_another_cost_no_variable_and_no_execution(
    start: Start,
) -> None:
    """The session's own, the one that would take its place, and the one that brings it back."""
    serving = start()
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        for number in range(4):
            await client.run(session, f"kept = {number}")
            seen = client.log(session).seq
            for pid in serving.children():
                os.kill(pid, signal.SIGKILL)
            await client.log(session).event("process.state", state="dead", after=seen)
            assert (await client.run(session, "kept")).result == str(number)
