"""Who runs first when the machine is short of processors: the server, before all sessions."""

import contextlib
import os
from pathlib import Path
from typing import Final

__all__ = ["SESSION_STEPS", "give_way"]

# About a third of the server's share, where both want the same processor. The system shares out
# fairly among the sessions themselves: one that has waited runs before those that are busy.
SESSION_STEPS: Final = 5


def give_way(pid: int) -> None:
    """Let a process that was just started, and all its threads, run after the server."""
    niceness = min(19, os.getpriority(os.PRIO_PROCESS, 0) + SESSION_STEPS)
    with contextlib.suppress(OSError):  # it may have ended, or be somebody else's
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
        # Linux knows priorities of threads: those to come have the first one's.
        for thread in Path(f"/proc/{pid}/task").glob("[0-9]*"):
            os.setpriority(os.PRIO_PROCESS, int(thread.name), niceness)
