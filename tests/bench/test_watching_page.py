"""What is written of a run of the watching measures."""

from __future__ import annotations

import pytest

from bench.programs import IN_C, LOOPS, PROGRAMS, STORM, timed
from bench.samples import Samples
from bench.watching import LOOKED_AT, PLAIN, WATCHED, Looker, Many, Watching
from bench.watching_page import overhead_table, page, ratio, summary


@pytest.fixture
def measured() -> Watching:
    ratios = {
        what: Samples(
            "ms", {PLAIN: [100.0, 200.0], WATCHED: [102.0, 204.0], LOOKED_AT: [110.0, 240.0]}
        )
        for what in PROGRAMS
    }
    return Watching(
        ratios=ratios,
        latency=Samples("ms", {LOOKED_AT: [float(n) for n in range(1, 101)]}),
        many=[Many(1000, 1.0, 2.0, 30.0, 4.0, 50.0, 60.0)],
        lookers=[Looker("who is slow", 3, 12.0, 6.0, 0)],
        changes_per_s=98_765.4,
    )


def test_a_ratio_is_the_median_of_the_ratios_of_the_rounds() -> None:
    samples = Samples("ms", {PLAIN: [100.0, 1000.0, 100.0], WATCHED: [100.0, 2000.0, 110.0]})
    assert ratio(samples, WATCHED) == pytest.approx(1.1)


def test_the_summary_has_the_median_and_the_worst_loop(measured: Watching) -> None:
    said = "watched: median 1.020, worst 1.020; panel open: median 1.150, worst 1.150"
    assert summary(measured) == said


def test_tables_have_as_many_cells_in_each_line(measured: Watching) -> None:
    for programs in (LOOPS, IN_C, STORM):
        lines = overhead_table(measured, programs).splitlines()
        assert {line.count("|") for line in lines} == {5}
        assert len(lines) == 2 + len(programs)


def test_the_page_takes_each_figure_from_its_measure(measured: Watching) -> None:
    text = page(measured, "a machine")
    for line in (
        "| `x = i` at module level | 150 ms (100 – 200) | 1.020 × | 1.150 × |",
        "| 1,000 | 1.00 ms | 2.00 ms | 30.0 ms | 4.00 ms | 60.0 MB | 50.0 MB |",
        "| who is slow | 3 | 12.0 kB | 6.00 kB | 0 |",
        "p50 50.0 ms, p99 99.0 ms (100 stores)",
        "98,765 changes a second",
        "The machine: a machine.",
    ):
        assert line in text


@pytest.mark.parametrize("what", PROGRAMS)
def test_programs_are_python_and_print_their_time_alone(what: str) -> None:
    code = timed(PROGRAMS[what])
    compile(code, what, "exec")
    assert code.count("print(") == 1
