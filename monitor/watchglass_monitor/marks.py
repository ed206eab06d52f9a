"""Value -> Mark: what a binding is recognised by, without holding an object of the user's."""

import types
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from .diff import Mark
from .reading import Value, bases

_WHOLE_TEXT = 1024
_HASHED_TEXT = 1 << 20
_SMALL_BITS = 4096


def mark(value: Value) -> Mark:
    """The content of a scalar, the address of anything else.

    Nothing with a `__del__` is held, so it is freed when the program lets go of it. Its address can
    then be taken by a successor of the same type: whoever compares marks after an unknown number of
    stores must compare fingerprints too.
    """
    kind = id(type(value))
    scalar = SCALARS.get(kind)
    return (kind, id(value)) if scalar is None else (kind, scalar(value))


def is_constant(value: Value) -> bool:
    """Whether only a new binding can change it: there is nothing in it to walk over."""
    return id(type(value)) in _NEVER_CHANGING


def _constant(value: object) -> Any:
    return value if value is None or type(value) is bool else str(value)


def _integer(value: int) -> Any:
    bits = value.bit_length()
    return value if bits <= _SMALL_BITS else (bits, hash(value), abs(value) >> (bits - 256))


def _floating(value: float) -> Any:
    # 0.0 == -0.0, and nan is not equal to itself.
    return value.hex()


def _complex(value: complex) -> Any:
    return (value.real.hex(), value.imag.hex())


def _text(value: Any) -> Any:
    length = len(value)
    if length <= _WHOLE_TEXT:
        return value
    if length <= _HASHED_TEXT:
        return (length, hash(value))
    # Hashing hundreds of megabytes would stop the program; the text itself cannot change.
    step = length // 16
    samples = tuple(hash(value[start : start + 256]) for start in range(0, length, step))
    return (length, id(value), samples)


# By id of the type: looking a type up by itself would call its metaclass's `__hash__`.
SCALARS: dict[int, Callable[[Any], Any]] = {
    id(type(None)): _constant,
    id(type(...)): _constant,
    id(type(NotImplemented)): _constant,
    id(bool): _constant,
    id(int): _integer,
    id(float): _floating,
    id(complex): _complex,
    id(str): _text,
    id(bytes): _text,
}
# Methods of the builtin base that make an exact copy of its part of a subclass's instance.
_EXACT_COPIES: dict[int, Callable[[Any], Any]] = {
    id(int): int.__int__,
    id(float): float.__float__,
    id(complex): complex.__complex__,
    id(str): str.__str__,
    id(bytes): bytes.__bytes__,
}


def scalar_part(value: Value) -> Any:
    """What an instance of a subclass of int, str and the like is as one of these; else None."""
    for base in bases(type(value)):
        copy = _EXACT_COPIES.get(id(base))
        if copy is not None:
            return SCALARS[id(base)](copy(value))
    return None


_NEVER_CHANGING = frozenset(
    {
        *SCALARS,
        *(
            id(kind)
            for kind in (
                range, datetime, date, time, timedelta,
                timezone, Decimal, types.ModuleType, types.BuiltinFunctionType,
                types.CodeType, types.FrameType, types.TracebackType,
            )
        ),
    }
)  # fmt: skip
