"""python -m bench: runs all measures, prints the tables and writes the pages in docs/."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from bench import (
    isolating,
    isolating_page,
    jupyter_install,
    measures,
    mirror,
    mirror_page,
    report,
    sdk,
    sdk_install,
    sdk_page,
    watchglass_alone,
    watching,
    watching_page,
)
from bench.contender import BenchFailed
from bench.jupyter_side import Jupyter, jupyter
from bench.progress import say
from bench.watchglass_side import Watchglass, watchglass

SESSIONS_EACH = 4
LIMIT_S = 900


async def measure(folder: Path, scaled: Callable[[int], int]) -> report.Measured:
    for name in ("warm", "cold", "theirs"):
        (folder / name).mkdir()
    say("starting the servers")
    async with (
        watchglass(report.WARM, folder / "warm", "--pool-min-size", "2") as warm,
        watchglass(report.COLD, folder / "cold", "--pool-min-size", "0") as cold,
        jupyter(report.THEIRS, folder / "theirs") as theirs,
    ):
        return await measure_all(warm, cold, theirs, scaled)


async def measure_all(
    warm: Watchglass, cold: Watchglass, theirs: Jupyter, scaled: Callable[[int], int]
) -> report.Measured:
    """Memory first, while no server has done anything, and once more at the end."""
    pair = (warm, theirs)
    memory = await measures.memory((cold, theirs), SESSIONS_EACH)
    seen, read = await measures.floods(pair, scaled(5))
    return report.Measured(
        floods_seen=seen,
        floods_read=read,
        starts=await measures.start_times((warm, cold, theirs), scaled(10)),
        trips=await measures.round_trips(pair, scaled(20), 100),
        ordinary_trips=await measures.round_trips((theirs.with_ordinary_client(),), scaled(5), 10),
        interrupts=await measures.interrupts(pair, scaled(100)),
        changes_seen=await watchglass_alone.changes_seen(warm.name, warm, scaled(10), 50),
        image_starts=await watchglass_alone.image_starts(warm.name, scaled(15)),
        memory=memory,
        sessions_each=SESSIONS_EACH,
        used_servers=measures.server_memory(pair),
    )


async def measure_watching(folder: Path, scaled: Callable[[int], int]) -> watching.Watching:
    (folder / "watching").mkdir()
    # Each process is started when it is asked for, so that none beside takes time or memory.
    async with watchglass("Watchglass", folder / "watching", "--pool-min-size", "0") as server:
        return await watching.measure(server, scaled)


async def measure_isolating(folder: Path, scaled: Callable[[int], int]) -> isolating.Isolating:
    async with AsyncExitStack() as stack:
        servers = {}
        for level in (isolating_page.PROCESS, isolating_page.STRICT):
            (folder / level).mkdir()
            options = ("--isolation", level, "--pool-min-size", "2")
            servers[level] = await stack.enter_async_context(
                watchglass(level, folder / level, *options)
            )
        return await isolating.measure(folder, servers, scaled)


def machine(load_before: float) -> str:
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{os.cpu_count()} cores, {memory_gb:.0f} GB, {platform.system()} {platform.machine()}, "
        f"load average before the run {load_before:.1f}.\nWatchglass {version('watchglass')}"
    )


T = TypeVar("T")


def whole(measure_in: Callable[[Path, Callable[[int], int]], Awaitable[T]], scale: float) -> T:
    """One run, in a folder of its own."""

    async def limited(folder: str) -> T:
        async with asyncio.timeout(LIMIT_S):
            return await measure_in(Path(folder), lambda n: max(1, round(n * scale)))

    with tempfile.TemporaryDirectory(prefix="watchglass-bench-") as folder:
        return asyncio.run(limited(folder))


def run_beside(scale: float) -> None:
    jupyter_install.install()
    load = os.getloadavg()[0]
    measured = whole(measure, scale)
    print(report.table([*measured.asked(), *measured.further()]))
    if scale >= 1:
        versions = f"{jupyter_install.versions()}, Python {platform.python_version()}"
        report.PAGE.write_text(report.page(measured, f"{machine(load)}, {versions}"))
        say(f"written: docs/{report.PAGE.name}")


def run_watching(scale: float) -> None:
    load = os.getloadavg()[0]
    measured = whole(measure_watching, scale)
    print(watching_page.tables(measured))
    if scale >= 1:
        watching_page.PAGE.write_text(watching_page.page(measured, machine(load)))
        say(f"written: docs/{watching_page.PAGE.name}")


def run_isolating(scale: float) -> None:
    load = os.getloadavg()[0]
    measured = whole(measure_isolating, scale)
    print(isolating_page.tables(measured))
    if scale >= 1:
        isolating_page.PAGE.write_text(isolating_page.page(measured, machine(load)))
        say(f"written: docs/{isolating_page.PAGE.name}")


def run_spacetimedb(scale: float) -> None:
    load = os.getloadavg()[0]
    measured = whole(sdk.measure, scale)
    print(sdk_page.tables(measured))
    if scale >= 1:
        versions = f"{sdk_page.versions()}, Node {sdk_install.node_version()}"
        sdk_page.PAGE.write_text(sdk_page.page(measured, f"{machine(load)}, {versions}"))
        say(f"written: docs/{sdk_page.PAGE.name}")


def run_mirror(scale: float) -> None:
    load = os.getloadavg()[0]
    measured = whole(mirror.measure, scale)
    print(mirror_page.tables(measured))
    if scale >= 1:
        today = datetime.now(UTC).date().isoformat()
        mirror_page.PAGE.write_text(mirror_page.page(measured, f"{machine(load)}, {today}"))
        say(f"written: docs/{mirror_page.PAGE.name}")


PARTS = {
    "beside": run_beside,
    "watching": run_watching,
    "isolation": run_isolating,
    "spacetimedb": run_spacetimedb,
    "mirror": run_mirror,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="0.1: a look, writes nothing")
    parser.add_argument("--only", choices=PARTS, help="one of the pages")
    chosen = parser.parse_args()
    if sys.platform != "linux":
        sys.exit("bench: it reads /proc and sets options of Linux sockets; run it on Linux")
    try:
        for name, run in PARTS.items():
            if chosen.only in (None, name):
                run(chosen.scale)
    except BenchFailed as error:
        sys.exit(f"\nbench: {error}")
    except TimeoutError:
        sys.exit(f"\nbench: not done after {LIMIT_S} s; run it on a machine that does less")


if __name__ == "__main__":
    main()
