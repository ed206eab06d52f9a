"""How far the mirror is behind, held against a list of all events and the times of each."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from watchglass_sync.mirror_lag import MirrorLag
from watchglass_sync.mirror_listener import Span

START_S = 1_800_000_000.0


def text(second: float) -> str:
    moment = datetime.fromtimestamp(START_S + second, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def span(last: int, second: float) -> dict[str, Span]:
    """Events of session "s", all of one time."""
    return {"s": Span(text(second), last, text(second))}


def test_what_is_recorded_waits_until_it_is_written() -> None:
    lag = MirrorLag()
    lag.recorded("s", text(1), 3)
    lag.recorded("s", text(2), 5)
    assert (lag.behind_by(), lag.oldest_s(START_S + 4)) == (5, 3.0)
    lag.read(span(3, 1))
    assert lag.behind_by() == 5
    lag.written()
    assert (lag.mirrored("s"), lag.behind_by()) == (3, 2)
    lag.read(span(5, 2))
    assert lag.late_s("s", START_S + 4) == 2.0
    lag.written()
    assert (lag.behind_by(), lag.late_s("s", START_S + 9), lag.oldest_s(START_S + 9)) == (0, 0, 0)


def test_a_batch_that_was_cut_is_not_written() -> None:
    lag = MirrorLag()
    lag.recorded("s", text(1), 5)
    lag.read(span(5, 1))
    lag.connected({"s": 2})
    lag.written()
    assert (lag.mirrored("s"), lag.behind_by()) == (2, 3)


def test_what_was_stored_before_the_start_is_behind_once_the_database_says_so() -> None:
    lag = MirrorLag()
    lag.found("old", 10)
    lag.found("older", 4)
    assert (lag.behind_by(), lag.oldest_s(START_S)) == (0, 0)
    lag.connected({"old": 10})
    assert (lag.behind_by(), lag.mirrored("older"), lag.oldest_s(START_S)) == (4, 0, 0)
    lag.read({"older": Span(text(-60), 4, text(-60))})
    assert lag.oldest_s(START_S) == 60.0


def test_events_that_are_read_before_one_is_told_of_them_are_not_behind() -> None:
    lag = MirrorLag()
    lag.read(span(7, 1))
    lag.written()
    lag.recorded("s", text(1), 5)
    assert (lag.behind_by(), lag.late_s("s", START_S + 9)) == (0, 0)


def test_a_session_that_is_gone_counts_no_more() -> None:
    lag = MirrorLag()
    lag.recorded("s", text(1), 5)
    lag.read(span(5, 1))
    lag.forgotten("s")
    lag.written()
    assert (lag.behind_by(), lag.mirrored("s")) == (0, 0)
    assert (lag.late_s("s", START_S + 9), lag.oldest_s(START_S + 9)) == (0, 0)


def test_a_clock_that_was_set_back_makes_no_negative_age() -> None:
    lag = MirrorLag()
    lag.recorded("s", text(100), 1)
    assert lag.late_s("s", START_S) == 0.0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.sampled_from("ab"), st.integers(1, 5)),
        st.tuples(st.just("read"), st.sampled_from("ab"), st.integers(1, 5)),
        st.tuples(st.just("write"), st.just(""), st.just(0)),
        st.tuples(st.just("lose"), st.just(""), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_counts_are_exact_and_no_age_is_less_than_the_oldest_that_waits(
    steps: list[tuple[str, str, int]],
) -> None:
    lag = MirrorLag()
    times: dict[str, list[float]] = {"a": [], "b": []}  # of each event, in its order
    rows = {"a": 0, "b": 0}
    read: dict[str, int] = {}
    for now, (step, session, count) in enumerate(steps):
        if step == "record":
            times[session] += [float(now)] * count
            lag.recorded(session, text(now), len(times[session]))
        elif step == "read":
            after = read.get(session, rows[session])
            taken = times[session][after : after + count]
            if taken:
                read[session] = after + len(taken)
                lag.read({session: Span(text(taken[0]), read[session], text(taken[-1]))})
        elif step == "write":
            rows |= read
            read = {}
            lag.written()
        elif step == "lose":
            read = {}
            lag.connected(rows)
        for name, recorded in times.items():
            assert lag.mirrored(name) == rows[name]
            waits = recorded[rows[name] :]
            late = lag.late_s(name, START_S + now)
            assert late == 0 if not waits else late >= now - waits[0]
        waiting = [len(times[name]) - rows[name] for name in times]
        assert lag.behind_by() == sum(waiting)
        assert lag.sessions() == sum(count > 0 for count in waiting)


def test_the_age_is_exact_while_what_waits_is_read() -> None:
    lag = MirrorLag()
    for n in range(1, 5):
        lag.recorded("s", text(10 * n), n)
    for n in range(1, 5):
        lag.read(span(n, 10 * n))
        assert lag.late_s("s", START_S + 50) == 50 - 10 * n
        lag.written()
