"""What is nested too deeply for pickle's recursion -> empty shells, then their contents."""

import types
from collections.abc import Callable, Container, Iterable

MAX_SHELLS = 2_000_000
_CONTAINERS = (list, dict, set)
_SHELL_TYPES = frozenset(_CONTAINERS)

IsPlain = Callable[[type], bool]


def shells_in(value: object, known: Container[int], is_plain: IsPlain) -> list[object]:
    """The lists, dicts, sets and plain instances in `value` that are not `known` yet.

    Instances come first: a key's `__hash__` may need what is in them.
    """
    instances: list[object] = []
    containers: list[object] = []
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        current = waiting.pop()
        kind = type(current)
        if kind is tuple:
            if id(current) not in seen:
                seen.add(id(current))
                waiting.extend(current)  # type: ignore[arg-type]
            continue
        is_container = kind in _SHELL_TYPES
        if id(current) in seen or id(current) in known or not (is_container or is_plain(kind)):
            continue
        seen.add(id(current))
        (containers if is_container else instances).append(current)
        waiting.extend(_held(current))
        if len(seen) > MAX_SHELLS:
            raise RecursionError
    return instances + containers


def _held(value: object) -> Iterable[object]:
    if type(value) is dict:
        return [*value.keys(), *value.values()]
    if type(value) in (list, set):
        return list(value)  # type: ignore[call-overload,no-any-return]
    attributes, slots = attributes_of(value)
    return [*attributes.values(), *slots.values()]


def attributes_of(value: object) -> tuple[dict[str, object], dict[str, object]]:
    """What is in a plain instance: its dict and its slots."""
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        attributes = {}
    slots: dict[str, object] = {}
    for cls in type(value).__mro__:
        for name, member in cls.__dict__.items():
            if isinstance(member, types.MemberDescriptorType):
                try:
                    slots[name] = member.__get__(value)
                except AttributeError:
                    continue
    return attributes, slots


def empty_shell(value: object) -> object:
    """A new, empty object of the same kind."""
    kind = type(value)
    return kind() if kind in _SHELL_TYPES else object.__new__(kind)


def contents_of(value: object) -> object:
    """What `set_contents` needs to fill the shell of `value`."""
    if type(value) is dict:
        return tuple(value.items())
    if type(value) in (list, set):
        return tuple(value)  # type: ignore[arg-type]
    return attributes_of(value)


class Contents:
    """Written to a dump as the step that fills all shells."""

    __slots__ = ("shells",)

    def __init__(self, shells: list[object]) -> None:
        self.shells = shells

    def __reduce__(self) -> tuple[object, ...]:
        return set_contents, (self.shells, [contents_of(each) for each in self.shells])


def set_contents(shells: list[object], contents: list[object]) -> None:
    for shell, held in zip(shells, contents, strict=True):
        _fill(shell, held)


def _fill(shell: object, held: object) -> None:
    assert isinstance(held, tuple)
    if type(shell) is list:
        shell.extend(held)
    elif type(shell) in (dict, set):
        shell.update(held)  # type: ignore[attr-defined]
    else:
        attributes, slots = held
        if attributes:
            object.__getattribute__(shell, "__dict__").update(attributes)
        for name, value in slots.items():
            object.__setattr__(shell, name, value)
