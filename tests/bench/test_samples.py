"""The arithmetic of the figures."""

from __future__ import annotations

import pytest

from bench.samples import Figure, Samples, percentile, rounded


@pytest.mark.parametrize(
    ("percent", "found"), [(0, 1.0), (1, 1.0), (50, 50.0), (99, 99.0), (99.5, 100.0), (100, 100.0)]
)
def test_percentile_is_a_value_that_was_measured(percent: float, found: float) -> None:
    backwards = [float(n) for n in range(100, 0, -1)]
    assert percentile(backwards, percent) == found


def test_percentile_of_few_values_is_the_largest() -> None:
    assert percentile([3.0, 9.0, 1.0], 99) == 9.0
    assert percentile([4.0], 50) == 4.0


def test_median_comes_with_the_least_and_the_largest() -> None:
    samples = Samples("ms")
    for value in (30.0, 10.0, 14.0, 12.0):
        samples.add("one", value)
    samples.add("another", 99.0)
    assert samples.median("one") == Figure(13.0, "ms", (10.0, 30.0))
    assert samples.minimum("one") == Figure(10.0, "ms")
    assert samples.percentile("one", 99) == Figure(30.0, "ms")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.456, "0.46"), (9.994, "9.99"), (12.34, "12.3"), (345.6, "346"), (12345.6, "12,346")],
)
def test_figures_are_rounded_to_what_can_be_trusted(value: float, shown: str) -> None:
    assert rounded(value) == shown


def test_a_range_is_shown_where_there_is_one() -> None:
    assert Figure(13.0, "ms", (10.0, 30.0)).text() == "13.0 ms (10.0 – 30.0)"
    assert Figure(13.0, "ms").text() == "13.0 ms"
    assert Figure(36.4, "MB", (36.4, 36.4)).text() == "36.4 MB"
