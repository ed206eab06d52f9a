"""Value -> a preview of at most 200 characters, bounded in items and depth; runs no user code."""

import array
import collections
import datetime
import decimal
import enum
import functools
import types
from itertools import islice
from typing import Any

from .builtin_previews import *
from .layout import Layout, Writer, cut, plain_object
from .object_previews import *
from .reading import Value, attributes, bases, class_attribute, type_name

MAX_CHARACTERS = 200
_MAX_ATTRIBUTES = 1000


def preview(value: Value) -> str:
    """One line that shows a value to a person."""
    return Layout(_write, _closed_text).of(value, MAX_CHARACTERS, 0)


def _write(layout: Layout, value: Any, room: int, depth: int) -> str:
    writer = _EXACT.get(id(type(value)), _of_other_type)
    return writer(layout, value, room, depth)


def write_instance(layout: Layout, value: Value, room: int, depth: int) -> str:
    """An instance of a Python class: its attributes, and its items if its base has any."""
    name = type_name(type(value))
    for base in bases(type(value)):
        writer = _BUILTIN_BASES.get(id(base))
        if writer is not None:
            shown = cut(name, room // 2)
            return f"{shown}({writer(layout, value, room - len(shown) - 2, depth)})"
    held = list(islice(attributes(value), 1000))
    if not held:
        return plain_object(value)
    return layout.fields(name, held, len(held), room, depth)


def _closed_text(value: Value) -> str:
    """What stands for a container that is open already, or too deep."""
    for base in bases(type(value)):
        if id(base) in _BRACKETS:
            return _BRACKETS[id(base)]
    return f"{cut(type_name(type(value)), 60)}(…)"


def _of_other_type(layout: Layout, value: Value, room: int, depth: int) -> str:
    kind = type(value)
    if issubclass(kind, type):
        return write_kind(layout, value, room, depth)  # type: ignore[arg-type]
    if issubclass(kind, types.ModuleType):
        return write_module(layout, value, room, depth)
    if type.__subclasscheck__(enum.Enum, kind):
        return write_enumeration(layout, value, room, depth)
    if issubclass(kind, BaseException):
        return write_exception(layout, value, room, depth)
    if issubclass(kind, tuple):
        names = class_attribute(kind, "_fields")
        if type(names) is tuple:
            return write_named_tuple(layout, value, names, room, depth)
    return write_known_class(layout, value, room) or write_instance(layout, value, room, depth)


# Keyed by the id of the type: looking a type up by itself would call its metaclass's `__hash__`.
_SCALARS: dict[type, Writer] = {
    type(None): write_constant,
    type(...): write_constant,
    type(NotImplemented): write_constant,
    bool: write_constant,
    int: write_integer,
    float: write_floating,
    complex: write_complex,
    str: write_string,
    bytes: write_bytes,
    bytearray: write_bytes,
}
_SCALAR_TYPES = frozenset(id(kind) for kind in _SCALARS)
_CONTAINERS: dict[type, Writer] = {
    collections.defaultdict: write_default_dict,
    collections.deque: write_deque,
    array.array: write_array,
    list: write_list,
    tuple: write_tuple,
    dict: write_dict,
    set: write_set,
    frozenset: write_frozenset,
    datetime.datetime: write_datetime,
    datetime.date: write_date,
    datetime.time: write_time,
    datetime.timedelta: write_timedelta,
    decimal.Decimal: write_decimal,
}
_OTHERS: dict[type, Writer] = {
    memoryview: write_memory,
    range: write_range,
    slice: write_slice,
    datetime.timezone: write_timezone,
    functools.partial: write_partial,
    types.FunctionType: write_function,
    types.MethodType: write_method,
    types.BuiltinFunctionType: write_builtin,
    types.GeneratorType: write_generator,
    types.MappingProxyType: write_mapping_proxy,
    types.SimpleNamespace: write_namespace,
}
_EXACT: dict[int, Writer] = {
    id(kind): writer for kind, writer in {**_SCALARS, **_CONTAINERS, **_OTHERS}.items()
}
# What an instance of a subclass shows of its builtin base.
_BUILTIN_BASES: dict[int, Writer] = {
    id(kind): writer
    for kind, writer in {**_SCALARS, **_CONTAINERS}.items()
    if kind is not bool and kind is not type(None)
}
_BRACKETS = {id(list): "[…]", id(tuple): "(…)", id(dict): "{…}", id(set): "{…}"}
