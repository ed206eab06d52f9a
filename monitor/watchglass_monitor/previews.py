"""Value -> a preview of at most 200 characters, bounded in items and depth; runs no user code."""

import types
from array import array
from collections import Counter, OrderedDict, defaultdict, deque
from dataclasses import Field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import partial
from itertools import islice
from typing import Any

from . import (
    annotation_previews,
    builtin_previews,
    frame_previews,
    library_previews,
    object_previews,
)
from .layout import MAX_DEPTH, Layout, Writer, cut, plain_object
from .reading import Value, attributes, bases, class_attribute, type_module, type_name

MAX_CHARACTERS = 200
_MAX_ATTRIBUTES = 1000
_LIBRARIES = library_previews.MODULES | {"typing", "types"}
_FIELD_REPR: Any = Field.__dict__["repr"]


def preview(value: Value) -> str:
    """One line that shows a value to a person."""
    return Layout(_write, closed_text).of(value, MAX_CHARACTERS, 0)


def _write(layout: Layout, value: Any, room: int, depth: int) -> str:
    kind = id(type(value))
    if depth > MAX_DEPTH and kind not in _SCALAR_TYPES and not _is_empty(value):
        return closed_text(value)
    return _EXACT.get(kind, _of_other_type)(layout, value, room, depth)


def _is_empty(value: Any) -> bool:
    return id(type(value)) in _BRACKETS and not type(value).__len__(value)


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
    unseen = _fields_without_repr(type(value))
    if unseen:
        held = [(key, item) for key, item in held if key not in unseen]
    return layout.fields(name, held, len(held), room, depth)


def _fields_without_repr(kind: type) -> set[str]:
    """The fields that a dataclass keeps out of its `repr`, as it does with passwords."""
    fields = class_attribute(kind, "__dataclass_fields__")
    if type(fields) is not dict:
        return set()
    return {
        key
        for key, field in dict.items(fields)
        if type(key) is str and type(field) is Field and _FIELD_REPR.__get__(field) is False
    }


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
    if type.__subclasscheck__(Enum, kind):
        return object_previews.write_enumeration(layout, value, room, depth)
    if issubclass(kind, BaseException):
        return object_previews.write_exception(layout, value, room, depth)
    if issubclass(kind, tuple):
        names = class_attribute(kind, "_fields")
        if type(names) is tuple:
            return object_previews.write_named_tuple(layout, value, names, room, depth)
        known = library_previews.write_structure(layout, value, room, depth)
    elif (module := type_module(kind).partition(".")[0]) in _LIBRARIES:
        known = library_previews.write_known_class(layout, value, module, room, depth)
        known = known or annotation_previews.write_annotation(layout, value, room, depth)
    elif module in frame_previews.MODULES:
        known = frame_previews.write_frame(layout, value, module, room, depth)
    else:
        known = None
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
    defaultdict: builtin_previews.write_default_dict,
    deque: builtin_previews.write_deque,
    array: builtin_previews.write_array,
    list: builtin_previews.write_list,
    tuple: builtin_previews.write_tuple,
    dict: builtin_previews.write_dict,
    set: builtin_previews.write_set,
    frozenset: builtin_previews.write_frozenset,
    datetime: builtin_previews.write_datetime,
    date: builtin_previews.write_date,
    time: builtin_previews.write_time,
    timedelta: builtin_previews.write_timedelta,
    Decimal: builtin_previews.write_decimal,
}
_OTHERS: dict[type, Writer] = {
    memoryview: builtin_previews.write_memory,
    range: builtin_previews.write_range,
    slice: builtin_previews.write_slice,
    timezone: builtin_previews.write_timezone,
    partial: object_previews.write_partial,
    types.FunctionType: object_previews.write_function,
    types.MethodType: object_previews.write_method,
    types.BuiltinFunctionType: object_previews.write_builtin,
    types.GeneratorType: object_previews.write_generator,
    types.CoroutineType: object_previews.write_generator,
    types.AsyncGeneratorType: object_previews.write_generator,
    types.CodeType: object_previews.write_code,
    types.SimpleNamespace: object_previews.write_namespace,
    OrderedDict: builtin_previews.write_counted,
    Counter: builtin_previews.write_counted,
    **library_previews.WRITERS,
    **annotation_previews.WRITERS,
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
