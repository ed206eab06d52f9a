"""What the operating system tells of a running process: processor time and memory."""

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ProcessStats", "read_stats"]

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class ProcessStats:
    """A process at one moment. `pss_bytes` shares out what processes hold together."""

    cpu_s: float
    rss_bytes: int
    pss_bytes: int | None


def read_stats(pid: int, *, pss: bool = False) -> ProcessStats | None:
    """Return the process's figures; None when it is gone, or off Linux.

    The proportional memory is asked for apart, for the kernel walks all pages to find it (~1 ms).
    """
    try:
        # The second field is the name in brackets, and may hold blanks and brackets itself.
        after_name = (_PROC / str(pid) / "stat").read_text("latin-1").rpartition(")")[2].split()
        resident_pages = (_PROC / str(pid) / "statm").read_text().split()[1]
        ticks = int(after_name[11]) + int(after_name[12])
        return ProcessStats(
            ticks / os.sysconf("SC_CLK_TCK"),
            int(resident_pages) * os.sysconf("SC_PAGE_SIZE"),
            _read_pss(pid) if pss else None,
        )
    except (OSError, IndexError, ValueError):
        return None


def _read_pss(pid: int) -> int | None:
    try:
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None
