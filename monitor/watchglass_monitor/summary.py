"""Value -> Variable: type, size, preview and exact value, bounded; calls no user code."""

from array import array
from collections import deque
from typing import Any

from .children import count_children
from .frame_previews import frame_shape
from .namespace import is_hidden
from .previews import preview
from .reading import Value, bases, c_attribute, size_in_bytes, type_module, type_name
from .values import NotExact, encode
from .wire import JSON, Variable

# The C method that gives the length of each builtin base, never the `__len__` of a subclass.
_LENGTHS: dict[int, Any] = {
    id(kind): kind.__dict__["__len__"]
    for kind in (
        str, bytes, bytearray, list, tuple, dict, set, frozenset, range,
        deque, array, memoryview,
    )
}  # fmt: skip


# Most variables: they have no shape and no parts, which need not be looked for.
_SCALARS = frozenset(id(kind) for kind in (type(None), bool, int, float, str))


def summary(name: str, value: Value, version: int, settable: bool = True) -> Variable:
    """What everyone is shown of one variable."""
    kind = type(value)
    is_scalar = id(kind) in _SCALARS
    shape, dtype = (None, None) if is_scalar else _shape(value)
    variable: Variable = {
        "name": name,
        "type": type_name(kind)[:200],
        "module": type_module(kind),
        "preview": preview(value),
        "length": _length(value),
        "size_bytes": size_in_bytes(value),
        "shape": shape,
        "dtype": dtype,
        "expandable": not is_scalar and count_children(value) > 0,
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
    if issubclass(type(value), array):
        length = array.__len__(value)  # type: ignore[arg-type]
        return [length], array.__dict__["typecode"].__get__(value)
    if type(value) is memoryview:
        shape, code = c_attribute(value, "shape"), c_attribute(value, "format")
        if type(shape) is not tuple or type(code) is not str:
            return None, None  # it was released
        return list(shape[:32]), code[:40]
    return frame_shape(value)
