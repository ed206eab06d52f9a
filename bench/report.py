"""Samples -> docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from bench.measures import LINES, Memory
from bench.samples import Figure, Samples, rounded

PAGE = Path(__file__).parents[1] / "docs/performance.md"
TEMPLATE = Path(__file__).with_name("performance.template.md")
WARM = "Watchglass"
COLD = "Watchglass, no pool"
THEIRS = "jupyter_server + ipykernel"
HEAD = f"| | {WARM} | {THEIRS} | ratio |\n| --- | ---: | ---: | ---: |\n"


@dataclass(frozen=True)
class Row:
    what: str
    ours: Figure
    theirs: Figure | None

    @property
    def ratio(self) -> float | None:
        """Above 1 where Watchglass is ahead: of each figure less is better."""
        return self.theirs.value / self.ours.value if self.theirs else None

    def text(self) -> str:
        theirs = self.theirs.text() if self.theirs else "–"
        ratio = f"{rounded(self.ratio)} ×" if self.ratio else "–"
        return f"| {self.what} | {self.ours.text()} | {theirs} | {ratio} |"


@dataclass(frozen=True)
class Measured:
    """Everything of one run."""

    starts: Samples
    trips: Samples
    ordinary_trips: Samples
    floods_seen: Samples
    floods_read: Samples
    memory: Memory
    sessions_each: int
    interrupts: Samples
    image_starts: Samples
    changes_seen: Samples
    used_servers: Samples

    def asked(self) -> Iterable[Row]:
        """The first table: what both do."""
        starts, trips, theirs = self.starts, self.trips, self.starts.median(THEIRS)
        yield Row("new session, from the pool, median", starts.median(WARM), theirs)
        yield Row("new session, process started on demand, median", starts.median(COLD), theirs)
        yield _medians("`x = 1`, round trip, p50", trips)
        yield _percentiles("`x = 1`, round trip, p99", trips, 99)
        lines = f"{LINES:,} printed lines, until the client has"
        yield _medians(f"{lines} the last, median", self.floods_seen)
        yield _medians(f"{lines} all of them, median", self.floods_read)
        pss = self.memory.session_pss
        yield _medians("memory (PSS) of an idle session, median", pss, ours=COLD)

    def further(self) -> Iterable[Row]:
        """The second table: where the first comes from, and what only Watchglass does."""
        starts, changes = self.image_starts, self.changes_seen
        yield Row("process started from the image, least", starts.minimum(WARM), None)
        yield Row("process started from the image, median", starts.median(WARM), None)
        yield _medians("interrupt of `while True: pass`, p50", self.interrupts)
        yield _percentiles("interrupt of `while True: pass`, p99", self.interrupts, 99)
        seen = "from `execute` in one client to the variable's change in another"
        yield Row(f"{seen}, p50", changes.median(WARM), None)
        yield Row(f"{seen}, p99", changes.percentile(WARM, 99), None)
        server = f"of the server with {self.sessions_each} sessions"
        yield _medians(f"memory (PSS) {server}", self.memory.server_pss, ours=COLD)
        yield _medians(f"memory (RSS) {server}", self.memory.server_rss, ours=COLD)
        yield _medians("memory (RSS) of the server at the end of this run", self.used_servers)


def _medians(what: str, samples: Samples, ours: str = WARM) -> Row:
    return Row(what, samples.median(ours), samples.median(THEIRS))


def _percentiles(what: str, samples: Samples, percent: float) -> Row:
    return Row(what, samples.percentile(WARM, percent), samples.percentile(THEIRS, percent))


def table(rows: Sequence[Row]) -> str:
    return HEAD + "\n".join(row.text() for row in rows)


def behind(rows: Sequence[Row]) -> str:
    """The rows where Watchglass is worse, and by how much."""
    found = [
        f"{row.what} ({rounded(1 / row.ratio)} times theirs)"
        for row in rows
        if row.ratio and row.ratio < 1
    ]
    return "; ".join(found) or "nowhere in this run"


def page(measured: Measured, machine: str) -> str:
    asked, further = list(measured.asked()), list(measured.further())
    (ordinary,) = measured.ordinary_trips.of
    return Template(TEMPLATE.read_text()).substitute(
        asked=table(asked),
        further=table(further),
        behind=behind(asked + further),
        starts=len(measured.starts.of[WARM]),
        trips=f"{len(measured.trips.of[WARM]):,}",
        floods=len(measured.floods_seen.of[WARM]),
        interrupts=len(measured.interrupts.of[WARM]),
        changes=f"{len(measured.changes_seen.of[WARM]):,}",
        sessions=measured.sessions_each,
        ordinary=measured.ordinary_trips.median(ordinary).text(),
        machine=machine,
    )
