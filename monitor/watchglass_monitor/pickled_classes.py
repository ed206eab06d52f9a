"""Classes that executions defined -> a skeleton first, then what is in them.

Nothing of the user's runs when a class comes back: no metaclass `__new__`, no
`__init_subclass__`, no `__set_name__`; what those did is in the stored state.
"""

import abc
import enum
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from watchglass_monitor.origin import Origin, makes_itself, type_module, type_name, type_qualname
from watchglass_monitor.pickled_functions import Reducer, Reduction

_MADE: "weakref.WeakSet[type]" = weakref.WeakSet()
_NOT_STATE = {"__dict__", "__weakref__", "_abc_impl", "__slotnames__", "__module__"}
# type has setters for these, and they do what storing into the class's dict would.
_TYPE_SETS = {
    *("__doc__", "__abstractmethods__", "__annotations__", "__annotate__", "__type_params__"),
    "__module__",
}
_NAMED_TYPES = {value: name for name, value in vars(types).items() if isinstance(value, type)}

Skeleton = tuple[type, str, tuple[type, ...], tuple[str, ...] | None, dict[str, object]]


def reduce_class(cls: type, origin: Origin) -> Reduction:
    if not origin.defined_here(cls):
        return _reduce_builtin(cls, origin)
    slots = _own_slots(cls)
    state, early = _class_state(cls, slots)
    skeleton = (type(cls), type_name(cls), cls.__bases__, slots, early)
    return make_class, skeleton, (state, _registered(cls)), None, None, set_class_state


def _reduce_builtin(cls: type, origin: Origin) -> Reduction:
    name = _NAMED_TYPES.get(cls)
    if name is None or origin.importable(cls, cls.__module__, cls.__qualname__):
        return None
    return named_type, (name,)


def named_type(name: str) -> object:
    return getattr(types, name)


def _own_slots(cls: type) -> tuple[str, ...] | None:
    if "__slots__" not in cls.__dict__:
        return None
    names = [
        name
        for name, value in cls.__dict__.items()
        if isinstance(value, types.MemberDescriptorType) and value.__objclass__ is cls
    ]
    names += [name for name in ("__dict__", "__weakref__") if name in cls.__dict__]
    return tuple(names)


def _class_state(
    cls: type, slots: tuple[str, ...] | None
) -> tuple[dict[str, object], dict[str, object]]:
    """What is set on the skeleton, and what it has to be made with."""
    state: dict[str, object] = {}
    early: dict[str, object] = {
        "__module__": type_module(cls),
        "__qualname__": type_qualname(cls),
    }
    skipped = _NOT_STATE.union(slots or ())
    if cls.__dict__.get("__annotate_func__") is not None:
        skipped.add("__annotations_cache__")  # made again on demand
    for name, value in cls.__dict__.items():
        if name in skipped and not isinstance(value, property):
            continue
        if name == "__orig_bases__" or _is_shadowed(type(cls), name):
            early[name] = value  # Generic looks at __orig_bases__ while the class is made
        else:
            state[name] = value
    return state, early


def _is_shadowed(metaclass: type, name: str) -> bool:
    """Would setting `name` on the class end in a property of its metaclass?"""
    if name in _TYPE_SETS:
        return False
    for parent in metaclass.__mro__:
        if name in parent.__dict__:
            return hasattr(type(parent.__dict__[name]), "__set__")
    return False


def _registered(cls: type) -> list[type]:
    """Classes that were registered with an abstract one."""
    if not isinstance(cls, abc.ABCMeta):
        return []
    dump = getattr(abc, "_get_dump", None)
    references = dump(cls)[0] if dump else ()
    return [kind for reference in references if (kind := reference()) is not None]


def make_class(
    metaclass: type,
    name: str,
    bases: tuple[type, ...],
    slots: tuple[str, ...] | None,
    early: dict[str, object],
) -> type:
    names = dict(early)
    if slots is not None:
        names["__slots__"] = slots
    try:
        with _silent([base for base in bases if base in _MADE]):
            cls = _new_class(metaclass, name, bases, names)
    except Exception:
        # A library's __init_subclass__ wants arguments that nobody knows any more.
        with _silent(list(bases)):
            cls = _new_class(metaclass, name, bases, names)
    _MADE.add(cls)
    return cls


def _new_class(
    metaclass: type, name: str, bases: tuple[type, ...], names: dict[str, object]
) -> type:
    is_abstract = issubclass(metaclass, abc.ABCMeta)
    make: Callable[..., type] = abc.ABCMeta.__new__ if is_abstract else type.__new__
    return make(metaclass, name, bases, dict(names))


@contextmanager
def _silent(bases: list[type]) -> Iterator[None]:
    """Take `__init_subclass__` off the parents while a child is made."""
    hidden: list[tuple[type, object]] = []
    for parent in {parent: None for base in bases for parent in base.__mro__}:
        hook = parent.__dict__.get("__init_subclass__")
        if hook is not None and parent.__flags__ & (1 << 9) and not parent.__flags__ & (1 << 8):
            type.__delattr__(parent, "__init_subclass__")
            hidden.append((parent, hook))
    try:
        yield
    finally:
        for parent, hook in hidden:
            type.__setattr__(parent, "__init_subclass__", hook)


def set_class_state(cls: type, state: tuple[dict[str, object], list[type]]) -> None:
    attributes, registered = state
    for name, value in attributes.items():
        type.__setattr__(cls, name, value)
    for kind in registered:
        abc.ABCMeta.register(cls, kind)  # type: ignore[arg-type]


def reduce_member(member: enum.Enum, origin: Origin) -> Reduction:
    """A member of an enumeration: not looked up by value, since its class is still being made."""
    cls = type(member)
    data_type = getattr(cls, "_member_type_", object)
    made = (cls, data_type, *_data_arguments(member, data_type))
    return make_member, made, vars(member), None, None, set_member_state


def _data_arguments(member: enum.Enum, data_type: type) -> tuple[object, ...]:
    if not makes_itself(data_type):
        return ()
    arguments = getattr(data_type, "__getnewargs__", None)
    if arguments is not None:
        return tuple(arguments(member))
    reduce: Callable[[object], tuple[object, tuple[object, ...]]] = vars(data_type)["__reduce__"]
    return reduce(member)[1]


def make_member(cls: type, data_type: type, *arguments: object) -> object:
    return data_type.__new__(cls, *arguments)


def set_member_state(member: object, state: dict[str, object]) -> None:
    # hash(member) reads _name_, so it has to be there before anything else happens.
    member.__dict__.update({sys.intern(name): value for name, value in state.items()})


REDUCERS: dict[type, Reducer] = {type: reduce_class}
MAKERS = (make_class, set_class_state, named_type, make_member, set_member_state)
