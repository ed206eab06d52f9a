"""Value -> fingerprint: finds in-place changes by walking what a value holds; runs no user code.

A walk is cut into slices of time and holds no object between two of them: what is deleted in the
meantime must be freed at that moment. It remembers positions, and finds its way back by them.
"""

import array
import collections
import datetime
import decimal
import gc
import io
import marshal
import random
import sys
import types
import zlib
from collections.abc import Callable, Iterator
from itertools import chain, count, islice
from time import perf_counter
from typing import Any, TypeAlias

from .diff import Mark
from .reading import (
    Value,
    bases,
    class_attribute,
    class_items,
    instance_dict,
    is_python_class,
    slot_items,
    type_module,
)

# (walk's checksum twice, number of values seen)
Fingerprint: TypeAlias = tuple[int, int, int]

MAX_DEPTH = 200
MAX_VALUES = 4_000_000
_MAX_SEEN = 200_000
_CHUNK = 1024
_CHECK_EVERY = 128
_BYTES_A_STEP = 1 << 20
_WHOLE_TEXT = 1024
_HASHED_TEXT = 1 << 20
_SMALL_BITS = 4096


def mark(value: Value) -> Mark:
    """What a binding is recognised by: the value of a scalar, the address of anything else.

    No object that could have a `__del__` is held. An address alone can be taken by a successor of
    the same type: so whoever compares marks after an unknown number of stores must compare
    fingerprints too.
    """
    kind = id(type(value))
    if kind in _SCALARS:
        return (kind, _SCALARS[kind](value))
    return (kind, id(value))


def is_constant(value: Value) -> bool:
    """Whether nothing in the value can change, so that only a new binding can change it."""
    return id(type(value)) in _NEVER_CHANGING


def _integer(value: int) -> object:
    bits = value.bit_length()
    return value if bits <= _SMALL_BITS else (bits, hash(value), value >> (bits - 256))


def _text(value: str | bytes) -> object:
    length = len(value)
    if length <= _WHOLE_TEXT:
        return value if type(value) is bytes else _encodable(value)  # type: ignore[arg-type]
    if length <= _HASHED_TEXT:
        return (length, hash(value))
    # Hashing hundreds of megabytes at once would stop the program; the text itself cannot change.
    step = length // 16
    samples = tuple(hash(value[start : start + 256]) for start in range(0, length, step))
    return (length, id(value), samples)


def _encodable(value: str) -> object:
    return value if value.isascii() else value.encode("utf-8", "surrogatepass")


def _float(value: float) -> object:
    return value.hex()


def _complex(value: complex) -> object:
    return (value.real.hex(), value.imag.hex())


def _constant(value: object) -> object:
    return value if value is None or type(value) is bool else str(value)


# By id of the type: looking a type up by itself would call its metaclass's `__hash__`.
_SCALARS: dict[int, Callable[[Any], object]] = {
    id(type(None)): _constant,
    id(type(...)): _constant,
    id(type(NotImplemented)): _constant,
    id(bool): _constant,
    id(int): _integer,
    id(float): _float,
    id(complex): _complex,
    id(str): _text,
    id(bytes): _text,
}
_NEVER_CHANGING = frozenset(
    [
        *_SCALARS,
        *(
            id(kind)
            for kind in (
                range, datetime.datetime, datetime.date, datetime.time, datetime.timedelta,
                datetime.timezone, decimal.Decimal, types.ModuleType, types.BuiltinFunctionType,
                types.CodeType, types.FrameType, types.TracebackType,
            )
        ),
    ]
)  # fmt: skip


class Walk:
    """One walk over everything that a variable holds, in slices."""

    def __init__(self) -> None:
        self._check = zlib.crc32(b"")
        self._hash = 0
        self._values = 0
        self._seen: dict[int, int] = {}
        self._places: list[tuple[int, int]] = []
        self._began = False
        self._finished = False
        self.truncated = False

    def step(self, root: Value, deadline: float) -> bool:
        """Walks on until the deadline; True when the walk is complete.

        The walk begins anew when a container on the way to where it stopped is not there any more:
        then the value has changed, and the fingerprint will differ.
        """
        if self._finished:
            return True
        if not self._began:
            self._began = True
            levels = [self._enter(root, [])]
        else:
            levels = self._find_back(root)
        while levels:
            level = levels[-1]
            child = level.advance(self)
            if child is not None:
                opened = self._enter(child, levels)
                if opened.is_open:
                    levels.append(opened)
            elif level.is_done:
                levels.pop()
            if perf_counter() >= deadline and levels:
                self._places = [(id(each.value), each.position) for each in levels]
                return False
        self._finished = True
        return True

    @property
    def fingerprint(self) -> Fingerprint:
        """What differs when anything that was walked over differs."""
        return (self._check, self._hash, self._values)
