"""The mirror -> docs/performance-mirror.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template

from bench.mirror import LOADED, LOADING, OFF, ON, QUIET, STAMPING, UNITS, Mirror, Rate
from bench.mirror_programs import SHORT_ONES
from bench.samples import Figure, Samples, rounded

PAGE = Path(__file__).parents[1] / "docs/performance-mirror.md"
TEMPLATE = Path(__file__).with_name("mirror.template.md")


def latency_table(latencies: Mapping[str, Samples]) -> str:
    lines = [
        "| from | rows | quiet: p50 | p99 | under load: p50 | p99 |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for what, samples in latencies.items():
        cells = [
            samples.percentile(name, percent).text()
            for name in (QUIET, LOADED)
            for percent in (50, 99)
        ]
        lines.append(f"| {what} | {len(samples.of[QUIET])} | {' | '.join(cells)} |")
    return "\n".join(lines)


def rate_table(rates: Mapping[int, Sequence[Rate]]) -> str:
    lines = [
        "| sessions | executions | changes | as rows | the last row after the end | "
        "rows of their own |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for sessions, found in rates.items():
        executions = sum(rate.executions for rate in found)
        changes = sum(rate.changes for rate in found)
        behind = Figure(max(rate.behind_s for rate in found), "s")
        own = sum(rate.one_by_one for rate in found) / changes
        cells = [f"{executions:,}", f"{changes:,}", per_s(found).text(), behind.text()]
        lines.append(f"| {sessions} | {' | '.join(cells)} | {own:.0%} |")
    return "\n".join(lines)


def per_s(rates: Sequence[Rate]) -> Figure:
    values = [rate.per_s for rate in rates]
    return Figure(statistics.median(values), "/s", (min(values), max(values)))


def cores_table(rates: Mapping[int, Sequence[Rate]]) -> str:
    """Of the processors, by who had them."""
    kinds = list(next(iter(rates.values()))[0].cores)
    shown = ("server", "mirror")
    head = ["sessions", *kinds, *(f"the {kind}, for a change" for kind in shown)]
    lines = [f"| {' | '.join(head)} |", f"|{' ---: |' * len(head)}"]
    for sessions, found in rates.items():
        used = (statistics.median(rate.cores[kind] for rate in found) for kind in kinds)
        each_us = [
            statistics.median(rate.cores[kind] / rate.per_s * 1e6 for rate in found)
            for kind in shown
        ]
        cells = [f"{sessions}", *map(rounded, used), *(f"{rounded(us)} µs" for us in each_us)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def ratio(samples: Samples) -> float:
    """The median of the ratios, round by round."""
    pairs = zip(samples.of[ON], samples.of[OFF], strict=True)
    return statistics.median(one / other for one, other in pairs)


def program_table(compared: Mapping[str, Samples]) -> str:
    lines = ["| program | mirror off | mirror on | ratio |", "| --- | ---: | ---: | ---: |"]
    for what, samples in compared.items():
        off, on = (samples.median(name).text() for name in (OFF, ON))
        lines.append(f"| {what} | {off} | {on} | {ratio(samples):.3f} × |")
    return "\n".join(lines)


def all_ratios(compared: Mapping[str, Samples]) -> str:
    ratios = [ratio(samples) for samples in compared.values()]
    return f"median {statistics.median(ratios):.3f}, worst {max(ratios):.3f}"


def _tables(measured: Mirror) -> Iterator[tuple[str, str]]:
    yield "latencies", latency_table(measured.latencies)
    yield "rates", rate_table(measured.rates)
    yield "cores", cores_table(measured.rates)
    yield "programs", program_table(measured.programs)
    yield "ratios", all_ratios(measured.programs)


def tables(measured: Mirror) -> str:
    return "\n\n".join(text for _, text in _tables(measured))


def page(measured: Mirror, machine: str) -> str:
    units = ", ".join(f"{count:,} in each of {sessions}" for sessions, count in UNITS.items())
    return Template(TEMPLATE.read_text()).substitute(
        dict(_tables(measured)),
        stamping=STAMPING,
        loading=LOADING,
        load=f"{measured.load_per_s:,.0f}",
        units=units,
        rate_rounds=len(next(iter(measured.rates.values()))),
        rounds=len(measured.programs[SHORT_ONES].of[ON]),
        machine=machine,
    )
