"""Server ⇄ Node host: how much one process may say, far beyond what an honest one does. Pure.

The host keeps the limits of a session inside its process; code that reaches its socket keeps none.
What is here ends such a process. An honest one, whatever it runs, stays below: its host sends
variables and watches a few times a second, pictures 30 times, and once more for each execution.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final

__all__ = ["RATES", "Allowance", "Rate"]

MIB: Final = 2**20
# A chunk costs this much however short it is: the host sends whole ones, but for the last.
LEAST_CHUNK: Final = 64 * 2**10
# The host counts bytes, of which each character here had one or more; what it forgot of an old
# execution may be printed once more.
OUTPUT_TIMES: Final = 2
OUTPUT_SPARE: Final = MIB


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, so many more in each second, and for each execution that is sent."""

    most: int
    per_s: int
    per_execution: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """Messages that are counted together, and what they take on the wire."""

    messages: Rate
    size: Rate


_LITTLE = Rate(64 * MIB, MIB, MIB)
_INPUTS = _Kind(Rate(10_000, 200, 1000), Rate(256 * MIB, 16 * MIB, 64 * MIB))
_VARIABLES = _Kind(Rate(10_000, 500, 1000), Rate(256 * MIB, 8 * MIB, 64 * MIB))
# What is missing is cut by session_output.py, or can be said once for each execution.
RATES: Final[dict[str, _Kind]] = {
    "variables": _VARIABLES,
    "watches": _Kind(Rate(2000, 200, 50), Rate(256 * MIB, 16 * MIB, 16 * MIB)),
    "live": _Kind(Rate(2000, 500, 50), Rate(256 * MIB, 32 * MIB, 32 * MIB)),
    "input_request": _INPUTS,
    "input_cancelled": _INPUTS,
    "package_cancelled": _Kind(Rate(1000, 50, 50), _LITTLE),
    "interrupt_ack": _Kind(Rate(10_000, 2000, 50), _LITTLE),
    "stream_dropped": _Kind(Rate(10_000, 1000, 50), _LITTLE),
    "dumped": _Kind(Rate(2000, 100, 20), Rate(1024 * MIB, 64 * MIB, 512 * MIB)),
}


class _Account:
    """What is left of one rate."""

    def __init__(self, rate: Rate, unit: str) -> None:
        self._rate = rate
        self._unit = unit
        self._left = float(rate.most)
        self._at: float | None = None

    def grant(self) -> None:
        self._left = min(self._rate.most, self._left + self._rate.per_execution)

    def take(self, what: str, amount: int, clock: float) -> None:
        passed = 0.0 if self._at is None else max(0.0, clock - self._at)
        self._at = clock
        self._left = min(self._rate.most, self._left + passed * self._rate.per_s) - amount
        if self._left < 0:
            raise ValueError(
                f"a flood of {what}: more than {self._rate.most:,} {self._unit}, and "
                f"{self._rate.per_s:,} a second"
            )


class Allowance:
    """What one process has said so far, and whether it may go on. Raises ValueError: it may not."""

    def __init__(self, output_bytes: int) -> None:
        self._output_bytes = output_bytes
        # By the place of the execution, 0 for none: a million of them stay small.
        self._printed = array("Q", [0])
        kinds = dict.fromkeys(RATES.values())
        self._messages = {kind: _Account(kind.messages, "messages") for kind in kinds}
        self._sizes = {kind: _Account(kind.size, "bytes") for kind in kinds}

    def allow_output(self, output_bytes: int) -> None:
        """The limit is another one now; what runs may have printed under a higher one."""
        has_run = len(self._printed) > 1
        self._output_bytes = max(output_bytes, self._output_bytes if has_run else 0)

    def executes(self) -> None:
        """One more execution is sent, of which there is something to say."""
        self._printed.append(0)
        for account in (*self._messages.values(), *self._sizes.values()):
            account.grant()

    def message(self, what: str, size: int, clock: float) -> None:
        """It says something of this type, with so many bytes on the wire."""
        kind = RATES.get(what)
        if kind is not None:
            self._messages[kind].take(what, 1, clock)
            self._sizes[kind].take(what, size, clock)

    def chunk(self, size: int, clock: float) -> None:
        """It sends a part of a dump."""
        self._sizes[RATES["dumped"]].take("dumps", max(size, LEAST_CHUNK), clock)

    def prints(self, place: int, characters: int) -> None:
        """It prints in its execution of this place, 1 for the first, or 0 in none."""
        most = OUTPUT_TIMES * self._output_bytes + OUTPUT_SPARE
        self._printed[place] += characters
        if self._printed[place] > most:
            raise ValueError(
                f"a flood of output: more than {most:,} characters in one execution, which may "
                f"print {self._output_bytes:,} bytes"
            )
