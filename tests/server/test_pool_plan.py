"""Tests of pool_plan.py: what holds for every pool, and that it comes to rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_server.pool_plan import PoolCounts, PoolPlan, PoolSizes, plan

sizes_ = st.builds(
    lambda a, b, starting: PoolSizes(min(a, b), max(a, b, 1), 64, max_starting=starting),
    st.integers(0, 10),
    st.integers(0, 10),
    st.integers(1, 4),
)
few = st.integers(0, 6)
counts_ = st.builds(
    PoolCounts,
    warm=few,
    starting=few,
    starting_special=few,
    lent=few,
    ending=few,
    waiting=few,
    special=few,
    special_first=st.booleans(),
    stale=few,
)


@given(sizes_, counts_, st.booleans())
def test_a_plan_keeps_the_limits(sizes: PoolSizes, counts: PoolCounts, may_start: bool) -> None:
    steps = plan(sizes, counts, may_start=may_start)
    assert min(steps.start, steps.start_special, steps.stop) >= 0
    started = steps.start + steps.start_special
    assert started == 0 or counts.total + started <= sizes.max_size
    in_start = counts.starting + counts.starting_special + started
    assert started == 0 or in_start <= sizes.max_starting
    assert started == 0 or may_start
    assert steps.stop <= counts.warm


@given(sizes_, counts_)
def test_a_plan_stops_no_process_that_somebody_waits_for(
    sizes: PoolSizes, counts: PoolCounts
) -> None:
    stop = plan(sizes, counts).stop
    assert stop == 0 or counts.warm + counts.starting - stop >= counts.waiting


@given(sizes_, counts_)
def test_a_plan_starts_nothing_that_nobody_needs(sizes: PoolSizes, counts: PoolCounts) -> None:
    steps = plan(sizes, counts)
    needed = counts.waiting + sizes.min_size
    assert steps.start == 0 or counts.warm + counts.starting + steps.start <= needed
    special = counts.starting_special + steps.start_special
    assert steps.start_special == 0 or special <= counts.special


@given(sizes_, counts_)
def test_who_waits_is_served_unless_all_are_lent(sizes: PoolSizes, counts: PoolCounts) -> None:
    steps = plan(sizes, counts)
    in_motion = counts.starting + counts.starting_special + counts.ending + counts.warm
    if counts.waiting + counts.special and not in_motion and counts.lent < sizes.max_size:
        assert steps.start + steps.start_special > 0
    if counts.special and counts.warm and not counts.waiting and not in_motion - counts.warm:
        assert steps.start_special + steps.stop > 0


@given(sizes_, st.integers(0, 12), st.integers(0, 4), st.integers(0, 4), st.booleans())
def test_a_pool_comes_to_rest_with_everybody_served(
    sizes: PoolSizes, warm: int, waiting: int, special: int, special_first: bool
) -> None:
    warm = min(warm, sizes.max_size)
    lent, steps = 0, PoolPlan(start=1)
    for _ in range(100):
        given_ = min(warm, waiting)
        warm, waiting, lent = warm - given_, waiting - given_, lent + given_
        counts = PoolCounts(
            warm=warm, lent=lent, waiting=waiting, special=special, special_first=special_first
        )
        steps = plan(sizes, counts)
        if steps == PoolPlan():
            break
        warm += steps.start - steps.stop
        special -= steps.start_special
        lent += steps.start_special
    assert steps == PoolPlan()
    assert lent == sizes.max_size or (waiting, special) == (0, 0)
    assert warm >= min(sizes.min_size, sizes.max_size - lent)


def test_the_reserve_fills_two_at_a_time() -> None:
    assert plan(PoolSizes(4, 8, 64), PoolCounts()) == PoolPlan(start=2)
    assert plan(PoolSizes(4, 8, 64), PoolCounts(starting=1)) == PoolPlan(start=1)
    assert plan(PoolSizes(4, 8, 64), PoolCounts(warm=4)) == PoolPlan()


def test_who_waits_longest_is_served_first() -> None:
    full_but_one = PoolCounts(lent=7, waiting=1, special=1)
    assert plan(PoolSizes(2, 8, 64), full_but_one) == PoolPlan(start=1)
    special_first = PoolCounts(lent=7, waiting=1, special=1, special_first=True)
    assert plan(PoolSizes(2, 8, 64), special_first) == PoolPlan(start_special=1)


def test_a_warm_process_makes_room_for_a_special_one() -> None:
    assert plan(PoolSizes(2, 4, 64), PoolCounts(warm=2, lent=2, special=1)) == PoolPlan(stop=1)
    making_room = PoolCounts(warm=1, lent=2, ending=1, special=1)
    assert plan(PoolSizes(2, 4, 64), making_room) == PoolPlan()


def test_stale_processes_beyond_the_reserve_are_ended() -> None:
    assert plan(PoolSizes(2, 8, 64), PoolCounts(warm=5, stale=4)) == PoolPlan(stop=3)
    assert plan(PoolSizes(2, 8, 64), PoolCounts(warm=5, stale=1)) == PoolPlan(stop=1)
    assert plan(PoolSizes(2, 8, 64), PoolCounts(warm=2, stale=2)) == PoolPlan()


@pytest.mark.parametrize(("low", "high", "waiting"), [(3, 2, 0), (-1, 2, 0), (0, 0, 0), (0, 1, -1)])
def test_sizes_that_make_no_sense_are_refused(low: int, high: int, waiting: int) -> None:
    with pytest.raises(ValueError, match="0 <= min_size <= max_size"):
        PoolSizes(low, high, waiting)
