"""The rolling hour of processor time."""

from __future__ import annotations

import random

import pytest

from watchglass_server.cpu_hour import HOUR_S, SLICE_S, CpuHour

NOON = 43_200.0


def test_what_was_used_counts_for_an_hour_and_not_much_longer() -> None:
    hour = CpuHour().charged(NOON, 5.0).charged(NOON + 600, 7.0)
    assert hour.used_s(NOON + 600) == 12
    assert hour.used_s(NOON + HOUR_S) == 12
    assert hour.used_s(NOON + HOUR_S + SLICE_S) == 7
    assert hour.used_s(NOON + 600 + HOUR_S + SLICE_S) == 0


def test_when_there_is_room_again_is_when_enough_is_an_hour_old() -> None:
    hour = CpuHour().charged(NOON, 5.0).charged(NOON + 600, 7.0)
    assert hour.free_in_s(NOON + 600, 13) == 0
    assert hour.free_in_s(NOON + 600, 12) == HOUR_S + SLICE_S - 600
    assert hour.free_in_s(NOON + 600, 7) == HOUR_S + SLICE_S


def test_it_holds_a_minute_each_and_no_more_than_an_hour() -> None:
    hour = CpuHour()
    for second in range(4 * 3600):
        hour = hour.charged(NOON + second, 0.5)
    assert len(hour.minutes) <= 62
    assert hour.used_s(NOON + 4 * 3600) == pytest.approx(1800, abs=31)


def test_on_another_clock_it_is_the_same() -> None:
    hour = CpuHour().charged(NOON, 5.0)
    there = hour.shifted(1_700_000_000.0)
    assert there.used_s(NOON + 1_700_000_000.0) == 5
    assert there.shifted(-1_700_000_000.0) == hour


def test_after_the_wait_that_it_tells_there_is_room() -> None:
    chance = random.Random(5)
    for _ in range(200):
        hour, now = CpuHour(), NOON
        for _ in range(chance.randrange(1, 60)):
            now += chance.random() * 300
            hour = hour.charged(now, chance.random() * 20)
        limit = chance.random() * 100 + 0.1
        wait = hour.free_in_s(now, limit)
        assert (wait == 0) == (hour.used_s(now) < limit)
        assert hour.used_s(now + wait) < limit
