"""What is written of a run."""

from __future__ import annotations

import pytest

from bench.measures import Memory
from bench.report import COLD, THEIRS, WARM, Measured, Row, behind, page, table
from bench.samples import Figure, Samples

AHEAD = Row("round trip", Figure(2.0, "ms", (1.0, 9.0)), Figure(5.0, "ms"))
BEHIND = Row("memory", Figure(90.0, "MB"), Figure(40.0, "MB"))
ALONE = Row("change seen", Figure(3.0, "ms"), None)


def samples(unit: str, **of: list[float]) -> Samples:
    names = {"warm": WARM, "cold": COLD, "theirs": THEIRS, "ordinary": "an ordinary client"}
    return Samples(unit, {names[name]: values for name, values in of.items()})


@pytest.fixture
def measured() -> Measured:
    pair = samples("ms", warm=[1.0, 2.0, 4.0], theirs=[8.0, 9.0, 10.0])
    memory = samples("MB", cold=[90.0, 80.0], theirs=[40.0, 50.0])
    return Measured(
        starts=samples("ms", warm=[20.0], cold=[300.0], theirs=[200.0]),
        trips=pair,
        ordinary_trips=samples("ms", ordinary=[44.0, 45.0, 47.0]),
        floods_seen=pair,
        floods_read=pair,
        memory=Memory(memory, memory, memory),
        sessions_each=4,
        interrupts=pair,
        image_starts=samples("ms", warm=[200.0, 210.0]),
        changes_seen=samples("ms", warm=[2.0, 3.0]),
        used_servers=pair,
    )


def test_ratio_is_above_one_where_we_are_ahead() -> None:
    assert (AHEAD.ratio, ALONE.ratio) == (2.5, None)
    assert AHEAD.text() == "| round trip | 2.00 ms (1.00 – 9.00) | 5.00 ms | 2.50 × |"
    assert BEHIND.text() == "| memory | 90.0 MB | 40.0 MB | 0.44 × |"
    assert ALONE.text() == "| change seen | 3.00 ms | – | – |"


def test_what_is_behind_is_named_with_its_factor() -> None:
    assert behind([AHEAD, BEHIND, ALONE]) == "memory (2.25 times theirs)"
    assert behind([AHEAD, ALONE]) == "nowhere in this run"


def test_table_has_as_many_cells_in_each_line() -> None:
    lines = table([AHEAD, BEHIND, ALONE]).splitlines()
    assert {line.count("|") for line in lines} == {5}


def test_page_takes_each_figure_from_its_measure(measured: Measured) -> None:
    text = page(measured, "a machine")
    for line in (
        "| new session, from the pool, median | 20.0 ms | 200 ms | 10.0 × |",
        "| new session, process started on demand, median | 300 ms | 200 ms | 0.67 × |",
        "| `x = 1`, round trip, p50 | 2.00 ms (1.00 – 4.00) | 9.00 ms (8.00 – 10.0) | 4.50 × |",
        "| `x = 1`, round trip, p99 | 4.00 ms | 10.0 ms | 2.50 × |",
        "| memory (PSS) of an idle session, median | 85.0 MB (80.0 – 90.0) | 45.0 MB (40.0 – 50.0)"
        " | 0.53 × |",
        "| process started from the image, least | 200 ms | – | – |",
    ):
        assert line in text.splitlines()


def test_page_says_where_we_are_behind_and_how_it_is_made(measured: Measured) -> None:
    text = page(measured, "a machine")
    assert "process started on demand, median (1.50 times theirs)" in text
    assert "memory (PSS) of an idle session, median (1.89 times theirs)" in text
    assert "45.0 ms (44.0 – 47.0)" in text
    assert "```sh\nmake bench\n```" in text
    assert "The machine: a machine." in text
    assert "$" not in text
