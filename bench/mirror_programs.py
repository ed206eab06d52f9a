"""The programs whose changes are followed into rows, and those whose time is compared."""

from __future__ import annotations

import random
from typing import Final

from bench.programs import LOOPS, STORM

STAMP: Final = "stamp"
DONE: Final = "done"
"""The last variable that a session sets: whoever has it as a row has everything before it."""
UNIT: Final = "unit"

STAMPED: Final = "stamp = time.time()"
LAST: Final = "done = 1"
_SLEEPING: Final = """\
for wait in {waits}:
    time.sleep(wait)
    stamp = time.time()
"""
_COMPUTING: Final = """\
for wait in {waits}:
    end = time.perf_counter() + wait
    while time.perf_counter() < end: pass
    stamp = time.time()
"""
# A session is recorded four times a second while its code runs: these are told at once...
APART: Final = (0.27, 0.39)
# ...and of these the latest, when it is time.
OFTEN: Final = (0.04, 0.12)
STORES: Final[dict[str, tuple[str, tuple[float, float]]]] = {
    "code that sleeps between its stores": (_SLEEPING, APART),
    "code that computes between its stores": (_COMPUTING, APART),
    "stores 40 to 120 ms apart, of which four a second are recorded": (_SLEEPING, OFTEN),
}

SHORT: Final = 50
"""So many short executions, one after the other, are one program."""
SHORT_ONES: Final = f"{SHORT} short executions, one by one"
COMPARED: Final = {
    **{what: LOOPS[what] for what in ("`x = i` at module level", "calls: `fib(33)`")},
    **STORM,
    "1,000 names, each set once": "for n in range(1000): globals()[f'made{n}'] = time.time()",
    "20,000 printed lines": "for n in range(20_000): print(n)",
}


def stores(program: str, apart: tuple[float, float], count: int) -> str:
    """So many stores of the time, with random waits of these seconds before each."""
    return program.format(waits=[round(random.uniform(*apart), 3) for _ in range(count)])


def changes(units: int, number: int) -> str:
    """Set so many names to this number."""
    return f"for n in range({units}): globals()[f'{UNIT}{{n}}'] = {number}"
