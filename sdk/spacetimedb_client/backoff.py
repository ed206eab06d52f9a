"""How long to wait before each attempt to connect again. No I/O here."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

FIRST_SECONDS: Final = 1.0
MOST_SECONDS: Final = 30.0
FACTOR: Final = 2.0


def delays(max_attempts: int | None = None) -> Iterator[float]:
    """Anything up to a bound that doubles: clients that lost one server come back one by one."""
    bound, attempt = FIRST_SECONDS, 0
    while max_attempts is None or attempt < max_attempts:
        yield random.uniform(0, bound)
        bound, attempt = min(bound * FACTOR, MOST_SECONDS), attempt + 1
