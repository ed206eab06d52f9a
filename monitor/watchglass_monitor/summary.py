"""Value -> Variable: type, size, preview and exact value, bounded; calls no user code."""

import array
import collections
import types
from typing import Any

from .children import count_children
from .namespace import is_hidden
from .previews import preview
from .reading import Value, bases, class_attribute, size_in_bytes, type_module, type_name
from .values import NotExact, encode
from .wire import JSON, Variable

# The C method that gives the length of each builtin base, never the `__len__` of a subclass.
_LENGTHS: dict[int, Any] = {
    id(kind): kind.__dict__["__len__"]
    for kind in (
        str, bytes, bytearray, list, tuple, dict, set, frozenset, range,
        collections.deque, array.array, memoryview,
    )
}  # fmt: skip


def summary(name: str, value: Value, version: int, settable: bool = True) -> Variable:
    """What everyone is shown of one variable."""
    kind = type(value)
    shape, dtype = _shape(value)
    variable: Variable = {
        "name": name,
        "type": type_name(kind)[:200],
        "module": type_module(kind),
        "preview": preview(value),
        "length": _length(value),
        "size_bytes": size_in_bytes(value),
        "shape": shape,
        "dtype": dtype,
        "expandable": count_children(value) > 0,
        "settable": settable,
        "version": version,
        "value": exact_value(value),
    }
    if is_hidden(name, value):
        variable["hidden"] = True
    return variable


def exact_value(value: Value) -> JSON:
    """The exact JSON value where there is one that is short enough, otherwise None."""
    try:
        return encode(value)
    except NotExact:
        return None


def _length(value: Value) -> int | None:
    for base in bases(type(value)):
        method = _LENGTHS.get(id(base))
        if method is not None:
            try:
                return int(method(value))
            except (TypeError, ValueError):
                return None  # a memoryview without dimensions, or a released one
    return None


def _shape(value: Value) -> tuple[list[int] | None, str | None]:
    """Dimensions and item type of arrays, where C says them."""
    if issubclass(type(value), array.array):
        length = array.array.__len__(value)  # type: ignore[arg-type]
        return [length], array.array.__dict__["typecode"].__get__(value)
    shape, dtype = _c_attribute(value, "shape"), _c_attribute(value, "dtype")
    if type(value) is memoryview:
        dtype = _c_attribute(value, "format")
    if type(shape) is not tuple or any(type(size) is not int for size in shape):
        return None, None
    if type(dtype) is not str:
        dtype = _c_attribute(dtype, "str")
    return list(shape[:32]), dtype[:40] if type(dtype) is str else None


def _c_attribute(value: Value, name: str) -> object:
    """An attribute that a C type computes itself; None where a class would run Python for it."""
    descriptor = class_attribute(type(value), name)
    if type(descriptor) not in (types.GetSetDescriptorType, types.MemberDescriptorType):
        return None
    try:
        found: object = descriptor.__get__(value, type(value))  # type: ignore[attr-defined]
    except (AttributeError, TypeError, ValueError):
        return None
    return found
