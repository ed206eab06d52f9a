"""Columns of the mirror's rows → what events hold; what cannot be raises. Pure."""

from __future__ import annotations

import json
import re
from math import isfinite
from typing import Any, Final, NoReturn

from watchglass_sync import tagged_json

ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
NAME_CHARACTERS: Final = 200
VARIABLE_CHARACTERS: Final = 500
CODE_BYTES: Final = 2**20
JSON_CHARACTERS: Final = 256 * 1024
JSON_DEPTH: Final = 200
LARGEST_NUMBER: Final = 2**31
LARGEST_EXACT: Final = 2**53
BAD: Final = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
"""What these raise."""


def text(value: object, most: int) -> str:
    """As much of a text as is kept."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return value[:most]


def optional_name(value: object) -> str | None:
    """Somebody's name, or an id that is only shown."""
    return None if value is None else text(value, NAME_CHARACTERS)


def whole(value: object, most: int) -> int:
    """A number from 0 up."""
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError("no such number")
    return value


def optional_whole(value: object, most: int) -> int | None:
    """The same, where there may be none."""
    return None if value is None else whole(value, most)


def identifier(value: object) -> str:
    """An id as the server makes them, and clients may choose them."""
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise ValueError("no id")
    return value


def variable_name(value: object) -> str:
    """What a variable can be called."""
    if not isinstance(value, str) or not 0 < len(value) <= VARIABLE_CHARACTERS:
        raise ValueError("no variable has this name")
    return value


def code(value: object) -> str:
    """Code, which is kept whole or not at all."""
    if not isinstance(value, str) or len(value.encode()) > CODE_BYTES:
        raise ValueError("no code, or longer than code may be")
    return value


def stream(value: object) -> str:
    """Which of the two it was printed to."""
    if value not in ("stdout", "stderr"):
        raise ValueError("no stream")
    return str(value)


def duration(value: object) -> float | None:
    """Milliseconds, if they are known."""
    if value is None:
        return None
    if type(value) is not float or not isfinite(value) or value < 0:
        raise ValueError("no duration")
    return value


def time(value: Any) -> str:
    """A timestamp as events have it: `2026-01-31T12:00:00.123456Z`."""
    if value.micros < 0:
        raise ValueError("it was before there were timestamps")
    return f"{value.to_datetime():%Y-%m-%dT%H:%M:%S.%f}Z"


def bundle(value: str | None, plain: str) -> dict[str, object]:
    """MIME types and their forms; where there is no JSON of them, the text."""
    forms: Any = {"text/plain": plain} if value is None else tagged(value)
    if not isinstance(forms, dict):
        raise TypeError("no bundle")
    return forms


def tagged(value: object) -> Any:
    """JSON that can be stored again: no NaN, and no deeper than all that reads it can go."""
    if not isinstance(value, str) or len(value) > JSON_CHARACTERS:
        raise ValueError("no JSON, or too much of it")
    found = json.loads(value, parse_constant=_refuse)
    waiting = [(found, 0)]
    while waiting:
        part, depth = waiting.pop()
        if depth > JSON_DEPTH or (isinstance(part, float) and not isfinite(part)):
            raise ValueError("JSON that cannot be stored")
        if isinstance(part, dict | list):
            inside = part.values() if isinstance(part, dict) else part
            waiting += [(each, depth + 1) for each in inside]
    return found


def variant(value: object) -> object:
    """A variant of the sum of exact values as tagged JSON; None where it is not known."""
    is_known = type(value).__name__ in ("Bool", "Int", "Float", "Text")
    exact: object = tagged_json.tagged(getattr(value, "value", None)) if is_known else None
    return exact


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
