"""How much of its limits a session uses, and what happens when one is used up. Pure."""

from __future__ import annotations

from dataclasses import replace

from watchglass_server import pictures
from watchglass_server.refusals import Refused
from watchglass_server.session_inputs import Usage
from watchglass_server.session_state import CpuAccount, Session, Step

# What Node and Pyodide hold beside Python's memory, a little less than was measured.
OWN_RSS_BYTES = 96 * 2**20


def charge(step: Step, usage: Usage) -> None:
    """Put what the process has used since it was last asked on the session's account."""
    known, clock = step.session.cpu, step.moment.clock
    fresh = known.generation != usage.generation
    used = 0.0 if fresh else max(0.0, usage.cpu_s - known.process_s)
    running = step.session.running
    if running is not None and running.execution == known.execution:
        # Never more than the time it has run: the rest was used before it began.
        spent = min(known.execution_s + used, clock - running.since)
        known = replace(known, execution_s=spent)
    account = replace(
        known,
        hour=known.hour.charged(clock, used),
        generation=usage.generation,
        process_s=usage.cpu_s,
        read_at=clock,
    )
    step.change(cpu=account)


def charge_death(step: Step) -> None:
    """The process is gone: nobody can read what it used last, so all of the time counts."""
    running, known = step.session.running, step.session.cpu
    if running is None or known.generation != step.session.generation:
        return
    unread = max(0.0, step.moment.clock - max(known.read_at, running.since))
    step.change(cpu=replace(known, hour=known.hour.charged(step.moment.clock, unread)))


def begin_account(step: Step, execution: str) -> None:
    """An execution begins: what it uses is counted from here on."""
    step.change(cpu=replace(step.session.cpu, execution=execution, execution_s=0.0))


def hour_is_used_up(session: Session, clock: float) -> bool:
    """True when the session has had its processor time of this hour."""
    limit = session.limits.cpu_hour_s
    return limit is not None and session.cpu.hour.used_s(clock) >= limit


def refuse_used_up(step: Step) -> None:
    """Refuse code when the processor time of this hour is used up."""
    session, clock = step.session, step.moment.clock
    limit = session.limits.cpu_hour_s
    if limit is None or not hour_is_used_up(session, clock):
        return
    wait = session.cpu.hour.free_in_s(clock, limit)
    raise Refused(
        "limit_exceeded",
        f"This session has used its {limit:g} s of processor time in an hour (`cpu_hour_s`).",
        f"Execute again in {_minutes(wait)}; what is stored of the session stays.",
        field="cpu_hour_s",
        retry_after_s=round(wait, 1),
    )


def usage_picture(session: Session, clock: float, process_bytes: int | None) -> pictures.Usage:
    """How much is used now, as clients see it."""
    cpu, running = session.cpu, session.running
    limit = session.limits.cpu_hour_s
    free_in = None
    if limit is not None and hour_is_used_up(session, clock):
        free_in = round(cpu.hour.free_in_s(clock, limit), 1)
    return pictures.Usage(
        memory_bytes=_memory_bytes(session, process_bytes),
        process_bytes=process_bytes,
        wall_s=None if running is None else round(clock - running.since, 3),
        cpu_s=round(cpu.execution_s, 3),
        cpu_hour_s=round(cpu.hour.used_s(clock), 3),
        cpu_hour_free_in_s=free_in,
        output_bytes=_output_bytes(session, cpu),
        variables=len(session.fold.variables),
        variables_bytes=session.sizes.size_bytes,
        variables_left_out=session.fold.variables_left_out,
        queue=len(session.fold.queue),
        participants=len(session.fold.participants),
    )


def _memory_bytes(session: Session, process_bytes: int | None) -> int | None:
    """Python's memory: told at the end of each execution, and seen from outside until then."""
    if process_bytes is None:
        return None
    seen = process_bytes - OWN_RSS_BYTES if session.running is not None else 0
    return max(session.memory_bytes or 0, seen)


def _output_bytes(session: Session, cpu: CpuAccount) -> int:
    meter = session.meters.get(cpu.execution)
    if meter is None:
        return 0
    tail = sum(len(part.text.encode()) for part in meter.tail)
    return meter.sent_bytes + meter.dropped_bytes + tail


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
