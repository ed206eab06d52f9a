"""numpy's arrays and scalars -> shape, item type and first values, as C holds them.

numpy is not imported. A class says itself that it is numpy's; one that lies gains nothing, for what
is read afterwards are slots, and what is called are methods of C types.
"""

import types
from functools import partial
from typing import Any

from .layout import MAX_ITEMS, Layout, cut
from .reading import (
    Value,
    bases,
    c_attribute,
    class_attribute,
    is_python_class,
    type_module,
    type_name,
)

# How many are taken of each axis, by the number of axes: at most a few hundred values in all.
_HEADS = (0, MAX_ITEMS, 12, 6)
_HEAD_BEYOND = 3
_MAX_AXES = 6
_KINDS = {
    "b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex",
    "M": "datetime64", "m": "timedelta64", "O": "object", "S": "bytes", "U": "str", "V": "void",
}  # fmt: skip
# Digits that a float of so many bytes has, so that 0.1 does not become 0.10000000149011612.
_DIGITS = {2: 4, 4: 8}
_METHOD_OWNER: Any = types.MethodDescriptorType.__dict__["__objclass__"]


def write_numpy(layout: Layout, value: Value, room: int, depth: int) -> str | None:
    """An array, a scalar or a dtype; None when its attributes say more."""
    kind = type(value)
    if is_array(kind):
        return _array(layout, value, room)
    if any(_is_c_type(base, "generic") for base in bases(kind)):
        return _scalar(layout, value, room, depth)
    if any(_is_c_type(base, "dtype") for base in bases(kind)):
        return f"dtype('{dtype_name(value)}')"
    return None


def is_array(kind: type) -> bool:
    """Whether it is numpy's array, or a class made of it."""
    return any(is_plain_array(base) for base in bases(kind))


def is_plain_array(kind: type) -> bool:
    """Whether it is numpy's array itself: taking a part of any other may call Python."""
    return _is_c_type(kind, "ndarray")


def dtype_name(dtype: Value) -> str | None:
    """`float64`, as numpy calls it, from the letter and the size that it keeps."""
    kind, size, code = (c_attribute(dtype, name) for name in ("kind", "itemsize", "str"))
    if type(kind) is not str or type(size) is not int or type(code) is not str:
        return None
    if kind in "Mm":
        return (_KINDS[kind] + code[code.find("[") :] if "[" in code else _KINDS[kind])[:40]
    if kind in "iufc":
        return f"{_KINDS[kind]}{size * 8}"
    return _KINDS.get(kind, code[:40])


def shape_of(value: Value) -> list[int] | None:
    """The dimensions, where C says them."""
    shape = c_attribute(value, "shape")
    if type(shape) is not tuple or any(type(size) is not int for size in shape):
        return None
    return list(shape[:32])


def array_item(value: Any, index: int) -> object:
    """One part of a plain array along its first axis: a view of it, or a scalar."""
    kind: Any = type(value)
    found: object = kind.__getitem__(value, index)
    return found


def array_head(values: Any, most: int) -> list[object]:
    """The first values of a plain array with one axis."""
    return array_part(type(values).__getitem__(values, slice(0, most)))


def array_part(values: Any) -> list[object]:
    """The values of a plain array, as Python's own."""
    found: list[object] = type(values).tolist(values)
    return found


def call_of_c(value: Value, name: str, *arguments: object) -> Any:
    """A method that a C type defines itself: one that was lent to a class could call the class."""
    method = class_attribute(type(value), name)
    if type(method) is not types.MethodDescriptorType:
        raise TypeError(f"{name} is no method of C")
    owner = _METHOD_OWNER.__get__(method)
    if owner is not type(value) and not _is_c_type(owner, "generic"):
        raise TypeError(f"{name} is another type's method")
    return method(value, *arguments)


def _is_c_type(kind: type, name: str) -> bool:
    """Whether it is this type of numpy's own: a `class` statement makes no such type."""
    return not is_python_class(kind) and type_name(kind) == name and type_module(kind) == "numpy"


def _array(layout: Layout, value: Any, room: int) -> str | None:
    kind = type(value)
    shape, dtype = shape_of(value), dtype_name(c_attribute(value, "dtype"))
    if shape is None:
        return None  # a class that computes it
    sizes = "×".join(str(size) for size in shape)
    if not is_plain_array(kind):
        return f"{cut(type_name(kind), 40)}({sizes} {dtype})"
    said = f"{sizes} {dtype}" if len(shape) > 1 else str(dtype)
    if len(shape) > _MAX_AXES:
        return f"array({said})"
    return f"array({_head(layout, value, shape, room - len(said) - 9)}, {said})"


def _head(layout: Layout, value: Any, shape: list[int], room: int) -> str:
    kind: Any = type(value)
    most = _HEADS[len(shape)] if len(shape) < len(_HEADS) else _HEAD_BEYOND
    part = kind.__getitem__(value, (slice(0, most),) * len(shape)) if shape else value
    dtype = c_attribute(value, "dtype")
    size = c_attribute(dtype, "itemsize") if c_attribute(dtype, "kind") == "f" else None
    digits = _DIGITS.get(size) if type(size) is int else None
    return _nested(layout, shape, digits, room, kind.tolist(part))


def _nested(layout: Layout, shape: list[int], digits: int | None, room: int, held: Any) -> str:
    if not shape:
        if digits is not None and type(held) is float:
            return float.__format__(held, f".{digits}g")
        return layout.of(held, room, 1)
    texts = (partial(_nested, layout, shape[1:], digits, held=item) for item in list.__iter__(held))
    return layout.joined(texts, shape[0], room, ("[", "]"))


def _scalar(layout: Layout, value: Any, room: int, depth: int) -> str:
    name = type_name(type(value)).removesuffix("_")
    item = call_of_c(value, "item")
    if type(item) is type(value):
        return f"np.{name}(…)"  # one that Python has no type for
    return f"np.{name}({layout.of(item, room - len(name) - 5, depth + 1)})"
