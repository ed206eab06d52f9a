"""Values inside of SQL statements, quoted so that none of them becomes a part of the statement."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from spacetimedb_bsatn import ConversionError, ValidationError
from spacetimedb_client.query import literal

# A text, a quoted name, a comment, or the place of a value.
PARTS: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|\?")


def filled(statement: str, parameters: Sequence[object]) -> str:
    """The statement with each `?` outside of texts and names as the literal of a value."""
    left = list(parameters)

    def part(found: re.Match[str]) -> str:
        if found[0] != "?":
            return found[0]
        if not left:
            raise ValidationError(f"{statement!r} has more ? than the {len(parameters)} parameters")
        return parameter(left.pop(0))

    # Without parameters a question mark is the caller's own.
    text = PARTS.sub(part, statement) if parameters else statement
    if left:
        raise ValidationError(f"{statement!r} has fewer ? than the {len(parameters)} parameters")
    return text


def parameter(value: object) -> str:
    """A value as SQL writes it."""
    if not isinstance(value, float) or math.isfinite(value):
        try:
            return literal(value)
        except TypeError:
            pass
    expected = "a bool, int, finite float, str, bytes, Identity, ConnectionId or Timestamp"
    raise ConversionError("a parameter of SQL", value, expected)
