"""Figures → Prometheus text. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure: a counter grows, a gauge goes up and down."""

    name: str
    kind: Literal["counter", "gauge"]
    words: str
    samples: tuple[tuple[tuple[tuple[str, str], ...], float], ...]


def gauge(name: str, words: str, value: float) -> Metric:
    """A gauge without labels."""
    return Metric(f"watchglass_{name}", "gauge", words, (((), value),))


def counter(name: str, words: str, value: float) -> Metric:
    """A counter without labels."""
    return Metric(f"watchglass_{name}", "counter", words, (((), value),))


def gauges(name: str, words: str, label: str, values: dict[str, float]) -> Metric:
    """A gauge for each value of a label."""
    samples = tuple((((label, key),), value) for key, value in sorted(values.items()))
    return Metric(f"watchglass_{name}", "gauge", words, samples)


def prometheus_text(metrics: Iterable[Metric]) -> str:
    """The text exposition format, version 0.0.4."""
    lines = []
    for metric in metrics:
        lines.append(f"# HELP {metric.name} {_escaped(metric.words)}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        for labels, value in metric.samples:
            shown = ",".join(f'{key}="{_escaped(text, quote=True)}"' for key, text in labels)
            lines.append(f"{metric.name}{{{shown}}} {value:g}" if shown else _bare(metric, value))
    return "\n".join(lines) + "\n"


def _bare(metric: Metric, value: float) -> str:
    return f"{metric.name} {int(value) if value == int(value) else value}"


def _escaped(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text
