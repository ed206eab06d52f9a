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

from . import builtin_previews, object_previews
from .layout import Layout, Writer, cut, plain_object
from .reading import Value, attributes, bases, class_attribute, type_name

MAX_CHARACTERS = 200
_MAX_ATTRIBUTES = 1000


def preview(value: Value) -> str:
    """One line that shows a value to a person."""
    return Layout(_write, closed_text).of(value, MAX_CHARACTERS, 0)


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
    held = list(islice(attributes(value), _MAX_ATTRIBUTES))
    if not held:
        return plain_object(value)
    return layout.fields(name, held, len(held), room, depth)


def closed_text(value: Value) -> str:
    """What stands for a container that is open already, or too deep."""
    for base in bases(type(value)):
        if id(base) in _BRACKETS:
            return _BRACKETS[id(base)]
    return f"{cut(type_name(type(value)), 60)}(…)"


def _of_other_type(layout: Layout, value: Any, room: int, depth: int) -> str:
    kind = type(value)
    if issubclass(kind, type):
        return object_previews.write_kind(layout, value, room, depth)
    if issubclass(kind, types.ModuleType):
        return object_previews.write_module(layout, value, room, depth)
    if type.__subclasscheck__(enum.Enum, kind):
        return object_previews.write_enumeration(layout, value, room, depth)
    if issubclass(kind, BaseException):
        return object_previews.write_exception(layout, value, room, depth)
    if issubclass(kind, tuple):
        names = class_attribute(kind, "_fields")
        if type(names) is tuple:
            return object_previews.write_named_tuple(layout, value, names, room, depth)
    known = object_previews.write_known_class(layout, value, room)
    return known or write_instance(layout, value, room, depth)


# Keyed by the id of the type: looking a type up by itself would call its metaclass's `__hash__`.
_SCALARS: dict[type, Writer] = {
    type(None): builtin_previews.write_constant,
    type(...): builtin_previews.write_constant,
    type(NotImplemented): builtin_previews.write_constant,
    bool: builtin_previews.write_constant,
    int: builtin_previews.write_integer,
    float: builtin_previews.write_floating,
    complex: builtin_previews.write_complex,
    str: builtin_previews.write_string,
    bytes: builtin_previews.write_bytes,
    bytearray: builtin_previews.write_bytes,
}
_SCALAR_TYPES = frozenset(id(kind) for kind in _SCALARS)
_CONTAINERS: dict[type, Writer] = {
    collections.defaultdict: builtin_previews.write_default_dict,
    collections.deque: builtin_previews.write_deque,
    array.array: builtin_previews.write_array,
    list: builtin_previews.write_list,
    tuple: builtin_previews.write_tuple,
    dict: builtin_previews.write_dict,
    set: builtin_previews.write_set,
    frozenset: builtin_previews.write_frozenset,
    datetime.datetime: builtin_previews.write_datetime,
    datetime.date: builtin_previews.write_date,
    datetime.time: builtin_previews.write_time,
    datetime.timedelta: builtin_previews.write_timedelta,
    decimal.Decimal: builtin_previews.write_decimal,
}
_OTHERS: dict[type, Writer] = {
    memoryview: builtin_previews.write_memory,
    range: builtin_previews.write_range,
    slice: builtin_previews.write_slice,
    datetime.timezone: builtin_previews.write_timezone,
    functools.partial: object_previews.write_partial,
    types.FunctionType: object_previews.write_function,
    types.MethodType: object_previews.write_method,
    types.BuiltinFunctionType: object_previews.write_builtin,
    types.GeneratorType: object_previews.write_generator,
    types.MappingProxyType: object_previews.write_mapping_proxy,
    types.SimpleNamespace: object_previews.write_namespace,
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
