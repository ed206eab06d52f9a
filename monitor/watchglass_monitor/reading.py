"""Reading objects without running their code: types, attributes and sizes by C slots only.

`isinstance`, `len`, `hash`, `==` and attribute access can all be overridden by user classes and
metaclasses. `type(x)`, `issubclass(type(x), T)` for a plain `T`, and the descriptors and methods of
builtin types, called on the type, cannot. Nothing else is used on an object of unknown type.
"""

import types
from collections import OrderedDict
from collections.abc import Iterator
from gc import get_referents
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
_MISSING = object()
_DATA_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)
# Members of C types that are places in memory, and no attributes.
_OFFSETS = frozenset({"__vectorcalloffset__", "__weaklistoffset__", "__dictoffset__"})

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


def class_attributes(kind: type, name: str) -> Iterator[object]:
    """What a class and its bases define under a name, not bound, the class itself first."""
    for base in bases(kind):
        if is_python_class(base):
            for key, value in class_items(base):
                if key == name:
                    yield value
        else:
            # A look-up compares keys by their `==`; those of a C type are nothing but plain text.
            found = types.MappingProxyType.get(_TYPE_DICT.__get__(base), name, _MISSING)
            if found is not _MISSING:
                yield found


def class_attribute(kind: type, name: str) -> object:
    """What a class or one of its bases defines under a name, not bound; None when nothing does."""
    return next(class_attributes(kind, name), None)


def c_attribute(value: Value, name: str) -> object:
    """An attribute that a C type computes itself; None where a class would run Python for it."""
    descriptor: Any = class_attribute(type(value), name)
    if type(descriptor) not in _DATA_DESCRIPTORS:
        return None
    try:
        found: object = descriptor.__get__(value, type(value))
    except (AttributeError, TypeError, ValueError):
        return None
    return found


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
    for descriptor in class_attributes(type(value), "__dict__"):
        if type(descriptor) in _DATA_DESCRIPTORS:
            return _read_dict(descriptor, value)
    return None


def _read_dict(descriptor: Any, value: Value) -> dict[str, Any] | None:
    try:
        found = descriptor.__get__(value, type(value))
    except (AttributeError, TypeError):
        return None
    return found if issubclass(type(found), dict) else None


def ordered_items(value: dict[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """The items of a dict, those of an OrderedDict in its own order where that needs no code."""
    if issubclass(type(value), OrderedDict) and has_plain_keys(value):
        ordered: OrderedDict[Any, Any] = value  # type: ignore[assignment]
        return zip(OrderedDict.__iter__(ordered), OrderedDict.values(ordered), strict=False)
    return iter(dict.items(value))


def has_plain_keys(value: dict[Any, Any]) -> bool:
    """Whether hashing and comparing the keys of a dict runs no code, at the speed of C."""
    return _PLAIN_KEYS.issuperset(map(id, map(type, dict.keys(value))))


_PLAIN_KEYS = frozenset(id(kind) for kind in (str, int, float, bytes, bool, type(None)))


def module_dict(module: Any) -> dict[str, Any] | None:
    """The namespace of a module, past any `__getattribute__` of its class."""
    held: dict[str, Any] | None = _MODULE_DICT.__get__(module)
    return held


def underlying(proxy: Value) -> dict[Any, Any] | None:
    """The dict behind a mappingproxy, which may also be around an object with code of its own."""
    behind = get_referents(proxy)
    return behind[0] if len(behind) == 1 and issubclass(type(behind[0]), dict) else None


def slot_items(value: Value) -> Iterator[tuple[str, object]]:
    """The filled `__slots__` of an instance, in the order the classes declare them."""
    for base in reversed(bases(type(value))):
        if not is_python_class(base):
            continue
        for name, descriptor in class_items(base):
            if type(descriptor) is types.MemberDescriptorType and name not in _OFFSETS:
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
    for method in class_attributes(type(value), "__sizeof__"):
        if type(method) is types.MethodDescriptorType:
            try:
                return int(method(value))
            except (TypeError, ValueError):
                return 0
    return 0
