"""Whatever happens to a session: what a joiner sees is what its events add up to."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.session_script import Script, was_set, watch_value
from watchglass_server import host_messages as h
from watchglass_server import json_wire
from watchglass_server import session_inputs as i
from watchglass_server.exit_info import ExitInfo
from watchglass_server.fields import MAX_ANSWER_BYTES
from watchglass_server.refusals import Refused
from watchglass_server.session_fold import EXECUTIONS_KEPT, Fold, decode_event, fold
from watchglass_server.session_view import session_state

WORDS = st.sampled_from(["a", "b", "c", "d"])
STEPS = st.one_of(
    st.tuples(st.just("join"), WORDS),
    st.tuples(st.just("leave"), WORDS),
    st.tuples(st.just("execute"), st.integers(1, 30)),
    st.tuples(st.just("interrupt"), st.none()),
    st.tuples(st.just("answer"), st.integers(1, 3)),
    st.tuples(st.just("restart"), st.none()),
    st.tuples(st.just("wake"), st.none()),
    st.tuples(st.just("sleep"), st.none()),
    st.tuples(st.just("ready"), st.integers(-1, 0)),
    st.tuples(st.just("died"), st.integers(-1, 0)),
    st.tuples(st.just("tick"), st.floats(0, 10)),
    st.tuples(st.just("stream"), st.integers(0, 40_000)),
    st.tuples(st.just("set"), WORDS),
    st.tuples(st.just("delete"), WORDS),
    st.tuples(st.just("display"), WORDS),
    st.tuples(st.just("update"), WORDS),
    st.tuples(st.just("input"), st.integers(1, 9)),
    st.tuples(st.just("finish"), st.sampled_from(["ok", "error", "interrupted"])),
    st.tuples(st.just("rename"), WORDS),
    st.tuples(st.just("watch"), WORDS),
    st.tuples(st.just("unwatch"), WORDS),
    st.tuples(st.just("watched"), st.tuples(WORDS, st.integers(0, 3), st.booleans())),
    st.tuples(st.just("found"), st.none()),
    st.tuples(st.just("mirror"), st.sampled_from(["connected", "behind", "disconnected", "off"])),
)


def take(session: Script, step: str, value: Any) -> None:
    """One random thing that can happen, in any state."""
    running = session.session.running
    number = running.number if running else 0
    generation = session.session.generation
    match step:
        case "join":
            session.apply(i.Join(value, None, "editor"))
        case "leave":
            session.apply(i.Leave(value))
        case "execute":
            session.execute(str(value), f"e{value}")
        case "interrupt":
            session.apply(i.Interrupt(None))
        case "answer":
            session.apply(i.AnswerInput(value, "text"))
        case "restart":
            session.apply(i.Restart())
        case "wake":
            session.apply(i.Wake())
        case "sleep":
            session.apply(i.Sleep("idle"))
        case "ready":
            session.apply(i.ProcessReady(generation + value, 10))
        case "died":
            session.apply(i.ProcessEnded(generation + value, ExitInfo(1, None, "fatal", "Gone.")))
        case "tick":
            session.apply(i.Tick(), after=value)
        case "stream":
            session.said(h.Stream(number, "stdout", "x" * value))
        case "set":
            session.said(h.VariablesChanged(number, True, [was_set(value, number)]))
        case "watch":
            session.apply(i.AddWatch(f"w{value}", value, "value > 1"))
        case "unwatch":
            session.apply(i.RemoveWatch(f"w{value}"))
        case "watched":
            session.said(h.WatchesChanged(number, None, [watch_value(*value)]))
        case "delete":
            session.said(h.VariablesChanged(0, False, [h.DeleteChange(value, None, 0)]))
        case "display":
            session.said(h.DisplayData(number, {"text/plain": value}, value))
        case "update":
            session.said(h.UpdateDisplayData(number, {"text/plain": value * 2}, value))
        case "input":
            session.said(h.InputRequest(number, value, "?", False))
        case "finish" if running:
            session.finish(value)
        case "rename":
            session.apply(i.Rename(value))
        case "mirror":
            session.apply(i.MirrorTold(value, 5))
        case "found" if generation == 0:
            session.apply(i.Found())


@settings(max_examples=200, deadline=None)
@given(st.booleans(), st.lists(STEPS, min_size=5, max_size=80))
def test_any_history_is_the_fold_of_its_events(
    has_process: bool, steps: list[tuple[str, Any]]
) -> None:
    session = Script().started() if has_process else Script()
    for step, value in steps:
        before = session.session
        try:
            take(session, step, value)
        except Refused:
            assert session.session == before, "a refused call changed something"
    record = [one.event.seq for one in session.asked(i.Record)]
    assert record == list(range(1, len(record) + 1))
    assert session.refolded() == session.session.fold
    stored = msgspec.convert(
        msgspec.json.decode(msgspec.json.encode(session.session.fold)), Fold, strict=False
    )
    assert stored == session.session.fold

    ends = Counter(event["execution"] for event in session.events("execution.finished"))
    queued = [event["execution"] for event in session.events("execution.queued")]
    assert max(ends.values(), default=1) == 1, "an execution ended twice"
    assert len(queued) == len(set(queued))
    unfinished = {one.execution for one in session.session.fold.executions if not one.finished_at}
    assert unfinished == set(queued) - set(ends)
    started = [event["number"] for event in session.events("execution.started")]
    assert started == sorted(set(started)), "not one after another"
    running = [one for one in session.session.fold.executions if one.status == "running"]
    assert [one.execution for one in running] == (
        [session.session.running.execution] if session.session.running else []
    )
    open_inputs = {one.request for one in session.session.fold.inputs}
    assert open_inputs == set(session.session.inputs)


def test_only_the_newest_executions_are_kept_and_all_that_wait() -> None:
    session = Script().started()
    for n in range(EXECUTIONS_KEPT + 20):
        session.execute(f"{n}", f"e{n}")
        session.finish()
    session.execute("last", "last")
    session.execute("waits", "waits")
    kept = [one.execution for one in session.session.fold.executions]
    assert len(kept) == EXECUTIONS_KEPT
    assert kept[-2:] == ["last", "waits"]
    assert session.session.fold.execution_count == EXECUTIONS_KEPT + 22


def test_a_gap_in_the_events_is_an_error() -> None:
    known = Script().session.fold
    event = decode_event(2, "t", "session.renamed", {"name": "x"})
    with pytest.raises(ValueError, match="does not follow"):
        fold(known, event)


def test_the_state_of_a_session_full_of_everything_fits_into_an_answer() -> None:
    session = Script().started()
    for n in range(60):
        session.execute("x = 1 # " + "é" * 100_000, f"e{n}")
        for _ in range(5):
            session.said(h.Stream(n + 1, "stdout", "y" * 2**16))
        session.said(h.DisplayData(n + 1, {"image/png": "A" * 2_000_000}, None))
        session.finish()
    for first in range(0, 20_000, 500):
        names = [f"variable_{n}" for n in range(first, first + 500)]
        changes = [was_set(name, value="z" * 200) for name in names]
        session.said(h.VariablesChanged(0, False, list(changes)))
    state = session_state(session.session.fold)
    assert state.truncated
    assert len(json_wire.dumps(msgspec.to_builtins(state)).encode()) < MAX_ANSWER_BYTES
    assert [one.number for one in state.executions] == list(range(11, 61))
    assert len(state.variables) > 1000


def test_a_small_state_is_whole() -> None:
    session = Script().started()
    session.execute("x = 1")
    session.said(h.VariablesChanged(1, False, [was_set("x", 1)]))
    session.finish()
    state = session_state(session.session.fold)
    assert not state.truncated
    assert (state.executions[0].code, state.variables[0].value) == ("x = 1", 1)
