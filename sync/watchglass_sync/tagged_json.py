"""Tagged JSON, as variables are told and set in it ⇄ Python's values. Pure.

The part of the monitor's `values.py`, its twin inside of a session, that rows can hold.
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any, Final

from watchglass_sync.errors import ValueMisfit

EXACT_IN_JAVASCRIPT: Final = 2**53
DECIMAL_BITS: Final = 2048


def untagged(data: Any) -> Any:
    """The value that tagged JSON stands for. Raises ValueMisfit for what no row can hold."""
    match data:
        case {"$type": str(kind), "value": inside}:
            reader = _READERS.get(kind)
            if reader is None:
                raise ValueMisfit(f"a {kind} is nothing that a row holds")
            try:
                return reader(inside)
            except (ValueError, TypeError, AttributeError):
                raise ValueMisfit(f"{str(data)[:80]} is no {kind}") from None
        case dict():
            return {name: untagged(part) for name, part in data.items()}
        case list():
            return [untagged(part) for part in data]
    return data


def tagged(value: Any) -> Any:
    """A value as tagged JSON: None, bool, int, float, str, bytes, and lists and dicts of these."""
    match value:
        case bool() | str() | None:
            return value
        case int():
            return value if abs(value) <= EXACT_IN_JAVASCRIPT else _tag("int", _digits(value))
        case float():
            return value if math.isfinite(value) else _tag("float", repr(value))
        case bytes():
            return _tag("bytes", b64encode(value).decode("ascii"))
        case dict() if "$type" in value:
            return _tag("dict", [[tagged(name), tagged(part)] for name, part in value.items()])
        case dict():
            return {name: tagged(part) for name, part in value.items()}
        case list():
            return [tagged(part) for part in value]
    raise TypeError(f"{type(value).__name__} is nothing that a row holds")


def _tag(kind: str, value: Any) -> Any:
    return {"$type": kind, "value": value}


def _digits(value: int) -> str:
    return str(value) if value.bit_length() <= DECIMAL_BITS else hex(value)


def _pairs(data: Any) -> Any:
    return {_name(name): untagged(part) for name, part in data}


def _name(data: Any) -> str:
    name = untagged(data)
    if not isinstance(name, str):
        raise ValueMisfit(f"the key {name!r} of a dict is no name of a column")
    return name


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "int": lambda data: int(data, 16 if "0x" in data else 10),
    "float": float,
    "str": lambda data: b64decode(data).decode("utf-8", "surrogatepass"),
    "bytes": b64decode,
    "bytearray": b64decode,
    "tuple": lambda data: [untagged(part) for part in data],
    "dict": _pairs,
}
