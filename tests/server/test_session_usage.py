"""What a session uses of its limits, and what happens when one is used up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.session_script import LIMITS, Script, was_set
from watchglass_server import host_messages as h
from watchglass_server import session_inputs as i
from watchglass_server.refusals import Refused
from watchglass_server.session_state import SessionLimits
from watchglass_server.session_usage import usage_picture

MIB = 2**20


def started(**limits: Any) -> Script:
    session = Script(replace(LIMITS, **limits)).started()
    session.apply(i.Usage(session.session.generation, 0.0, 1))
    return session


def hour_of(session: Script) -> float:
    return session.session.cpu.hour.used_s(session.clock)


def test_the_processor_time_of_all_processes_counts_for_the_hour() -> None:
    session = started()
    session.execute()
    session.apply(i.Usage(1, 3.0, 1), after=3)
    session.finish()
    session.apply(i.Restart())
    session.ready()
    again = session.session.generation
    session.apply(i.Usage(again, 0.4, 1))  # it had used that before it was ours
    session.execute("2", "e2")
    session.apply(i.Usage(again, 1.4, 1), after=1)
    assert hour_of(session) == pytest.approx(4.0)


def test_code_that_ends_its_process_is_charged_for_the_time_nobody_could_read() -> None:
    session = started()
    session.execute()
    session.apply(i.Usage(1, 0.5, 1), after=0.5)
    session.clock += 0.7
    session.died()
    assert hour_of(session) == pytest.approx(1.2)


def test_an_hour_that_is_used_up_ends_what_runs_cancels_what_waits_and_refuses() -> None:
    session = started(cpu_hour_s=5.0)
    session.execute("a", "a")
    session.execute("b", "b")
    session.apply(i.Usage(1, 6.0, 1), after=6)
    assert len(session.asked(i.SendInterrupt)) == 1
    session.finish("interrupted")
    ends = {e["execution"]: e["status"] for e in session.events("execution.finished")}
    assert ends == {"a": "timeout", "b": "cancelled"}
    (error,) = session.events("error")
    assert (error["execution"], error["name"]) == ("a", "LimitExceeded")
    assert "`cpu_hour_s`" in error["message"]
    before = session.session
    with pytest.raises(Refused) as caught:
        session.execute("c", "c")
    assert session.session == before
    wait = caught.value.error.retry_after_s
    assert caught.value.error.code == "limit_exceeded"
    assert wait is not None
    session.clock += wait
    session.execute("c", "c")
    assert session.asked(i.SendExecute)[-1].code == "c"


def test_the_same_execution_sent_again_is_no_new_one_when_the_hour_is_used_up() -> None:
    session = started(cpu_hour_s=1.0)
    session.execute("a", "a")
    session.apply(i.Usage(1, 2.0, 1), after=2)
    session.finish("interrupted")
    session.execute("a", "a")


def test_what_was_used_before_an_execution_is_not_its_own() -> None:
    session = started(cpu_s=1.0)
    session.apply(i.Usage(1, 0.0, 1), after=60)
    session.execute()
    session.apply(i.Usage(1, 50.0, 1), after=0.25)  # a task of before
    assert not session.asked(i.SendInterrupt)
    assert session.session.cpu.execution_s == 0.25


def test_what_somebody_interrupts_names_no_limit() -> None:
    session = started(wall_s=9.0)
    session.execute()
    session.apply(i.Interrupt(None), after=1)
    session.finish("interrupted")
    assert session.events("error") == []


def test_the_picture_says_how_much_of_each_limit_is_used() -> None:
    session = started(cpu_hour_s=100.0)
    session.execute()
    session.said(h.Stream(1, "stdout", "x" * 1000))
    session.said(h.VariablesChanged(1, True, [was_set("x", 1)], 7))
    session.apply(i.Usage(1, 2.0, 300 * MIB), after=2.5)
    usage = usage_picture(session.session, session.clock, 300 * MIB)
    assert (usage.wall_s, usage.cpu_s, usage.cpu_hour_s) == (2.5, 2.0, 2.0)
    assert (usage.output_bytes, usage.variables, usage.variables_left_out) == (1000, 1, 7)
    assert usage.memory_bytes == 204 * MIB  # seen from outside, while code runs
    session.finish()
    usage = usage_picture(session.session, session.clock, 300 * MIB)
    assert (usage.memory_bytes, usage.wall_s) == (40, None)
    assert usage_picture(session.session, session.clock, None).memory_bytes is None


# --- variables


def bounded(variables: int, size: int = 10**6) -> Script:
    limits = SessionLimits(
        memory_bytes=2**29, output_bytes=2**26, variables=variables, variables_bytes=size
    )
    return Script(limits).started()


def test_beyond_the_limit_a_new_name_is_left_out_and_a_known_one_goes_on() -> None:
    session = bounded(2)
    session.said(h.VariablesChanged(1, True, [was_set(name) for name in "abcd"]))
    assert list(session.session.fold.variables) == ["a", "b"]
    assert session.session.fold.variables_left_out == 2
    session.said(h.VariablesChanged(1, True, [was_set("a", version=2, value=7)]))
    assert session.session.fold.variables["a"].variable.value == 7
    assert "left_out" not in session.events("variables.changed")[-1]
    gone = h.VariablesChanged(
        1, False, [h.DeleteChange("c", None, 1), h.DeleteChange("b", None, 1)]
    )
    session.said(gone)
    assert list(session.session.fold.variables) == ["a"]
    assert session.session.fold.variables_left_out == 1
    assert session.refolded() == session.session.fold


def test_without_room_a_value_goes_first_and_then_the_variable() -> None:
    session = bounded(100, size=2000)
    session.said(h.VariablesChanged(1, True, [was_set("a", value="x" * 1000)]))
    session.said(h.VariablesChanged(1, True, [was_set("b", value="y" * 900)]))
    known = session.session.fold.variables
    assert known["a"].variable.value is not None
    assert known["b"].variable.value is None
    many = (was_set(f"n{n}", value="z" * 100) for n in range(50))
    session.said(h.VariablesChanged(1, True, [*many]))
    assert session.session.sizes.size_bytes <= 2000
    assert session.session.fold.variables_left_out == 52 - len(session.session.fold.variables)
    session.said(h.VariablesChanged(1, True, [was_set("a", version=2, value=0)]))
    assert session.session.fold.variables["a"].variable.value == 0


def test_a_process_that_names_variables_without_end_costs_a_bounded_number() -> None:
    session = bounded(10)
    for batch in range(20):
        changes = (was_set(f"n{batch}_{n}") for n in range(500))
        session.said(h.VariablesChanged(1, True, [*changes]))
    assert len(session.session.fold.variables) == 10
    assert len(session.session.sizes.left_out) == 10
