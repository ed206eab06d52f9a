"""What is being measured, on standard error: a line a measure, a dot a round."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator


def rounds(what: str, count: int) -> Iterator[int]:
    """The numbers of the rounds."""
    began = time.perf_counter()
    print(f"{what} ", end="", file=sys.stderr, flush=True)
    for number in range(count):
        yield number
        print(".", end="", file=sys.stderr, flush=True)
    print(f" {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
