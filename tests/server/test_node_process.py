"""Tests of process.py against the real Node host: what a session stands on."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support import cgroups
from tests.support.node_host import Conversation, node_config
from watchglass_server.child import Launcher
from watchglass_server.errors import QueryError
from watchglass_server.host_messages import (
    Error,
    InputRequest,
    StreamDropped,
    VariablesChanged,
)
from watchglass_server.host_protocol import Dumped, HostEvent
from watchglass_server.jail_launcher import JailLauncher
from watchglass_server.process import ProcessConfig, PyodideProcess

pytestmark = pytest.mark.slow

MIB = 2**20


@pytest.fixture
async def config(cache_dir: Path, launcher: Launcher) -> ProcessConfig:
    return await node_config(cache_dir, launcher)


@pytest.fixture
async def talk(config: ProcessConfig) -> AsyncIterator[Conversation]:
    async with talking(config) as conversation:
        yield conversation


class talking:
    """A conversation with a process of its own."""

    def __init__(self, config: ProcessConfig) -> None:
        self.process = PyodideProcess(config)

    async def __aenter__(self) -> Conversation:
        await self.process.start()
        self.conversation = Conversation(self.process)
        return self.conversation

    async def __aexit__(self, *_: object) -> None:
        await self.conversation.close()


def is_error(name: str) -> Callable[[HostEvent], bool]:
    return lambda event: isinstance(event, Error) and event.name == name


def is_a(kind: type) -> Callable[[HostEvent], bool]:
    return lambda event: isinstance(event, kind)


# --- start and conversation


async def test_a_process_starts_from_the_image(talk: Conversation) -> None:
    assert talk.process.ready.image
    assert talk.process.ready.python.startswith("3.14")


async def test_a_process_starts_without_an_image(config: ProcessConfig) -> None:
    async with talking(replace(config, image=None)) as talk:
        assert not talk.process.ready.image
        assert await talk.evaluate("1 + 1") == "2"


async def test_state_stays_from_one_execution_to_the_next(talk: Conversation) -> None:
    await talk.execute("x = 41")
    assert await talk.evaluate("x + 1") == "42"


async def test_an_exception_is_told_with_its_line(talk: Conversation) -> None:
    assert (await talk.execute("x = 1\n1 / 0")).status == "error"
    event = await talk.until(is_error("ZeroDivisionError"))
    assert isinstance(event, Error)
    assert (event.message, event.line) == ("division by zero", 2)


async def test_text_survives_the_way_whatever_it_holds(talk: Conversation) -> None:
    request_id = talk.start("print('é ✓ 🐍', chr(0xD800), '\\0', '\\x1b[31m')")
    await talk.finish(request_id)
    assert talk.text(request_id) == "é ✓ 🐍 \ud800 \0 \x1b[31m\n"


async def test_stdout_and_stderr_keep_their_order(talk: Conversation) -> None:
    code = "import sys\nfor i in range(50):\n  print(i)\n  print(-i, file=sys.stderr)"
    request_id = talk.start(code)
    await talk.finish(request_id)
    assert talk.text(request_id) == "".join(f"{i}\n" for i in range(50))
    assert talk.text(request_id, "stderr") == "".join(f"{-i}\n" for i in range(50))


async def test_two_processes_draw_different_random_numbers(config: ProcessConfig) -> None:
    async with talking(config) as one, talking(config) as other:
        code = "import random, uuid; (random.random(), str(uuid.uuid4()))"
        first, second = await one.evaluate(code), await other.evaluate(code)
    assert first.split(",")[0] != second.split(",")[0]
    assert first.split(",")[1] != second.split(",")[1]


async def test_changes_of_variables_and_a_dump_come_before_the_end(talk: Conversation) -> None:
    request_id = talk.start("x = 41")
    await talk.finish(request_id)
    (change,) = [
        change
        for event in talk.seen
        if isinstance(event, VariablesChanged)
        for change in event.changes
        if change.name == "x"
    ]
    assert change.request_id == request_id
    dump = await talk.until(is_a(Dumped))
    assert isinstance(dump, Dumped)
    assert ("x", True) in [(entry.name, entry.stored) for entry in dump.entries]


async def test_values_come_back_in_another_process(config: ProcessConfig) -> None:
    async with talking(config) as talk:
        await talk.execute("def f(n): return n + 1\nx = [1, {'a': 2}]\ny = x")
        dump = await talk.until(is_a(Dumped))
        assert isinstance(dump, Dumped)
    history = [{"number": 1, "code": "def f(n): return n + 1\nx = [1, {'a': 2}]\ny = x"}]
    async with talking(config) as talk:
        answer = await talk.process.query(
            "restore",
            {"history": history, "next_number": 2, "has_blob": True},
            timeout=10,
            blob=dump.data,
        )
        verdicts = {each["name"]: each["verdict"] for each in answer["verdicts"]}
        assert {name: verdicts.get(name) for name in "fxy"} == dict.fromkeys("fxy", "restored")
        assert await talk.evaluate("(f(1), x, x is y)") == "(2, [1, {'a': 2}], True)"


async def test_queries_are_served_while_code_runs(talk: Conversation) -> None:
    request_id = talk.start("x = 0\nwhile True: x += 1")
    await asyncio.sleep(0.2)
    started = time.monotonic()
    answer = await talk.process.query("variables", {}, timeout=5)
    assert time.monotonic() - started < 1
    assert "x" in [variable["name"] for variable in answer["variables"]]
    changed = await talk.process.query("variable_set", {"path": ["x"], "value": -1}, timeout=5)
    assert changed["variable"]["name"] == "x"
    with pytest.raises(QueryError) as caught:
        await talk.process.query(
            "variable_get", {"path": ["y"], "offset": 0, "limit": 1}, timeout=5
        )
    assert caught.value.code == "variable_not_found"
    assert await talk.process.interrupt(request_id, grace=5)


# --- interrupts

INTERRUPTIBLE = {
    "busy loop": "while True: pass",
    "arithmetic": "n = 0\nwhile True: n += 1",
    "generator": "sum(1 for _ in iter(int, 1))",
    "sleep": "import time; time.sleep(60)",
    "await": "import asyncio; await asyncio.sleep(60)",
    "short awaits": "import asyncio\nwhile True: await asyncio.sleep(0)",
    "asyncio.run": "import asyncio; asyncio.run(asyncio.sleep(60))",
    "input": "input('? ')",
    "print": "while True: print('x' * 100)",
    "regular expression": "import re; re.match('(a+)+$', 'a' * 40 + 'b')",
    "big power": "10 ** (10 ** 8)",
    "queue": "import asyncio; await asyncio.Queue().get()",
    # Python swallows what is raised in these, and it is raised in them most of the time.
    "finalizers": (
        "class A:\n  def __del__(self):\n    for _ in range(10**5): pass\nwhile True: A()"
    ),
    "ends of generators": (
        "def g():\n  try: yield\n  finally:\n    for _ in range(10**5): pass\n"
        "while True:\n  x = g(); next(x); del x"
    ),
}


@pytest.mark.parametrize("code", INTERRUPTIBLE.values(), ids=list(INTERRUPTIBLE))
async def test_an_interrupt_reaches(talk: Conversation, code: str) -> None:
    request_id = talk.start(code)
    await asyncio.sleep(0.3)
    started = time.monotonic()
    assert await talk.process.interrupt(request_id, grace=5)
    assert time.monotonic() - started < 1.5
    assert (await talk.finish(request_id)).status == "interrupted"
    await talk.until(is_error("KeyboardInterrupt"))
    assert await talk.evaluate("1 + 1") == "2"


@pytest.mark.parametrize(
    "code",
    [
        "while True:\n  try:\n    while True: pass\n  except BaseException: pass",
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "sum(range(10 ** 11))",
    ],
    ids=["swallowed", "ignored", "long call in C"],
)
async def test_what_cannot_be_interrupted_is_told_and_can_be_killed(
    talk: Conversation, code: str
) -> None:
    request_id = talk.start(code)
    await asyncio.sleep(0.2)
    finished = await talk.process.interrupt(request_id, grace=0.6)
    if "SIG_IGN" in code and finished:
        return  # it may be that the host does not ask Python's own handler
    assert not finished
    talk.process.kill("interrupt-ignored", "The code did not end.")
    assert (await asyncio.wait_for(talk.process.wait(), 2)).cause == "interrupt-ignored"


async def test_interrupts_at_any_moment_lose_nothing(talk: Conversation) -> None:
    for pause_ms in (0, 0, 1, 1, 2, 3, 5, 8, 13, 21, 34):
        request_id = talk.start("while True: pass")
        await asyncio.sleep(pause_ms / 1000)
        assert await talk.process.interrupt(request_id, grace=5)
        assert (await talk.finish(request_id)).status == "interrupted"
    assert await talk.evaluate("1 + 1") == "2"


async def test_an_interrupt_that_comes_too_late_does_not_hit_the_next(talk: Conversation) -> None:
    for _ in range(20):
        request_id = talk.start("x = 1")
        interrupting = asyncio.create_task(talk.process.interrupt(request_id, grace=5))
        await talk.finish(request_id)
        assert (await talk.execute("y = sum(range(1000))")).status == "ok"
        assert await interrupting


# --- input


async def test_input_waits_for_its_answer(talk: Conversation) -> None:
    request_id = talk.start("name = input('name? '); print('hello', name)")
    request = await talk.until(is_a(InputRequest))
    assert isinstance(request, InputRequest)
    assert (request.prompt, request.password) == ("name? ", False)
    assert talk.process.reply_input(request.request, "Adé 🐍")
    await talk.finish(request_id)
    assert talk.text(request_id).endswith("hello Adé 🐍\n")


async def test_the_end_of_input_is_an_eof_error(talk: Conversation) -> None:
    request_id = talk.start("input()")
    request = await talk.until(is_a(InputRequest))
    assert isinstance(request, InputRequest)
    talk.process.reply_input(request.request, None)
    await talk.finish(request_id)
    await talk.until(is_error("EOFError"))


# --- output without end


async def test_a_million_lines_arrive_in_bounded_memory(config: ProcessConfig) -> None:
    async with PyodideProcess(config) as process:
        process.execute(1, 1, "for i in range(10**6): print(i)")
        lines, held, pauses = 0, 0, 0
        async for batch in process.events():
            size = sum(len(getattr(event, "text", "")) for event in batch)
            held = max(held, size)
            lines += sum(getattr(event, "text", "").count("\n") for event in batch)
            if pauses < 5:  # a reader that is slow at first
                pauses += 1
                await asyncio.sleep(0.1)
            if any(type(event).__name__ == "Finished" for event in batch):
                break
    assert lines == 10**6
    assert held < 2 * MIB


async def test_an_interrupt_reaches_a_printing_loop_whose_reader_is_slow(
    config: ProcessConfig,
) -> None:
    async with PyodideProcess(config) as process:
        process.execute(1, 1, "while True: print('x' * 1000)")
        await asyncio.sleep(0.5)  # nobody reads: the socket is full
        interrupting = asyncio.create_task(process.interrupt(1, grace=5))
        await asyncio.sleep(0.2)
        async for batch in process.events():
            if any(type(event).__name__ == "Finished" for event in batch):
                break
        assert await interrupting


async def test_output_beyond_the_limit_is_counted_not_sent(config: ProcessConfig) -> None:
    async with talking(replace(config, output_bytes=MIB)) as talk:
        request_id = talk.start("for _ in range(5000): print('x' * 999)")
        await talk.finish(request_id)
        sent = len(talk.text(request_id))
        dropped = max(
            event.dropped_bytes for event in talk.seen if isinstance(event, StreamDropped)
        )
    assert 0.9 * MIB <= sent <= 1.1 * MIB
    assert sent + dropped == 5000 * 1000


# --- whatever a person writes, the session goes on

AWKWARD = {
    "a message of 10 MB": "raise ValueError('x' * 10**7)",
    "a result of 30 MB": "'x' * 3 * 10**7",
    "control characters in HTML": (
        "class J:\n  def _repr_html_(self): return chr(0) * 3 * 2**20\nJ()"
    ),
    "a name of 1 MB": "globals()['x' * 10**6] = 1",
    "a name that is no text": "globals()['\ud800'] = 1\nglobals()[5] = 1",
    "a class with a long name": "x = type('E' * 5000, (Exception,), {})('x')\nraise x",
    "a class without a module": "x = type('A', (), {'__module__': 5})()",
    "numbers that are no JSON": "n, i = float('nan'), float('inf')\n[n, i, -i]",
    "deep lists": "x = []\nfor _ in range(300): x = [x]\nx",
    "deep JSON": (
        "class J:\n  def _repr_json_(self):\n    x = []\n"
        "    for _ in range(900): x = [x]\n    return x\nJ()"
    ),
    "many MIME types": "display({f'a/{i}': 'x' for i in range(100)}, raw=True)",
    "a long display id": "display(1, display_id='d' * 5000)",
    "many variables": "for i in range(150_000): globals()[f'name{i}'] = i",
    "a class of errors with a broken text": (
        "class E(Exception):\n  def __str__(self): raise SystemExit\nraise E"
    ),
    "a long traceback": (
        "def f(n):\n  try: 1 / 0\n  except Exception: f(n - 1) if n else exec('raise')\nf(150)"
    ),
    "another clock": "import time; time.monotonic = time.perf_counter = time.time = lambda: 0",
    "another json": "import json; json.dumps = json.loads = lambda *a, **k: 'nothing'",
    "closed streams": "import sys; sys.stdout.close(); sys.stderr = None; 1 / 0",
    "no loop": "import asyncio; asyncio.get_event_loop().stop(); asyncio.get_event_loop().close()",
    "an empty namespace": "globals().clear()",
    "no modules": "import sys; sys.modules.clear()",
    "errors for warnings": "import warnings; warnings.simplefilter('error')",
    "tracing": "import sys; sys.settrace(lambda *a: 1 / 0)",
    "bytes that are no text": "import sys; sys.stdout.buffer.write(bytes(range(256)) * 99)",
    "code that ends early": "x = (",
    "code with a zero": "x = 1\0",
}


@pytest.mark.parametrize("code", AWKWARD.values(), ids=list(AWKWARD))
async def test_a_session_goes_on_after(talk: Conversation, code: str) -> None:
    await talk.execute(code, timeout=40)
    assert await talk.evaluate("1 + 1") == "2"
    assert await talk.process.query("ping", {}, timeout=20) == {}


# --- limits and ends


async def test_memory_beyond_the_limit_is_a_memory_error_or_a_death_that_says_so(
    config: ProcessConfig,
) -> None:
    async with talking(replace(config, memory_bytes=256 * MIB)) as talk:
        request_id = talk.start("held = []\nwhile True: held.append(bytearray(10**7))")
        try:
            finished = await talk.finish(request_id)
        except AssertionError:
            assert talk.process.exit is not None
            assert talk.process.exit.cause == "memory"
        else:
            assert finished.status == "error"
            await talk.until(is_error("MemoryError"))
            await talk.execute("held = None")
            assert await talk.evaluate("1 + 1") == "2"


async def test_many_small_objects_end_in_memory_too(config: ProcessConfig) -> None:
    async with talking(replace(config, memory_bytes=128 * MIB)) as talk:
        request_id = talk.start("x = []\nwhile True: x = [x, [1.5] * 3]")
        try:
            await talk.finish(request_id, timeout=50)
            await talk.until(is_error("MemoryError"))
        except AssertionError:
            assert talk.process.exit is not None
            assert talk.process.exit.cause == "memory", talk.process.exit


async def test_a_process_that_outgrows_its_group_is_ended_with_cause_memory(
    config: ProcessConfig, launcher: JailLauncher
) -> None:
    async with talking(config) as talk:
        assert launcher.pid is not None
        if not cgroups.leave_memory(launcher.pid, 16 * MIB):
            assert "cgroups" in str(launcher.isolation.missing)
            return
        with pytest.raises(AssertionError):
            await talk.execute("x = bytearray(64 * 2**20)")
        exit_info = await talk.process.wait()
        assert (exit_info.cause, exit_info.signal) == ("memory", signal.SIGKILL)
        assert "more memory than it may" in exit_info.message


async def test_memory_beside_pythons_own_has_a_limit_too(config: ProcessConfig) -> None:
    async with talking(replace(config, memory_bytes=256 * MIB)) as talk:
        code = "import js\nheld = []\nwhile True: held.append(js.Uint8Array.new(10**8).fill(1))"
        assert (await talk.execute(code)).status == "error"
        stats = talk.process.stats()
        assert stats is not None
        assert stats.rss_bytes < 1024 * MIB
        assert await talk.evaluate("1 + 1") == "2"


@pytest.mark.parametrize("call", ["exit()", "import sys; sys.exit(3)", "raise SystemExit"])
async def test_exit_does_not_end_the_process(talk: Conversation, call: str) -> None:
    await talk.execute(call)
    assert await talk.evaluate("1 + 1") == "2"


@pytest.mark.parametrize(
    ("code", "causes"),
    [
        ("import os; os.abort()", {"fatal"}),
        ("import os; os._exit(3)", {"fatal", "exited"}),
        ("import ctypes; ctypes.string_at(0xFFFFFFF0, 100)", {"fatal", "memory"}),
        ("import json; json.loads('[' * 10**6)", {"stack"}),
    ],
)
async def test_an_interpreter_that_is_lost_says_so(
    talk: Conversation, code: str, causes: set[str]
) -> None:
    request_id = talk.start(code)
    try:
        finished = await talk.finish(request_id)
    except AssertionError:
        assert talk.process.exit is not None
        assert talk.process.exit.cause in causes, talk.process.exit
        assert talk.process.exit.message.endswith("what was stored of the session.")
    else:
        assert finished.status == "error"
        assert await talk.evaluate("1 + 1") == "2"


async def test_a_kill_from_outside_is_noticed_at_once(talk: Conversation) -> None:
    talk.start("while True: pass")
    await asyncio.sleep(0.1)
    started = time.monotonic()
    os.kill(talk.process.pid, signal.SIGKILL)
    exit_info = await asyncio.wait_for(talk.process.wait(), 5)
    assert time.monotonic() - started < 0.5
    assert (exit_info.signal, exit_info.cause) == (signal.SIGKILL, "signal")


@pytest.mark.parametrize("code", ["pass", "while True: pass", "import time; time.sleep(60)"])
async def test_the_end_of_the_socket_ends_the_process(talk: Conversation, code: str) -> None:
    talk.start(code)
    await asyncio.sleep(0.2)
    exit_info = await talk.process.stop(grace=2)
    assert (exit_info.exitcode, exit_info.cause) == (0, "shutdown")


async def test_a_process_holds_no_descriptor_of_ours(talk: Conversation) -> None:
    ours = {os.readlink(f"/proc/self/fd/{fd}") for fd in listed("/proc/self/fd")}
    theirs = f"/proc/{talk.process.pid}/fd"
    links = {os.readlink(f"{theirs}/{fd}") for fd in listed(theirs)}
    # What both hold: the null device. Of the sockets and pipes each side has its own end.
    shared = {link for link in links & ours if link.startswith(("/", "socket:"))}
    assert shared <= {"/dev/null"}
    assert len([link for link in links if link.startswith("socket:")]) == 1


def listed(folder: str) -> list[str]:
    return [name for name in os.listdir(folder) if os.path.islink(f"{folder}/{name}")]
