"""The mirror: how soon a change is a row at another client, how many, and what that costs."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench import mirror_programs as programs
from bench.contender import BenchFailed
from bench.mirror_side import DATABASE, Mirrored, grant
from bench.processes import cpu_s
from bench.progress import rounds, say
from bench.samples import Samples
from bench.watchglass_side import Watchglass, WatchglassSession, watchglass
from scripts.spacetimedb_server import BINARY
from spacetimedb_client.testing import Server

QUIET, LOADED = "quiet", "under load"
ON, OFF = "mirror on", "mirror off"
EXECUTIONS: Final = "an execution that sets a variable"
STAMPING: Final = 2
"""Sessions that store the time, side by side."""
LOADING: Final = 8
LOAD_UNITS, LOAD_EVERY_S = 100, 0.4
UNITS: Final = {1: 1000, 10: 200, 100: 100}
"""How many names an execution sets, by the number of sessions."""
SETTLED_S: Final = 0.3
Run = Callable[[WatchglassSession], Awaitable[None]]
QUEUED: Final = 2
"""Executions that a session has been given and has not ended: one runs, and the next waits."""
RATE_S: Final = 6.0


@dataclass(frozen=True)
class Rate:
    """So many sessions that set variables, one execution after the other."""

    executions: int
    changes: int
    seconds: float
    """Until the last row was there."""
    behind_s: float
    """From the end of the last execution until then."""
    one_by_one: int
    """Changes that were a row of their own: not replaced in the same transaction."""
    cores: Mapping[str, float]
    """How much of a processor each kind of process took."""

    @property
    def per_s(self) -> float:
        return self.changes / self.seconds


@dataclass(frozen=True)
class Mirror:
    """Everything of one run. Latencies by quiet and loaded, programs by on and off."""

    latencies: Mapping[str, Samples]
    load_per_s: float
    rates: Mapping[int, Sequence[Rate]]
    programs: Mapping[str, Samples]


async def measure(folder: Path, scaled: Callable[[int], int]) -> Mirror:
    for name in (ON, OFF, "database"):
        (folder / name).mkdir()
    if not BINARY.exists():
        raise BenchFailed("no SpacetimeDB server to mirror into: make spacetimedb")
    say("starting the servers")
    pool = ("--pool-min-size", "2", "--pool-max-size", str(max(UNITS) + LOADING))
    with Server(folder / "database", binary=BINARY, in_memory=False) as database:
        address = f"{database.uri}/{DATABASE}"
        async with (
            watchglass(ON, folder / ON, "--spacetimedb", address, *pool) as server,
            watchglass(OFF, folder / OFF, *pool) as other,
        ):
            await grant(database.uri, folder / ON / "data", folder / "reader")
            mirrored = Mirrored(server, database.uri, database.pid, folder / "reader")
            return await measure_all(mirrored, other, scaled)


async def measure_all(
    mirrored: Mirrored, other: Watchglass, scaled: Callable[[int], int]
) -> Mirror:
    """With little else first, so that nothing before it has grown."""
    latencies = {what: Samples("ms") for what in (EXECUTIONS, *programs.STORES)}
    count = max(10, scaled(200))
    await follow(mirrored, latencies, QUIET, count)
    async with loaded(mirrored.server) as load:
        await follow(mirrored, latencies, LOADED, count)
    compared = await compare({ON: mirrored.server, OFF: other}, scaled(31))
    rates = {sessions: await rate(mirrored, sessions, scaled(3)) for sessions in UNITS}
    return Mirror(latencies, load.per_s, rates, compared)


async def opened(server: Watchglass, count: int) -> list[WatchglassSession]:
    """Some new sessions, a few at a time: each start is the work of a processor."""
    sessions: list[WatchglassSession] = []
    while len(sessions) < count:
        some = min(4, count - len(sessions))
        sessions += await asyncio.gather(*(server.open() for _ in range(some)))
    await asyncio.gather(*(session.execute("import time") for session in sessions))
    return sessions


async def closed(sessions: Iterable[WatchglassSession]) -> None:
    await asyncio.gather(*(session.close() for session in sessions))


# --- how soon


async def follow(
    mirrored: Mirrored, latencies: Mapping[str, Samples], name: str, count: int
) -> None:
    """From the stores of some sessions to the rows at the reader, of each kind."""
    each = count // STAMPING
    runs: dict[str, Run] = {EXECUTIONS: lambda session: stamp_each(session, each)}
    for what, (program, apart) in programs.STORES.items():
        runs[what] = partial(execute, code=programs.stores(program, apart, each))
    for what, run in runs.items():
        for _ in rounds(f"{what}, {name}", 1):
            for found in await stamps(mirrored, run):
                latencies[what].add(name, found)


async def stamps(mirrored: Mirrored, run: Run) -> list[float]:
    """The milliseconds from each store that became a row until it was one."""
    sessions = await opened(mirrored.server, STAMPING)
    async with mirrored.reader(STAMPING, "stamps") as reader:
        await asyncio.gather(*map(run, sessions))
        await asyncio.sleep(SETTLED_S)
        await asyncio.gather(*(session.execute(programs.LAST) for session in sessions))
        answer = await reader.answer()
    await closed(sessions)
    found: list[float] = answer["latencies_ms"]
    return found


async def execute(session: WatchglassSession, code: str) -> None:
    await session.execute(code)


async def stamp_each(session: WatchglassSession, count: int) -> None:
    for _ in range(count):
        await session.execute(programs.STAMPED)
        await asyncio.sleep(random.uniform(0.01, 0.05))


@dataclass
class Load:
    """What other sessions do meanwhile."""

    per_s: float = 0.0


@asynccontextmanager
async def loaded(server: Watchglass) -> AsyncIterator[Load]:
    """Some sessions that change variables all the time."""
    load = Load()
    sessions = await opened(server, LOADING)
    before, began = sum(each.changes for each in sessions), time.perf_counter()
    tasks = [asyncio.create_task(change_slowly(session)) for session in sessions]
    try:
        yield load
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        changes = sum(each.changes for each in sessions) - before
        load.per_s = changes / (time.perf_counter() - began)
    await closed(sessions)


async def change_slowly(session: WatchglassSession) -> None:
    number = 0
    while True:
        number += 1
        await session.execute(programs.changes(LOAD_UNITS, number))
        await asyncio.sleep(random.uniform(0.5, 1.5) * LOAD_EVERY_S)


# --- how many


async def rate(mirrored: Mirrored, sessions: int, count: int) -> list[Rate]:
    """As many changes as so many sessions make, round by round."""
    name = "session" if sessions == 1 else "sessions"
    open_ones = await opened(mirrored.server, sessions)
    found = [
        await one_rate(mirrored, open_ones, number)
        for number in rounds(f"changes of {sessions} {name} into rows", count)
    ]
    await closed(open_ones)
    return found


async def one_rate(mirrored: Mirrored, sessions: Sequence[WatchglassSession], number: int) -> Rate:
    async with mirrored.reader(len(sessions), "changes", number) as reader:
        pids = mirrored.pids(reader)
        used = {kind: cpu_s(of) for kind, of in pids.items()}
        before = sum(each.changes for each in sessions)
        began = time.time()
        until = began + RATE_S
        units = UNITS[len(sessions)]
        lasts = await asyncio.gather(*(change_until(each, units, until) for each in sessions))
        over = time.time()
        cores = {kind: (cpu_s(of) - used[kind]) / (over - began) for kind, of in pids.items()}
        await asyncio.gather(*(each.execute(f"{programs.DONE} = {number}") for each in sessions))
        answer = await reader.answer()
    check(sessions, lasts, answer)
    arrived = max(answer["done"].values())
    changes = sum(each.changes for each in sessions) - before
    return Rate(
        sum(lasts), changes, arrived - began, arrived - over, sum(answer["changes"].values()), cores
    )


async def change_until(session: WatchglassSession, units: int, until: float) -> int:
    """One execution after the other, of which some wait; how many: that is the last number."""
    last = 0

    async def one_after_another() -> None:
        nonlocal last
        while time.time() < until:
            last += 1
            await session.execute(programs.changes(units, last))

    async with asyncio.TaskGroup() as group:
        for _ in range(QUEUED):
            group.create_task(one_after_another())
    return last


def check(
    sessions: Sequence[WatchglassSession], lasts: Sequence[int], answer: Mapping[str, Any]
) -> None:
    """Whether the rows are what the sessions did, to the last change of each."""
    for session, last in zip(sessions, lasts, strict=True):
        values, places = answer["values"][session.session], answer["places"][session.session]
        if (values, places) != ([last], session.changes):
            raise BenchFailed(
                f"a session has set {last} in {session.changes} changes, and the rows have "
                f"{values} in {places}"
            )


# --- what it costs


async def compare(servers: Mapping[str, Watchglass], count: int) -> dict[str, Samples]:
    """Milliseconds of each program, as its client sees it, round by round in another order."""
    samples = {what: Samples("ms") for what in (*programs.COMPARED, programs.SHORT_ONES)}
    sessions = {name: (await opened(server, 1))[0] for name, server in servers.items()}
    for number in rounds("programs, with the mirror on and off", count + 1):
        for what, of in samples.items():
            for name in random.sample(list(sessions), len(sessions)):
                began = time.perf_counter()
                await run_compared(sessions[name], what)
                if number:
                    of.add(name, (time.perf_counter() - began) * 1000)
                await asyncio.sleep(SETTLED_S)  # what it has left to write shall not cost the next
    await closed(sessions.values())
    return samples


async def run_compared(session: WatchglassSession, what: str) -> None:
    if what in programs.COMPARED:
        await session.execute(programs.COMPARED[what])
        return
    for number in range(programs.SHORT):
        await session.execute(f"short = {number}")
