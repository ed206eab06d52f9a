"""What numpy's arrays, pandas' and polars' frames hold, for a walk that looks for changes in it."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from .array_previews import array_part, call_of_c, is_plain_array, shape_of
from .reading import Value, attributes, c_attribute, type_name

MODULES = frozenset({"numpy", "pandas", "polars"})
_PIECE_ROWS = 4096
# Filled when somebody looks, which is no change of the value.
_CACHES = frozenset({"_cache", "_id", "_item_cache", "_references", "_flags"})
_PANDAS_FIELDS = ("axes", "blocks", "values", "_ndarray", "_mgr_locs")
_POLARS_FIELDS = {"DataFrame": "_df", "Series": "_s", "LazyFrame": "_ldf"}


def memory_of(value: Value) -> Any:
    """The array itself; the same memory as numbers, where Python has no letter for its items."""
    kind_letter = c_attribute(c_attribute(value, "dtype"), "kind")
    if not is_plain_array(type(value)) or kind_letter not in ("M", "m"):
        return value
    kind: Any = type(value)
    return kind.view(value, "i8")


def is_walked_by_item(value: Value) -> bool:
    """Whether an array holds references, or numbers that do not lie side by side."""
    if not is_plain_array(type(value)):
        return False
    is_whole = c_attribute(c_attribute(value, "flags"), "c_contiguous") is True
    return not is_whole or c_attribute(c_attribute(value, "dtype"), "kind") == "O"


def items_of(value: Value, position: int) -> Iterator[object]:
    """What such an array holds, in order, from a position on."""
    flat: Any = c_attribute(value, "flat")
    length = count_of(value)
    for start in range(position, length, _PIECE_ROWS):
        yield from array_part(type(flat).__getitem__(flat, slice(start, start + _PIECE_ROWS)))


def count_of(value: Value) -> int:
    """How many items an array has."""
    count = 1
    for size in shape_of(value) or ():
        count *= size
    return count


def pandas_parts(value: Value) -> list[object]:
    """What a thing of pandas is made of, without what it remembers of having been read."""
    fixed = [c_attribute(value, name) for name in _PANDAS_FIELDS]
    return fixed + [
        part for name, item in attributes(value) if name not in _CACHES for part in (name, item)
    ]


def polars_shape(value: Value) -> tuple[Any, ...]:
    """Size, names and types of a thing of polars."""
    inner = _polars_inner(value)
    if type_name(type(inner)) == "PyDataFrame":
        names, dtypes = call_of_c(inner, "columns"), call_of_c(inner, "dtype_strings")
        return (*call_of_c(inner, "shape"), *names, *dtypes)
    return (call_of_c(inner, "len"), call_of_c(inner, "name"))


def polars_values(value: Value, position: int) -> Iterator[object]:
    """The values of a thing of polars, column by column, from a position on."""
    inner = _polars_inner(value)
    if type_name(type(inner)) != "PyDataFrame":
        yield from _series_values(inner, position)
        return
    height, width = call_of_c(inner, "shape")
    for column in range(position // max(height, 1), width if height else 0):
        series = call_of_c(inner, "to_series", column)
        yield from _series_values(series, max(position - column * height, 0))


def _series_values(series: Value, position: int) -> Iterator[object]:
    for start in range(position, call_of_c(series, "len"), _PIECE_ROWS):
        piece = call_of_c(series, "slice", start, _PIECE_ROWS)
        yield from islice(call_of_c(piece, "to_list"), _PIECE_ROWS)


def _polars_inner(value: Value) -> object:
    field = _POLARS_FIELDS.get(type_name(type(value)))
    return next((item for name, item in attributes(value) if name == field), None)
