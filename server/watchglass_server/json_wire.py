"""JSON as it goes over Socket.IO: exact, compact, and never NaN."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


def dumps(value: Any, **_: Any) -> str:
    """Compact text. Lone surrogates, which UTF-8 cannot carry, go as escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    if text.isascii() or _is_well_formed(text):
        return text
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def loads(text: str) -> Any:
    """The value. Raises ValueError or RecursionError."""
    return json.loads(text, parse_constant=_refuse, parse_float=_finite)


def _is_well_formed(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _finite(word: str) -> float:
    """JSON has 1e999, but no text for the infinity that it would be here."""
    number = float(word)
    if math.isinf(number):
        raise ValueError(f"{word[:20]} is larger than any float")
    return number


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")
