"""What is printed: all of it stored, a bounded part of it sent, and the rest accounted for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.session_script import Script
from watchglass_server import host_messages as h
from watchglass_server import session_inputs as i
from watchglass_server.measure import MAX_BUNDLE_BYTES
from watchglass_server.session_meters import (
    ASIDE_BYTES,
    DISPLAY_BYTES,
    DISPLAY_COST,
    DISPLAYS,
    HEAD_BYTES,
    METERS_KEPT,
    PIECE_COST,
)
from watchglass_server.session_output import TAIL_BYTES


def printing() -> Script:
    session = Script().started()
    session.execute()
    return session


def sent_text(session: Script) -> str:
    return "".join(event["text"] for event in session.events("stream"))


def test_text_is_sent_as_it_comes_and_stored() -> None:
    session = printing()
    session.said(h.Stream(1, "stdout", "a"))
    session.said(h.Stream(1, "stderr", "b"))
    assert [(e["name"], e["text"]) for e in session.events("stream")] == [
        ("stdout", "a"),
        ("stderr", "b"),
    ]
    assert [(one.execution, one.name, one.text) for one in session.outputs()] == [
        ("e1", "stdout", "a"),
        ("e1", "stderr", "b"),
    ]


def test_a_flood_is_told_once_a_second_and_at_the_end() -> None:
    session = printing()
    for _ in range(100):
        session.said(h.Stream(1, "stdout", "x" * 2**16), after=0.05)
    during = session.events("stream.truncated")
    assert 4 <= len(during) <= 6
    session.finish()
    assert session.types()[-3:] == ["stream.truncated", "execution.finished", "process.state"]
    last = session.events("stream.truncated")[-1]
    tail = "".join(part["text"] for part in last["tail"])
    assert len(tail) == TAIL_BYTES
    assert len(sent_text(session)) + last["dropped_bytes"] + len(tail) == 100 * 2**16
    assert sum(len(one.text) for one in session.outputs()) == 100 * 2**16


def test_slow_output_is_never_cut() -> None:
    session = printing()
    for _ in range(60):
        session.said(h.Stream(1, "stdout", "x" * 2**14), after=1.0)
    assert not session.events("stream.truncated")


def test_a_tail_that_goes_on_after_the_end_is_told_by_the_clock() -> None:
    session = printing()
    session.finish()
    for _ in range(6):
        session.said(h.Stream(1, "stdout", "x" * 2**16))
    told = len(session.events("stream.truncated"))
    assert session.session.needs_ticks
    session.apply(i.Tick(), after=1.1)
    assert len(session.events("stream.truncated")) == told + 1
    session.apply(i.Tick(), after=2.1)
    assert not session.session.needs_ticks


def test_text_beyond_the_limit_is_told_as_lost() -> None:
    session = printing()
    session.said(h.StreamDropped(1, 1000))
    session.said(h.StreamDropped(1, 5000))
    session.finish()
    assert session.events("stream.truncated")[-1]["lost_bytes"] == 5000


def test_what_no_execution_printed_is_sent_and_not_stored() -> None:
    session = printing()
    session.said(h.Stream(0, "stderr", "a task"))
    assert session.events("stream")[0]["execution"] is None
    assert session.outputs() == []


def test_lone_surrogates_are_replaced() -> None:
    session = printing()
    session.said(h.Stream(1, "stdout", "a\ud800b"))
    assert session.events("stream")[0]["text"] == "a\ufffdb"


def test_too_many_displays_are_counted_instead_of_sent() -> None:
    session = printing()
    for _ in range(DISPLAYS + 50):
        session.said(h.DisplayData(1, {"text/plain": "x"}, None))
    session.finish()
    assert len(session.events("display_data")) == DISPLAYS
    assert session.events("stream.truncated")[-1]["dropped_displays"] == 50


def test_displays_that_are_too_large_together_are_counted_instead_of_sent() -> None:
    session = printing()
    large = {"text/plain": "x" * (MAX_BUNDLE_BYTES - 100)}
    room = DISPLAY_BYTES // MAX_BUNDLE_BYTES
    for _ in range(room + 20):
        session.said(h.DisplayData(1, large, None))
    session.finish()
    assert len(session.events("display_data")) == room
    assert session.events("stream.truncated")[-1]["dropped_displays"] == 20


def test_executions_that_have_ended_share_the_room_for_displays() -> None:
    session = printing()
    numbers = range(1, METERS_KEPT + 20)
    for number in numbers[:-1]:
        session.finish()
        session.execute(execution=f"e{number + 1}")
    bundle = {"text/plain": "x" * 10**6}
    for _ in range(20):
        for number in numbers[:-1]:
            session.said(h.DisplayData(number, bundle, None))
    cost = DISPLAY_COST + 10**6
    assert len(session.events("display_data")) <= ASIDE_BYTES // cost
    session.said(h.DisplayData(numbers[-1], bundle, None))
    assert session.events("display_data")[-1]["execution"] == f"e{numbers[-1]}"
    session.said(h.Error(numbers[-1], "ValueError", "", ["x" * 10**5], 1))
    assert session.events("error")[-1]["name"] == "ValueError"


def test_text_in_pieces_without_end_is_counted_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchglass_server.session_meters.PIECES", 1000)
    session = printing()
    for _ in range(1100):
        session.said(h.Stream(1, "stdout", "ab"))
    session.said(h.StreamDropped(1, 5))
    session.finish()
    assert len(session.outputs()) == 1000
    assert session.events("stream.truncated")[-1]["lost_bytes"] == 205


def test_text_of_executions_that_have_ended_is_bounded_in_all_and_comes_again_in_time() -> None:
    session = printing()
    session.finish()
    text = "x" * 2**16
    pieces = ASIDE_BYTES // (PIECE_COST + 2**16)
    for _ in range(pieces + 10):
        session.said(h.Stream(1, "stdout", text))
    assert len(session.outputs()) == pieces
    session.said(h.Stream(1, "stdout", text), after=1.0)
    assert len(session.outputs()) == pieces + 1
    session.execute(execution="e2")
    session.said(h.Stream(2, "stdout", text))
    assert session.outputs()[-1].execution == "e2"


def test_a_bundle_too_large_for_an_event_keeps_its_smaller_forms() -> None:
    session = printing()
    bundle: dict[str, Any] = {"text/plain": "<Figure>", "image/png": "A" * 4_000_000}
    session.said(h.ExecuteResult(1, bundle))
    sent = session.events("execute_result")[0]["bundle"]
    assert sent.keys() == {"text/plain"}
    assert "<Figure>" in sent["text/plain"]
    assert "image/png, 4,000,002 bytes" in sent["text/plain"]


def test_an_updated_display_replaces_what_was_shown() -> None:
    session = printing()
    session.said(h.DisplayData(1, {"text/plain": "1"}, "d"))
    session.said(h.UpdateDisplayData(1, {"text/plain": "2"}, "d"))
    outputs = session.session.fold.executions[0].outputs
    assert [output.bundle["text/plain"] for output in outputs] == ["2"]  # type: ignore[union-attr]


def test_a_very_long_traceback_loses_its_middle() -> None:
    session = printing()
    lines = [f"line {n}: {'x' * 1000}\n" for n in range(2000)]
    session.said(h.Error(1, "RecursionError", "too deep", lines, 1))
    sent = session.events("error")[0]["traceback"]
    assert sum(map(len, sent)) < 300_000
    assert (sent[0], sent[-1]) == (lines[0], lines[-1])
    assert any("left out" in line for line in sent)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["stdout", "stderr"]),
            st.text(st.sampled_from("aé漢🐍\n"), min_size=1, max_size=50),
            st.sampled_from([1, 100, 1000]),
        ),
        max_size=30,
    )
)
def test_head_gap_and_tail_always_make_up_the_whole_text(
    writes: list[tuple[Any, str, int]],
) -> None:
    session = printing()
    for name, text, times in writes:
        session.said(h.Stream(1, name, (text * times)[: 2**16]), after=0.01)
    session.finish()
    whole = "".join(one.text for one in session.outputs())
    head = sent_text(session)
    assert whole.startswith(head)
    assert len(head.encode()) <= HEAD_BYTES + 2**20
    truncated = session.events("stream.truncated")
    if truncated:
        tail = "".join(part["text"] for part in truncated[-1]["tail"])
        assert whole.endswith(tail)
        sizes = len(head.encode()) + truncated[-1]["dropped_bytes"] + len(tail.encode())
        assert sizes == len(whole.encode())
        assert len(tail.encode()) <= TAIL_BYTES
    else:
        assert head == whole
