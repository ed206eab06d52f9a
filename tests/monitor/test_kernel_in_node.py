"""Tests of the kernel where it lives: in Pyodide, in Node, behind the real frames."""

import asyncio
import os
import random
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, cast

import pytest

from tests.support.node_host import Conversation, first, of
from watchglass_server.errors import QueryError, QueryTimeout
from watchglass_server.host_messages import (
    DisplayData,
    Error,
    InputCancelled,
    InputRequest,
    SetChange,
    Stream,
    VariablesChanged,
)
from watchglass_server.host_protocol import Dumped, HostEvent
from watchglass_server.process import ProcessConfig, PyodideProcess

pytestmark = pytest.mark.slow


def told(event: VariablesChanged, name: str) -> bool:
    return any(change.name == name for change in event.changes)


def values_of(talk: Conversation, name: str) -> list[Any]:
    return [
        change.variable.value
        for event in of(talk, VariablesChanged)
        for change in event.changes
        if isinstance(change, SetChange) and change.name == name
    ]


# --- variables while code runs


async def test_values_are_shown_while_a_loop_runs_at_most_four_times_a_second(
    talk: Conversation,
) -> None:
    started = time.monotonic()
    request_id = talk.start("x = 0\nwhile True: x += 1")
    await first(talk, VariablesChanged)
    assert time.monotonic() - started < 0.25
    await asyncio.sleep(1.5)
    assert await talk.process.interrupt(request_id, grace=5)
    await talk.finish(request_id)
    live = [event for event in of(talk, VariablesChanged) if event.running]
    assert 4 <= len(live) <= 9
    assert values_of(talk, "x") == sorted(values_of(talk, "x"))


@pytest.mark.parametrize(
    "wait", ["time.sleep(0.05)", "await asyncio.sleep(0.05)", "hashlib.sha256(d).digest()"]
)
async def test_values_are_shown_while_code_waits_or_calls_into_c(
    talk: Conversation, wait: str
) -> None:
    code = "import asyncio, hashlib, time\nd = bytes(500_000)\nfor x in range(10**6):\n  "
    request_id = talk.start(code + wait)
    await asyncio.sleep(1.2)
    assert await talk.process.interrupt(request_id, grace=5)
    live = [event for event in of(talk, VariablesChanged) if event.running]
    assert len(live) >= 3
    assert {event.request_id for event in live} == {request_id}


@pytest.mark.parametrize("wait", ["time.sleep(0.31)", "await asyncio.sleep(0.31)"])
async def test_what_is_stored_before_code_waits_is_told_before_it_goes_on(
    talk: Conversation, wait: str
) -> None:
    ages: list[float] = []

    def look(event: HostEvent) -> bool:
        for change in event.changes if isinstance(event, VariablesChanged) else ():
            if isinstance(change, SetChange) and change.name == "stored":
                ages.append(time.time() - cast("float", change.variable.value))
        return len(ages) == 7

    talk.start(f"import asyncio, time\nfor n in range(8):\n  stored = time.time()\n  {wait}")
    await talk.until(look)
    # A look four times a second finds a store after half of that, which is 125 ms.
    assert median(ages) < 0.09


async def test_changes_in_place_are_shown_while_a_loop_runs(talk: Conversation) -> None:
    code = "import time\nrow = [0]\ndef f():\n  for row[0] in range(20): time.sleep(0.05)\nf()"
    await talk.execute(code)
    assert len(set(map(str, values_of(talk, "row")))) >= 3


async def test_variables_are_walked_over_in_webassembly(talk: Conversation) -> None:
    code = (
        "import sys\nframe = sys._getframe()\n"
        "while type(frame.f_locals.get('self')).__name__ != 'Kernel': frame = frame.f_back\n"
        "type(frame.f_locals['self'].monitor._scanner._native).__name__"
    )
    assert await talk.evaluate(code) == "'NativeFingerprints'"


async def test_changes_deep_in_large_values_are_shown(talk: Conversation) -> None:
    await talk.execute("rows = [[n, {n: str(n)}] for n in range(20_000)]; ints = [0] * 2_000_000")
    await asyncio.sleep(1)
    talk.seen.clear()
    await talk.execute("rows[15_000][1]['new'] = 1; ints[1_234_567] = 1")
    await first(talk, VariablesChanged, lambda event: told(event, "ints"))
    await first(talk, VariablesChanged, lambda event: told(event, "rows"))


async def test_a_large_value_is_looked_at_to_its_end_after_the_execution(
    talk: Conversation,
) -> None:
    """More than its share of the time allows at once, and nothing runs any more."""
    code = "rows = [[[n], {n: [n]}, (n, [n])] for n in range(20_000)]; last = rows[-1]; "
    await talk.execute(code + "first = rows[0]")
    for name in ("first", "last"):
        talk.seen.clear()
        await talk.execute(f"{name}[0].append(1)")
        await first(talk, VariablesChanged, lambda event: told(event, "rows"))


async def test_what_is_too_deep_to_be_watched_whole_says_so(talk: Conversation) -> None:
    await talk.execute("deep = []\nfor _ in range(100_000): deep = [deep]\nshort = [[]]")
    answer = await talk.process.query("variables", {}, timeout=10)
    told = {each["name"]: each.get("truncated", False) for each in answer["variables"]}
    assert told == {"deep": True, "short": False}


async def test_the_end_tells_the_last_value_before_finished(talk: Conversation) -> None:
    await talk.execute("x = 1")
    await talk.execute("for i in range(1000): x = i")
    assert values_of(talk, "x")[-1] == 999


async def test_a_task_shows_its_changes_while_nothing_runs(talk: Conversation) -> None:
    code = (
        "import asyncio\nasync def f():\n  global x\n"
        "  for x in range(100): await asyncio.sleep(0.02)\n"
    )
    request_id = talk.start(code + "task = asyncio.create_task(f())")
    await talk.finish(request_id)
    await first(
        talk,
        VariablesChanged,
        lambda event: any(change.name == "x" for change in event.changes),
    )
    await talk.until(lambda _: max(values_of(talk, "x"), default=0) > 10)
    assert {event.request_id for event in of(talk, VariablesChanged)} == {request_id}


# --- whose output it is


async def test_output_of_tasks_and_timers_belongs_to_their_execution(talk: Conversation) -> None:
    code = (
        "import asyncio\n"
        "async def speak(n):\n"
        "  for i in range(20): await asyncio.sleep(0.01); print(n, i)\n"
        "a = asyncio.create_task(speak('one'))"
    )
    one = talk.start(code)
    await talk.finish(one)
    later = "asyncio.get_running_loop().call_later(0.05, print, 'timer')"
    two = talk.start(later + "\nb = asyncio.create_task(speak('two'))")
    await talk.finish(two)
    three = talk.start("import time\nfor i in range(20): time.sleep(0.01); print('three', i)")
    await talk.finish(three)
    await talk.execute("await asyncio.gather(a, b)")
    lines = [f"{i}\n" for i in range(20)]
    assert talk.text(one) == "".join(f"one {line}" for line in lines)
    assert talk.text(two).replace("timer\n", "") == "".join(f"two {line}" for line in lines)
    assert "timer\n" in talk.text(two)
    assert talk.text(three) == "".join(f"three {line}" for line in lines)


async def test_errors_and_displays_of_a_task_belong_to_its_execution(talk: Conversation) -> None:
    code = "import asyncio\nasync def f():\n  await asyncio.sleep(0.05); display('here'); 1 / 0\n"
    request_id = talk.start(code + "task = asyncio.create_task(f())")
    await talk.finish(request_id)
    await talk.execute("x = 1")
    error = await first(talk, Error)
    assert (error.request_id, error.name, error.line) == (request_id, "ZeroDivisionError", 3)
    assert (await first(talk, DisplayData)).request_id == request_id
    assert len(of(talk, Error)) == 1


async def test_an_error_that_the_execution_catches_later_is_not_told(talk: Conversation) -> None:
    code = (
        "import asyncio\nasync def f(): raise KeyError(1)\nt = asyncio.create_task(f())\n"
        "await asyncio.sleep(0.02)\ntry: await t\nexcept KeyError: print('caught')"
    )
    assert (await talk.execute(code)).status == "ok"
    assert of(talk, Error) == []


async def test_what_del_raises_is_written_to_stderr(talk: Conversation) -> None:
    request_id = talk.start("class D:\n  def __del__(self): 1 / 0\nd = D()\ndel d")
    assert (await talk.finish(request_id)).status == "ok"
    assert "ZeroDivisionError" in talk.text(request_id, "stderr")


# --- output


async def test_an_unfinished_line_is_shown_while_code_goes_on_silently(talk: Conversation) -> None:
    for code in (
        "print('a', end='')\nwhile True: pass",
        "import time\nprint('b', end=''); time.sleep(9)",
    ):
        request_id = talk.start(code)
        event = await first(talk, Stream, lambda event: event.request_id == request_id)  # noqa: B023
        assert event.text in ("a", "b")
        assert await talk.process.interrupt(request_id, grace=5)
        await talk.finish(request_id)


async def test_parts_of_lines_on_both_streams_keep_their_order(talk: Conversation) -> None:
    code = (
        "import sys\nfor i in range(5):\n  print(i, end=' ')\n  print(-i, end=' ', file=sys.stderr)"
    )
    await talk.execute(code)
    assert "".join(event.text for event in of(talk, Stream)) == "".join(
        f"{i} {-i} " for i in range(5)
    )


async def test_characters_that_are_cut_between_two_writes_arrive_whole(talk: Conversation) -> None:
    code = (
        "import os, time\nfor byte in '🐍é✓'.encode():\n"
        "  os.write(1, bytes([byte])); time.sleep(0.02)"
    )
    request_id = talk.start(code)
    await talk.finish(request_id)
    assert talk.text(request_id) == "🐍é✓"


async def test_streams_that_were_closed_or_replaced_come_back(talk: Conversation) -> None:
    for harm in ("import sys; sys.stdout.close()", "import sys; sys.stdout = sys.stderr = None"):
        await talk.execute(harm)
        request_id = talk.start("import sys; print('out'); print('err', file=sys.stderr)")
        await talk.finish(request_id)
        assert (talk.text(request_id), talk.text(request_id, "stderr")) == ("out\n", "err\n")


async def test_answers_never_come_inside_a_large_frame(talk: Conversation) -> None:
    """The dump of 20 MB fills the socket; queries and interrupts arrive while it is written."""
    await talk.execute("import random; data = random.randbytes(20_000_000)")
    for _ in range(5):
        request_id = talk.start("data = random.randbytes(20_000_000)")
        pings = [talk.process.query("ping", {}, timeout=20) for _ in range(30)]
        interrupting = asyncio.create_task(talk.process.interrupt(request_id, grace=10))
        await asyncio.gather(*pings, interrupting)
        await talk.finish(request_id)
    assert await talk.evaluate("len(data)") == "20000000"


# --- interrupts


INTERRUPTIBLE = [
    "import getpass; getpass.getpass()",
    "import sys; sys.stdin.readline()",
    "import asyncio\nasync def f():\n  while True: pass\nasyncio.run(f())",
    "import asyncio\nasync def f():\n  import time; time.sleep(60)\nasyncio.run(f())",
    "import asyncio\nasync def f(): input()\nawait f()",
    "import asyncio\nawait asyncio.gather(*[asyncio.sleep(60) for _ in range(5)])",
    "class A:\n  def __repr__(self):\n    while True: pass\nA()",
    "class E(Exception):\n  def __str__(self):\n    while True: pass\nraise E",
    "d = bytes(1_000_000)\nimport hashlib\nwhile True: hashlib.sha256(d).digest()",
    "import time\nwhile True: time.sleep(0.0005)",
    "sorted(range(10**6), key=lambda x: -x)\nwhile True: [str(x) for x in range(1000)]",
]


@pytest.mark.parametrize("code", INTERRUPTIBLE)
async def test_an_interrupt_reaches(talk: Conversation, code: str) -> None:
    request_id = talk.start(code)
    await asyncio.sleep(0.4)
    started = time.monotonic()
    assert await talk.process.interrupt(request_id, grace=5)
    await talk.finish(request_id)
    assert time.monotonic() - started < 2.5
    assert await talk.evaluate("1 + 1") == "2"


async def test_finally_blocks_run_before_an_interrupt_is_told(talk: Conversation) -> None:
    code = (
        "import asyncio\nasync def f():\n  try: await asyncio.sleep(60)\n"
        "  finally:\n    await asyncio.sleep(0.05); print('tidied')\nasyncio.run(f())"
    )
    request_id = talk.start(code)
    await asyncio.sleep(0.2)
    assert await talk.process.interrupt(request_id, grace=5)
    assert (await talk.finish(request_id)).status == "interrupted"
    assert talk.text(request_id) == "tidied\n"


async def test_an_interrupted_input_is_cancelled(talk: Conversation) -> None:
    request_id = talk.start("input('? ')")
    request = await first(talk, InputRequest)
    assert await talk.process.interrupt(request_id, grace=5)
    assert (await first(talk, InputCancelled)).request == request.request
    assert not talk.process.reply_input(request.request, "too late")


async def test_a_sigint_handler_of_the_user_is_called(talk: Conversation) -> None:
    code = (
        "import signal, time\nstop = False\ndef handler(*_):\n  global stop; stop = True\n"
        "signal.signal(signal.SIGINT, handler)\nwhile not stop: time.sleep(0.01)\n'stopped'"
    )
    request_id = talk.start(code)
    await asyncio.sleep(0.3)
    assert await talk.process.interrupt(request_id, grace=5)
    assert (await talk.finish(request_id)).status == "ok"


async def test_a_task_that_blocks_does_not_lock_the_session(talk: Conversation) -> None:
    code = "import asyncio\nasync def f():\n  await asyncio.sleep(0.1)\n  while True: pass\n"
    await talk.execute(code + "task = asyncio.create_task(f())")
    await asyncio.sleep(0.4)
    request_id = talk.start("1 + 1")
    await asyncio.sleep(0.2)
    assert await talk.process.interrupt(request_id, grace=5)
    assert (await talk.finish(request_id)).status == "interrupted"
    assert await talk.evaluate("1 + 1") == "2"


async def test_interrupts_at_random_moments_hit_what_they_are_meant_for(
    talk: Conversation, soak: bool
) -> None:
    codes = [
        "while True: pass",
        "import time; time.sleep(60)",
        "import asyncio; await asyncio.sleep(60)",
        "input()",
        "while True: print('x')",
        "import asyncio; asyncio.run(asyncio.sleep(60))",
    ]
    chance = random.Random(7)
    for round_ in range(2000 if soak else 60):
        request_id = talk.start(chance.choice(codes))
        await asyncio.sleep(chance.choice((0, 0, 0.001, 0.003, 0.01, 0.03)))
        assert await talk.process.interrupt(request_id, grace=5)
        assert (await talk.finish(request_id)).status == "interrupted", round_
        assert (await talk.execute(f"kept = {round_}")).status == "ok"
        talk.seen.clear()


# --- suspended calls


@pytest.mark.parametrize(
    "code",
    [
        "held = 1",
        "import time; time.sleep(0.003)",
        "import asyncio; await asyncio.sleep(0)",
        "import asyncio; asyncio.run(asyncio.sleep(0))",
        "for _ in range(50): await asyncio.sleep(0)",
    ],
)
async def test_what_runs_and_waits_again_and_again_takes_no_more_addresses(
    talk: Conversation, code: str
) -> None:
    await talk.execute("import asyncio, time")
    await talk.execute(code)
    before = _address_bytes(talk)
    for _ in range(100):
        assert (await talk.execute(code)).status == "ok"
    assert _address_bytes(talk) - before < 256 * 2**20  # of which one stack has 32


def _address_bytes(talk: Conversation) -> int:
    pages = Path(f"/proc/{talk.process.pid}/statm").read_text().split()[0]
    return int(pages) * os.sysconf("SC_PAGESIZE")


async def test_garbage_is_collected_while_calls_wait_whose_stacks_have_been_moved_away(
    talk: Conversation,
) -> None:
    await talk.execute(
        "import asyncio, gc, time\n"
        "def deep(n):\n"
        "  if n == 0: return len([gc.collect(1) for _ in range(20)])\n"  # 1: looks at all threads
        "  return max([n], key=lambda _: deep(n - 1))\n"
        "async def wait(s):\n  max([s], key=time.sleep)\n  return deep(60)"
    )
    # The task waits on the first stack, the execution below it: when the task goes on, and goes
    # deep, it writes over where the execution's frames were.
    await talk.execute("task = asyncio.create_task(wait(0.3)); await asyncio.sleep(0.05)")
    assert (await talk.execute("max([0.8], key=time.sleep)")).status == "ok"
    assert await talk.evaluate("task.done(), await task") == "(True, 60)"
    assert await talk.evaluate("1 + 1") == "2"


async def test_what_traces_ends_with_the_code_that_set_it(talk: Conversation) -> None:
    await talk.execute(
        "import sys; called = []\nsys.setprofile(lambda *a: called.append(a[1]))\n"
        "sys.settrace(lambda *a: called.append(a[1]))"
    )
    assert await talk.evaluate("sys.gettrace(), sys.getprofile()") == "(None, None)"


# --- help


@pytest.mark.parametrize("piece", ["x", "é", "f(a, ", "x:", 'f"{', "](", "a.", " ", "import a,"])
@pytest.mark.parametrize("question", ["complete", "inspect"])
async def test_help_with_long_code_is_given_soon_and_holds_nothing_up(
    talk: Conversation, question: str, piece: str
) -> None:
    await talk.execute("x = 1")
    code = piece * (10**6 // len(piece))
    for cursor in (3, len(code)):
        asked = {"code": code, "cursor": cursor}
        await talk.process.query(question, asked, timeout=10)
    assert await talk.evaluate("x + 1") == "2"


async def test_what_is_completed_in_long_code_says_where_it_stands_there(
    talk: Conversation,
) -> None:
    await talk.execute("value = [1]")
    code = "line = 1\n" * 10_000 + "value.app"
    found = await talk.process.query("complete", {"code": code, "cursor": len(code)}, timeout=10)
    assert (found["start"], found["end"]) == (len(code) - 3, len(code))
    assert [each["text"] for each in found["matches"]] == ["append"]


# --- input


async def test_tasks_go_on_while_input_waits(talk: Conversation) -> None:
    code = (
        "import asyncio\nticks = 0\nasync def f():\n  global ticks\n"
        "  while True: await asyncio.sleep(0.01); ticks += 1\nt = asyncio.create_task(f())\n"
        "before = ticks; input('? '); ticks - before > 5"
    )
    request_id = talk.start(code)
    request = await first(talk, InputRequest)
    await asyncio.sleep(0.3)
    assert talk.process.reply_input(request.request, "")
    await talk.finish(request_id)
    assert await talk.evaluate("_") == "True"


async def test_lines_of_stdin_are_questions(talk: Conversation) -> None:
    request_id = talk.start("import sys\nfor line in sys.stdin: print(repr(line))")
    for number, text in ((1, "one"), (2, "two"), (3, None)):
        request = await first(talk, InputRequest, lambda event: event.request == number)  # noqa: B023
        assert talk.process.reply_input(request.request, text)
    await talk.finish(request_id)
    assert talk.text(request_id) == "'one\\n'\n'two\\n'\n"


async def test_many_tasks_that_sleep_without_await_do_not_use_up_the_process(
    talk: Conversation,
) -> None:
    code = (
        "import asyncio, time\nasync def f(): time.sleep(0.2); return 1\n"
        "sum(await asyncio.gather(*[f() for _ in range(30)]))"
    )
    assert await talk.evaluate(code) == "30"


# --- keeping


async def test_what_hangs_while_it_is_stored_costs_only_itself(talk: Conversation) -> None:
    code = "x = 1\nclass H:\n  def __reduce__(self):\n    while True: pass\nh = H()\ny = 2"
    request_id = talk.start(code)
    assert (await talk.finish(request_id)).status == "ok"
    dump = await first(talk, Dumped, lambda event: event.request_id == request_id)
    assert {entry.name: entry.stored for entry in dump.entries} == {
        "x": True,
        "H": True,
        "h": False,
        "y": True,
    }


async def test_a_repr_that_hangs_is_given_up(talk: Conversation) -> None:
    code = "class A:\n  def __repr__(self):\n    print('!')\n    while True: pass\na = A()"
    request_id = talk.start(code)
    await talk.finish(request_id)
    with pytest.raises(QueryError) as caught:
        await talk.process.query("variable_repr", {"path": ["a"]}, timeout=10)
    assert caught.value.code == "timeout"
    assert talk.text(request_id) == ""
    assert await talk.evaluate("1 + 1") == "2"


async def test_a_background_change_is_dumped_while_nothing_runs(talk: Conversation) -> None:
    code = "import asyncio\nasync def f():\n  global x\n  await asyncio.sleep(0.3); x = 5\nx = 1\n"
    request_id = talk.start(code + "t = asyncio.create_task(f())")
    await talk.finish(request_id)
    seen = len(of(talk, Dumped))
    await talk.until(lambda _: len(of(talk, Dumped)) > seen)


# --- the interpreter


async def test_queries_are_served_while_code_sleeps_or_loops(talk: Conversation) -> None:
    for code in ("while True: pass", "import time; time.sleep(60)", "input()"):
        request_id = talk.start("limit = 1\n" + code)
        await asyncio.sleep(0.2)
        answer = await talk.process.query("complete", {"code": "limi", "cursor": 4}, timeout=2)
        assert [match["text"] for match in answer["matches"]] == ["limit"]
        with pytest.raises(QueryTimeout):
            await talk.process.query("variable_repr", {"path": ["limit"]}, timeout=0.3)
        assert await talk.process.interrupt(request_id, grace=5)
        await talk.finish(request_id)


async def test_ordinary_python_finds_what_it_expects(talk: Conversation) -> None:
    assert await talk.evaluate("import __main__; __main__.__dict__ is globals()") == "True"
    code = "import pickle\nclass C: pass\nisinstance(pickle.loads(pickle.dumps(C())), C)"
    assert await talk.evaluate(code) == "True"
    code = "import inspect\ndef f(): return 1\ninspect.getsource(f)"
    assert await talk.evaluate(code) == repr("def f(): return 1\n")
    assert await talk.evaluate("[n for n in globals() if 'pyodide' in n]") == "[]"
    code = "import time; t = time.monotonic(); time.sleep(0.1); 0.09 < time.monotonic() - t < 0.3"
    assert await talk.evaluate(code) == "True"


async def test_an_error_in_javascript_does_not_end_the_process(talk: Conversation) -> None:
    code = "import js; js.setTimeout(js.JSON.parse, 1, '{')"
    await talk.execute(code)
    await talk.execute("js.Promise.reject('nobody takes this')")
    await first(talk, Stream, lambda event: "SyntaxError" in event.text)
    assert await talk.evaluate("1 + 1") == "2"


async def test_memory_is_there_again_after_a_memory_error(config: ProcessConfig) -> None:
    async with PyodideProcess(replace(config, memory_bytes=128 * 2**20)) as process:
        talk = Conversation(process)
        for _ in range(3):
            await talk.execute("held = []\nwhile True: held.append([0.5] * 1000)", timeout=40)
            assert of(talk, Error)[-1].name == "MemoryError"
            await talk.execute("del held")  # at once, when storing it has just failed
            assert await talk.evaluate("len([0] * 10**6)") == "1000000"
        await talk.close()
