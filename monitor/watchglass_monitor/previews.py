"""Value -> a preview of at most 200 characters, bounded in items and depth; runs no user code."""

import array
import collections
import datetime
import decimal
import enum
import functools
import types
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from .reading import (
    Value,
    attributes,
    bases,
    class_attribute,
    class_items,
    find,
    instance_dict,
    is_python_class,
    slot_items,
    type_module,
    type_name,
)

MAX_CHARACTERS = 200
_MAX_DEPTH = 4
_MAX_ITEMS = 60
_MAX_PREVIEWS = 300
_ITEM_CHARACTERS = 60
# Decimal text of an integer takes quadratic time; beyond this the hexadecimal head is shown.
_MAX_DECIMAL_BITS = 2048
_MORE = 22


def preview(value: Value) -> str:
    """One line that shows a value to a person."""
    return _Preview().of(value, MAX_CHARACTERS, 0)


def quoted(text: str, room: int) -> str:
    """A string as its `repr`, cut to `room`: NUL and lone surrogates come out as escapes."""
    shown = repr(text[:room])
    if len(text) <= room and len(shown) <= room:
        return shown
    while len(shown) > room - 1 and text:
        text = text[: min(room, len(text)) * max(room - 3, 1) // max(len(shown), 1)]
        shown = repr(text)
    return f"{shown[:-1]}…{shown[-1]}"[:room]


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"


class _Preview:
    """One preview on its way: what is open around it, and how many values it may still show."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._left = _MAX_PREVIEWS

    def of(self, value: Value, room: int, depth: int) -> str:
        """At most `room` characters for any value whatever."""
        self._left -= 1
        if self._left < 0 or room < 4:
            return "…"
        writer = _EXACT.get(id(type(value)))
        if writer is not None and id(type(value)) in _SCALAR_TYPES:
            return _cut(writer(self, value, room, depth), room)
        if id(value) in self._open or depth > _MAX_DEPTH:
            return _cut(_closed_text(value), room)
        self._open.add(id(value))
        try:
            return _cut((writer or _of_other_type)(self, value, room, depth), room)
        except (TypeError, ValueError, AttributeError, RuntimeError, OverflowError):
            # A released memoryview, a half-made instance, a class that only looks like a builtin.
            return _cut(_plain_object(value), room)
        finally:
            self._open.discard(id(value))

    def items(
        self, values: Iterable[object], total: int, room: int, depth: int, ends: tuple[str, str]
    ) -> str:
        """The items between their brackets, and how many more there are."""
        return self.joined(
            (functools.partial(self.of, item, depth=depth + 1) for item in values),
            total, room, ends,
        )  # fmt: skip

    def pairs(
        self, values: Iterable[tuple[object, object]], total: int, room: int, depth: int
    ) -> str:
        def pair(room: int, key: object, value: object) -> str:
            shown = self.of(key, room // 2, depth + 1)
            return f"{shown}: {self.of(value, room - len(shown) - 2, depth + 1)}"

        writers = (functools.partial(pair, key=key, value=value) for key, value in values)
        return self.joined(writers, total, room, ("{", "}"))

    def fields(
        self, name: str, values: Iterable[tuple[str, object]], total: int, room: int, depth: int
    ) -> str:
        """`Unit(hp=10, name='x')`."""

        def field(room: int, key: str, value: object) -> str:
            shown = _cut(key, room // 2)
            return f"{shown}={self.of(value, room - len(shown) - 1, depth + 1)}"

        name = _cut(name, room // 2)
        writers = (functools.partial(field, key=key, value=value) for key, value in values)
        return self.joined(writers, total, room, (f"{name}(", ")"))

    def joined(
        self,
        writers: Iterable[Callable[[int], str]],
        total: int,
        room: int,
        ends: tuple[str, str],
    ) -> str:
        left = room - len(ends[0]) - len(ends[1])
        shown: list[str] = []
        for writer in islice(writers, _MAX_ITEMS):
            is_last = len(shown) + 1 == total
            space = left - (2 if shown else 0) - (0 if is_last else _MORE)
            if space < 4 or self._left <= 0:
                break
            text = writer(min(space, max(_ITEM_CHARACTERS, space // 2)))
            if text == "…" and shown:
                break
            left -= len(text) + (2 if shown else 0)
            shown.append(text)
        hidden = total - len(shown)
        if hidden > 0:
            shown.append(f"… {hidden} more" if shown else f"… {hidden}")
        return ends[0] + ", ".join(shown) + ends[1]

    def integer(self, value: int, room: int, depth: int) -> str:
        bits = int.bit_length(value)
        if bits <= _MAX_DECIMAL_BITS:
            text = int.__repr__(value)
            return text if len(text) <= room else f"{text[: room // 2]}…{text[-room // 4 :]}"
        sign = "-" if int.__lt__(value, 0) is True else ""
        head = int.__rshift__(int.__abs__(value), bits - 64)
        return f"{sign}{hex(head)}… ({bits:,} bits)"

    def constant(self, value: Any, room: int, depth: int) -> str:
        return repr(value)

    def floating(self, value: float, room: int, depth: int) -> str:
        return float.__repr__(value)

    def complex(self, value: complex, room: int, depth: int) -> str:
        return complex.__repr__(value)

    def string(self, value: str, room: int, depth: int) -> str:
        return quoted(str.__getitem__(value, slice(0, room + 1)), room)

    def bytes(self, value: Any, room: int, depth: int) -> str:
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

    def list(self, value: list[object], room: int, depth: int) -> str:
        return self.items(list.__iter__(value), list.__len__(value), room, depth, ("[", "]"))

    def tuple(self, value: tuple[object, ...], room: int, depth: int) -> str:
        length = tuple.__len__(value)
        ends = ("(", ",)" if length == 1 else ")")
        return self.items(tuple.__iter__(value), length, room, depth, ends)

    def dict(self, value: dict[object, object], room: int, depth: int) -> str:
        return self.pairs(dict.items(value), dict.__len__(value), room, depth)

    def set(self, value: set[object], room: int, depth: int) -> str:
        length = set.__len__(value)
        if not length:
            return "set()"
        return self.items(set.__iter__(value), length, room, depth, ("{", "}"))

    def frozenset(self, value: frozenset[object], room: int, depth: int) -> str:
        length = frozenset.__len__(value)
        if not length:
            return "frozenset()"
        return self.items(
            frozenset.__iter__(value), length, room, depth, ("frozenset({", "})")
        )

    def deque(self, value: Any, room: int, depth: int) -> str:
        limit = collections.deque.__dict__["maxlen"].__get__(value)
        ends = ("deque([", "])" if limit is None else f"], maxlen={limit})")
        length = collections.deque.__len__(value)
        return self.items(collections.deque.__iter__(value), length, room, depth, ends)

    def default_dict(self, value: Any, room: int, depth: int) -> str:
        factory = collections.defaultdict.__dict__["default_factory"].__get__(value)
        name = type_name(factory) if issubclass(type(factory), type) else "…"
        name = f"defaultdict({'None' if factory is None else _cut(name, 40)}, "
        return name + self.dict(value, room - len(name) - 1, depth) + ")"

    def array(self, value: Any, room: int, depth: int) -> str:
        code = array.array.__dict__["typecode"].__get__(value)
        items = array.array.__getitem__(value, slice(0, _MAX_ITEMS))
        ends = (f"array('{code}', [", "])")
        return self.items(items, array.array.__len__(value), room, depth, ends)

    def memory(self, value: memoryview, room: int, depth: int) -> str:
        return f"<memory of {value.nbytes:,} bytes, format {value.format!r}, shape {value.shape}>"

    def range(self, value: range, room: int, depth: int) -> str:
        parts = [value.start, value.stop, *([value.step] if value.step != 1 else [])]
        return self.items(parts, len(parts), room, depth, ("range(", ")"))

    def slice(self, value: slice, room: int, depth: int) -> str:
        parts = [value.start, value.stop, value.step]
        return self.items(parts, 3, room, depth, ("slice(", ")"))

    def function(self, value: Any, room: int, depth: int) -> str:
        name = _cut(str.__str__(value.__name__), 60)
        shown = "lambda" if name == "<lambda>" else name
        parts = list(_parameters(value))
        writers = [functools.partial(self.parameter, parameter=part, depth=depth) for part in parts]
        text = self.joined(writers, len(parts), room - len(shown) - 12, ("(", ")"))
        return f"<function {shown}{text}>"

    def parameter(self, room: int, parameter: tuple[str, object], depth: int) -> str:
        name, default = parameter
        if default is _NO_DEFAULT:
            return _cut(name, room)
        return f"{_cut(name, room // 2)}={self.of(default, room - len(name) - 1, depth + 1)}"

    def method(self, value: Any, room: int, depth: int) -> str:
        function, owner = value.__func__, value.__self__
        name = str.__str__(function.__name__) if type(function) is types.FunctionType else "…"
        return f"<bound method {_cut(name, 60)} of {self.of(owner, room - len(name) - 20, depth + 1)}>"

    def builtin(self, value: Any, room: int, depth: int) -> str:
        return f"<built-in function {_cut(value.__name__, 60)}>"

    def partial(self, value: Any, room: int, depth: int) -> str:
        function = functools.partial.__dict__["func"].__get__(value)
        arguments = functools.partial.__dict__["args"].__get__(value)
        name = "partial(" + self.of(function, room // 2, depth + 1)
        return name + self.items(
            tuple.__iter__(arguments), tuple.__len__(arguments), room - len(name) - 1, depth, (", ", "")
        ).rstrip(", ") + ")"

    def generator(self, value: Any, room: int, depth: int) -> str:
        state = "running" if value.gi_running else "suspended"
        if value.gi_frame is None:
            state = "finished"
        return f"<generator {_cut(str.__str__(value.__name__), 60)}, {state}>"

    def mapping_proxy(self, value: Any, room: int, depth: int) -> str:
        return "<mappingproxy>"

    def date(self, value: datetime.date, room: int, depth: int) -> str:
        kind = datetime.date.__dict__
        parts = [kind[name].__get__(value) for name in ("year", "month", "day")]
        return "date({:04}-{:02}-{:02})".format(*parts)

    def time(self, value: datetime.time, room: int, depth: int) -> str:
        return f"time({_clock(datetime.time, value)})"

    def datetime(self, value: datetime.datetime, room: int, depth: int) -> str:
        kind = datetime.date.__dict__
        parts = [kind[name].__get__(value) for name in ("year", "month", "day")]
        day = "{:04}-{:02}-{:02}".format(*parts)
        return f"datetime({day} {_clock(datetime.datetime, value)})"

    def timedelta(self, value: datetime.timedelta, room: int, depth: int) -> str:
        return f"timedelta({datetime.timedelta.__str__(value)})"

    def timezone(self, value: datetime.timezone, room: int, depth: int) -> str:
        return f"timezone({_offset(value)})"

    def decimal(self, value: decimal.Decimal, room: int, depth: int) -> str:
        if decimal.Decimal.__sizeof__(value) > 1024:
            return f"Decimal(… × 10**{decimal.Decimal.adjusted(value)})"
        return f"Decimal('{decimal.Decimal.__str__(value)}')"

    def enumeration(self, value: Any, room: int, depth: int) -> str:
        held = instance_dict(value) or {}
        name = find(held, "_name_")
        if type(name) is not str:
            return _plain_object(value)
        shown = f"{type_name(type(value))}.{name}"
        return f"<{_cut(shown, 80)}: {self.of(find(held, '_value_'), room - len(shown) - 4, depth + 1)}>"

    def exception(self, value: Any, room: int, depth: int) -> str:
        arguments = BaseException.__dict__["args"].__get__(value)
        name = _cut(type_name(type(value)), room // 2)
        length = tuple.__len__(arguments)
        return self.items(tuple.__iter__(arguments), length, room, depth, (f"{name}(", ")"))

    def kind(self, value: type, room: int, depth: int) -> str:
        parents = [type_name(base) for base in bases(value)[1:] if base is not object]
        shown = f"({parents[0]})" if parents else ""
        return f"<class {_cut(type_name(value), 80)}{_cut(shown, 80)}>"

    def module(self, value: Any, room: int, depth: int) -> str:
        held = types.ModuleType.__dict__["__dict__"].__get__(value)
        name = find(held, "__name__") if held is not None else None
        return f"<module {_cut(str.__str__(name), 120)}>" if type(name) is str else "<module>"

    def namespace(self, value: Any, room: int, depth: int) -> str:
        held = types.SimpleNamespace.__dict__["__dict__"].__get__(value)
        return self.fields("namespace", dict.items(held), dict.__len__(held), room, depth)

    def instance(self, value: Value, room: int, depth: int) -> str:
        """An instance of a Python class: its attributes, and its items if its base has any."""
        name = type_name(type(value))
        for base in bases(type(value)):
            writer = _BUILTIN_BASES.get(id(base))
            if writer is not None:
                shown = _cut(name, room // 2)
                return f"{shown}({writer(self, value, room - len(shown) - 2, depth)})"
        held = list(islice(attributes(value), 1000))
        if not held:
            return _plain_object(value)
        return self.fields(name, _public(name, held), len(held), room, depth)

    def named_tuple(self, value: Any, names: Any, room: int, depth: int) -> str:
        fields = zip(tuple.__iter__(names), tuple.__iter__(value), strict=False)
        texts = ((key, item) for key, item in fields if type(key) is str)
        return self.fields(type_name(type(value)), texts, tuple.__len__(value), room, depth)


def _public(name: str, held: list[tuple[str, object]]) -> Iterator[tuple[str, object]]:
    """Attributes without the leading `_` that slots of Fraction, UUID and paths have."""
    return ((key[1:] if name == "Fraction" else key, item) for key, item in held)


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
    if type(zone) is datetime.timezone:
        minutes = round(datetime.timezone.utcoffset(zone, None).total_seconds() / 60)
        return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return f" {_cut(type_name(type(zone)), 40)}"


_NO_DEFAULT = object()
_VARIADIC, _VARIADIC_NAMES = 0x04, 0x08


def _parameters(function: Any) -> Iterator[tuple[str, object]]:
    """Names and defaults of a function's parameters, from its code: annotations may be code."""
    code = function.__code__
    names = code.co_varnames
    count, named = code.co_argcount, code.co_kwonlyargcount
    defaults = function.__defaults__ or ()
    for index in range(count):
        from_end = index - (count - len(defaults))
        yield names[index], defaults[from_end] if from_end >= 0 else _NO_DEFAULT
        if index + 1 == code.co_posonlyargcount:
            yield "/", _NO_DEFAULT
    if code.co_flags & _VARIADIC:
        yield f"*{names[count + named]}", _NO_DEFAULT
    elif named:
        yield "*", _NO_DEFAULT
    by_name = function.__kwdefaults__ or {}
    for name in names[count : count + named]:
        yield name, by_name[name] if name in by_name else _NO_DEFAULT
    if code.co_flags & _VARIADIC_NAMES:
        yield f"**{names[count + named + bool(code.co_flags & _VARIADIC)]}", _NO_DEFAULT


def _plain_object(value: Value) -> str:
    return f"<{_cut(type_name(type(value)), 120)} object>"


def _closed_text(value: Value) -> str:
    """What stands for a container that is open already, or too deep."""
    for base in bases(type(value)):
        if id(base) in _BRACKETS:
            return _BRACKETS[id(base)]
    return f"{_cut(type_name(type(value)), 60)}(…)"


def _of_other_type(shown: _Preview, value: Value, room: int, depth: int) -> str:
    kind = type(value)
    if issubclass(kind, type):
        return shown.kind(value, room, depth)  # type: ignore[arg-type]
    if issubclass(kind, types.ModuleType):
        return shown.module(value, room, depth)
    if type.__subclasscheck__(enum.Enum, kind):
        return shown.enumeration(value, room, depth)
    if issubclass(kind, BaseException):
        return shown.exception(value, room, depth)
    if issubclass(kind, tuple):
        names = class_attribute(kind, "_fields")
        if type(names) is tuple:
            return shown.named_tuple(value, names, room, depth)
    return _of_known_class(shown, value, room) or shown.instance(value, room, depth)


def _of_known_class(shown: _Preview, value: Value, room: int) -> str:
    """Classes of the standard library that keep their value in slots."""
    name = (type_module(type(value)), type_name(type(value)))
    if not is_python_class(type(value)):
        return ""
    if name == ("uuid", "UUID"):
        number = dict(slot_items(value)).get("int")
        if type(number) is int and 0 <= number < 2**128:
            text = f"{number:032x}"
            return f"UUID('{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}')"
    if name[0].partition(".")[0] == "pathlib" and "Path" in name[1]:
        return f"{name[1]}({quoted(_path_text(dict(slot_items(value))), room - len(name[1]) - 2)})"
    if name == ("fractions", "Fraction"):
        parts = [part for _, part in slot_items(value)]
        if len(parts) == 2:
            return shown.items(parts, 2, room, 0, ("Fraction(", ")"))
    return ""


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


_Writer = Callable[[_Preview, Any, int, int], str]

# Keyed by the id of the type: looking a type up by itself would call its metaclass's `__hash__`.
_SCALARS: dict[type, _Writer] = {
    type(None): _Preview.constant,
    type(...): _Preview.constant,
    type(NotImplemented): _Preview.constant,
    bool: _Preview.constant,
    int: _Preview.integer,
    float: _Preview.floating,
    complex: _Preview.complex,
    str: _Preview.string,
    bytes: _Preview.bytes,
    bytearray: _Preview.bytes,
}
_SCALAR_TYPES = frozenset(id(kind) for kind in _SCALARS)
_CONTAINERS: dict[type, _Writer] = {
    collections.defaultdict: _Preview.default_dict,
    collections.deque: _Preview.deque,
    array.array: _Preview.array,
    list: _Preview.list,
    tuple: _Preview.tuple,
    dict: _Preview.dict,
    set: _Preview.set,
    frozenset: _Preview.frozenset,
    datetime.datetime: _Preview.datetime,
    datetime.date: _Preview.date,
    datetime.time: _Preview.time,
    datetime.timedelta: _Preview.timedelta,
    decimal.Decimal: _Preview.decimal,
}
_OTHERS: dict[type, _Writer] = {
    memoryview: _Preview.memory,
    range: _Preview.range,
    slice: _Preview.slice,
    datetime.timezone: _Preview.timezone,
    functools.partial: _Preview.partial,
    types.FunctionType: _Preview.function,
    types.MethodType: _Preview.method,
    types.BuiltinFunctionType: _Preview.builtin,
    types.GeneratorType: _Preview.generator,
    types.MappingProxyType: _Preview.mapping_proxy,
    types.SimpleNamespace: _Preview.namespace,
}
_EXACT: dict[int, _Writer] = {
    id(kind): writer for kind, writer in {**_SCALARS, **_CONTAINERS, **_OTHERS}.items()
}
# What an instance of a subclass shows of its builtin base.
_BUILTIN_BASES: dict[int, _Writer] = {
    id(kind): writer
    for kind, writer in {**_SCALARS, **_CONTAINERS}.items()
    if kind is not bool and kind is not type(None)
}
_BRACKETS = {id(list): "[…]", id(tuple): "(…)", id(dict): "{…}", id(set): "{…}"}
