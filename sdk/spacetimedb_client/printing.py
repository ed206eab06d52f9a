"""Python's values → JSON for programs, and text for people. No I/O here."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from typing import Any, Final

from spacetimedb_bsatn import (
    ConnectionId,
    Err,
    Identity,
    Ok,
    Row,
    Some,
    TimeDuration,
    Timestamp,
    Uuid,
)
from spacetimedb_bsatn.times import Interval, Time
from spacetimedb_bsatn.values import Bare, Payload

LONGEST: Final = 200  # characters of one value in a table


def printable(text: str) -> str:
    """Without what a terminal would obey: names and logs are written by strangers."""
    return "".join(each if each.isprintable() or each == "\n" else escaped(each) for each in text)


def escaped(character: str) -> str:
    return "    " if character == "\t" else character.encode("unicode_escape").decode()


def json_of(value: Any) -> Any:
    """What JSON can say of a value: rows are objects, bytes hexadecimal digits, enums names."""
    match value:
        case enum.IntEnum():
            return value.name
        case bool() | int() | str() | None:
            return value
        case float():
            return value if math.isfinite(value) else repr(value)
        case bytes():
            return value.hex()
        case Identity() | ConnectionId() | Uuid() | Timestamp():
            return str(value)
        case TimeDuration():
            return value.total_seconds()
        case Interval(inner) | Time(inner):
            return {type(value).__name__: json_of(inner)}
        case Row():
            return row_object(value)
        case Some(inner):
            return {"some": json_of(inner)}
        case Ok(inner) | Err(inner) | Payload(inner):
            told: Any = inner
            return {type(value).__name__: json_of(told)}
        case Bare():
            return type(value).__name__
        case Mapping():
            return {str(key): json_of(each) for key, each in value.items()}
    return [json_of(each) for each in value]


def row_object(row: Any) -> dict[str, Any]:
    """A row by the names of its columns."""
    return {name: json_of(getattr(row, name)) for name in columns_of(row)}


def columns_of(row: Any) -> tuple[str, ...]:
    """The names of a row's columns, in their order; only its class tells them."""
    names: tuple[str, ...] = type(row).__match_args__
    return names


def shown(value: Any) -> str:
    """A value in a table's cell."""
    told = json_of(value)
    text = told if isinstance(told, str) else words_of(told)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def words_of(told: Any) -> str:
    match told:
        case None:
            return "none"
        case bool():
            return str(told).lower()
        case dict():
            return ", ".join(f"{key}: {words_of(each)}" for key, each in told.items())
        case list():
            return f"[{', '.join(map(words_of, told))}]"
    return str(told)
