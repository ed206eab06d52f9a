"""What was measured of each system, and its arithmetic."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank: a value that was measured, with `percent` of all at or below it."""
    rank = math.ceil(percent * len(values) / 100)
    return sorted(values)[max(rank, 1) - 1]


@dataclass
class Samples:
    """The values of one measure, by the name of the system."""

    unit: str
    of: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.of.setdefault(name, []).append(value)

    def median(self, name: str) -> Figure:
        values = self.of[name]
        return Figure(statistics.median(values), self.unit, (min(values), max(values)))

    def percentile(self, name: str, percent: float) -> Figure:
        return Figure(percentile(self.of[name], percent), self.unit)

    def minimum(self, name: str) -> Figure:
        return Figure(min(self.of[name]), self.unit)


@dataclass(frozen=True)
class Figure:
    """A value of the table, with the least and the largest where it is a median."""

    value: float
    unit: str
    span: tuple[float, float] | None = None

    def text(self) -> str:
        shown = f"{rounded(self.value)} {self.unit}"
        if self.span is None or self.span[0] == self.span[1]:
            return shown
        low, high = map(rounded, self.span)
        return f"{shown} ({low} – {high})"


def rounded(value: float) -> str:
    """Three digits, and all of those before the point."""
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"
