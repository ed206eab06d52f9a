"""What a fingerprint walks over: the contents of each kind of object, read without its code."""

import ctypes
import functools
import sys
import types
from array import array
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator
from ctypes import Array, Structure, Union, addressof, sizeof, string_at
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from functools import partial
from gc import get_referents
from io import BytesIO, StringIO
from itertools import chain, count, islice
from marshal import dumps
from random import Random
from typing import Any, TypeAlias
from zlib import adler32, crc32

from . import frame_parts
from .marks import scalar_part
from .reading import (
    Value,
    bases,
    class_attributes,
    class_items,
    has_plain_keys,
    instance_dict,
    is_python_class,
    size_in_bytes,
    slot_items,
    type_module,
    type_name,
)

# What identifies an object beside what it contains; goes through `marshal`.
Token: TypeAlias = "bool | int | float | str | bytes | tuple[Token, ...] | None"

_PIECE = 1 << 16
_FULL_RO = 0x11C  # inspect.BufferFlags.FULL_RO, from 3.12 on


@dataclass(frozen=True, slots=True)
class Contents:
    """An object's own token, and what it contains from a position on; None when nothing is."""

    token: Token
    start: Callable[[int], Iterator[Any]] | None = None
    chunk: int = 1024


def contents(value: Value) -> Contents:
    """How to walk over a value that is no scalar."""
    exact = _EXACT.get(id(type(value)))
    try:
        return _of_other_type(value) if exact is None else exact(value)
    except (TypeError, ValueError, AttributeError, RuntimeError, BufferError):
        # Closed files, released memory, half-made instances, types that only look like others.
        return _address(value)


def _address(value: Value) -> Contents:
    return Contents((id(type(value)), id(value)))


def _list(value: Any) -> Contents:
    def start(position: int) -> Iterator[Any]:
        items = list.__iter__(value)
        items.__setstate__(position)  # type: ignore[attr-defined]
        return items

    return Contents((id(type(value)), list.__len__(value)), start)


def _tuple(value: Any) -> Contents:
    def start(position: int) -> Iterator[Any]:
        items = tuple.__iter__(value)
        items.__setstate__(position)  # type: ignore[attr-defined]
        return items

    return Contents((id(type(value)), tuple.__len__(value)), start)


def _dict(value: Any, keys: Callable[[Any], Any] = dict.keys) -> Contents:
    length = dict.__len__(value)

    def start(position: int) -> Iterator[Any]:
        if position >= length:
            return islice(dict.values(value), position - length, None)
        return chain(islice(keys(value), position, None), dict.values(value))

    return Contents((id(type(value)), length), start)


def _ordered_dict(value: Any) -> Contents:
    # Its own order is found by the hashes of the keys, which may be the user's code.
    return _dict(value, OrderedDict.__iter__ if has_plain_keys(value) else dict.keys)


def _default_dict(value: Any) -> Contents:
    found = _dict(value)
    factory = defaultdict.__dict__["default_factory"].__get__(value)
    return Contents((found.token, id(factory)), found.start)


def _walked(builtin: Any) -> Callable[[Any], Contents]:
    """Collections that must be walked from their beginning."""

    def make(value: Any) -> Contents:
        return Contents(
            (id(type(value)), builtin.__len__(value)),
            lambda position: islice(builtin.__iter__(value), position, None),
        )

    return make


def _buffer(value: Any) -> Contents:
    """Raw memory, as checksums of its pieces."""
    with _memory(value) as view:
        # What is allocated is shown, and may be more than before when nothing else has changed.
        size = size_in_bytes(value)
        token: Token = (id(type(value)), size, view.nbytes, view.format, _shape(view))
        if not view.c_contiguous:
            return Contents((token, view.tobytes() if view.nbytes < _PIECE else None))

    def start(position: int) -> Iterator[Any]:
        with _memory(value) as whole, whole.cast("B") as memory:
            for begin in range(position * _PIECE, memory.nbytes, _PIECE):
                with memory[begin : begin + _PIECE] as piece:
                    yield crc32(piece) << 32 | adler32(piece)

    return Contents(token, start, chunk=8)


def _memory(value: Any) -> memoryview:
    """The memory of an object, past the `__buffer__` that its class may have."""
    if is_python_class(type(value)):
        for method in class_attributes(type(value), "__buffer__"):
            if type(method) is types.WrapperDescriptorType:
                view: memoryview = method(value, _FULL_RO)
                return view
    return memoryview(value)


def _shape(view: memoryview) -> Token:
    return None if view.shape is None else tuple(view.shape)


def _held(*parts: Any) -> Callable[[int], Iterator[Any]]:
    return lambda position: islice(iter(parts), position, None)


def _referents(value: Value) -> Contents:
    """What the garbage collector sees in an object: C code, and it builds no `__dict__`."""
    held = [item for item in get_referents(value) if item is not type(value)]
    return Contents((id(type(value)), id(value)), _held(*held))


def _iterator(value: Any) -> Contents:
    """Builtin iterators: what is left tells how far they are."""
    left = type(value).__length_hint__(value)
    return Contents((id(type(value)), left), _held(*get_referents(value)))


def _generator(value: Any) -> Contents:
    frame = value.gi_frame
    position = -2 if frame is None else frame.f_lasti
    del frame
    return Contents((id(type(value)), id(value), position), _held(*get_referents(value)))


def _function(value: Any) -> Contents:
    """Defaults, closure and attributes; its globals are the whole namespace."""
    elsewhere = {id(value.__globals__), id(value.__builtins__), id(value.__kwdefaults__)}
    attributes = [
        item for item in get_referents(value) if type(item) is dict and id(item) not in elsewhere
    ]
    parts = (value.__defaults__, value.__kwdefaults__, value.__closure__, *attributes)
    return Contents((id(value), id(value.__code__)), _held(*parts))


def _string_io(value: Any) -> Contents:
    return Contents((id(value), _position(StringIO, value)), _held(*_attribute_dicts(value)))


def _bytes_io(value: Any) -> Contents:
    position = _position(BytesIO, value)
    attributes = _attribute_dicts(value)
    if position < 0:
        return Contents((id(value), position), _held(*attributes))
    found = _buffer(BytesIO.getbuffer(value))
    start = found.start
    assert start is not None
    return Contents(
        (id(value), position, found.token),
        lambda where: chain(start(where), iter(attributes)),
        found.chunk,
    )


def _position(kind: Any, value: Any) -> int:
    """How far it was read or written; -1 when it is closed."""
    position: int = -1 if kind.__dict__["closed"].__get__(value) else kind.tell(value)
    return position


def _attribute_dicts(value: Value) -> list[Any]:
    """The `__dict__` of an object of a C type, if it has one, without asking for it."""
    return [item for item in get_referents(value) if type(item) is dict]


def _range(value: Any) -> Contents:
    return Contents((id(range), str(value.start), str(value.stop), str(value.step)))


def _date(kind: Any) -> Callable[[Any], Contents]:
    def make(value: Any) -> Contents:
        # (type, (state, zone)): the zone stays an address, it may be the user's.
        state = kind.__reduce__(value)[1]
        return Contents((id(type(value)), *(
            part if type(part) in (bytes, int) else id(part) for part in state
        )))  # fmt: skip

    return make


def _decimal(value: Any) -> Contents:
    if Decimal.__sizeof__(value) > 4096:
        return Contents((id(type(value)), id(value), Decimal.adjusted(value)))
    return Contents((id(type(value)), Decimal.__str__(value)))


def _c_data(value: Any) -> Contents:
    """The memory of a ctypes object, past the buffer that its class may hand out."""
    size = sizeof(value)

    def start(position: int) -> Iterator[Any]:
        for begin in range(position * _PIECE, size, _PIECE):
            piece = string_at(addressof(value) + begin, min(_PIECE, size - begin))
            yield crc32(piece) << 32 | adler32(piece)

    return Contents((id(type(value)), id(value), size), start, chunk=8)


_CACHED: Any = functools._lru_cache_wrapper


def _cached_function(value: Any) -> Contents:
    """What `lru_cache` makes: how often it was called tells when its results change."""
    info = _CACHED.cache_info(value)
    return Contents((id(value), info.hits, info.misses, info.currsize))


def _counter(value: Any) -> Contents:
    """`itertools.count`: where it stands is nowhere but in its text, which is safe with numbers."""
    parts = [part for part in get_referents(value) if part is not type(value)]
    if all(type(part) in (int, float) for part in parts):
        return Contents((id(value), count.__repr__(value)))
    return _referents(value)


def _decimal_context(value: Any) -> Contents:
    return Contents((id(value), Context.__repr__(value)))


def _random_state(value: Any) -> Contents:
    state = _RANDOM.getstate(value)
    return Contents((id(value), crc32(dumps(state, 2))))


def _class(value: Any) -> Contents:
    """A class that an execution defined: its attributes. Others do not change."""
    if type_module(value) != "__main__":
        return Contents(id(value))
    held = [
        part
        for name, item in class_items(value)
        if not (name.startswith("__") and name.endswith("__"))
        for part in (name, item)
    ]
    return Contents((id(value), len(held)), _held(*held))


def _instance(value: Value) -> Contents:
    """The attributes of an instance, and the items of its builtin base."""
    for base in bases(type(value)):
        builtin = _BUILTIN_BASES.get(id(base))
        if builtin is not None:
            return _with_attributes(builtin(value), value)
    attributes = _attribute_values(value)
    return Contents((id(type(value)), id(value), scalar_part(value)), _held(*attributes))


def _with_attributes(found: Contents, value: Value) -> Contents:
    start = found.start
    slots = [item for _, item in slot_items(value)]
    held = instance_dict(value)
    if start is None or not (slots or held):
        return found
    # A tuple: attributes come as one more item after those of the builtin base.
    parts = (*slots, held)
    return Contents(found.token, lambda position: chain(start(position), iter(parts)), found.chunk)


def _attribute_values(value: Value) -> list[Any]:
    """The values of the attributes, in their order, without building the instance's `__dict__`.

    Before 3.13 the garbage collector shows a `__dict__` that was built in place of the values, and
    a walk could not tell it from an attribute that is a dict: there it is built.
    """
    if sys.version_info < (3, 13):
        held = instance_dict(value)
        pairs = [] if held is None else [part for pair in dict.items(held) for part in pair]
        return [item for pair in slot_items(value) for item in pair] + pairs
    held = [item for item in get_referents(value) if item is not type(value)]
    if held and type(held[-1]) is dict and _is_view_of(held[-1], held[:-1]):
        held.pop()  # the `__dict__` that someone has asked for: it shows the same values again
    return held


def _is_view_of(attributes: dict[Any, Any], values: list[Any]) -> bool:
    length = len(attributes)
    return 0 < length <= len(values) and all(
        left is right for left, right in zip(attributes.values(), values[-length:], strict=True)
    )


def _of_other_type(value: Value) -> Contents:
    kind = type(value)
    if issubclass(kind, type):
        return _class(value)
    if issubclass(kind, types.ModuleType):
        return _address(value)
    if issubclass(kind, BaseException):
        return _referents(value)
    if issubclass(kind, _RANDOM):
        return _random_state(value)
    module = type_module(kind)
    if module == "weakref" and type_name(kind) in _WEAK_CONTAINERS:
        return _instance(value)
    if module.partition(".")[0] in MACHINERY or module.startswith(EVENT_LOOPS):
        return _address(value)
    if module.partition(".")[0] == "pathlib":
        return _path(value)
    if module.partition(".")[0] in frame_parts.MODULES:
        return _of_a_frame(value, module.partition(".")[0])
    return _instance(value)


def _of_a_frame(value: Value, module: str) -> Contents:
    kind = type(value)
    if module == "pandas":
        return Contents(id(kind), _held(*frame_parts.pandas_parts(value)))
    if module == "polars":
        token = (id(kind), *frame_parts.polars_shape(value))
        return Contents(token, partial(frame_parts.polars_values, value))
    if frame_parts.is_walked_by_item(value):
        token = (id(kind), frame_parts.count_of(value), size_in_bytes(value))
        return Contents(token, partial(frame_parts.items_of, value))
    return _with_attributes(_buffer(frame_parts.memory_of(value)), value)


def _path(value: Value) -> Contents:
    """A path without the caches that it fills when it is read."""
    held = [item for name, item in slot_items(value) if name in _PATH_SLOTS]
    return Contents((type_name(type(value)), len(held)), _held(*held))


_PATH_SLOTS = ("_raw_paths", "_raw_path") if sys.version_info >= (3, 12) else (
    "_drv", "_root", "_parts",
)  # fmt: skip
_RANDOM: Any = Random.__bases__[0]
# Objects of these refer to much of the interpreter, which changes all the time.
MACHINERY = frozenset(
    {"pyodide", "_pyodide", "_pyodide_core", "watchglass_monitor", "logging", "selectors",
     "importlib", "_frozen_importlib", "threading", "_thread", "_asyncio", "contextvars",
     "_contextvars", "weakref", "abc", "_abc", "functools"}
)  # fmt: skip
_WEAK_CONTAINERS = frozenset({"WeakValueDictionary", "WeakKeyDictionary"})
EVENT_LOOPS = ("asyncio.base_events", "asyncio.selector_events", "asyncio.unix_events",
                "asyncio.tasks", "asyncio.futures", "asyncio.events")  # fmt: skip

_MADE: tuple[Any, ...] = (
    iter([]), iter(()), iter({}), iter({}.values()), iter({}.items()), iter(set()),
    iter(range(0)), iter(range(2**70)), iter(""), iter(b""), iter(bytearray()), reversed([]),
    reversed({}),
)  # fmt: skip
ITERATORS = tuple(type(made) for made in _MADE if hasattr(type(made), "__length_hint__"))

_BUILTIN: dict[type, Callable[[Any], Contents]] = {
    OrderedDict: _ordered_dict,
    defaultdict: _default_dict,
    list: _list,
    tuple: _tuple,
    dict: _dict,
    set: _walked(set),
    frozenset: _walked(frozenset),
    deque: _walked(deque),
    bytearray: _buffer,
    array: _buffer,
    memoryview: _buffer,
    datetime: _date(datetime),
    date: _date(date),
    time: _date(time),
    timedelta: _date(timedelta),
    Decimal: _decimal,
    Array: _c_data,
    Structure: _c_data,
    Union: _c_data,
    ctypes._SimpleCData: _c_data,
}
LEAVES = (
    types.ModuleType, types.CodeType, types.FrameType, types.TracebackType,
    types.BuiltinFunctionType, types.WrapperDescriptorType, types.MethodDescriptorType,
    types.GetSetDescriptorType, types.MemberDescriptorType,
)  # fmt: skip
REFERRING = (
    types.CellType, types.MethodType, partial, types.MappingProxyType, property,
    staticmethod, classmethod, types.SimpleNamespace, map, filter, zip, enumerate, reversed, slice,
)  # fmt: skip

# By id of the type: looking a type up by itself would call its metaclass's `__hash__`.
_BUILTIN_BASES = {id(kind): make for kind, make in _BUILTIN.items()}
_EXACT: dict[int, Callable[[Any], Contents]] = {
    **_BUILTIN_BASES,
    **{id(kind): _address for kind in LEAVES},
    **{id(kind): _referents for kind in REFERRING},
    **{id(kind): _iterator for kind in ITERATORS},
    id(range): _range,
    id(type): _class,
    id(types.FunctionType): _function,
    id(types.GeneratorType): _generator,
    id(StringIO): _string_io,
    id(BytesIO): _bytes_io,
    id(_CACHED): _cached_function,
    id(count): _counter,
    id(Context): _decimal_context,
}
