"""What is written of a run of the isolation measures."""

from __future__ import annotations

import pytest

from bench.isolating import BARE, JAILED, LAYER, Isolating
from bench.isolating_page import PROCESS, STRICT, added, page, ratio
from bench.samples import Samples


@pytest.fixture
def measured() -> Isolating:
    def of(unit: str) -> Samples:
        return Samples(unit, {BARE: [100.0, 200.0], LAYER: [101.0, 202.0], JAILED: [110.0, 230.0]})

    servers = Samples("ms", {PROCESS: [2.0, 4.0, 2.0], STRICT: [2.0, 8.0, 2.2]})
    return Isolating(
        layers="Landlock, seccomp",
        starts=of("ms"),
        trips=of("µs"),
        pss=of("MB"),
        rss=of("MB"),
        sessions=servers,
        session_trips=servers,
    )


def test_what_is_added_is_the_median_of_the_differences_of_the_rounds() -> None:
    samples = Samples("ms", {PROCESS: [100.0, 1000.0, 100.0], STRICT: [101.0, 1500.0, 103.0]})
    assert added(samples, STRICT, PROCESS).value == 3.0
    assert ratio(samples, STRICT, PROCESS) == pytest.approx(1.03)


def test_the_page_has_every_figure(measured: Isolating) -> None:
    text = page(measured, "a machine")
    for line in (
        "What holds a session here: Landlock, seccomp.",
        "| start, median | 150 ms (100 – 200) | 152 ms (101 – 202) | 170 ms (110 – 230) "
        "| +20.00 ms | 1.125 × |",
        "| new session, from the pool, median | 2.00 ms (2.00 – 4.00) | 2.20 ms (2.00 – 8.00) "
        "| +0.20 ms | 1.100 × |",
        "The machine: a machine.",
    ):
        assert line in text
    assert "$" not in text
