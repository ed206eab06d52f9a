"""The database client beside npm's -> docs/performance-spacetimedb.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from bench import sdk_install
from bench.samples import Samples
from bench.sdk import AGAIN, PASSES, PIPELINED, SEQUENTIAL, THEIRS, WINDOW, Sdk
from bench.sdk_module import ITEM, PLAYER, ROWS, bench_module
from spacetimedb_bsatn.algebraic import described
from spacetimedb_client.bindings import Bindings

PAGE = Path(__file__).parents[1] / "docs/performance-spacetimedb.md"
TEMPLATE = Path(__file__).with_name("sdk.template.md")


@dataclass(frozen=True)
class Row:
    """One measure of every client."""

    what: str
    samples: Samples
    is_rate: bool = True

    @property
    def ours(self) -> list[str]:
        """Our client in each Python, oldest first."""
        names = (name for name in self.samples.of if name != THEIRS)
        return sorted(names, key=lambda name: tuple(map(int, name.split("."))))

    @property
    def ratio(self) -> float:
        """Of the newest Python to npm's, above 1 where we are ahead: the median of the rounds'."""
        return self.ratio_to(self.samples)

    def ratio_to(self, theirs: Samples) -> float:
        pairs = zip(self.samples.of[self.ours[-1]], theirs.of[THEIRS], strict=True)
        ratios = [one / other if self.is_rate else other / one for one, other in pairs]
        return statistics.median(ratios)


def coding_rows(measured: Sdk) -> Iterator[Row]:
    for table, coding in measured.coding.items():
        yield Row(f"decode `{table}`, first pass", coding.first_decode)
        yield Row(f"decode `{table}`, warm", coding.decode)
        yield Row(f"encode `{table}`, first pass", coding.first_encode)
        yield Row(f"encode `{table}`, warm", coding.encode)


def server_rows(measured: Sdk) -> Iterator[Row]:
    yield Row(f"{ROWS:,} rows, first subscription", measured.first_subscription, is_rate=False)
    yield Row(f"{ROWS:,} rows, again", measured.subscription, is_rate=False)
    words = {"nothing": "that does nothing", "move_spot": "that changes a row"}
    for reducer, calls in measured.calls.items():
        yield Row(f"a call {words[reducer]}, one by one", calls.sequential)
        yield Row(f"a call {words[reducer]}, {WINDOW} at a time", calls.pipelined)


def table(rows: Sequence[Row]) -> str:
    """What each is, of every client; the last column compares the newest Python."""
    ours = rows[0].ours
    head = ["", *(f"Python {name}" for name in ours), "npm", f"{ours[-1]} to npm"]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    for row in rows:
        cells = [row.samples.median(name).text() for name in (*ours, THEIRS)]
        lines.append(f"| {' | '.join([row.what, *cells, f'{row.ratio:.2f} ×'])} |")
    return "\n".join(lines)


def behind(rows: Sequence[Row]) -> str:
    """Where npm's client is faster than ours in the newest Python."""
    said = [f"{row.what} ({row.ratio:.2f} ×)" for row in rows if row.ratio < 1]
    return "; ".join(said) or "nowhere in this run"


def beside_first(measured: Sdk) -> str:
    """Our first pass, and our warm ones, beside the first pass of npm's decoder."""
    said = []
    for name, coding in measured.coding.items():
        first, warm = Row("", coding.first_decode), Row("", coding.decode)
        ratios = (each.ratio_to(coding.first_decode) for each in (first, warm))
        said.append("`{}` {:.2f} × (first) and {:.2f} × (warm)".format(name, *ratios))
    return ", ".join(said)


def columns(table: str) -> str:
    """Their names and types, as the module tells them."""
    row = Bindings(bench_module().schema).tables[table].type
    return ", ".join(f"{each.name} {described(each.type, [])}" for each in row.elements)


def tables(measured: Sdk) -> str:
    return f"{table([*coding_rows(measured)])}\n\n{table([*server_rows(measured)])}"


def versions() -> str:
    return ", ".join(f"`{each}` {sdk_install.peer_version(each)}" for each in sdk_install.PEERS)


def page(measured: Sdk, machine: str) -> str:
    coding, server = [*coding_rows(measured)], [*server_rows(measured)]
    return Template(TEMPLATE.read_text()).substitute(
        coding=table(coding),
        server=table(server),
        behind=behind([*coding, *server]),
        beside_first=beside_first(measured),
        newest=coding[0].ours[-1],
        rows=f"{ROWS:,}",
        player=columns(PLAYER),
        item=columns(ITEM),
        passes=PASSES,
        again=AGAIN,
        sequential=f"{SEQUENTIAL:,}",
        pipelined=f"{PIPELINED:,}",
        window=WINDOW,
        coding_rounds=len(measured.coding[PLAYER].decode.of[THEIRS]),
        subscription_rounds=len(measured.subscription.of[THEIRS]),
        call_rounds=len(measured.calls["nothing"].sequential.of[THEIRS]),
        machine=machine,
    )
