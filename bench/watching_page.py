"""Watching -> docs/performance-watching.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Template

from bench.programs import IN_C, LOOPS, STORM
from bench.samples import Samples, rounded
from bench.watching import LOOKED_AT, PLAIN, WATCHED, Looker, Many, Watching

PAGE = Path(__file__).parents[1] / "docs/performance-watching.md"
TEMPLATE = Path(__file__).with_name("watching.template.md")


def ratio(samples: Samples, name: str) -> float:
    """The median of the ratios to plain Pyodide, round by round."""
    pairs = zip(samples.of[name], samples.of[PLAIN], strict=True)
    return statistics.median(taken / bare for taken, bare in pairs)


def overhead_table(measured: Watching, programs: Iterable[str]) -> str:
    head = "| program | plain Pyodide | watched | with a panel open |\n| --- | ---: | ---: | ---: |"
    return "\n".join([head, *(_overhead(what, measured.ratios[what]) for what in programs)])


def _overhead(what: str, samples: Samples) -> str:
    bare = samples.median(PLAIN).text()
    watched, looked_at = (f"{ratio(samples, name):.3f} ×" for name in (WATCHED, LOOKED_AT))
    return f"| {what} | {bare} | {watched} | {looked_at} |"


def summary(measured: Watching) -> str:
    """The medians and the worst of the loops."""
    said = []
    for name in (WATCHED, LOOKED_AT):
        ratios = [ratio(measured.ratios[what], name) for what in LOOPS]
        said.append(f"{name}: median {statistics.median(ratios):.3f}, worst {max(ratios):.3f}")
    return "; ".join(said)


def latency(measured: Watching) -> str:
    samples = measured.latency
    count = len(samples.of[LOOKED_AT])
    p50, p99 = (samples.percentile(LOOKED_AT, percent).text() for percent in (50, 99))
    return f"p50 {p50}, p99 {p99} ({count} stores)"


def many_table(rows: Iterable[Many]) -> str:
    head = (
        "| variables | making them | watched | until the client has them all "
        "| `x = 1` beside them | memory (PSS) | of plain Pyodide |\n"
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    return "\n".join([head, *map(_many, rows)])


def _many(row: Many) -> str:
    milliseconds = (row.plain_ms, row.watched_ms, row.complete_ms, row.trip_ms)
    cells = [f"{row.count:,}", *(f"{rounded(each)} ms" for each in milliseconds)]
    cells += [f"{rounded(each)} MB" for each in (row.watched_mb, row.plain_mb)]
    return f"| {' | '.join(cells)} |"


def looker_table(rows: Iterable[Looker]) -> str:
    head = (
        "| client | messages | together | the largest | wrong at the end |\n"
        "| --- | ---: | ---: | ---: | ---: |"
    )
    return "\n".join([head, *map(_looker, rows)])


def _looker(row: Looker) -> str:
    together, largest = rounded(row.kilobytes), rounded(row.largest_kilobytes)
    return f"| {row.what} | {row.messages} | {together} kB | {largest} kB | {row.wrong} |"


def _tables(measured: Watching) -> Iterator[tuple[str, str]]:
    yield "loops", overhead_table(measured, LOOPS)
    yield "in_c", overhead_table(measured, IN_C)
    yield "storm", overhead_table(measured, STORM)
    yield "summary", summary(measured)
    yield "latency", latency(measured)
    yield "many", many_table(measured.many)
    yield "lookers", looker_table(measured.lookers)


def tables(measured: Watching) -> str:
    return "\n\n".join(text for _, text in _tables(measured))


def page(measured: Watching, machine: str) -> str:
    rounds = len(next(iter(measured.ratios.values())).of[PLAIN])
    return Template(TEMPLATE.read_text()).substitute(
        dict(_tables(measured)),
        rounds=rounds,
        rate=f"{measured.changes_per_s:,.0f}",
        machine=machine,
    )
