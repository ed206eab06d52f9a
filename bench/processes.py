"""Reads other processes' memory and time from /proc, and ends our own children."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path


def children_of(pid: int) -> list[int]:
    """Started by any thread of it."""
    listings = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for listing in listings for child in listing.read_text().split()]


def descendants_of(pid: int) -> list[int]:
    """Its children, and theirs."""
    children = children_of(pid)
    return [*children, *(each for child in children for each in descendants_of(child))]


def command_of(pid: int) -> list[str]:
    """The words by which it was started."""
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


def cpu_s(pids: Iterable[int]) -> float:
    """The processor time that they have taken."""
    return sum(map(_cpu_ticks, pids)) / os.sysconf("SC_CLK_TCK")


def _cpu_ticks(pid: int) -> int:
    """Behind the program's name, which may have any letters: the state, and eleven more fields."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def pss_mb(pid: int) -> float:
    """Its share of physical memory: what processes hold together is shared out among them."""
    return _megabytes(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")


def rss_mb(pid: int) -> float:
    """All physical memory that it can reach."""
    return _megabytes(Path(f"/proc/{pid}/status"), "VmRSS:")


def _megabytes(file: Path, field: str) -> float:
    for line in file.read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(f"{file} has no line {field}")


async def ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 20)
    except TimeoutError:
        process.kill()
        await process.wait()
