"""Functions, classes, modules and instances -> text, by what C and their slots say of them."""

import functools
import types
from collections.abc import Iterator
from typing import Any

from .layout import Layout, cut, plain_object, quoted
from .reading import (
    Value,
    bases,
    find,
    instance_dict,
    is_python_class,
    module_dict,
    slot_items,
    type_module,
    type_name,
)

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
        yield name, by_name.get(name, _NO_DEFAULT)
    if code.co_flags & _VARIADIC_NAMES:
        yield f"**{names[count + named + bool(code.co_flags & _VARIADIC)]}", _NO_DEFAULT


def write_function(layout: Layout, value: Any, room: int, depth: int) -> str:
    name = cut(str.__str__(value.__name__), 60)
    shown = "lambda" if name == "<lambda>" else name
    parts = list(_parameters(value))
    writers = [
        functools.partial(write_parameter, layout, parameter=part, depth=depth) for part in parts
    ]
    text = layout.joined(writers, len(parts), room - len(shown) - 12, ("(", ")"))
    return f"<function {shown}{text}>"


def write_parameter(layout: Layout, room: int, parameter: tuple[str, object], depth: int) -> str:
    name, default = parameter
    if default is _NO_DEFAULT:
        return cut(name, room)
    return f"{cut(name, room // 2)}={layout.of(default, room - len(name) - 1, depth + 1)}"


def write_method(layout: Layout, value: Any, room: int, depth: int) -> str:
    function, owner = value.__func__, value.__self__
    name = str.__str__(function.__name__) if type(function) is types.FunctionType else "…"
    return f"<bound method {cut(name, 60)} of {layout.of(owner, room - len(name) - 20, depth + 1)}>"


def write_builtin(layout: Layout, value: Any, room: int, depth: int) -> str:
    return f"<built-in function {cut(value.__name__, 60)}>"


def write_partial(layout: Layout, value: Any, room: int, depth: int) -> str:
    function = functools.partial.__dict__["func"].__get__(value)
    arguments = functools.partial.__dict__["args"].__get__(value)
    name = "partial(" + layout.of(function, room // 2, depth + 1)
    items, count = tuple.__iter__(arguments), tuple.__len__(arguments)
    if not count:
        return name + ")"
    return name + layout.items(items, count, room - len(name) - 1, depth, (", ", ")"))


def write_generator(layout: Layout, value: Any, room: int, depth: int) -> str:
    state = "running" if value.gi_running else "suspended"
    if value.gi_frame is None:
        state = "finished"
    return f"<generator {cut(str.__str__(value.__name__), 60)}, {state}>"


def write_mapping_proxy(layout: Layout, value: Any, room: int, depth: int) -> str:
    return "<mappingproxy>"


def write_enumeration(layout: Layout, value: Any, room: int, depth: int) -> str:
    held = instance_dict(value) or {}
    name = find(held, "_name_")
    if type(name) is not str:
        return plain_object(value)
    shown = cut(f"{type_name(type(value))}.{name}", 80)
    return f"<{shown}: {layout.of(find(held, '_value_'), room - len(shown) - 4, depth + 1)}>"


def write_exception(layout: Layout, value: Any, room: int, depth: int) -> str:
    arguments = BaseException.__dict__["args"].__get__(value)
    name = cut(type_name(type(value)), room // 2)
    length = tuple.__len__(arguments)
    return layout.items(tuple.__iter__(arguments), length, room, depth, (f"{name}(", ")"))


def write_kind(layout: Layout, value: type, room: int, depth: int) -> str:
    parents = [type_name(base) for base in bases(value)[1:] if base is not object]
    shown = f"({parents[0]})" if parents else ""
    return f"<class {cut(type_name(value), 80)}{cut(shown, 80)}>"


def write_module(layout: Layout, value: Any, room: int, depth: int) -> str:
    held = module_dict(value)
    name = find(held, "__name__") if held is not None else None
    return f"<module {cut(str.__str__(name), 120)}>" if type(name) is str else "<module>"


def write_namespace(layout: Layout, value: Any, room: int, depth: int) -> str:
    held = types.SimpleNamespace.__dict__["__dict__"].__get__(value)
    return layout.fields("namespace", dict.items(held), dict.__len__(held), room, depth)


def write_named_tuple(layout: Layout, value: Any, names: Any, room: int, depth: int) -> str:
    fields = zip(tuple.__iter__(names), tuple.__iter__(value), strict=False)
    texts = ((key, item) for key, item in fields if type(key) is str)
    return layout.fields(type_name(type(value)), texts, tuple.__len__(value), room, depth)


def write_known_class(layout: Layout, value: Value, room: int) -> str:
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
        slots = dict(slot_items(value))
        parts = [slots.get("_numerator"), slots.get("_denominator")]
        if all(type(part) is int for part in parts):
            return layout.items(parts, 2, room, 0, ("Fraction(", ")"))
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
