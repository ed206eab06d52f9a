"""What a client may send: random and mutated packets against their decoding."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.hostile_client import call_packet, payload, take, take_payload
from watchglass_server.engine_io import MALFORMED

GROWTH_BYTES = 64 * 2**10


@pytest.mark.timeout(3600)
def test_whatever_a_client_sends_is_a_command_or_a_refusal(soak: bool) -> None:
    became: Counter[str] = Counter()
    for seed in range(1_000_000 if soak else 10_000):
        became[take(call_packet(Random(seed)))] += 1
    assert became["taken"] > 1000
    assert became["bad_request"] + became["malformed"] > 1000


@given(st.text(max_size=60) | st.text('0123456789-/,"[]{}:\\', max_size=40) | st.binary())
def test_a_packet_of_no_meaning_is_refused_and_raises_nothing(encoded: str | bytes) -> None:
    take(encoded)


def test_what_is_posted_is_decoded_or_refused_as_a_whole(soak: bool) -> None:
    refused = 0
    for seed in range(100_000 if soak else 2_000):
        try:
            take_payload(payload(Random(seed)))
        except MALFORMED:  # Engine.IO answers, and the connection goes on
            refused += 1
    assert refused > 100


def test_hostile_packets_leave_no_memory_behind(soak: bool) -> None:
    held = []
    tracemalloc.start()
    try:
        for _ in range(4):
            for seed in range(5000 if soak else 500):
                take(call_packet(Random(seed)))
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held[-1] - held[1] < GROWTH_BYTES, held
