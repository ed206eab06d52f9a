"""Where inside a value an object is, as one would write it: `units[3].log`."""

import types
from collections import deque
from collections.abc import Iterator
from itertools import islice

from watchglass_monitor.builtin_items import builtin_items
from watchglass_monitor.flattening import attributes_of
from watchglass_monitor.plain_text import cut, safe_repr

MAX_OBJECTS = 50_000
_MAX_STEPS = 30
_PLAIN_KEYS = (str, int, float, bool, bytes, type(None))

# What stands before and after the path of the holder.
Step = tuple[str, str]


def find_path(name: str, value: object, wanted: object) -> str:
    """The shortest way from variable `name` to `wanted`; empty if it is the variable itself."""
    if value is wanted:
        return ""
    # Each object with its holder and the step from there: paths of all would fill the memory.
    found: list[tuple[object, int, Step]] = [(value, 0, ("", ""))]
    seen = {id(value)}
    for position, (current, _, _) in enumerate(found):
        for step, child in _children(current):
            if child is wanted:
                return _written(name, found, position, step)
            if id(child) not in seen and len(found) < MAX_OBJECTS:
                seen.add(id(child))
                found.append((child, position, step))
    return f"something in {name}"


def _written(name: str, found: list[tuple[object, int, Step]], position: int, last: Step) -> str:
    steps = [last]
    while position and len(steps) < _MAX_STEPS:
        _, holder, step = found[position]
        steps.append(step)
        position = holder
    path = "…" if position else name
    for before, after in reversed(steps):
        path = before + path + after
    return path


def _children(value: object) -> Iterator[tuple[Step, object]]:
    """What `value` holds, read without running code of the user's."""
    if isinstance(value, dict):
        for key, held in list(islice(dict.items(value), MAX_OBJECTS)):
            yield ("", f"[{_key(key)}]"), held
            yield ("a key of ", ""), key
    elif isinstance(value, list | tuple | deque):
        for index, held in enumerate(list(islice(builtin_items(value), MAX_OBJECTS))):
            yield ("", f"[{index}]"), held
    elif isinstance(value, set | frozenset):
        for held in list(islice(builtin_items(value), MAX_OBJECTS)):
            yield ("an item of ", ""), held
    yield from _attributes(value)


def _attributes(value: object) -> Iterator[tuple[Step, object]]:
    if isinstance(value, types.ModuleType):
        return
    if isinstance(value, types.FunctionType):
        yield from _function_parts(value)
    elif isinstance(value, types.MethodType):
        yield ("", ""), value.__self__
        yield ("", ""), value.__func__
    elif isinstance(value, property):
        yield from ((("", ""), part) for part in (value.fget, value.fset, value.fdel))
    elif isinstance(value, staticmethod | classmethod):
        yield ("", ""), value.__func__
    elif isinstance(value, type):
        yield from ((("", f".{name}"), held) for name, held in list(value.__dict__.items()))
        return
    yield from _instance_attributes(value)


def _function_parts(function: types.FunctionType) -> Iterator[tuple[Step, object]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield (f"{name} in ", ""), cell.cell_contents
        except ValueError:
            continue
    for held in function.__defaults__ or ():
        yield ("a default of ", ""), held
    for name, held in (function.__kwdefaults__ or {}).items():
        yield (f"the default of {name} in ", ""), held


def _instance_attributes(value: object) -> Iterator[tuple[Step, object]]:
    attributes, slots = attributes_of(value)
    for name, held in [*attributes.items(), *slots.items()]:
        yield ("", f".{name}"), held
    yield ("type(", ")"), type(value)


def _key(key: object) -> str:
    return cut(safe_repr(key), 80) if type(key) in _PLAIN_KEYS else f"<{type(key).__name__}>"
