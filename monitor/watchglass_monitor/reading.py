"""Reading objects without running their code: types, attributes and sizes by C slots only.

`isinstance`, `len`, `hash`, `==` and attribute access can all be overridden by user classes and
metaclasses. `type(x)`, `issubclass(type(x), T)` for a plain `T`, and the descriptors and methods of
builtin types, called on the type, cannot. Nothing else is used on an object of unknown type.
"""

import types
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeAlias

# An object whose type is not known: only the functions of this file may look into it.
Value: TypeAlias = object

_TYPE_DICT: Any = type.__dict__["__dict__"]
_MODULE_DICT: Any = vars(types.ModuleType)["__dict__"]
_TYPE_NAME: Any = type.__dict__["__name__"]
_TYPE_MRO: Any = type.__dict__["__mro__"]
_TYPE_FLAGS: Any = type.__dict__["__flags__"]
_HEAP_TYPE = 1 << 9

MAX_ATTRIBUTES = 10_000


def type_name(kind: type) -> str:
    """The real name of a type, whatever its metaclass says."""
    return str.__str__(_TYPE_NAME.__get__(kind))


def type_module(kind: type) -> str:
    """The module that a type says it is from; `builtins` when it does not say."""
    module: Any
    if not is_python_class(kind):
        # The name of a C type carries its module, and reading it goes through no dictionary.
        module = type.__dict__["__module__"].__get__(kind)
    else:
        module = class_attribute(kind, "__module__")
    return str.__str__(module)[:200] if issubclass(type(module), str) else "builtins"


def is_python_class(kind: type) -> bool:
    """Whether the type lives on the heap, as all classes made by a `class` statement do."""
    return bool(_TYPE_FLAGS.__get__(kind) & _HEAP_TYPE)


def bases(kind: type) -> tuple[type, ...]:
    """The method resolution order, read from the type itself."""
    order: tuple[type, ...] | None = _TYPE_MRO.__get__(kind)
    return order or (kind,)


def class_items(kind: type) -> Iterator[tuple[str, object]]:
    """What one class defines itself. Keys are compared by identity of type, never by their `==`."""
    for key, value in types.MappingProxyType.items(_TYPE_DICT.__get__(kind)):
        if type(key) is str:
            yield key, value


def class_attribute(kind: type, name: str) -> object:
    """What a class or one of its bases defines under a name, not bound; None when nothing does."""
    for base in bases(kind):
        for key, value in class_items(base):
            if key == name:
                return value
    return None


def find(mapping: dict[str, Any], name: str) -> object:
    """The item of an exact dict; a hostile key with the same hash is passed by."""
    for key, value in dict.items(mapping):
        if type(key) is str and key == name:
            return value
    return None


def instance_dict(value: Value) -> dict[str, Any] | None:
    """The `__dict__` of an instance, or None.

    Reading it makes CPython build it, after which attributes of that one object are stored and
    read up to 2.5 times slower. There is no other portable way to the names of attributes, so
    previews and paths pay it, for the few objects they show; fingerprints do not.
    """
    for base in bases(type(value)):
        for key, descriptor in class_items(base):
            if key == "__dict__" and type(descriptor) in _DICT_DESCRIPTORS:
                return _read_dict(descriptor, value)
    return None


_DICT_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)


def _read_dict(descriptor: Any, value: Value) -> dict[str, Any] | None:
    try:
        found = descriptor.__get__(value, type(value))
    except (AttributeError, TypeError):
        return None
    return found if issubclass(type(found), dict) else None


def module_dict(module: Any) -> dict[str, Any] | None:
    """The namespace of a module, past any `__getattribute__` of its class."""
    held: dict[str, Any] | None = _MODULE_DICT.__get__(module)
    return held


def slot_items(value: Value) -> Iterator[tuple[str, object]]:
    """The filled `__slots__` of an instance, in the order the classes declare them."""
    for base in reversed(bases(type(value))):
        if not is_python_class(base):
            continue
        for name, descriptor in class_items(base):
            if type(descriptor) is types.MemberDescriptorType:
                try:
                    yield name, descriptor.__get__(value, type(value))
                except (AttributeError, TypeError):
                    continue


def attributes(value: Value) -> Iterator[tuple[str, object]]:
    """The attributes that an instance itself holds: its slots, then its `__dict__`."""
    yield from islice(slot_items(value), MAX_ATTRIBUTES)
    held = instance_dict(value)
    if held is not None:
        for key, item in islice(dict.items(held), MAX_ATTRIBUTES):
            if issubclass(type(key), str):
                yield str.__str__(key), item


def size_in_bytes(value: Value) -> int:
    """The size of the object itself, by the `__sizeof__` of its builtin base."""
    for base in bases(type(value)):
        for name, method in class_items(base):
            if name == "__sizeof__" and type(method) is types.MethodDescriptorType:
                try:
                    return int(method(value))
                except (TypeError, ValueError):
                    return 0
    return 0
