"""Who runs first when the machine is short of processors: the server, before all sessions."""

import contextlib
import os
from typing import Final

__all__ = ["SESSION_STEPS", "give_way"]

# About a third of the server's share, where both want the same processor. The system shares out
# fairly among the sessions themselves: one that has waited runs before those that are busy.
SESSION_STEPS: Final = 5


def give_way(pid: int) -> None:
    """Let a process that was just started, and all its threads to come, run after the server."""
    with contextlib.suppress(OSError):  # it may have ended, or be somebody else's
        niceness = os.getpriority(os.PRIO_PROCESS, 0) + SESSION_STEPS
        os.setpriority(os.PRIO_PROCESS, pid, min(19, niceness))
