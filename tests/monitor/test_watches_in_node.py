"""Tests of watches where they are evaluated: in Pyodide, in Node, beside code that runs."""

import asyncio
import random
import time

import pytest

from tests.support.node_host import Conversation, first, of
from watchglass_server.host_messages import (
    WatchesChanged,
    WatchValue,
)

pytestmark = pytest.mark.slow


async def watch(talk: Conversation, *expressions: str, condition: str | None = None) -> None:
    listed = [
        {"watch": f"w{number}", "expression": expression, "condition": condition}
        for number, expression in enumerate(expressions, 1)
    ]
    assert await talk.process.query("watches", {"watches": listed}, timeout=5) == {}


def told(talk: Conversation, name: str = "w1") -> list[WatchValue]:
    return [
        each for event in of(talk, WatchesChanged) for each in event.watches if each.watch == name
    ]


async def test_a_watch_changes_while_a_busy_loop_runs_and_tells_its_line(
    talk: Conversation,
) -> None:
    await talk.execute("n = 0")
    await watch(talk, "n * 2", condition="value > 10")
    await first(talk, WatchesChanged)
    started = time.monotonic()
    request_id = talk.start(
        "import time\nend = time.time() + 2\nwhile time.time() < end:\n  n += 1"
    )
    await talk.finish(request_id)
    took = time.monotonic() - started
    seen = [each.variable.value for each in told(talk) if each.variable is not None]
    assert 6 <= len(seen) <= 4 * took + 3
    assert seen == sorted(seen)
    assert seen[-1] == 2 * int(await talk.evaluate("n"))
    assert {each.met for each in told(talk)} == {False, True}
    lines = {event.line for event in of(talk, WatchesChanged) if event.request_id == request_id}
    assert lines & {3, 4}


async def test_watches_cost_a_busy_loop_little(talk: Conversation) -> None:
    loop = "import time\nstart = time.perf_counter()\nfor i in range(20_000_000): pass\n"
    plain = [float(await talk.evaluate(loop + "time.perf_counter() - start")) for _ in range(3)]
    await watch(talk, *(f"(i or 0) + {n}" for n in range(20)), "sum(range(300_000))")
    full = [float(await talk.evaluate(loop + "time.perf_counter() - start")) for _ in range(3)]
    assert min(full) < min(plain) * 1.1


@pytest.mark.parametrize(
    "slow", ["[0 for _ in iter(int, 1)]", "__import__('time').sleep(9)", "swallowing()"]
)
async def test_a_watch_that_never_ends_is_stopped_and_the_code_goes_on(
    talk: Conversation, slow: str
) -> None:
    code = "def swallowing():\n  try:\n    while True: pass\n  except BaseException: return 1"
    await talk.execute(code + "\nn = 0")
    await watch(talk, slow, "n")
    request_id = talk.start("import time\nend = time.time() + 1.5\nwhile time.time() < end: n += 1")
    assert (await talk.finish(request_id, 5)).status == "ok"
    assert len(told(talk, "w2")) >= 4
    if slow != "swallowing()":
        assert {each.error for each in told(talk)} == {
            "It took longer than 50 ms, and is tried less often now."
        }
    assert await talk.evaluate("1 + 1") == "2"


async def test_interrupts_reach_the_code_while_a_watch_takes_its_time(talk: Conversation) -> None:
    await watch(talk, *["[0 for _ in iter(int, 1)]"] * 3)
    for _ in range(5):
        request_id = talk.start("while True: pass")
        await asyncio.sleep(random.random() / 5)
        assert await talk.process.interrupt(request_id, grace=5)
        assert (await talk.finish(request_id)).status == "interrupted"


async def test_a_watch_cannot_wait_and_tells_of_background_tasks(talk: Conversation) -> None:
    await watch(talk, "n", "__import__('asyncio').run(__import__('asyncio').sleep(5))")
    code = (
        "import asyncio\nn = 0\nasync def count():\n  global n\n"
        "  while n < 100: await asyncio.sleep(0.05); n += 1\n"
        "task = asyncio.ensure_future(count())"
    )
    await talk.execute(code)
    await talk.until(lambda _: len(told(talk)) >= 5, 10)
    assert (told(talk, "w2")[-1].error or "").startswith("RuntimeError: ")
