"""What it costs to be watched, and how soon a change is seen: beside plain Pyodide, in one run."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from bench.plain_side import plain
from bench.processes import pss_mb
from bench.programs import CHURN, MANY, PROGRAMS, SETUP, STAMPS, timed
from bench.progress import rounds
from bench.samples import Samples
from bench.watchglass_side import Watchglass, WatchglassSession

PLAIN = "plain"
WATCHED = "watched"
LOOKED_AT = "panel open"
NAMES = 1000
LOOKERS = (
    ("who takes each picture at once", 0.0, None),
    ("who takes 250 ms for each", 0.25, None),
    ("who takes 1 s for each", 1.0, None),
    ("with 40 names in view", 0.0, 40),
)


@dataclass(frozen=True)
class Many:
    """A namespace of very many variables."""

    count: int
    plain_ms: float
    watched_ms: float
    complete_ms: float
    trip_ms: float
    plain_mb: float
    watched_mb: float


@dataclass(frozen=True)
class Looker:
    """One client beside a session in which very much changes."""

    what: str
    messages: int
    kilobytes: float
    largest_kilobytes: float
    wrong: int


@dataclass(frozen=True)
class Watching:
    """Everything of one run."""

    ratios: dict[str, Samples]
    latency: Samples
    many: Sequence[Many]
    lookers: Sequence[Looker]
    changes_per_s: float


async def measure(server: Watchglass, scaled: Callable[[int], int]) -> Watching:
    lookers, rate = await slow_clients(server, 3.0)
    return Watching(
        ratios=await overheads(server, scaled(7)),
        latency=await latencies(server, max(2, scaled(20))),
        many=[await many(server, count) for count in (1000, scaled(100_000))],
        lookers=lookers,
        changes_per_s=rate,
    )


async def looked_at(session: WatchglassSession) -> WatchglassSession:
    """With its variables in view, and one of them opened."""
    windows = [{"path": ["items1"], "offset": 0, "limit": 100}]
    await session.call("view.set", names=None, windows=windows, line=True)
    return session


async def overheads(server: Watchglass, count: int) -> dict[str, Samples]:
    """Milliseconds of each program, round by round in another order: (program, interpreter)."""
    samples = {what: Samples("ms") for what in PROGRAMS}
    async with AsyncExitStack() as stack:
        bare = await stack.enter_async_context(plain())
        watched, seen = await server.open(), await server.open()
        runs = {PLAIN: bare.run, WATCHED: watched.printed, LOOKED_AT: seen.printed}
        for run in runs.values():
            await run(SETUP)
        await looked_at(seen)
        for number in rounds("programs, watched and not", count + 1):
            for what, code in PROGRAMS.items():
                for name in random.sample(list(runs), len(runs)):
                    taken = float(await runs[name](timed(code)))
                    if number:
                        samples[what].add(name, taken)
        await watched.close()
        await seen.close()
    return samples


async def latencies(server: Watchglass, seconds: int) -> Samples:
    """From a store in a busy loop to the event of a second client, which looks."""
    samples = Samples("ms")
    async with server.another().connected() as second:
        writer = await server.open()
        reader = await second.join(writer.session)
        seen: set[float] = set()

        def look(changes: Sequence[Any]) -> None:
            now = time.time()
            for change in changes:
                if change["name"] == "stamp" and change["variable"]["value"] not in seen:
                    seen.add(change["variable"]["value"])
                    samples.add(LOOKED_AT, (now - change["variable"]["value"]) * 1000)

        second.on_changes = look
        await reader.call("view.set", names=["stamp"], windows=[])
        for _ in rounds("stores seen by a second client", 1):
            await writer.execute(STAMPS.format(seconds=seconds))
        await writer.close()
    return samples


async def many(server: Watchglass, count: int) -> Many:
    """Making very many variables, having all of them on the page, and working beside them."""
    async with plain() as bare:
        code = MANY.format(count=count)
        plain_ms = float(await bare.run(timed(code)))
        plain_mb = pss_mb(bare.pid)
    before = set(server.session_pids())
    session = await server.open()
    try:
        view = [f"many{n}" for n in range(50)]
        await session.call("view.set", names=view, windows=[], line=True)
        began = time.perf_counter()
        watched_ms = float(await session.printed(timed(code)))
        complete_ms = (time.perf_counter() - began) * 1000
        await asyncio.sleep(3)
        watched_mb = max(
            (pss_mb(pid) for pid in set(server.session_pids()) - before), default=float("nan")
        )
        trips = []
        for number in rounds(f"beside {count:,} variables", 20):
            began = time.perf_counter()
            await session.execute(f"x = {number}")
            trips.append((time.perf_counter() - began) * 1000)
    finally:
        await session.close()
    trip_ms = sorted(trips)[len(trips) // 2]
    return Many(count, plain_ms, watched_ms, complete_ms, trip_ms, plain_mb, watched_mb)


async def slow_clients(server: Watchglass, seconds: float) -> tuple[list[Looker], float]:
    """Very many changes beside clients of different speed: what each got, and what was wrong."""
    async with AsyncExitStack() as stack:
        writer = await server.open()
        eyes = []
        for what, taking_s, in_view in LOOKERS:
            client = server.another(live_s=taking_s)
            await stack.enter_async_context(client.connected())
            session = await client.join(writer.session)
            names = None if in_view is None else [f"name{n}" for n in range(in_view)]
            await session.call("view.set", names=names, windows=[])
            eyes.append((what, client, in_view or NAMES))
        text = "0"
        code = CHURN.format(names=NAMES, seconds=seconds, pause=0.0095)
        for _ in rounds("slow clients", 1):
            text = await writer.printed(f"{code}print(count)")
            await asyncio.sleep(2.5)
        found = [_looker(what, client, in_view, int(text)) for what, client, in_view in eyes]
        await writer.close()
    return found, int(text) * NAMES / seconds


def _looker(what: str, client: Watchglass, in_view: int, last: int) -> Looker:
    sizes = [len(json.dumps(picture)) / 1000 for picture in client.live]
    known = client.variables
    wrong = sum(known.get(f"name{n}") != last for n in range(in_view))
    return Looker(what, len(sizes), sum(sizes), max(sizes, default=0.0), wrong)
