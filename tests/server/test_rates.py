"""The bucket that says how many calls may come."""

from __future__ import annotations

from watchglass_server.rates import TokenBucket


def test_for_a_moment_there_are_twice_as_many_and_then_the_rate() -> None:
    bucket = TokenBucket(10, clock=100.0)
    assert sum(bucket.take(100.0) == 0 for _ in range(50)) == 20
    assert bucket.take(100.0) == 0.1
    taken = sum(bucket.take(100.0 + n / 100) == 0 for n in range(1, 501))
    assert 49 <= taken <= 50


def test_whoever_waits_as_long_as_it_says_is_let_through() -> None:
    bucket = TokenBucket(0.5, clock=0.0)
    assert bucket.take(0.0) == 0
    wait = bucket.take(0.0)
    assert wait == 2
    assert bucket.take(wait) == 0
