"""What it costs to be held: processes with and without the jail, and servers, in one run."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.measures import repeat
from bench.processes import pss_mb, rss_mb
from bench.progress import rounds
from bench.samples import Samples
from bench.watchglass_side import Watchglass
from watchglass_server.assets import find_assets
from watchglass_server.host_messages import Finished
from watchglass_server.image import ensure_image
from watchglass_server.jail_launcher import JailLauncher
from watchglass_server.process import ProcessConfig, PyodideProcess

BARE = "neither"
LAYER = "Node's own layer"
JAILED = "that and the jail"
# What Pyodide needs; the others take something away from the code in it.
NEEDED_FLAGS = ("--experimental-wasm-jspi", "--wasm-stack", "--max-")
REST_S = 0.1
IDLE_S = 5.0
TRIPS = 100


@dataclass(frozen=True)
class Isolating:
    """Everything of one run. Samples by the names above, or by the server's level."""

    layers: str
    starts: Samples
    trips: Samples
    pss: Samples
    rss: Samples
    sessions: Samples
    session_trips: Samples


async def measure(
    folder: Path, servers: Mapping[str, Watchglass], scaled: Callable[[int], int]
) -> Isolating:
    async with jailing() as jail:
        configs = await configurations(folder, jail)
        pss, rss = await memory(configs, max(2, scaled(4)))
        return Isolating(
            layers=", ".join(jail.isolation.layers),
            starts=await starts(configs, scaled(40)),
            trips=await trips(configs, scaled(30)),
            pss=pss,
            rss=rss,
            sessions=await sessions(servers, scaled(15)),
            session_trips=await session_trips(servers, scaled(30)),
        )


@asynccontextmanager
async def jailing() -> AsyncIterator[JailLauncher]:
    jail = JailLauncher()
    try:
        yield jail
    finally:
        await jail.close()


async def configurations(folder: Path, jail: JailLauncher) -> dict[str, ProcessConfig]:
    """What each kind of process is started with, each with a base image of its own flags."""
    layered = ProcessConfig.from_assets(find_assets())
    flags = tuple(flag for flag in layered.node_flags if flag.startswith(NEEDED_FLAGS))
    configs = {
        BARE: replace(layered, node_flags=flags, image_flags=()),
        LAYER: layered,
        JAILED: replace(layered, launcher=jail),
    }
    return {
        name: replace(config, image=await ensure_image(config, folder))
        for name, config in configs.items()
    }


async def starts(configs: Mapping[str, ProcessConfig], count: int) -> Samples:
    """From the start of a process until its interpreter says that it is ready."""
    samples = Samples("ms")
    for number in rounds("starts, held and not", count + 1):
        for name in random.sample(list(configs), len(configs)):
            began = time.perf_counter()
            async with PyodideProcess(configs[name]):
                if number:
                    samples.add(name, (time.perf_counter() - began) * 1000)
            await asyncio.sleep(REST_S)
    return samples


async def trips(configs: Mapping[str, ProcessConfig], count: int) -> Samples:
    """`x = 1` and its end, over the socketpair: the median of each round."""
    samples = Samples("µs")
    async with AsyncExitStack() as stack:
        processes = {
            name: await stack.enter_async_context(PyodideProcess(config))
            for name, config in configs.items()
        }
        last = 0
        for number in rounds("round trips, held and not", count + 1):
            for name in random.sample(list(processes), len(processes)):
                taken = await _executions(processes[name], last)
                if number:
                    samples.add(name, sorted(taken)[TRIPS // 2] * 1e6)
            last += TRIPS
    return samples


async def _executions(process: PyodideProcess, last: int) -> list[float]:
    """The seconds that each of some executions took; ids grow, so the last one's is given."""
    taken: list[float] = []
    events = process.events()
    for number in range(last + 1, last + TRIPS + 1):
        began = time.perf_counter()
        process.execute(number, number, "x = 1")
        while not any(isinstance(event, Finished) for event in await anext(events)):
            pass
        taken.append(time.perf_counter() - began)
    return taken


async def memory(configs: Mapping[str, ProcessConfig], count: int) -> tuple[Samples, Samples]:
    """Physical memory of idle processes that live beside each other."""
    pss, rss = Samples("MB"), Samples("MB")
    async with AsyncExitStack() as stack:
        started: list[tuple[str, PyodideProcess]] = []
        for _ in rounds("idle processes", count):
            for name, config in configs.items():
                process = await stack.enter_async_context(PyodideProcess(config))
                started.append((name, process))
        await asyncio.sleep(IDLE_S)
        for name, process in started:
            pss.add(name, pss_mb(process.pid))
            rss.add(name, rss_mb(process.pid))
    return pss, rss


async def sessions(servers: Mapping[str, Watchglass], count: int) -> Samples:
    """A new session, whose process the pool has, up to the end of its first execution."""
    samples = Samples("ms")
    for number in rounds("new sessions, held and not", count + 1):
        for name in random.sample(list(servers), len(servers)):
            began = time.perf_counter()
            session = await servers[name].open()
            if number:
                samples.add(name, (time.perf_counter() - began) * 1000)
            await session.close()
            await asyncio.sleep(1.0)  # the pool fills up again
    return samples


async def session_trips(servers: Mapping[str, Watchglass], count: int) -> Samples:
    """`x = 1` over the WebSocket, with every event on disk: the median of each round."""
    samples = Samples("ms")
    held = {name: await server.open() for name, server in servers.items()}
    for number in rounds("round trips over the WebSocket", count + 1):
        for name in random.sample(list(held), len(held)):
            taken = await repeat(held[name], TRIPS)
            if number:
                samples.add(name, sorted(taken)[TRIPS // 2])
    for session in held.values():
        await session.close()
    return samples
