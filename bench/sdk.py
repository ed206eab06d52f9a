"""Our database client beside npm's: rows, subscriptions and calls, in one run."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import statistics
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from bench import sdk_install
from bench.contender import BenchFailed
from bench.progress import rounds, say
from bench.samples import Samples
from bench.sdk_module import ITEM, PLAYER, ROWS, bench_module, encoded_rows, filling
from scripts.spacetimedb_server import BINARY
from spacetimedb_client import Admin, connect
from spacetimedb_client.testing import Server

ROOT = Path(__file__).parents[1]
THEIRS = "npm"
DATABASE = "bench"
PASSES = 10
AGAIN = 3
WARM_UP, WINDOW = 500, 256
SEQUENTIAL, PIPELINED = 2_000, 20_000
REDUCERS = ("nothing", "move_spot")
SIDE_S = 120
"""The longest that one side may take for one measure."""


@dataclass(frozen=True)
class Coding:
    """Rates of one kind of rows, in millions a second: of a process's first pass, and warm."""

    first_decode: Samples
    decode: Samples
    first_encode: Samples
    encode: Samples


@dataclass(frozen=True)
class Calls:
    """Calls a second of one reducer."""

    sequential: Samples
    pipelined: Samples


@dataclass(frozen=True)
class Sdk:
    """Everything of one run; of each measure the samples by Python, and THEIRS."""

    coding: Mapping[str, Coding]
    first_subscription: Samples
    subscription: Samples
    calls: Mapping[str, Calls]


@dataclass(frozen=True)
class Side:
    """One client: the commands that decode, and that talk to a server."""

    codec: Sequence[str]
    client: Sequence[str]


def sides() -> dict[str, Side]:
    """Ours in each Python, and theirs."""
    sdk_install.install_peers()
    ours = {
        version: [program, "-m", "bench.sdk_python"]
        for version, program in sdk_install.pythons().items()
    }
    found = {version: Side([*run, "codec"], run) for version, run in ours.items()}
    node, folder = sdk_install.node(), sdk_install.NODE_SIDE
    client = [node, str(folder / "node_modules/.made/client.mjs")]
    return found | {THEIRS: Side([node, str(folder / "codec.mjs")], client)}


async def told(*command: str) -> dict[str, Any]:
    """What one side answers, in its last line: npm's client prints words of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "sdk")}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), SIDE_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise BenchFailed(f"{' '.join(command)} ended with {process.returncode} (see above)")
    answer: dict[str, Any] = json.loads(output.splitlines()[-1])
    return answer


async def measure(folder: Path, scaled: Callable[[int], int]) -> Sdk:
    measured = sides()
    async with filled_database(folder) as uri:
        first, again = await subscriptions(measured, uri, scaled(6))
        calls = {each: await called(measured, uri, each, scaled(6)) for each in REDUCERS}
    coding = {each: await coded(measured, folder, each, scaled(7)) for each in (PLAYER, ITEM)}
    return Sdk(coding, first, again, calls)


@asynccontextmanager
async def filled_database(folder: Path) -> AsyncIterator[str]:
    """The address of a server with the module, and its rows of players."""
    if not BINARY.exists():
        raise BenchFailed("no SpacetimeDB server to talk to: make spacetimedb")
    say("filling the database")
    with Server(folder / "server", binary=BINARY) as server:
        async with Admin(server.uri) as admin:
            await admin.publish(DATABASE, bench_module().build())
        async with connect(server.uri, DATABASE) as conn:
            for steps in filling(PLAYER, encoded_rows(PLAYER, ROWS)):
                await conn.reducers.fill(steps)
        yield server.uri


def in_turns(measured: Mapping[str, Side]) -> list[tuple[str, Side]]:
    """All sides, in another order each time."""
    return random.sample(list(measured.items()), len(measured))


async def coded(measured: Mapping[str, Side], folder: Path, table: str, count: int) -> Coding:
    """Each side in a new process each time: its first pass, and when it knows its way."""
    file = folder / f"{table}.rows"
    rows = encoded_rows(table, ROWS)
    write_rows(file, rows)
    digest = hashlib.sha256(b"".join(rows)).hexdigest()
    coding = Coding(*(Samples("M rows/s") for _ in range(4)))
    for number in rounds(f"rows of {table}", count + 1):
        for name, side in in_turns(measured):
            answer = await told(*side.codec, table, str(file), str(PASSES))
            if (answer["rows"], answer["digest"]) != (ROWS, digest):
                raise BenchFailed(f"{name} did not read and write the rows of {table} as they are")
            if number:
                add_rates(coding.first_decode, coding.decode, name, answer["decode"])
                add_rates(coding.first_encode, coding.encode, name, answer["encode"])
    return coding


def write_rows(file: Path, rows: Sequence[bytes]) -> None:
    """One behind the other, and where each one starts, as a server tells it."""
    file.write_bytes(b"".join(rows))
    starts = accumulate((len(row) for row in rows[:-1]), initial=0)
    Path(f"{file}.starts").write_text("\n".join(map(str, starts)))


def add_rates(first: Samples, warm: Samples, name: str, seconds: Sequence[float]) -> None:
    """Of the first pass, and of the second half of all."""
    first.add(name, ROWS / seconds[0] / 1e6)
    warm.add(name, ROWS / statistics.median(seconds[len(seconds) // 2 :]) / 1e6)


async def subscriptions(
    measured: Mapping[str, Side], uri: str, count: int
) -> tuple[Samples, Samples]:
    """From asking until all rows are in the client's cache: first of a process, and again."""
    first, again = Samples("ms"), Samples("ms")
    for number in rounds(f"{ROWS:,} rows subscribed to", count + 1):
        for name, side in in_turns(measured):
            answer = await told(*side.client, "subscribe", uri, DATABASE, str(1 + AGAIN))
            if answer["rows"] != ROWS:
                raise BenchFailed(f"{name} has {answer['rows']} of {ROWS} rows")
            if number:
                seconds = answer["seconds"]
                first.add(name, seconds[0] * 1000)
                again.add(name, statistics.median(seconds[1:]) * 1000)
    return first, again


async def called(measured: Mapping[str, Side], uri: str, reducer: str, count: int) -> Calls:
    """One call after the other, and so many that wait for their commit at a time."""
    calls = Calls(Samples("calls/s"), Samples("calls/s"))
    ways = ((calls.sequential, SEQUENTIAL, 1), (calls.pipelined, PIPELINED, WINDOW))
    for number in rounds(f"calls of {reducer}", count + 1):
        for samples, each, window in ways:
            for name, side in in_turns(measured):
                amounts = map(str, (WARM_UP, each, window))
                answer = await told(*side.client, "calls", uri, DATABASE, reducer, *amounts)
                if number:
                    samples.add(name, each / answer["seconds"][0])
    return calls
