"""Values of builtin types -> text, by their own C methods, also of instances of subclasses."""

from array import array
from collections import defaultdict, deque
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from .layout import MAX_ITEMS, Layout, cut, quoted
from .reading import Value, c_attribute, ordered_items, type_name

# Decimal text of an integer takes quadratic time; beyond this the hexadecimal head is shown.
_MAX_DECIMAL_BITS = 2048


def write_constant(layout: Layout, value: Any, room: int, depth: int) -> str:
    return repr(value)


def write_integer(layout: Layout, value: int, room: int, depth: int) -> str:
    bits = int.bit_length(value)
    if bits <= _MAX_DECIMAL_BITS:
        text = int.__repr__(value)
        return text if len(text) <= room else f"{text[: room // 2]}…{text[-room // 4 :]}"
    sign = "-" if int.__lt__(value, 0) is True else ""
    head = int.__rshift__(int.__abs__(value), bits - 64)
    return f"{sign}{hex(head)}… ({bits:,} bits)"


def write_floating(layout: Layout, value: float, room: int, depth: int) -> str:
    return float.__repr__(value)


def write_complex(layout: Layout, value: complex, room: int, depth: int) -> str:
    return complex.__repr__(value)


def write_string(layout: Layout, value: str, room: int, depth: int) -> str:
    return quoted(str.__getitem__(value, slice(0, room + 1)), room)


def write_bytes(layout: Layout, value: Any, room: int, depth: int) -> str:
    is_bytes = issubclass(type(value), bytes)
    builtin: Any = bytes if is_bytes else bytearray
    length = builtin.__len__(value)
    ends = ("", "") if is_bytes else ("bytearray(", ")")
    left = room - len(ends[0]) - len(ends[1])
    head = bytes(builtin.__getitem__(value, slice(0, left)))
    shown = repr(head)
    while len(shown) > left - 1 and head and (len(shown) > left or len(head) < length):
        head = head[: len(head) * max(left - 4, 1) // len(shown)]
        shown = repr(head)
    if len(head) < length:
        shown = f"{shown[:-1]}…{shown[-1]}"
    return ends[0] + shown + ends[1]


def write_list(layout: Layout, value: list[object], room: int, depth: int) -> str:
    return layout.items(list.__iter__(value), list.__len__(value), room, depth, ("[", "]"))


def write_tuple(layout: Layout, value: tuple[object, ...], room: int, depth: int) -> str:
    length = tuple.__len__(value)
    ends = ("(", ",)" if length == 1 else ")")
    return layout.items(tuple.__iter__(value), length, room, depth, ends)


def write_dict(layout: Layout, value: dict[object, object], room: int, depth: int) -> str:
    return layout.pairs(dict.items(value), dict.__len__(value), room, depth)


def write_set(layout: Layout, value: set[object], room: int, depth: int) -> str:
    length = set.__len__(value)
    if not length:
        return "set()"
    return layout.items(set.__iter__(value), length, room, depth, ("{", "}"))


def write_frozenset(layout: Layout, value: frozenset[object], room: int, depth: int) -> str:
    length = frozenset.__len__(value)
    if not length:
        return "frozenset()"
    return layout.items(frozenset.__iter__(value), length, room, depth, ("frozenset({", "})"))


def write_deque(layout: Layout, value: Any, room: int, depth: int) -> str:
    limit = deque.__dict__["maxlen"].__get__(value)
    ends = ("deque([", "])" if limit is None else f"], maxlen={limit})")
    length = deque.__len__(value)
    return layout.items(deque.__iter__(value), length, room, depth, ends)


def write_counted(layout: Layout, value: Any, room: int, depth: int) -> str:
    """An OrderedDict or a Counter."""
    name = type_name(type(value))
    if not dict.__len__(value):
        return f"{name}()"
    pairs = ordered_items(value)
    return f"{name}({layout.pairs(pairs, dict.__len__(value), room - len(name) - 2, depth)})"


def write_default_dict(layout: Layout, value: Any, room: int, depth: int) -> str:
    factory = defaultdict.__dict__["default_factory"].__get__(value)
    is_class = issubclass(type(factory), type)
    name = cut(type_name(factory), 40) if is_class else layout.of(factory, 60, depth + 1)
    name = f"defaultdict({name}, "
    return name + write_dict(layout, value, room - len(name) - 1, depth) + ")"


def write_array(layout: Layout, value: Any, room: int, depth: int) -> str:
    code = array.__dict__["typecode"].__get__(value)
    if not array.__len__(value):
        return f"array('{code}')"
    if code in ("u", "w"):
        text = "".join(array.__getitem__(value, slice(0, room)))
        return f"array('{code}', {quoted(text, room - 13)})"
    items = array.__getitem__(value, slice(0, MAX_ITEMS))
    ends = (f"array('{code}', [", "])")
    return layout.items(items, array.__len__(value), room, depth, ends)


def write_memory(layout: Layout, value: memoryview, room: int, depth: int) -> str:
    return f"<memory of {value.nbytes:,} bytes, format {value.format!r}, shape {value.shape}>"


def write_range(layout: Layout, value: range, room: int, depth: int) -> str:
    parts = [value.start, value.stop, *([value.step] if value.step != 1 else [])]
    return layout.items(parts, len(parts), room, depth, ("range(", ")"))


def write_slice(layout: Layout, value: slice, room: int, depth: int) -> str:
    parts = [value.start, value.stop, value.step]
    return layout.items(parts, 3, room, depth, ("slice(", ")"))


def write_date(layout: Layout, value: date, room: int, depth: int) -> str:
    kind = date.__dict__
    parts = [kind[name].__get__(value) for name in ("year", "month", "day")]
    return "date({:04}-{:02}-{:02})".format(*parts)


def write_time(layout: Layout, value: time, room: int, depth: int) -> str:
    return f"time({_clock(time, value)})"


def write_datetime(layout: Layout, value: datetime, room: int, depth: int) -> str:
    kind = date.__dict__
    parts = [kind[name].__get__(value) for name in ("year", "month", "day")]
    day = "{:04}-{:02}-{:02}".format(*parts)
    return f"datetime({day} {_clock(datetime, value)})"


def write_timedelta(layout: Layout, value: timedelta, room: int, depth: int) -> str:
    return f"timedelta({timedelta.__str__(value)})"


def write_timezone(layout: Layout, value: timezone, room: int, depth: int) -> str:
    return f"timezone({_offset(value)})"


def write_decimal(layout: Layout, value: Decimal, room: int, depth: int) -> str:
    if Decimal.__sizeof__(value) > 1024:
        return f"Decimal(… × 10**{Decimal.adjusted(value)})"
    return f"Decimal('{Decimal.__str__(value)}')"


def _clock(kind: Any, value: Any) -> str:
    names = ("hour", "minute", "second", "microsecond")
    hour, minute, second, micro = (kind.__dict__[name].__get__(value) for name in names)
    zone = kind.__dict__["tzinfo"].__get__(value)
    fraction = f".{micro:06}" if micro else ""
    return f"{hour:02}:{minute:02}:{second:02}{fraction}{_offset(zone)}"


def _offset(zone: Value) -> str:
    """The offset of a time zone of the standard library; others would run their own code."""
    if zone is None:
        return ""
    if type(zone) is timezone:
        minutes = round(timezone.utcoffset(zone, None).total_seconds() / 60)
        return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    key = c_attribute(zone, "key")
    if type(key) is str and type_name(type(zone)) == "ZoneInfo":
        return f" {cut(key, 40)}"
    return f" {cut(type_name(type(zone)), 40)}"
