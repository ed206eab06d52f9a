"""The questions, each asked of every system in turn, round by round."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.contender import BenchFailed, Contender, Session
from bench.processes import pss_mb, rss_mb
from bench.progress import rounds, say
from bench.samples import Samples

Pair = list[tuple[str, Session]]
LINES = 10**6
FLOOD = f"for i in range({LINES}): print(i)"
BUSY = "while True: pass"
REST_S = 1.0
"""The pool fills up again, a kernel ends, a journal is written."""
IDLE_S = 5.0


async def start_times(contenders: Sequence[Contender], count: int) -> Samples:
    samples = Samples("ms")
    for number in rounds("new sessions", count + 1):
        for contender in contenders:
            began = time.perf_counter()
            session = await contender.open()
            taken = time.perf_counter() - began
            if number:  # the first round is a warm-up
                samples.add(contender.name, taken * 1000)
            await session.close()
            await asyncio.sleep(REST_S)
    return samples


@asynccontextmanager
async def sessions_of(contenders: Sequence[Contender]) -> AsyncIterator[Pair]:
    sessions = [(contender.name, await contender.open()) for contender in contenders]
    yield sessions
    for _, session in sessions:
        await session.close()


async def round_trips(contenders: Sequence[Contender], count: int, each: int) -> Samples:
    samples = Samples("ms")
    async with sessions_of(contenders) as sessions:
        for number in rounds("round trips", count + 1):
            for name, session in sessions:
                taken = await repeat(session, each)
                if number:
                    samples.of.setdefault(name, []).extend(taken)
    return samples


async def repeat(session: Session, times: int) -> list[float]:
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await session.execute("x = 1")
        taken.append((time.perf_counter() - began) * 1000)
    return taken


async def floods(contenders: Sequence[Contender], count: int) -> tuple[Samples, Samples]:
    """Until the client has the last line, and until it has every line."""
    seen, read = Samples("ms"), Samples("ms")
    whole = "".join(f"{i}\n" for i in range(LINES))
    async with sessions_of(contenders) as sessions:
        for number in rounds("printed lines", count + 1):
            for name, session in sessions:
                flood = await session.flood(FLOOD)
                if flood.text != whole:
                    raise BenchFailed(f"{name} lost some of {len(whole):,} characters")
                if number:
                    seen.add(name, flood.seen_s * 1000)
                    read.add(name, flood.read_s * 1000)
                await asyncio.sleep(REST_S)
    return seen, read


async def interrupts(contenders: Sequence[Contender], count: int) -> Samples:
    samples = Samples("ms")
    async with sessions_of(contenders) as sessions:
        for number in rounds("interrupts", count + 1):
            for name, session in sessions:
                taken = await session.interrupt(BUSY)
                if number:
                    samples.add(name, taken * 1000)
    return samples


@dataclass(frozen=True)
class Memory:
    session_pss: Samples
    server_pss: Samples
    server_rss: Samples


async def memory(contenders: Sequence[Contender], sessions_each: int) -> Memory:
    """Of each session's process after one execution and a rest, and of the servers with them."""
    say("memory")
    measured = Memory(Samples("MB"), Samples("MB"), Samples("MB"))
    async with sessions_of([one for _ in range(sessions_each) for one in contenders]):
        await asyncio.sleep(IDLE_S)
        for contender in contenders:
            for pid in contender.session_pids():
                measured.session_pss.add(contender.name, pss_mb(pid))
            measured.server_pss.add(contender.name, pss_mb(contender.server_pid))
            measured.server_rss.add(contender.name, rss_mb(contender.server_pid))
    return measured


def server_memory(contenders: Sequence[Contender]) -> Samples:
    samples = Samples("MB")
    for contender in contenders:
        samples.add(contender.name, rss_mb(contender.server_pid))
    return samples
