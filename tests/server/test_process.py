"""Tests of process.py against the fake host: odd behaviour, and what is left afterwards."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.fake_host import fake_config
from watchglass_server.errors import (
    InvalidState,
    ProcessDied,
    ProcessStartError,
    QueryError,
    QueryTimeout,
)
from watchglass_server.frames import encode_message
from watchglass_server.host_messages import Fatal, Finished, InputRequest, InterruptAck, Stream
from watchglass_server.host_protocol import Dumped, HostEvent
from watchglass_server.process import ExitInfo, PyodideProcess


@pytest.fixture
async def process() -> AsyncIterator[PyodideProcess]:
    async with PyodideProcess(fake_config()) as process:
        yield process


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    """Every test closes what it opened, and leaves no child behind."""
    before = descriptors(), children()  # a server that other tests share may run already
    yield
    await asyncio.sleep(0)
    assert (descriptors(), children()) == before


def descriptors() -> set[str]:
    names = (Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd"))
    return {str(name) for name in names if name.exists() or name.is_symlink()}


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


async def events_until(
    process: PyodideProcess, is_last: Callable[[HostEvent], bool]
) -> list[HostEvent]:
    seen: list[HostEvent] = []
    async for batch in process.events():
        seen += batch
        if any(map(is_last, batch)):
            break
    return seen


async def execute(process: PyodideProcess, code: str, request_id: int = 1) -> list[HostEvent]:
    """Execute and return all events until it is finished, or the process has ended."""
    process.execute(request_id, request_id, code)
    async with asyncio.timeout(20):
        return await events_until(process, lambda event: isinstance(event, Finished))


async def end(process: PyodideProcess) -> ExitInfo:
    async with asyncio.timeout(10):
        return await process.wait()


def text_of(events: list[HostEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Stream))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# --- start


async def test_a_process_says_what_it_is_when_it_is_ready(process: PyodideProcess) -> None:
    assert process.ready.python == "3.14.0"
    assert process.exit is None
    assert is_alive(process.pid)


async def test_a_process_gets_no_environment_but_its_own(process: PyodideProcess) -> None:
    held = json.loads(text_of(await execute(process, "environment")))
    assert sorted(held) == [
        "MALLOC_ARENA_MAX",
        "MALLOC_MMAP_THRESHOLD_",
        "MALLOC_TRIM_THRESHOLD_",
        "OPENSSL_CONF",
    ]


async def test_a_process_has_a_session_of_its_own_so_that_ctrl_c_passes_it_by(
    process: PyodideProcess,
) -> None:
    assert os.getsid(process.pid) == os.getpgid(process.pid) == process.pid


async def test_a_start_that_fails_says_what_the_process_said() -> None:
    process = PyodideProcess(fake_config("--dies-at-start"))
    with pytest.raises(ProcessStartError, match=r"exit code 1\..*cannot find the thing"):
        await process.start()
    assert process.exit is not None
    assert process.exit.exitcode == 1


async def test_a_start_that_takes_too_long_is_ended() -> None:
    process = PyodideProcess(fake_config("--never-ready", start_timeout=0.3))
    with pytest.raises(ProcessStartError, match=r"not ready within 0\.3 s"):
        await process.start()
    assert process.exit is not None
    assert process.exit.cause == "timeout"


async def test_a_program_that_is_not_there_is_a_failed_start() -> None:
    process = PyodideProcess(fake_config(node=Path("/nowhere/node")))
    with pytest.raises(ProcessStartError, match="/nowhere/node"):
        await process.start()
    assert (await process.stop()).cause == "fatal"


async def test_a_cancelled_start_leaves_nothing() -> None:
    starting = asyncio.create_task(PyodideProcess(fake_config("--never-ready")).start())
    await asyncio.sleep(0.1)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting


async def test_calls_before_the_start_are_our_fault() -> None:
    process = PyodideProcess(fake_config())
    with pytest.raises(InvalidState, match="never started"):
        process.kill("killed", "x")
    with pytest.raises(InvalidState, match="not ready"):
        assert process.ready


# --- executions


async def test_an_execution_streams_and_finishes(process: PyodideProcess) -> None:
    events = await execute(process, "print hello")
    assert events == [Stream(1, "stdout", "hello"), Finished(1, "ok", 1.5, 1000)]


async def test_executions_follow_each_other(process: PyodideProcess) -> None:
    for number in range(1, 6):
        assert text_of(await execute(process, f"print {number}", number)) == str(number)


async def test_a_dump_arrives_whole(process: PyodideProcess) -> None:
    size = 3 * 2**20 + 5
    events = await execute(process, f"dump {size}")
    (dump,) = [event for event in events if isinstance(event, Dumped)]
    assert dump.data == b"d" * size


async def test_a_flood_waits_for_its_reader_in_bounded_memory(process: PyodideProcess) -> None:
    # 1000 frames of 1000 lines: 3.9 MB through a reader that is slow at first.
    process.execute(1, 1, "flood 1000")
    lines = 0
    largest = 0
    async for batch in process.events():
        size = len(text_of(batch))
        largest = max(largest, size)
        if lines == 0:
            await asyncio.sleep(0.5)
        lines += text_of(batch).count("\n")
        if any(isinstance(event, Finished) for event in batch):
            break
    assert lines == 10**6
    assert largest < 2 * 2**18  # the high-water mark, and one read of the socket beyond it


async def test_a_dump_waits_until_its_reader_is_done_with_what_came_before(
    process: PyodideProcess,
) -> None:
    size = 64 * 2**20
    process.execute(1, 1, "print first")
    await events_until(process, lambda event: isinstance(event, Finished))
    tracemalloc.start()
    try:
        process.execute(2, 2, f"dump {size}")
        await asyncio.sleep(0.7)  # nobody asks for events
        _, largest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert largest < 4 * 2**20
    events = await events_until(process, lambda event: isinstance(event, Finished))
    (dump,) = [event for event in events if isinstance(event, Dumped)]
    assert len(dump.data) == size


async def test_settings_reach_the_running_process(process: PyodideProcess) -> None:
    process.configure(poll_ms=16, output_bytes=99, variables=7)
    events = await events_until(process, lambda event: isinstance(event, Stream))
    assert json.loads(text_of(events)) == {
        "type": "configure",
        "poll_ms": 16,
        "output_bytes": 99,
        "variables": 7,
    }


# --- input


async def test_input_is_answered(process: PyodideProcess) -> None:
    process.execute(1, 1, "input name? ")
    (request,) = await events_until(process, lambda event: isinstance(event, InputRequest))
    assert request == InputRequest(1, 1, "name? ", False)
    assert process.reply_input(1, "Ada\ud800")
    assert not process.reply_input(1, "again")
    events = await events_until(process, lambda event: isinstance(event, Finished))
    assert text_of(events) == repr("Ada\ud800")


async def test_the_end_of_input_is_answered(process: PyodideProcess) -> None:
    process.execute(1, 1, "input name? ")
    await events_until(process, lambda event: isinstance(event, InputRequest))
    process.reply_input(1, None)
    events = await events_until(process, lambda event: isinstance(event, Finished))
    assert text_of(events) == "None"


# --- interrupts


async def test_an_interrupt_ends_what_runs(process: PyodideProcess) -> None:
    process.execute(1, 1, "sleep")
    assert await process.interrupt(1, grace=5)
    events = await events_until(process, lambda event: isinstance(event, Finished))
    assert events == [InterruptAck(1, 1), Finished(1, "interrupted", 1.5, 1000)]


async def test_an_interrupt_is_resent_until_it_is_heard(process: PyodideProcess) -> None:
    process.execute(1, 1, "deaf 3")
    started = time.monotonic()
    assert await process.interrupt(1, grace=5)
    assert 0.3 <= time.monotonic() - started < 2
    events = await events_until(process, lambda event: isinstance(event, Finished))
    assert InterruptAck(1, 4) in events


async def test_an_interrupt_that_is_swallowed_is_told_after_the_grace(
    process: PyodideProcess,
) -> None:
    process.execute(1, 1, "swallow")
    assert not await process.interrupt(1, grace=0.3)
    process.kill("interrupt-ignored", "The code swallowed the interrupt.")
    assert (await end(process)).cause == "interrupt-ignored"


async def test_an_interrupt_that_is_heard_is_not_sent_again(process: PyodideProcess) -> None:
    process.execute(1, 1, "swallow")
    assert not await process.interrupt(1, grace=0.5)
    process.kill("killed", "x")
    events = [event async for batch in process.events() for event in batch]
    assert events == [InterruptAck(1, 1)]


async def test_an_interrupt_of_a_hanging_process_is_told_after_the_grace(
    process: PyodideProcess,
) -> None:
    process.execute(1, 1, "hang")
    assert not await process.interrupt(1, grace=0.25)


async def test_an_interrupt_of_what_does_not_run_is_nothing(process: PyodideProcess) -> None:
    await execute(process, "nothing")
    assert await process.interrupt(1, grace=5)


async def test_two_who_interrupt_at_once_are_both_told(process: PyodideProcess) -> None:
    process.execute(1, 1, "deaf 1")
    assert all(await asyncio.gather(*(process.interrupt(1, grace=5) for _ in range(2))))


async def test_an_interrupt_ends_with_the_process(process: PyodideProcess) -> None:
    process.execute(1, 1, "hang")
    interrupting = asyncio.create_task(process.interrupt(1, grace=10))
    await asyncio.sleep(0.05)
    process.kill("killed", "x")
    assert await asyncio.wait_for(interrupting, 2)


# --- queries


async def test_a_query_is_answered(process: PyodideProcess) -> None:
    assert await process.query("echo", {"a": [1, "é\ud800"]}, timeout=5) == {"a": [1, "é\ud800"]}


async def test_queries_are_answered_each_to_its_own(process: PyodideProcess) -> None:
    answers = await asyncio.gather(
        *(process.query("echo", {"n": number}, timeout=5) for number in range(100))
    )
    assert answers == [{"n": number} for number in range(100)]


async def test_too_many_queries_are_refused_and_the_others_answered(
    process: PyodideProcess,
) -> None:
    process.execute(1, 1, "hang")
    asking = [asyncio.create_task(process.query("echo", {}, timeout=0.3)) for _ in range(256)]
    await asyncio.sleep(0.05)
    with pytest.raises(QueryError, match="many questions") as caught:
        await process.query("echo", {}, timeout=5)
    assert caught.value.code == "busy"
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(outcome, QueryTimeout) for outcome in outcomes)


async def test_an_error_comes_with_its_details(process: PyodideProcess) -> None:
    with pytest.raises(QueryError) as caught:
        await process.query("fail", {}, timeout=5)
    assert (caught.value.code, caught.value.hint) == ("conflict", "Try.")
    assert caught.value.detail == {"variable": {"name": "x"}}


async def test_a_late_answer_disturbs_nobody(process: PyodideProcess) -> None:
    with pytest.raises(QueryTimeout, match=r"'late' within 0\.1 s"):
        await process.query("late", {"after": 0.3}, timeout=0.1)
    assert await process.query("echo", {"a": 1}, timeout=5) == {"a": 1}


async def test_a_query_takes_bytes_along(process: PyodideProcess) -> None:
    blob = b"\x01" + bytes(5 * 2**20)
    answer = await process.query("restore", {}, timeout=10, blob=blob)
    assert answer == {"bytes": len(blob), "first": "01"}


async def test_a_query_ends_with_the_process(process: PyodideProcess) -> None:
    with pytest.raises(ProcessDied, match="exit code 4") as caught:
        await process.query("die", {}, timeout=5)
    assert caught.value.exit == process.exit
    with pytest.raises(ProcessDied):
        await process.query("echo", {}, timeout=5)


# --- ends


@pytest.mark.parametrize(
    ("code", "exitcode", "killer", "cause", "words"),
    [
        ("exit 0", 0, None, "exited", "ended by itself"),
        ("exit 3", 3, None, "fatal", "exit code 3"),
        ("exit 137", 137, None, "memory", "too much memory"),
        ("signal 9", None, 9, "signal", "from outside (SIGKILL)"),
        ("signal 15", None, 15, "signal", "SIGTERM"),
        ("signal 11", None, 11, "fatal", "crashed (SIGSEGV)"),
        ("fatal memory", 1, None, "memory", "interpreter is lost"),
        ("fatal stack", 1, None, "stack", "Recurse less deeply"),
        ("last-words FATAL ERROR: JavaScript heap out of memory", 1, None, "memory", "ran out"),
        ("last-words TypeError: no such thing", 1, None, "fatal", "TypeError: no such thing"),
        ("half-a-frame", 0, None, "exited", "ended by itself"),
    ],
)
async def test_how_a_process_ended_is_told_with_the_next_step(
    process: PyodideProcess,
    code: str,
    exitcode: int | None,
    killer: int | None,
    cause: str,
    words: str,
) -> None:
    started = time.monotonic()
    await execute(process, code)
    exit_info = await end(process)
    assert time.monotonic() - started < 1.5
    assert (exit_info.exitcode, exit_info.signal, exit_info.cause) == (exitcode, killer, cause)
    assert words in exit_info.message
    assert "a new process starts" in exit_info.message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raw 00000000", "empty frame"),
        ("raw 0500000058ffff", "unknown kind"),
        ('send {"type": "ready"}', "ready"),
        ('send {"type": "finished", "request_id": 2}', "finished"),
        ('send {"type": "stream", "request_id": 9, "name": "stdout", "text": ""}', "9"),
    ],
)
async def test_a_process_that_breaks_the_protocol_is_ended(
    process: PyodideProcess, code: str, words: str
) -> None:
    events = await execute(process, code)
    exit_info = await end(process)
    assert (exit_info.cause, exit_info.signal) == ("protocol", signal.SIGKILL)
    assert words in exit_info.message
    assert not any(isinstance(event, Finished) for event in events)


async def test_what_was_said_before_the_end_is_not_lost(process: PyodideProcess) -> None:
    broken = encode_message({"type": "stream", "request_id": 1, "name": "stdout", "text": "last"})
    events = await execute(process, f"raw {(broken + bytes(4)).hex()}")
    assert text_of(events) == "last"


async def test_a_process_that_closes_its_socket_is_ended(process: PyodideProcess) -> None:
    await execute(process, "close")
    assert (await end(process)).cause == "protocol"


async def test_a_grandchild_that_holds_the_socket_does_not_hold_us(
    process: PyodideProcess,
) -> None:
    grandchild = int(text_of(await execute(process, "spawn")))
    started = time.monotonic()
    assert (await end(process)).signal == signal.SIGKILL
    assert time.monotonic() - started < 2
    async with asyncio.timeout(2):
        while is_alive(grandchild):  # noqa: ASYNC110 - nobody but the kernel knows
            await asyncio.sleep(0.01)


async def test_what_a_dead_process_had_said_is_read_even_if_nobody_takes_it(
    process: PyodideProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchglass_server.host_link.HIGH_WATER", 100)
    process.execute(1, 1, "flood-and-fatal stack")
    assert (await end(process)).cause == "stack"
    events = [event async for batch in process.events() for event in batch]
    assert text_of(events).count("\n") == 20_000


async def test_what_the_server_holds_is_not_taken_for_what_the_process_held() -> None:
    limit = 64 * 2**20
    held = bytearray(b"x") * (4 * limit)  # a child begins in its parent's memory
    async with PyodideProcess(replace(fake_config(), memory_bytes=limit)) as process:
        await execute(process, "signal 9")
        assert (await end(process)).cause == "signal"
    assert len(held) == 4 * limit


async def test_its_own_last_word_counts_more_than_a_later_kill(process: PyodideProcess) -> None:
    process.execute(1, 1, "fatal-and-linger memory")
    await events_until(process, lambda event: isinstance(event, Fatal))
    process.kill("killed", "by a test")
    exit_info = await end(process)
    assert (exit_info.cause, exit_info.signal) == ("memory", signal.SIGKILL)


async def test_a_process_that_lingers_after_its_last_word_is_ended(process: PyodideProcess) -> None:
    process.execute(1, 1, "fatal-and-linger memory")
    exit_info = await end(process)
    assert (exit_info.cause, exit_info.signal) == ("memory", signal.SIGKILL)


async def test_the_first_of_two_kills_gives_the_cause(process: PyodideProcess) -> None:
    process.kill("timeout", "first")
    process.kill("killed", "second")
    assert (await end(process)).cause == "timeout"


async def test_a_kill_gives_the_cause(process: PyodideProcess) -> None:
    process.kill("memory", "It held 900 MB of 512.")
    exit_info = await end(process)
    assert exit_info.cause == "memory"
    assert exit_info.message.startswith("It held 900 MB of 512. Hold less at a time")
    process.kill("killed", "later")
    assert process.exit == exit_info


async def test_a_stop_closes_the_socket_and_the_process_ends(process: PyodideProcess) -> None:
    exit_info = await process.stop(grace=5)
    assert (exit_info.exitcode, exit_info.cause) == (0, "shutdown")
    assert await process.stop() == exit_info


async def test_a_stop_kills_what_does_not_end() -> None:
    async with PyodideProcess(fake_config("--immortal")) as process:
        exit_info = await process.stop(grace=0.2)
    assert (exit_info.signal, exit_info.cause) == (signal.SIGKILL, "shutdown")


async def test_calls_to_a_dead_process_go_nowhere(process: PyodideProcess) -> None:
    process.kill("killed", "x")
    await end(process)
    process.execute(1, 1, "print hello")
    process.configure(poll_ms=1, output_bytes=1, variables=1)
    assert not process.reply_input(1, "x")
    assert await process.interrupt(1, grace=5)
    assert [batch async for batch in process.events()] == []
    assert process.stats() is None


async def test_a_process_that_floods_while_nobody_reads_still_ends(
    process: PyodideProcess,
) -> None:
    process.execute(1, 1, "flood 1000")
    await asyncio.sleep(0.3)
    process.kill("killed", "x")
    assert (await end(process)).cause == "killed"
    text = text_of([event async for batch in process.events() for event in batch])
    assert 0 < len(text) < 3 * 2**20


async def test_twenty_processes_at_once_leave_nothing() -> None:
    processes = [PyodideProcess(fake_config()) for _ in range(20)]
    await asyncio.gather(*(process.start() for process in processes))
    for process in processes[::2]:
        process.kill("killed", "x")
    await asyncio.gather(*(process.stop() for process in processes))


PARENT = """
import asyncio
from tests.support.fake_host import fake_config
from watchglass_server.process import PyodideProcess

async def main():
    processes = [PyodideProcess(fake_config("--immortal")) for _ in range(2)]
    for process in processes:
        await process.start()
    processes[1].execute(1, 1, "hang")
    print(*(process.pid for process in processes), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_processes_do_not_outlive_a_parent_that_is_killed() -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, cwd=root
    ) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert [is_alive(pid) for pid in pids] == [True, True]
        parent.kill()
    deadline = time.monotonic() + 3
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [is_alive(pid) for pid in pids] == [False, False]
