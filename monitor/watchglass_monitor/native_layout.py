"""This interpreter -> Facts: where things lie in its objects, for the walk in WebAssembly.

Twin of node_host/native/fingerprint/layout.ts and kinds.ts: the order of the facts, the numbers of
the kinds.
"""

import struct
import sys
import types
import weakref
from _thread import LockType, RLock
from abc import ABC
from array import array
from asyncio import Future, Task
from collections import defaultdict, deque, namedtuple
from contextvars import Context, ContextVar, Token
from ctypes import string_at
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import IntEnum
from functools import cache
from re import Match, Pattern
from typing import Any

from .contents import EVENT_LOOPS, ITERATORS, LEAVES, MACHINERY, REFERRING


class LayoutUnknown(RuntimeError):
    """This interpreter's objects are not as those that the native walk was made for."""


class Kind(IntEnum):
    """How objects of a type are walked over; FOREIGN: by Python."""

    FOREIGN = 1
    CONSTANT = 2
    LEAF = 3
    INT = 4
    FLOAT = 5
    COMPLEX = 6
    TEXT = 7
    BYTES = 8
    LIST = 9
    TUPLE = 10
    DICT = 11
    DEFAULT_DICT = 12
    SET = 13
    SEQUENCE = 14
    BYTEARRAY = 15
    ARRAY = 16
    MEMORYVIEW = 17
    REFERRING = 18
    ITERATOR = 19
    FUNCTION = 20
    INSTANCE = 21
    CLASS = 22
    MOMENT = 24
    RAW = 25
    DECIMAL = 26


_SINCE = (3, 13)
_REFERENCE_BYTES = 4
_TEXT_STATE = 16

_KINDS: dict[Kind, tuple[Any, ...]] = {
    Kind.CONSTANT: (type(None), type(...), type(NotImplemented)),
    Kind.INT: (int, bool),
    Kind.FLOAT: (float,),
    Kind.COMPLEX: (complex,),
    Kind.TEXT: (str,),
    Kind.BYTES: (bytes,),
    Kind.LIST: (list,),
    Kind.TUPLE: (tuple,),
    Kind.DICT: (dict,),
    Kind.DEFAULT_DICT: (defaultdict,),
    Kind.SET: (set, frozenset),
    Kind.SEQUENCE: (deque,),
    Kind.BYTEARRAY: (bytearray,),
    Kind.ARRAY: (array,),
    Kind.MEMORYVIEW: (memoryview,),
    Kind.FUNCTION: (types.FunctionType,),
    Kind.INSTANCE: (object,),
    Kind.MOMENT: (datetime, time),
    Kind.RAW: (date, timedelta),
    Kind.DECIMAL: (Decimal,),
    Kind.ITERATOR: ITERATORS,
    Kind.REFERRING: (*REFERRING, Pattern, Match, type(namedtuple("Pair", "left").__dict__["left"])),
    Kind.LEAF: (
        *LEAVES, LockType, RLock, weakref.ref, weakref.ProxyType,
        weakref.CallableProxyType, Context, ContextVar, Token, Task, Future,
        type(ABC.__dict__["_abc_impl"]),
    ),
}  # fmt: skip
# Weak containers and paths have walks of their own; the rest changes all the time.
_MODULES = {
    **dict.fromkeys(MACHINERY, Kind.LEAF),
    **dict.fromkeys(EVENT_LOOPS, Kind.LEAF),
    "weakref": Kind.FOREIGN,
    "pathlib": Kind.FOREIGN,
}


class _Sample:
    pass


class _BufferSample:
    def __buffer__(self, flags: int) -> memoryview:
        raise BufferError("never called")


class Facts:
    """The facts, at an address, and all that they point to."""

    def __init__(self) -> None:
        if struct.calcsize("P") != _REFERENCE_BYTES or sys.version_info < _SINCE:
            raise LayoutUnknown("the native walk knows CPython from 3.13 on, in WebAssembly")
        self._types = [kind for each in _KINDS.values() for kind in each]
        self._type_kinds = bytearray(kind for kind, each in _KINDS.items() for _ in each)
        self._modules = list(_MODULES)
        self._module_kinds = bytearray(_MODULES.values())
        self._names = [sys.intern("__module__"), sys.intern("__main__")]
        held = (self._types, self._type_kinds, self._modules, self._module_kinds)
        self._words = array("I", (
            tuple.__basicsize__, sys.int_info.sizeof_digit, *_text_facts(), *_function_facts(),
            *map(id, (types.FunctionType, bool, int, float, str, bytes, dict)),
            *map(id, (_Sample, _BufferSample)), *map(id, self._names), *map(id, held),
        ))  # fmt: skip

    @property
    def address(self) -> int:
        return id(self._words)


@cache
def facts() -> Facts:
    """Those of this interpreter; an image carries them, for nothing in it moves."""
    return Facts()


def _text_facts() -> tuple[int, int, int]:
    """The bits of a `str` that tell how it is stored: ASCII, in one piece, and of what width."""
    narrow, latin, wide = ("".join([letter] * 9) for letter in "aé✓")
    apart = type("Text", (str,), {})(narrow)
    ascii_bit = _state(narrow) & ~_state(latin)
    compact_bit = _state(narrow) & ~_state(apart)
    width_bits = _state(latin) ^ _state(wide)
    shift = (width_bits & -width_bits).bit_length() - 1
    if ascii_bit.bit_count() != 1 or compact_bit.bit_count() != 1 or width_bits >> shift != 3:
        raise LayoutUnknown("a str is not stored as expected")
    return ascii_bit, compact_bit, shift


def _state(text: str) -> int:
    # What fills the word up behind these bits is left as it was.
    return string_at(id(text) + _TEXT_STATE, 1)[0]


def _function_facts() -> tuple[int, int, int]:
    """Where a function keeps its parts: four offsets in one number, its annotations, its code."""
    held = 0

    def sample(plain: object = 0.5, *, named: object = 0.25) -> object:
        return held

    sample.attribute = 1  # type: ignore[attr-defined]
    parts = (sample.__defaults__, sample.__kwdefaults__, sample.__closure__, sample.__dict__)
    others = (sample.__annotations__, sample.__code__)
    words = _words_of(sample, types.FunctionType.__basicsize__)
    try:
        offsets = [words.index(id(part)) * _REFERENCE_BYTES for part in (*parts, *others)]
    except ValueError:
        raise LayoutUnknown("a function is not stored as expected") from None
    return int.from_bytes(bytes(offsets[:4]), "little"), offsets[4], offsets[5]


def _words_of(value: object, size: int) -> list[int]:
    return array("I", string_at(id(value), size)).tolist()
