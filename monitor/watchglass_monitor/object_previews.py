"""Functions, classes, modules and instances -> text, by what C and their slots say of them."""

import types
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any

from .layout import Layout, cut, plain_object
from .reading import (
    bases,
    find,
    instance_dict,
    module_dict,
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
    writers = [partial(write_parameter, layout, parameter=part, depth=depth) for part in parts]
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
    held = partial.__dict__
    function, arguments, keywords = (
        held[name].__get__(value) for name in ("func", "args", "keywords")
    )
    total = 1 + tuple.__len__(arguments) + dict.__len__(keywords)
    places = (
        partial(layout.of, item, depth=depth + 1)
        for item in chain((function,), tuple.__iter__(arguments))
    )
    names = (
        partial(write_parameter, layout, parameter=(key, item), depth=depth)
        for key, item in dict.items(keywords)
        if type(key) is str
    )
    return layout.joined(chain(places, names), total, room, ("partial(", ")"))


def write_generator(layout: Layout, value: Any, room: int, depth: int) -> str:
    kind, prefix = _SUSPENDED[id(type(value))]
    state = "running" if getattr(value, f"{prefix}_running") else "suspended"
    if getattr(value, f"{prefix}_frame") is None:
        state = "finished"
    return f"<{kind} {cut(str.__str__(value.__name__), 60)}, {state}>"


_SUSPENDED = {
    id(types.GeneratorType): ("generator", "gi"),
    id(types.CoroutineType): ("coroutine", "cr"),
    id(types.AsyncGeneratorType): ("async generator", "ag"),
}


def write_code(layout: Layout, value: Any, room: int, depth: int) -> str:
    return f"<code {cut(value.co_name, 60)}>"


def write_enumeration(layout: Layout, value: Any, room: int, depth: int) -> str:
    held = instance_dict(value) or {}
    kind, name, content = type_name(type(value)), find(held, "_name_"), find(held, "_value_")
    if type(name) is not str and content is None:
        return plain_object(value)
    # A flag without bits has no name.
    shown = cut(f"{kind}.{name}" if type(name) is str else kind, 80)
    return f"<{shown}: {layout.of(content, room - len(shown) - 4, depth + 1)}>"


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
    named = ((key, item) for key, item in dict.items(held) if type(key) is str)
    return layout.fields("namespace", named, dict.__len__(held), room, depth)


def write_named_tuple(layout: Layout, value: Any, names: Any, room: int, depth: int) -> str:
    fields = zip(tuple.__iter__(names), tuple.__iter__(value), strict=False)
    texts = ((key, item) for key, item in fields if type(key) is str)
    return layout.fields(type_name(type(value)), texts, tuple.__len__(value), room, depth)
