"""Isolation -> docs/performance-isolation.md."""

from __future__ import annotations

import statistics
from pathlib import Path
from string import Template

from bench.isolating import BARE, JAILED, LAYER, Isolating
from bench.samples import Figure, Samples, rounded

PAGE = Path(__file__).parents[1] / "docs/performance-isolation.md"
TEMPLATE = Path(__file__).with_name("isolating.template.md")
PROCESS, STRICT = "process", "strict"


def added(samples: Samples, name: str, beside: str) -> Figure:
    """The median of the differences, round by round."""
    pairs = zip(samples.of[name], samples.of[beside], strict=True)
    return Figure(statistics.median(one - other for one, other in pairs), samples.unit)


def ratio(samples: Samples, name: str, beside: str) -> float:
    """The median of the ratios, round by round."""
    pairs = zip(samples.of[name], samples.of[beside], strict=True)
    return statistics.median(one / other for one, other in pairs)


def table(rows: dict[str, Samples], names: tuple[str, ...]) -> str:
    """What each is, of every kind; the last beside the first."""
    head = ["", *names, "added", "ratio"]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    for what, samples in rows.items():
        beside = (names[-1], names[0])
        difference = added(samples, *beside)
        cells = [samples.median(name).text() for name in names]
        cells += [f"{difference.value:+.2f} {difference.unit}", f"{ratio(samples, *beside):.3f} ×"]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def processes(measured: Isolating) -> str:
    rows = {
        "start, median": measured.starts,
        "`x = 1`, round trip, median": measured.trips,
        "memory (PSS) of an idle process, median": measured.pss,
        "memory (RSS) of an idle process, median": measured.rss,
    }
    return table(rows, (BARE, LAYER, JAILED))


def servers(measured: Isolating) -> str:
    rows = {
        "new session, from the pool, median": measured.sessions,
        "`x = 1`, round trip, median": measured.session_trips,
    }
    return table(rows, (PROCESS, STRICT))


def tables(measured: Isolating) -> str:
    jail = added(measured.starts, JAILED, LAYER)
    alone = f"The jail alone adds {rounded(jail.value)} {jail.unit} to a start."
    return f"{processes(measured)}\n\n{servers(measured)}\n\n{alone}"


def page(measured: Isolating, machine: str) -> str:
    return Template(TEMPLATE.read_text()).substitute(
        layers=measured.layers,
        processes=processes(measured),
        servers=servers(measured),
        starts=len(measured.starts.of[BARE]),
        trips=len(measured.trips.of[BARE]),
        idle=len(measured.pss.of[BARE]),
        machine=machine,
    )
