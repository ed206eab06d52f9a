"""Instances of the standard library's classes -> text, by what C and their slots say of them."""

import functools
import types
from collections.abc import Callable
from gc import get_referents
from itertools import count, groupby
from re import Match, Pattern
from typing import Any, TypeAlias

from .layout import Layout, Writer, plain_object, quoted
from .reading import (
    Value,
    attributes,
    c_attribute,
    class_items,
    find,
    type_module,
    type_name,
    underlying,
)

# Writes an instance from its attributes and the name of its class; None when it is half-made.
_Part: TypeAlias = Callable[[Layout, dict[str, object], str, int, int], str | None]

_FLAGS = {
    2: "re.IGNORECASE", 4: "re.LOCALE", 8: "re.MULTILINE", 16: "re.DOTALL", 32: "re.UNICODE",
    64: "re.VERBOSE", 128: "re.DEBUG", 256: "re.ASCII",
}  # fmt: skip


def write_known_class(
    layout: Layout, value: Value, module: str, room: int, depth: int
) -> str | None:
    """A class of one of MODULES; None when there is nothing better to say than its attributes."""
    kind = type(value)
    if module == "zoneinfo":
        return _zone(value)
    writer = _BY_NAME.get((module, type_name(kind)))
    if writer is None:
        return None
    return writer(layout, dict(attributes(value)), type_name(kind), room, depth)


def _zone(value: Value) -> str | None:
    key = c_attribute(value, "key")
    return f"zoneinfo.ZoneInfo(key={quoted(key, 60)})" if type(key) is str else None


def _uuid(layout: Layout, held: dict[str, object], name: str, room: int, depth: int) -> str | None:
    number = held.get("int")
    if type(number) is not int or not 0 <= number < 2**128:
        return None
    text = f"{number:032x}"
    return f"UUID('{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}')"


def _fraction(
    layout: Layout, held: dict[str, object], name: str, room: int, depth: int
) -> str | None:
    parts = [held.get("_numerator"), held.get("_denominator")]
    if any(type(part) is not int for part in parts):
        return None
    return layout.items(parts, 2, room, depth, ("Fraction(", ")"))


def _path(layout: Layout, held: dict[str, object], name: str, room: int, depth: int) -> str:
    text = _path_text(held)
    if "Windows" in name:
        text = text.replace("\\", "/")
    return f"{name}({quoted(text, room - len(name) - 2)})"


def _path_text(slots: dict[str, object]) -> str:
    """The text of a path from its slots: `_raw_paths` since 3.12, drive, root and parts before."""
    text = slots.get("_str")
    if type(text) is str:
        return text
    raw = slots.get("_raw_paths")
    if type(raw) is list:
        return "/".join(part for part in raw if type(part) is str) or "."
    drive, root, parts = (slots.get(name) for name in ("_drv", "_root", "_parts"))
    if type(drive) is str and type(root) is str and type(parts) is list:
        names = [part for part in parts if type(part) is str]
        if drive or root:
            return drive + root + "/".join(names[1:])
        return "/".join(names) or "."
    return "…"


def _address(
    layout: Layout, held: dict[str, object], name: str, room: int, depth: int
) -> str | None:
    number = held.get("_ip")
    if type(number) is not int or not 0 <= number < 2**128:
        return None
    if name == "IPv4Address":
        return f"IPv4Address('{'.'.join(str(byte) for byte in number.to_bytes(16)[12:])}')"
    groups = [f"{number >> shift & 0xFFFF:x}" for shift in range(112, -1, -16)]
    return f"IPv6Address('{_without_zeros(groups)}')"


def _without_zeros(groups: list[str]) -> str:
    """The longest run of zeros, from two on, is left out."""
    runs = [(len(list(run)), key) for key, run in groupby(groups, lambda group: group == "0")]
    longest = max((length for length, is_zero in runs if is_zero), default=0)
    at = 0
    for length, is_zero in runs:
        if is_zero and length == longest > 1:
            return f"{':'.join(groups[:at])}::{':'.join(groups[at + length :])}"
        at += length
    return ":".join(groups)


def _chain_map(
    layout: Layout, held: dict[str, object], name: str, room: int, depth: int
) -> str | None:
    maps = held.get("maps")
    if type(maps) is not list:
        return None
    return layout.items(maps, len(maps), room, depth, ("ChainMap(", ")"))


def _data(layout: Layout, held: dict[str, object], name: str, room: int, depth: int) -> str | None:
    """The dict, list or text that a UserDict, UserList or UserString is about."""
    return layout.of(held["data"], room, depth) if "data" in held else None


_BY_NAME: dict[tuple[str, str], _Part] = {
    ("uuid", "UUID"): _uuid,
    ("fractions", "Fraction"): _fraction,
    ("ipaddress", "IPv4Address"): _address,
    ("ipaddress", "IPv6Address"): _address,
    ("collections", "ChainMap"): _chain_map,
    ("collections", "UserDict"): _data,
    ("collections", "UserList"): _data,
    ("collections", "UserString"): _data,
    **{
        ("pathlib", name): _path
        for name in (
            "Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath",
        )
    },
}  # fmt: skip


MODULES = frozenset({"zoneinfo", *(module for module, _ in _BY_NAME)})


def _pattern(layout: Layout, value: Any, room: int, depth: int) -> str:
    flags: int = Pattern.__dict__["flags"].__get__(value)
    pattern = Pattern.__dict__["pattern"].__get__(value)
    # Text is Unicode unless it says something else.
    if flags & 0x124 == 0x20 and issubclass(type(pattern), str):
        flags -= 32
    names = [name for bit, name in _FLAGS.items() if flags & bit]
    ending = f", {'|'.join(names)})" if names else ")"
    return f"re.compile({layout.of(pattern, room - len(ending) - 11, depth + 1)}{ending}"


def _match(layout: Layout, value: Any, room: int, depth: int) -> str:
    start, end = Match.span(value)
    text = Match.__dict__["string"].__get__(value)
    head = f"<re.Match object; span=({start}, {end})"
    # Of other texts a part is taken by their own code.
    if type(text) not in (str, bytes):
        return head + ">"
    shown = layout.of(text[start : min(end, start + room)], room - len(head) - 9, depth + 1)
    return f"{head}, match={shown}>"


def _dict_keys(layout: Layout, value: Any, room: int, depth: int) -> str:
    held = _dict_of(value)
    return layout.items(dict.keys(held), dict.__len__(held), room, depth, ("dict_keys([", "])"))


def _dict_values(layout: Layout, value: Any, room: int, depth: int) -> str:
    held = _dict_of(value)
    return layout.items(dict.values(held), dict.__len__(held), room, depth, ("dict_values([", "])"))


def _dict_items(layout: Layout, value: Any, room: int, depth: int) -> str:
    held = _dict_of(value)
    return layout.items(dict.items(held), dict.__len__(held), room, depth, ("dict_items([", "])"))


def _dict_of(view: Any) -> dict[Any, Any]:
    (held,) = get_referents(view)
    if not issubclass(type(held), dict):
        raise TypeError("a view without its dict")
    return held  # type: ignore[no-any-return]


def _mapping_proxy(layout: Layout, value: Any, room: int, depth: int) -> str:
    held = underlying(value)
    return (
        "<mappingproxy>" if held is None else f"mappingproxy({layout.of(held, room - 14, depth)})"
    )


def _count(layout: Layout, value: Any, room: int, depth: int) -> str:
    parts = [part for part in get_referents(value) if part is not type(value)]
    # Other numbers than Python's own would say themselves how they look.
    are_plain = all(type(part) in (int, float) for part in parts)
    return count.__repr__(value) if are_plain else plain_object(value)


def _wrapped(layout: Layout, value: Any, room: int, depth: int) -> str:
    kind = type(value)
    function = kind.__dict__["__func__"].__get__(value)
    name = type_name(kind)
    return f"<{name}({layout.of(function, room - len(name) - 4, depth + 1)})>"


def _cached_function(layout: Layout, value: Any, room: int, depth: int) -> str:
    held = _CACHED.__dict__["__dict__"].__get__(value)
    function = find(held, "__wrapped__")
    return f"<cached {layout.of(function, room - 9, depth + 1).removeprefix('<')}"


def _descriptor(layout: Layout, value: Any, room: int, depth: int) -> str:
    """C writes these from the names alone."""
    kind: Any = type(value)
    text: str = kind.__repr__(value)
    return text


def write_structure(layout: Layout, value: Any, room: int, depth: int) -> str | None:
    """`time.struct_time` and the like: tuples whose fields C has names for."""
    kind = type(value)
    if not any(name == "n_sequence_fields" for name, _ in class_items(kind)):
        return None
    names = [name for name, part in class_items(kind) if type(part) is types.MemberDescriptorType]
    fields = zip(names, tuple.__iter__(value), strict=False)
    return layout.fields(
        f"{type_module(kind)}.{type_name(kind)}", fields, tuple.__len__(value), room, depth
    )


_CACHED: Any = functools._lru_cache_wrapper
WRITERS: dict[type, Writer] = {
    Pattern: _pattern,
    Match: _match,
    type({}.keys()): _dict_keys,
    type({}.values()): _dict_values,
    type({}.items()): _dict_items,
    types.MappingProxyType: _mapping_proxy,
    count: _count,
    staticmethod: _wrapped,
    classmethod: _wrapped,
    _CACHED: _cached_function,
    types.MethodDescriptorType: _descriptor,
    types.WrapperDescriptorType: _descriptor,
    types.GetSetDescriptorType: _descriptor,
    types.MemberDescriptorType: _descriptor,
    types.ClassMethodDescriptorType: _descriptor,
}
