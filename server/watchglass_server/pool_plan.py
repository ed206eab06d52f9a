"""What the pool does next: how many processes to start and to stop. No I/O here."""

from dataclasses import dataclass

__all__ = ["PoolCounts", "PoolPlan", "PoolSizes", "plan"]


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """How the pool is configured."""

    min_size: int
    max_size: int
    max_waiting: int
    max_starting: int = 2  # more at a time start no more of them a second (runtime.md, 2)

    def __post_init__(self) -> None:
        if not 0 <= self.min_size <= self.max_size or self.max_size < 1 or self.max_waiting < 0:
            raise ValueError(
                f"min_size {self.min_size}, max_size {self.max_size}, max_waiting "
                f"{self.max_waiting}: 0 <= min_size <= max_size, max_size >= 1, max_waiting >= 0"
            )


@dataclass(frozen=True, slots=True)
class PoolCounts:
    """How the pool stands.

    `special` of those who wait need a process with limits of their own; `special_first`: the one
    who waits longest does. `stale` of the warm have been so for longer than `max_idle`.
    """

    warm: int = 0
    starting: int = 0
    starting_special: int = 0
    lent: int = 0
    ending: int = 0
    waiting: int = 0
    special: int = 0
    special_first: bool = False
    stale: int = 0

    @property
    def total(self) -> int:
        """Processes that are there, whatever they do."""
        return self.warm + self.starting + self.starting_special + self.lent + self.ending


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """What to do now: processes to start and warm ones to stop."""

    start: int = 0
    start_special: int = 0
    stop: int = 0


def plan(sizes: PoolSizes, counts: PoolCounts, *, may_start: bool = True) -> PoolPlan:
    """Return what brings the pool nearer to what it owes: waiters first, then the reserve."""
    spare = max(0, counts.warm + counts.starting - counts.waiting)
    due = max(0, counts.waiting - counts.warm - counts.starting)
    due_special = max(0, counts.special - counts.starting_special)
    room = max(0, sizes.max_size - counts.total)
    at_once = max(0, sizes.max_starting - counts.starting - counts.starting_special)
    free = min(room, at_once) if may_start else 0
    if counts.special_first:
        special = min(due_special, free)
        start = min(due, free - special)
    else:
        start = min(due, free)
        special = min(due_special, free - start)
    # Warm ones beyond what is waited for make room for those who need one of their own.
    crowded_out = due_special - special - (room - start - special) - counts.ending
    surplus = min(counts.stale, spare - sizes.min_size)
    stop = min(counts.warm, spare, max(0, crowded_out, surplus))
    if not stop:
        start += min(max(0, sizes.min_size - spare), free - start - special)
    return PoolPlan(start, special, stop)
