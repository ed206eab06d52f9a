"""What a process may say: random and mutated frames against all that reads them."""

from __future__ import annotations

import gc
import tracemalloc
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile_host import HostileHost

FRAMES_AT_ONCE = 5
GROWTH_BYTES = 64 * 2**10

randoms = st.randoms(use_true_random=False)


@pytest.mark.timeout(3600)
def test_whatever_a_process_says_is_an_event_or_a_documented_error(soak: bool) -> None:
    host = HostileHost()
    events = errors = 0
    for seed in range((1_000_000 if soak else 10_000) // FRAMES_AT_ONCE):
        random = Random(seed)
        heard = host.hear(host.stream(random, FRAMES_AT_ONCE), random.choice((1, 1, 2, 7)))
        events += heard.events
        errors += heard.error is not None
        assert (heard.error or "").isprintable()
        assert len(heard.error or "") < 2500
    # It is no test of an open door, nor of a wall.
    assert events > errors > 500


@given(randoms, st.integers(2, 9))
def test_what_is_heard_does_not_depend_on_how_the_bytes_are_cut(random: Random, cuts: int) -> None:
    host = HostileHost()
    stream = host.stream(random, 3)
    assert host.hear(stream, cuts) == host.hear(stream)


@given(st.binary(max_size=200))
def test_bytes_of_no_meaning_are_no_more_than_a_documented_error(data: bytes) -> None:
    host = HostileHost()
    host.hear(data)


def test_hostile_frames_leave_no_memory_behind(soak: bool) -> None:
    host = HostileHost()
    held = []
    tracemalloc.start()
    try:
        for _ in range(4):
            for seed in range(2000 if soak else 150):
                host.hear(host.stream(Random(seed)))
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held[-1] - held[1] < GROWTH_BYTES, held
