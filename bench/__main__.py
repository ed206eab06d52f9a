"""python -m bench: runs all measures, prints the table and writes docs/performance.md."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench import jupyter_side, measures, report
from bench.contender import Contender
from bench.watchglass_side import watchglass

SESSIONS_EACH = 4


async def measure(folder: Path, scale: float) -> report.Measured:
    load = os.getloadavg()[0]
    for name in ("warm", "cold", "theirs"):
        (folder / name).mkdir()
    async with (
        watchglass("Watchglass", folder / "warm", "--pool-min-size", "2") as warm,
        watchglass("Watchglass, no pool", folder / "cold", "--pool-min-size", "0") as cold,
        jupyter_side.jupyter(folder / "theirs") as theirs,
    ):
        await asyncio.sleep(2)
        everyone: Sequence[Contender] = (warm, cold, theirs)
        pair: Sequence[Contender] = (warm, theirs)
        say("new sessions")
        starts = await measures.start_times(everyone, max(1, round(10 * scale)))
        say("round trips")
        trips = await measures.round_trips(pair, max(1, round(20 * scale)), 100)
        say("printed lines")
        floods = await measures.floods(pair, max(1, round(3 * scale)))
        say("memory")
        per_session, per_server = await measures.memory((cold, theirs), SESSIONS_EACH)
        return report.Measured(
            warm=warm.name,
            cold=cold.name,
            theirs=theirs.name,
            starts=starts,
            trips=trips,
            floods=floods,
            session_memory=per_session,
            server_memory=per_server,
            sessions_each=SESSIONS_EACH,
            load=load,
        )


def versions() -> str:
    listing = "from importlib.metadata import version as v;" + (
        "print(f\"jupyter_server {v('jupyter_server')}, ipykernel {v('ipykernel')}\")"
    )
    theirs = subprocess.run(
        [jupyter_side.VENV / "bin/python", "-c", listing],
        capture_output=True,
        text=True,
        check=True,
    )
    python = platform.python_version()
    return f"Watchglass {version('watchglass')}, {theirs.stdout.strip()}, Python {python}"


def say(what: str) -> None:
    print(f"measuring {what} …", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="0.1: a look, writes nothing")
    scale: float = parser.parse_args().scale
    jupyter_side.install()
    with tempfile.TemporaryDirectory(prefix="watchglass-bench-") as folder:
        measured = asyncio.run(measure(Path(folder), scale))
    text = report.page(measured, versions())
    print(*(row.text() for row in measured.rows()), sep="\n")
    if scale >= 1:
        report.write(text)


if __name__ == "__main__":
    main()
