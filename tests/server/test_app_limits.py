"""Each limit of a session at a real server: reached, named, and survived."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import cgroups
from tests.support.client import CallFailed, Client
from tests.support.served import Wire, error_of, http, refused
from tests.support.serving import Serving, children_of

pytestmark = pytest.mark.slow

MIB = 2**20
BUSY = "while True: pass"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("limits")
    arguments = ("--pool-min-size", "1", "--interrupt-grace", "1s", "--pool-max-size", "16")
    with Serving(folder, *arguments, cache_dir=cache_dir) as server:
        yield server


async def errors_of(client: Client, session: str, execution: str) -> list[str]:
    """The names and messages of the errors of an execution."""
    log = client.log(session)
    return [
        f"{event['data']['name']}: {event['data']['message']}"
        for event in log.events.values()
        if event["type"] == "error" and event["data"]["execution"] == execution
    ]


async def test_every_limit_can_be_set_for_a_session_and_is_told(serving: Serving) -> None:
    asked = {
        "memory_bytes": 300 * MIB, "wall_s": 50.0, "cpu_s": 40.0, "cpu_hour_s": 900.0,
        "output_bytes": 9 * MIB, "code_bytes": 1000, "variables": 70, "variables_bytes": 80_000,
        "queue": 3, "participants": 4, "calls_per_s": 90.0,
    }  # fmt: skip
    async with Client(serving.url, serving.token) as client:
        info = await client.call("server.info")
        assert asked.keys() <= info["limits"].keys()
        assert {"processes", "sessions", "message_bytes"} <= info["limits"].keys()
        answer = await client.call("session.create", limits=asked)
        assert answer["state"]["limits"] == asked
        told = await client.call("session.usage", session=answer["session"])
        assert told["limits"] == asked
        assert told["usage"]["variables_left_out"] == 0
        for field, value in asked.items():
            allowed = info["limits"][field]
            if allowed is not None and value < 1e9:
                error = await refused(client, "session.create", limits={field: int(allowed) + 1})
                assert error["code"] in ("limit_exceeded", "bad_request", "too_large"), error
                assert field in error["message"] + error.get("field", "")


async def test_the_time_limits_say_which_one_it_was(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        for limit, words in (("wall_s", "ran for more than 1 s"), ("cpu_s", "processor time")):
            session = await client.create(limits={limit: 1.0})
            await client.run(session, "kept = 5")
            ran = await client.execute(session, BUSY)
            assert ran.status == "timeout"
            said = await errors_of(client, session, ran.execution)
            assert any(words in each and f"`{limit}`" in each for each in said), said
            usage = (await client.call("session.usage", session=session))["usage"]
            assert 0 < usage["cpu_s"] <= usage["cpu_hour_s"] + 0.01
            assert (await client.run(session, "kept")).result == "5"
            await client.call("session.destroy", session=session)


async def test_waiting_costs_no_processor_time(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create(limits={"cpu_s": 1.0})
        assert (await client.execute(session, "import time; time.sleep(2)")).status == "ok"
        await client.call("session.destroy", session=session)


async def test_what_swallows_the_time_limit_is_ended_and_the_session_comes_back(
    serving: Serving,
) -> None:
    code = "while True:\n  try:\n    while True: pass\n  except BaseException: pass"
    async with Client(serving.url, serving.token) as client:
        session = await client.create(limits={"cpu_s": 0.5})
        await client.run(session, "kept = [1]")
        ran = await client.execute(session, code)
        assert ran.status == "timeout"
        log = client.log(session)
        died = (await log.event("process.state", state="dead"))["data"]["exit"]
        assert died["cause"] == "cpu"
        assert "`cpu_s`" in died["message"]
        assert "Execute something" in died["message"]
        assert (await client.run(session, "kept")).result == "[1]"


async def test_the_hour_is_kept_across_processes_and_refuses_with_the_time(
    tmp_path: Path, cache_dir: Path
) -> None:
    arguments = ("--pool-min-size", "1", "--interrupt-grace", "1s", "--token", "t" * 20)
    with Serving(tmp_path, *arguments, cache_dir=cache_dir) as serving:
        async with Client(serving.url, serving.token) as client:
            session = await client.create(limits={"cpu_hour_s": 2.0})
            log = client.log(session)
            await client.run(session, "import time\nkept = 1\nend = time.time() + 1.2")
            await client.run(session, "while time.time() < end: pass")
            await client.call("restart", session=session)
            await log.event("process.state", after=log.seq, state="idle")
            first = await client.submit(session, BUSY)
            waits = await client.submit(session, "never = 1")
            end = await log.event("execution.finished", execution=first)
            assert end["data"]["status"] == "timeout"
            assert any("`cpu_hour_s`" in each for each in await errors_of(client, session, first))
            assert (await log.event("execution.finished", execution=waits))["data"]["status"] == (
                "cancelled"
            )
            error = await refused(client, "execute", session=session, code="1")
            assert (error["code"], error["field"]) == ("limit_exceeded", "cpu_hour_s")
            assert 3000 < error["retry_after_s"] <= 3700
            usage = (await client.call("session.usage", session=session))["usage"]
            assert usage["cpu_hour_s"] >= 2
            assert usage["cpu_hour_free_in_s"] == pytest.approx(error["retry_after_s"], abs=5)
        serving.stop()
        serving.start()  # and across a restart of the server
        async with Client(serving.url, serving.token) as client:
            await client.join(session)
            error = await refused(client, "execute", session=session, code="1")
            assert (error["code"], error["field"]) == ("limit_exceeded", "cpu_hour_s")


async def test_a_memory_limit_of_ones_own_is_an_error_that_the_session_survives(
    serving: Serving,
) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create(limits={"memory_bytes": 128 * MIB})
        await client.run(session, "kept = 7")
        ran = await client.execute(session, "x = [bytearray(10**7) for _ in range(100)]")
        if ran.status == "died":
            died = (await client.log(session).event("process.state", state="dead"))["data"]
            assert died["exit"]["cause"] == "memory"
        else:
            assert ran.error is not None
            assert ran.error["name"] == "MemoryError"
        assert (await client.run(session, "kept")).result == "7"


async def test_what_the_kernel_ends_for_its_memory_is_told_and_the_session_comes_back(
    server: Serving,
) -> None:
    async with Client(server.url, server.token) as client:
        session = await client.create()
        await client.run(session, "kept = 7")
        is_limited = [cgroups.leave_memory(pid, 16 * MIB) for pid in children_of(server.pid)]
        if any(is_limited):
            ran = await client.execute(session, "x = bytearray(64 * 2**20)")
            assert ran.status == "died"
            died = (await client.log(session).event("process.state", state="dead"))["data"]
            assert died["exit"]["cause"] == "memory"
            assert "The kernel ended the process" in died["exit"]["message"]
        else:
            assert "cgroups" in server.words().partition("not on this machine")[2]
        assert (await client.run(session, "kept")).result == "7"


DEATHS = {
    "no limit of recursion": (
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()", {"stack", "fatal"},
    ),
    "nested without end": ("import json; json.loads('[' * 10**6)", {"stack", "fatal"}),
    "an abort": ("import os; os.abort()", {"fatal"}),
    "an exit of the process": ("import os; os._exit(3)", {"fatal", "exited"}),
    "JavaScript's heap": (
        "import js\nheld = js.Array.new()\nwhile True: held.push(js.Array.new(10**5).fill('x'))",
        {"memory"},
    ),
    "memory that is not its own": (
        "import ctypes; ctypes.string_at(0xFFFFFFF0, 100)", {"fatal", "memory"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("code", "causes"), DEATHS.values(), ids=list(DEATHS))
async def test_what_ends_the_interpreter_is_told_and_the_session_comes_back(
    serving: Serving, code: str, causes: set[str]
) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create()
        await client.run(session, "kept = {'a': [1, 2]}")
        ran = await client.execute(session, code)
        if ran.status == "died":
            state = await client.log(session).event("process.state", state="dead")
            died = state["data"]["exit"]
            assert died["cause"] in causes
            assert died["message"].endswith("what was stored of the session.")
        else:  # this interpreter stands it
            assert ran.error is not None
            assert ran.error["name"] in ("RecursionError", "MemoryError"), ran.error
        assert (await client.run(session, "kept")).result == "{'a': [1, 2]}"
        await client.call("session.destroy", session=session)


async def test_code_that_is_too_large_and_a_full_queue_are_refused(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create(limits={"code_bytes": 100, "queue": 2})
        error = await refused(client, "execute", session=session, code="#" + "é" * 60)
        assert (error["code"], error["field"]) == ("too_large", "code")
        assert "100" in error["message"]
        for _ in range(3):
            await client.submit(session, "import time; time.sleep(60)")
        error = await refused(client, "execute", session=session, code="1")
        assert error["code"] == "busy"
        assert "`queue`" in error["message"]
        await client.call("session.destroy", session=session)


async def test_output_beyond_its_limit_is_counted(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create(limits={"output_bytes": 1 * MIB})
        ran = await client.execute(session, "for _ in range(3000): print('x' * 999)")
        log = client.log(session)
        cuts = [one["data"] for one in log.events.values() if one["type"] == "stream.truncated"]
        assert cuts[-1]["execution"] == ran.execution
        assert cuts[-1]["lost_bytes"] > MIB
        usage = (await client.call("session.usage", session=session))["usage"]
        assert 0.9 * MIB < usage["output_bytes"] <= 1.1 * MIB


async def test_very_many_variables_are_told_up_to_the_limit(serving: Serving) -> None:
    code = "globals().update((f'name{n}', n) for n in range(200_000))"
    async with Client(serving.url, serving.token) as client:
        session = await client.create(limits={"variables": 50})
        log = client.log(session)
        await client.run(session, "first = 1")
        await client.run(session, code, timeout=60)
        await log.until(lambda: _left_out(log.events) == 200_000 - 49, "the count of the others")
        assert len(log.variables) == 50
        state = (await client.call("session.join", session=session))["state"]
        assert len(state["variables"]) == 50
        assert state["variables_left_out"] == 200_000 - 49
        assert await client.value(session, "name199999") == 199_999
        assert (await client.run(session, "1 + 1", timeout=60)).result == "2"
        delete = "for n in range(200_000): globals().pop(f'name{n}', None)\nlast = 3"
        await client.run(session, delete, timeout=60)
        await log.until(lambda: log.variables.keys() == {"first", "n", "last"}, "what is left")
        await log.until(lambda: _left_out(log.events) == 0, "none is left out")


def _left_out(events: dict[int, dict[str, Any]]) -> int | None:
    told = [
        event["data"].get("left_out") for event in events.values() if "left_out" in event["data"]
    ]
    return told[-1] if told else None


async def test_variables_that_are_too_large_together_lose_their_values_then_themselves(
    serving: Serving,
) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create(limits={"variables_bytes": 20_000})
        log = client.log(session)
        await client.run(session, "for n in range(100): globals()[f'big{n}'] = 'x' * 5000")
        assert len(log.variables) < 60
        assert any(one["value"] is None for one in log.variables.values())
        usage = (await client.call("session.usage", session=session))["usage"]
        assert usage["variables_bytes"] <= 20_000
        assert usage["variables_left_out"] == 101 - len(log.variables)
        await client.run(session, "for n in range(100): del globals()[f'big{n}']\nsmall = 1")
        assert log.variables.keys() == {"n", "small"}


async def test_calls_that_come_too_fast_are_refused_but_an_interrupt_passes(
    serving: Serving,
) -> None:
    async with Client(serving.url, serving.token) as client:
        session = await client.create(limits={"calls_per_s": 5.0})
        running = await client.submit(session, BUSY)
        answers = await asyncio.gather(
            *(client.call("is_complete", session=session, code="1") for _ in range(40)),
            return_exceptions=True,
        )
        failed = [one for one in answers if isinstance(one, CallFailed)]
        assert {one.code for one in failed} == {"limit_exceeded"}
        assert 20 <= len(failed) < 40
        assert failed[-1].error["field"] == "calls_per_s"
        wait_s = failed[-1].error["retry_after_s"]
        assert 0 < wait_s <= 0.2
        for _ in range(20):
            await client.call("interrupt", session=session)
        await client.log(session).event("execution.finished", execution=running)
        await asyncio.sleep(wait_s + 0.1)
        assert (await client.call("session.usage", session=session))["ok"]
        await client.call("server.info")  # only that session is slower


async def test_a_server_that_is_full_says_of_what(tmp_path: Path, cache_dir: Path) -> None:
    arguments = ("--pool-min-size", "1", "--max-sessions", "2", "--max-participants", "2")
    with Serving(tmp_path, *arguments, "--max-rate", "50", cache_dir=cache_dir) as serving:
        async with (
            Client(serving.url, serving.token) as client,
            Client(serving.url, serving.token) as second,
            Client(serving.url, serving.token) as third,
        ):
            session = await client.create()
            await client.create()
            error = await refused(client, "session.create")
            assert error["code"] == "limit_exceeded"
            assert "--max-sessions" in error["hint"]
            address = f"{serving.url}/api/sessions/import?format=py"
            status, _, body = await asyncio.to_thread(
                http, address, token=serving.token, body=b"x = 1", method="POST"
            )
            assert (status, error_of(body)["code"]) == (403, "limit_exceeded")
            await second.join(session)
            error = await refused(third, "session.join", session=session)
            assert (error["code"], error["field"]) == ("limit_exceeded", "participants")
            await second.join(session)  # who is in comes back
            await second.call("session.leave", session=session)
            await third.join(session)
        async with await Wire(serving.url).connect(serving.token) as wire:
            answers = await asyncio.gather(*(wire.call("server.info") for _ in range(200)))
            refusals = [one["error"] for one in answers if not one["ok"]]
            assert {one["code"] for one in refusals} == {"limit_exceeded"}
            assert 80 <= len(refusals) <= 100
            assert wire.socket.connected


async def test_a_viewer_cannot_create(serving: Serving) -> None:
    async with Client(serving.url, serving.token) as client:
        answer = await client.call("session.create")
        for role in ("viewer", "editor", "owner"):
            async with Client(serving.url, answer["tokens"][role]) as other:
                assert (await refused(other, "session.create"))["code"] == "forbidden"


async def test_a_guest_that_comes_and_goes_for_ever_does_not_fill_the_journal(
    serving: Serving,
) -> None:
    async with await Wire(serving.url).connect(serving.token) as owner:
        made = await owner.call("session.create")
        session, tokens = made["session"], made["tokens"]
        async with await Wire(serving.url).connect(tokens["viewer"]) as guest:
            for _ in range(200):
                assert (await guest.call("session.join", session=session, since=1))["ok"]
                await guest.call("session.leave", session=session)
            answers = [
                await guest.call("session.join", session=session, since=1) for _ in range(50)
            ]
            refusals = [answer["error"] for answer in answers if not answer["ok"]]
            assert len(refusals) > 25  # the others were given back meanwhile
            assert {error["code"] for error in refusals} == {"rate_limited"}
            assert 0 < refusals[-1]["retry_after_s"] <= 0.5
            async with await Wire(serving.url).connect(tokens["editor"]) as other:
                assert (await other.call("session.join", session=session, since=1))["ok"]
            assert (await owner.call("session.join", session=session, since=1))["ok"]
            await asyncio.sleep(0.6)
            assert (await guest.call("session.join", session=session, since=1))["ok"]
