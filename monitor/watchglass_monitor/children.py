"""What a value expands into: items, keys and attributes, listed lazily, no user code run."""

import types
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from .array_previews import array_item, is_plain_array, shape_of
from .frame_previews import MAX_COLUMNS, MODULES, Column, list_head, read_frame
from .previews import preview
from .reading import (
    Value,
    attributes,
    bases,
    class_attribute,
    class_items,
    module_dict,
    ordered_items,
    type_module,
    underlying,
)
from .values import NotExact, encode
from .wire import PathElement

_MAX_KEY_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One child: how to reach it, what to call it, what it is, and whether it can be replaced."""

    element: PathElement
    label: str
    value: Value
    settable: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Children of one sort, in order; `entries(start)` begins at one of them."""

    total: int
    entries: Callable[[int], Iterator[Entry]]


def groups(value: Value) -> list[Group]:
    """The children of a value: what its builtin base holds, then its own attributes."""
    kind = type(value)
    if issubclass(kind, type):
        return [_named_group(_class_members(value))]  # type: ignore[arg-type]
    if issubclass(kind, types.ModuleType):
        return [_named_group(_module_members(value))]
    if type_module(kind).partition(".")[0] in MODULES:
        parts = _array_rows(value) if is_plain_array(kind) else _frame_columns(value)
        if parts is not None:
            return [parts] if parts.total else []
    found = [group for base in bases(kind) if (make := _GROUPS.get(id(base)))
             for group in [make(value)]][:1]  # fmt: skip
    if issubclass(kind, tuple) and type(class_attribute(kind, "_fields")) is tuple:
        found = [_named_tuple(value)]
    if id(kind) not in _WITHOUT_ATTRIBUTES:
        found.append(_named_group(_fixed_attributes(value) + list(attributes(value))))
    return [group for group in found if group.total]


def count_children(value: Value) -> int:
    """How many children a value has."""
    return sum(group.total for group in groups(value))


def children(value: Value, offset: int, limit: int) -> list[Entry]:
    """One window of the children of a value."""
    listed: list[Entry] = []
    for group in groups(value):
        if offset < group.total:
            listed.extend(islice(group.entries(offset), limit - len(listed)))
        offset = max(offset - group.total, 0)
        if len(listed) >= limit:
            break
    return listed


def key_element(key: Value, index: int) -> PathElement:
    """The path to a dictionary's item: by its key, or by its position when JSON cannot say it."""
    try:
        return {"key": encode(key, _MAX_KEY_BYTES)}
    except NotExact:
        return {"index": index}


def _indexed(
    builtin: Any, total: int, value: Any, settable: bool, settle: Callable[[int], Iterator[Any]]
) -> Group:
    def entries(start: int) -> Iterator[Entry]:
        for index, item in enumerate(settle(start), start):
            yield Entry({"index": index}, str(index), item, settable)

    return Group(total, entries)


def _by_slice(builtin: Any, settable: bool) -> Callable[[Any], Group]:
    """Sequences that give the n-th item at once."""

    def make(value: Any) -> Group:
        total = builtin.__len__(value)
        return _indexed(
            builtin, total, value, settable,
            lambda start: (builtin.__getitem__(value, index) for index in range(start, total)),
        )  # fmt: skip

    return make


def _by_walk(builtin: Any, settable: bool) -> Callable[[Any], Group]:
    """Collections that must be walked from their beginning."""

    def make(value: Any) -> Group:
        return _indexed(
            builtin, builtin.__len__(value), value, settable,
            lambda start: islice(builtin.__iter__(value), start, None),
        )  # fmt: skip

    return make


def _mapping(value: Any, settable: bool = True) -> Group:
    def entries(start: int) -> Iterator[Entry]:
        for index, (key, item) in enumerate(islice(ordered_items(value), start, None), start):
            yield Entry(key_element(key, index), preview(key), item, settable)

    return Group(dict.__len__(value), entries)


def _proxy(value: Any) -> Group:
    behind = underlying(value)
    return Group(0, iter) if behind is None else _mapping(behind, settable=False)  # type: ignore[arg-type]


def _named_group(members: list[tuple[str, object]], settable: bool = True) -> Group:
    def entries(start: int) -> Iterator[Entry]:
        for name, item in members[start:]:
            can_set = settable and not (name.startswith("__") and name.endswith("__"))
            yield Entry({"attr": name}, name, item, can_set)

    return Group(len(members), entries)


def _array_rows(value: Any) -> Group:
    """The parts of an array along its first axis; what is assigned to one goes into the array."""
    total = (shape_of(value) or [0])[0]
    return _indexed(
        None, total, value, True,
        lambda start: (array_item(value, index) for index in range(start, total)),
    )  # fmt: skip


def _frame_columns(value: Any) -> Group | None:
    """The columns of a frame, or the values of a series, instead of how it keeps them."""
    frame = read_frame(value)
    if frame is None:
        return None
    if frame.width is None:
        head = list_head(next(frame.columns(1)))
        return _indexed(None, len(head), value, False, lambda start: islice(head, start, None))

    def entries(start: int) -> Iterator[Entry]:
        columns: Iterator[Column] = islice(frame.columns(MAX_COLUMNS), start, None)
        for index, column in enumerate(columns, start):
            label = column.name if type(column.name) is str else preview(column.name)
            yield Entry({"index": index}, label, list_head(column), False)

    return Group(min(frame.width, MAX_COLUMNS), entries)


def _named_tuple(value: Any) -> Group:
    names: Any = class_attribute(type(value), "_fields")
    pairs = zip(tuple.__iter__(names), tuple.__iter__(value), strict=False)
    return _named_group([(name, item) for name, item in pairs if type(name) is str], settable=False)


def _class_members(kind: type) -> list[tuple[str, object]]:
    return [(name, item) for name, item in class_items(kind) if not _is_dunder(name)]


def _module_members(module: Any) -> list[tuple[str, object]]:
    held = module_dict(module) or {}
    return [
        (name, item)
        for name, item in dict.items(held)
        if type(name) is str and not _is_dunder(name)
    ]


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _fixed_attributes(value: Any) -> list[tuple[str, object]]:
    """Attributes that C types keep in their own structure."""
    found: list[tuple[str, object]] = []
    for base in bases(type(value)):
        for name in _FIXED_ATTRIBUTES.get(id(base), ()):
            try:
                item = base.__dict__[name].__get__(value, base)
            except (AttributeError, TypeError, ValueError):
                continue
            if item is not None:
                found.append((name, item))
    return found


_GROUPS: dict[int, Callable[[Any], Group]] = {
    id(list): _by_slice(list, True),
    id(tuple): _by_slice(tuple, False),
    id(dict): _mapping,
    id(set): _by_walk(set, False),
    id(frozenset): _by_walk(frozenset, False),
    id(deque): _by_walk(deque, True),
    id(array): _by_slice(array, True),
    id(range): _by_slice(range, False),
    id(types.MappingProxyType): _proxy,
}
_FIXED_ATTRIBUTES: dict[int, tuple[str, ...]] = {
    id(BaseException): ("args", "__cause__", "__context__"),
    id(slice): ("start", "stop", "step"),
    id(partial): ("func", "args", "keywords"),
    id(types.FunctionType): ("__defaults__", "__kwdefaults__", "__closure__"),
    id(types.MethodType): ("__func__", "__self__"),
    id(types.CellType): ("cell_contents",),
}
_WITHOUT_ATTRIBUTES = frozenset(
    id(kind)
    for kind in (
        type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set,
        frozenset, range, array, deque, types.MappingProxyType,
    )
)  # fmt: skip
