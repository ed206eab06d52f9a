"""Type annotations -> text, as one would write them: `list[int]`, `int | None`; runs no code."""

from collections.abc import Callable, Sequence
from functools import partial
from types import EllipsisType, GenericAlias, NoneType, UnionType
from typing import Any, TypeAlias

from .layout import Layout, Writer, cut, plain_object
from .reading import Value, attributes, c_attribute, type_module, type_name

_Text: TypeAlias = Callable[[int], str]

_VARIABLES = {"TypeVar": "~", "ParamSpec": "~", "TypeVarTuple": ""}


def write_annotation(layout: Layout, value: Value, room: int, depth: int) -> str | None:
    """What `list[…]` and `typing` make; None when it is none of these, or half-made."""
    kind = type(value)
    if issubclass(kind, GenericAlias):
        return _alias(layout, value, room, depth)
    if type_module(kind) != "typing":
        return None
    held = dict(attributes(value))
    if type_name(kind) in _VARIABLES:
        name = c_attribute(value, "__name__") or held.get("__name__")
        return _VARIABLES[type_name(kind)] + cut(name, 60) if type(name) is str else None
    name, arguments = held.get("_name") or _name_of(held.get("__origin__")), held.get("__args__")
    if type(name) is not str:
        return None
    if type(arguments) is not tuple:
        return f"typing.{cut(name, 60)}"
    parts = arguments[:1] if name == "Optional" else arguments
    return _subscribed(layout, f"typing.{cut(name, 60)}", parts, room, depth)


def _alias(layout: Layout, value: Any, room: int, depth: int) -> str:
    name = _name_of(GenericAlias.__dict__["__origin__"].__get__(value))
    arguments = GenericAlias.__dict__["__args__"].__get__(value)
    if type(name) is not str or type(arguments) is not tuple:
        return plain_object(value)
    module = "collections.abc." if name == "Callable" else ""
    return _subscribed(layout, module + cut(name, 60), arguments, room, depth)


def _union(layout: Layout, value: Any, room: int, depth: int) -> str:
    """On Python 3.14 `Optional` and `Union` of `typing` make these, too."""
    arguments: tuple[object, ...] = UnionType.__dict__["__args__"].__get__(value)
    shown = arguments[:20]
    rest = [] if shown == arguments else ["…"]
    return " | ".join([*(_part(layout, part, depth, room // 2) for part in shown), *rest])


def _subscribed(
    layout: Layout, name: str, arguments: tuple[object, ...], room: int, depth: int
) -> str:
    parts: Sequence[_Text] = [partial(_part, layout, argument, depth) for argument in arguments]
    if name.endswith(".Callable") and type(arguments[0]) is not EllipsisType:
        # Its arguments come in one row with what it gives.
        taken = partial(_taken, layout, parts[:-1])
        parts = [taken, parts[-1]]
    return layout.joined(parts, len(parts), room, (f"{name}[", "]"))


def _taken(layout: Layout, parts: Sequence[_Text], room: int) -> str:
    return layout.joined(parts, len(parts), room, ("[", "]"))


def _part(layout: Layout, value: object, depth: int, room: int) -> str:
    if value is NoneType:
        return "None"
    if value is ...:
        return "..."
    if issubclass(type(value), type):
        return cut(type_name(value), room)  # type: ignore[arg-type]
    return layout.of(value, room, depth + 1)


def _name_of(origin: object) -> object:
    if issubclass(type(origin), type):
        return type_name(origin)  # type: ignore[arg-type]
    return None if origin is None else dict(attributes(origin)).get("_name")


WRITERS: dict[Any, Writer] = {GenericAlias: _alias, UnionType: _union}
