"""What is written of a run of the database clients."""

from __future__ import annotations

import pytest

from bench.samples import Samples
from bench.sdk import THEIRS, Calls, Coding, Sdk
from bench.sdk_module import ITEM, PLAYER
from bench.sdk_page import Row, behind, page, table

OLD, NEW = "3.9.18", "3.13.0"


def samples(unit: str, newest: list[float], theirs: list[float]) -> Samples:
    return Samples(unit, {NEW: newest, THEIRS: theirs, OLD: [1.0] * len(newest)})


@pytest.fixture
def measured() -> Sdk:
    rates = samples("M rows/s", [2.0, 3.0], [1.0, 1.0])
    slow = samples("M rows/s", [2.0, 2.0], [4.0, 4.0])
    coding = Coding(rates, slow, rates, rates)
    calls = Calls(samples("calls/s", [6000.0], [5000.0]), samples("calls/s", [9000.0], [3000.0]))
    return Sdk(
        coding={PLAYER: coding, ITEM: coding},
        first_subscription=samples("ms", [200.0], [500.0]),
        subscription=samples("ms", [200.0], [300.0]),
        calls={"nothing": calls, "move_spot": calls},
    )


def test_a_ratio_is_the_median_of_the_ratios_of_the_rounds_in_favour_of_what_is_better() -> None:
    rates = samples("M rows/s", [2.0, 30.0, 6.0], [1.0, 10.0, 1.0])
    times = samples("ms", [100.0, 200.0], [200.0, 400.0])
    assert Row("", rates).ratio == 3.0
    assert Row("", times, is_rate=False).ratio == 2.0


def test_the_newest_python_is_compared_and_versions_are_ordered_as_numbers() -> None:
    row = Row("decode", samples("M rows/s", [3.0], [2.0]))
    assert row.ours == [OLD, NEW]
    head, _, line = table([row]).splitlines()
    assert head == "|  | Python 3.9.18 | Python 3.13.0 | npm | 3.13.0 to npm |"
    assert line == "| decode | 1.00 M rows/s | 3.00 M rows/s | 2.00 M rows/s | 1.50 × |"


def test_what_is_behind_is_named_with_its_ratio() -> None:
    ahead = Row("ahead", samples("ms", [1.0], [2.0]), is_rate=False)
    late = Row("late", samples("ms", [4.0], [2.0]), is_rate=False)
    assert behind([ahead, late]) == "late (0.50 ×)"
    assert behind([ahead]) == "nowhere in this run"


def test_the_page_has_every_figure(measured: Sdk) -> None:
    text = page(measured, "a machine")
    for line in (
        "| decode `player`, first pass | 1.00 M rows/s | 2.50 M rows/s (2.00 – 3.00) "
        "| 1.00 M rows/s | 2.50 × |",
        "| decode `item`, warm | 1.00 M rows/s | 2.00 M rows/s | 4.00 M rows/s | 0.50 × |",
        "| 100,000 rows, first subscription | 1.00 ms | 200 ms | 500 ms | 2.50 × |",
        "| a call that changes a row, 256 at a time | 1.00 calls/s | 9,000 calls/s "
        "| 3,000 calls/s | 3.00 × |",
        "Behind here: decode `player`, warm (0.50 ×); decode `item`, warm (0.50 ×).",
        "`player` 2.50 × (first) and 2.00 × (warm)",
        "`item` (id u64, name string, weight f64, level option of i32)",
        "The machine: a machine.",
    ):
        assert line in text
    assert "$" not in text
