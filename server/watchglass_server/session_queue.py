"""Executions: queued, given to the process one by one, interrupted, timed out, finished. Pure."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from msgspec import UNSET

from watchglass_server import host_messages as h
from watchglass_server import notifications as n
from watchglass_server import session_packages as packages
from watchglass_server.fields import FinalStatus
from watchglass_server.measure import MAX_PROMPT_CHARACTERS
from watchglass_server.refusals import Refused, bad_request
from watchglass_server.session_inputs import (
    AnswerInput,
    Execute,
    Interrupt,
    KillProcess,
    SendExecute,
    SendInput,
    SendInterrupt,
    Store,
    StoreSession,
    Usage,
)
from watchglass_server.session_output import execution_of, tell
from watchglass_server.session_state import Ending, Meter, Phase, Running, Step
from watchglass_server.session_usage import (
    begin_account,
    charge,
    hour_is_used_up,
    refuse_used_up,
)
from watchglass_sync.records import ExecutionRecord

NUMBERS_KEPT = 1000
TELL_INTERRUPT_AFTER_S = 0.5
MEMORY_ABOVE_LIMIT_BYTES = 200 * 2**20
_LIMIT_STEPS = {
    "timeout": "Do less in one execution, or have the operator raise --wall-limit.",
    "cpu": "Do less in one execution, or have the operator raise --cpu-limit.",
    "cpu-hour": "Wait until it has some again: `session.usage` says when.",
}


def execute(step: Step, command: Execute) -> bool:
    """Put code into the queue; False when this execution is known already."""
    fold = step.session.fold
    known = fold.execution(command.execution)
    if known is not None:
        if known.code != command.code:
            raise Refused(
                "conflict",
                f"Execution '{command.execution}' was sent before with other code.",
                "Choose a new id for new code.",
            )
        return False
    _refuse_beyond_limits(step, command.code)
    step.record(
        n.ExecutionQueuedNotification(
            execution=command.execution,
            number=fold.last_number + 1,
            code=command.code,
            author=command.author,
            script=command.script or UNSET,
        )
    )
    if command.by_owner:
        step.change(by_owner=step.session.by_owner | {command.execution})
    begin_next(step)
    return True


def _refuse_beyond_limits(step: Step, code: str) -> None:
    limits, waiting = step.session.limits, len(step.session.fold.queue)
    if len(code) > limits.code_bytes // 4 and len(code.encode()) > limits.code_bytes:
        raise Refused(
            "too_large",
            f"The code has {len(code.encode()):,} bytes; this session takes {limits.code_bytes:,} "
            "(`code_bytes`).",
            "Execute it in parts, or put what is data into variables.",
            field="code",
        )
    if waiting >= limits.max_queue:
        raise Refused(
            "busy",
            f"{waiting} executions wait in this session already (`queue`).",
            "Wait until some have finished, or interrupt the one that runs.",
        )
    refuse_used_up(step)


def begin_next(step: Step) -> None:
    """Give the next execution to the process, if it waits for one."""
    session = step.session
    queue = session.fold.queue
    if session.phase is not Phase.READY or session.running is not None or not queue:
        return
    one = queue[0]
    step.record(
        n.ExecutionStartedNotification(
            execution=one.execution,
            number=one.number,
            code=one.code,
            author=one.author,
            script=one.script,
        )
    )
    if session.fold.process.state != "busy" or session.fold.process.reason is not None:
        step.record(
            n.ProcessStateNotification(
                state="busy", memory_bytes=session.memory_bytes, watcher=session.watcher
            )
        )
    numbers = {**session.numbers, one.number: one.execution}
    if len(numbers) > NUMBERS_KEPT:
        del numbers[min(numbers)]
    step.change(
        running=Running(one.number, one.execution, since=step.moment.clock),
        numbers=numbers,
        meters={**session.meters, one.execution: Meter(since=step.moment.clock)},
    )
    begin_account(step, one.execution)
    step.act(SendExecute(session.generation, one.number, one.code))


def finished(step: Step, event: h.Finished) -> None:
    """The running execution ended by itself, or because it was interrupted."""
    running = step.session.running
    if running is None or running.number != event.request_id:
        return
    status: FinalStatus = event.status
    if status == "interrupted" and running.ending is not None:
        status = running.ending.status
    step.change(memory_bytes=event.memory_bytes)
    finish_running(step, status, event.duration_ms)
    begin_next(step)
    if step.session.running is None:
        step.record(
            n.ProcessStateNotification(
                state="idle", memory_bytes=event.memory_bytes, watcher=step.session.watcher
            )
        )
    step.act(StoreSession())


def finish_running(step: Step, status: FinalStatus, duration_ms: float | None = None) -> None:
    """Say how the running execution ended."""
    running = step.session.running
    if running is None:
        return
    tell(step, running.execution)
    packages.forget(step)
    if duration_ms is None:
        duration_ms = round((step.moment.clock - running.since) * 1000, 3)
    step.change(running=None)
    if running.ending is not None and running.ending.is_limit:
        _tell_limit(step, running, running.ending)
    _finish(step, running.execution, status, duration_ms)


def _tell_limit(step: Step, running: Running, ending: Ending) -> None:
    """Say in the execution which limit ended it: its own traceback cannot know."""
    words = f"{ending.message} {_LIMIT_STEPS[ending.cause]}"
    step.record(
        n.ErrorNotification(
            execution=running.execution,
            name="LimitExceeded",
            message=words,
            traceback=[f"LimitExceeded: {words}"],
            line=None,
        )
    )


def cancel_queue(step: Step) -> None:
    """Say of all that wait that they never will run."""
    for one in step.session.fold.queue:
        cancel(step, one.execution)


def cancel(step: Step, execution: str) -> None:
    """Say of one that waits that it never will run."""
    _finish(step, execution, "cancelled", None)


def _finish(step: Step, key: str, status: FinalStatus, duration_ms: float | None) -> None:
    step.record(
        n.ExecutionFinishedNotification(execution=key, status=status, duration_ms=duration_ms)
    )
    step.touch(key)
    step.change(by_owner=step.session.by_owner - {key})
    store_executions(step)


def store_executions(step: Step) -> None:
    """Store the executions that have changed; those still running are stored when they end."""
    for key in sorted(step.session.unstored):
        one = step.session.fold.execution(key)
        if one is not None and one.finished_at is not None:
            step.act(Store(ExecutionRecord(key, one.number, msgspec.to_builtins(one))))
        if one is None or one.finished_at is not None:
            step.change(unstored=step.session.unstored - {key})


# --- interrupts and limits


def interrupt(step: Step, command: Interrupt) -> None:
    """Ask the running code to stop."""
    running = step.session.running
    if running is None or command.execution not in (None, running.execution):
        return
    _end(
        step,
        "interrupted",
        "interrupt-ignored",
        "The code went on after an interrupt and was ended.",
    )


def _end(step: Step, status: FinalStatus, cause: str, message: str) -> None:
    running = step.session.running
    assert running is not None
    if running.ending is None:
        ending = Ending(step.moment.clock, status, cause, message)
        step.change(running=replace(running, ending=ending))
    # Asked again, it is sent again, for the first may have been swallowed; its time goes on.
    grace = step.session.limits.interrupt_grace_s
    step.act(SendInterrupt(step.session.generation, running.number, grace))


def watch_time(step: Step) -> None:
    """Keep the time limits of the running execution."""
    session, clock = step.session, step.moment.clock
    running, limits = session.running, session.limits
    if running is None:
        return
    if running.ending is None:
        if limits.wall_s is not None and clock - running.since > limits.wall_s:
            words = f"The code ran for more than {limits.wall_s:g} s (`wall_s`)."
            _end(step, "timeout", "timeout", words)
        return
    waited = clock - running.ending.since
    if waited >= limits.interrupt_grace_s:
        step.act(KillProcess(session.generation, running.ending.cause, running.ending.message))
    elif waited >= TELL_INTERRUPT_AFTER_S and not running.ending.is_told:
        _tell_interrupting(step, running, running.ending)


def _tell_interrupting(step: Step, running: Running, ending: Ending) -> None:
    step.record(
        n.ProcessStateNotification(
            state="busy",
            reason="interrupting",
            memory_bytes=step.session.memory_bytes,
            watcher=step.session.watcher,
            grace_s=step.session.limits.interrupt_grace_s,
        )
    )
    step.change(running=replace(running, ending=replace(ending, is_told=True)))


def watch_usage(step: Step, usage: Usage) -> None:
    """Keep the limits of processor time and memory."""
    charge(step, usage)
    session = step.session
    limits, running = session.limits, session.running
    if usage.rss_bytes > limits.memory_bytes + MEMORY_ABOVE_LIMIT_BYTES:
        words = (
            f"The process used {usage.rss_bytes // 2**20:,} MiB, more than it may with "
            f"{limits.memory_bytes // 2**20:,} MiB for Python (`memory_bytes`)."
        )
        step.act(KillProcess(session.generation, "memory", words))
        return
    if running is None or running.ending is not None:
        return
    if limits.cpu_s is not None and step.session.cpu.execution_s > limits.cpu_s:
        words = f"The code used more than {limits.cpu_s:g} s of processor time (`cpu_s`)."
        _end(step, "timeout", "cpu", words)
    elif limits.cpu_hour_s is not None and hour_is_used_up(step.session, step.moment.clock):
        cancel_queue(step)
        words = (
            f"The session has used its {limits.cpu_hour_s:g} s of processor time in an hour "
            "(`cpu_hour_s`)."
        )
        _end(step, "timeout", "cpu-hour", words)


# --- input()


def input_requested(step: Step, event: h.InputRequest) -> None:
    """Put the question of `input()` to everybody."""
    session = step.session
    request = session.fold.input_count + 1
    step.change(inputs={**session.inputs, request: event.request})
    key = execution_of(step, event.request_id)
    step.record(
        n.InputRequestedNotification(
            execution=key,
            request=request,
            prompt=event.prompt[:MAX_PROMPT_CHARACTERS],
            password=event.password,
        )
    )
    if key is not None:
        step.touch(key)


def answer_input(step: Step, command: AnswerInput) -> None:
    """Give somebody's answer to the code that waits for it."""
    session = step.session
    host_request = session.inputs.get(command.request)
    if host_request is None:
        if command.request <= session.fold.input_count:
            raise Refused(
                "conflict",
                f"Request {command.request} is no longer open: it was answered or cancelled.",
                "Look at input.answered in the events of the session.",
            )
        raise bad_request(
            "request",
            f"There was no request {command.request} in this session.",
            "Send the number of an input.requested event.",
        )
    step.act(SendInput(session.generation, host_request, command.text))
    close_input(step, command.request, command.text)


def input_cancelled(step: Step, event: h.InputCancelled) -> None:
    """The code no longer waits."""
    for request, host_request in step.session.inputs.items():
        if host_request == event.request:
            close_input(step, request, None)
            return


def close_input(step: Step, request: int, text: str | None) -> None:
    """Say that a question is no longer open; `text` None: nobody answered it."""
    asked = next(one for one in step.session.fold.inputs if one.request == request)
    inputs = {key: value for key, value in step.session.inputs.items() if key != request}
    step.change(inputs=inputs)
    step.record(
        n.InputAnsweredNotification(
            execution=asked.execution,
            request=request,
            prompt=asked.prompt,
            password=asked.password,
            text=None if asked.password else text,
            cancelled=text is None,
        )
    )
    if asked.execution is not None:
        step.touch(asked.execution)
