"""Samples -> docs/performance.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template

from bench.measures import LINES, Samples

PAGE = Path(__file__).parents[1] / "docs/performance.md"
TEMPLATE = Path(__file__).with_name("performance.template.md")
COLUMNS = "| | Watchglass | jupyter_server + ipykernel | ratio |\n| --- | ---: | ---: | ---: |\n"


@dataclass(frozen=True)
class Row:
    what: str
    ours: float
    theirs: float
    unit: str

    def text(self) -> str:
        ratio = self.theirs / self.ours
        return (
            f"| {self.what} | {self._one(self.ours)} | {self._one(self.theirs)} | {ratio:.1f} × |"
        )

    def _one(self, value: float) -> str:
        digits = 2 if value < 10 else 1 if value < 100 else 0
        return f"{value:,.{digits}f} {self.unit}"


@dataclass(frozen=True)
class Measured:
    """Everything of one run; `warm` and `cold` are our servers with and without a pool."""

    warm: str
    cold: str
    theirs: str
    starts: Samples
    trips: Samples
    floods: Samples
    session_memory: Samples
    server_memory: Samples
    sessions_each: int
    load: float

    def rows(self) -> Iterable[Row]:
        starts, trips = self.starts, self.trips
        theirs = starts.median(self.theirs)
        first = "to the end of the first execution, median"
        yield Row(f"new session from the pool, {first}", starts.median(self.warm), theirs, "ms")
        yield Row(f"new session without a pool, {first}", starts.median(self.cold), theirs, "ms")
        pair = trips.median(self.warm), trips.median(self.theirs)
        yield Row("`x = 1`, round trip, p50", *pair, "ms")
        yield Row("`x = 1`, round trip, p99", trips.p99(self.warm), trips.p99(self.theirs), "ms")
        pair = self.floods.median(self.warm), self.floods.median(self.theirs)
        yield Row(f"{LINES:,} printed lines, until the client has the last, median", *pair, "ms")
        idle, server = self.session_memory, self.server_memory
        pair = idle.median(self.cold), idle.median(self.theirs)
        yield Row("memory (PSS) of an idle session's process, median", *pair, "MB")
        pair = server.median(self.cold), server.median(self.theirs)
        yield Row(f"memory (PSS) of the server with {self.sessions_each} sessions", *pair, "MB")


def page(measured: Measured, versions: str) -> str:
    trips = len(measured.trips.of[measured.warm])
    table = COLUMNS + "\n".join(row.text() for row in measured.rows())
    return Template(TEMPLATE.read_text()).substitute(
        table=table,
        trips=f"{trips:,}",
        cores=os.cpu_count(),
        memory=f"{memory_gb():.0f}",
        system=f"{platform.system()} {platform.machine()}",
        load=f"{measured.load:.1f}",
        versions=versions,
    )


def memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def write(text: str) -> None:
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
