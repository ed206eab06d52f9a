"""The four questions, each asked of every system in turn, round by round."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.contender import BenchFailed, Contender, Session
from bench.processes import pss_mb

LINES = 10**6
FLOOD = f"for i in range({LINES}): print(i)"


@dataclass
class Samples:
    """What was measured of each system, in milliseconds or megabytes."""

    unit: str
    of: dict[str, list[float]] = field(default_factory=dict)

    def add(self, contender: Contender, value: float) -> None:
        self.of.setdefault(contender.name, []).append(value)

    def median(self, name: str) -> float:
        return statistics.median(self.of[name])

    def p99(self, name: str) -> float:
        ordered = sorted(self.of[name])
        return ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]


async def start_times(contenders: Sequence[Contender], rounds: int) -> Samples:
    samples = Samples("ms")
    for _ in range(rounds):
        for contender in contenders:
            began = time.perf_counter()
            session = await contender.open()
            samples.add(contender, (time.perf_counter() - began) * 1000)
            await session.close()
            await asyncio.sleep(1.0)  # the pool fills up again, a kernel ends
    return samples


async def round_trips(contenders: Sequence[Contender], rounds: int, each: int) -> Samples:
    samples = Samples("ms")
    sessions = [(contender, await contender.open()) for contender in contenders]
    for _, session in sessions:
        await repeat(session, 50)
    for _ in range(rounds):
        for contender, session in sessions:
            for taken in await repeat(session, each):
                samples.add(contender, taken)
    for _, session in sessions:
        await session.close()
    return samples


async def repeat(session: Session, times: int) -> list[float]:
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await session.execute("x = 1")
        taken.append((time.perf_counter() - began) * 1000)
    return taken


async def floods(contenders: Sequence[Contender], rounds: int) -> Samples:
    samples = Samples("ms")
    sessions = [(contender, await contender.open()) for contender in contenders]
    for _ in range(rounds):
        for contender, session in sessions:
            began = time.perf_counter()
            last = await session.flood(FLOOD)
            samples.add(contender, (time.perf_counter() - began) * 1000)
            if last != str(LINES - 1):
                raise BenchFailed(f"{contender.name} ended a flood with {last!r}")
    for _, session in sessions:
        await session.close()
    return samples


async def memory(contenders: Sequence[Contender], sessions_each: int) -> tuple[Samples, Samples]:
    """Of a session's process after one execution, and of the server with all of them."""
    sessions = [await c.open() for _ in range(sessions_each) for c in contenders]
    await asyncio.sleep(5)
    per_session, per_server = Samples("MB"), Samples("MB")
    for contender in contenders:
        for pid in contender.session_pids():
            per_session.add(contender, pss_mb(pid))
        per_server.add(contender, pss_mb(contender.server_pid))
    for session in sessions:
        await session.close()
    return per_session, per_server
