"""pandas' and polars' frames and series -> shape, columns and first values, as they are held.

Neither is imported, and none of their own Python code is called: what a frame keeps is read where
it lies. Where a release keeps it elsewhere, the frame shows its attributes, as any object.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from .array_previews import (
    array_head,
    array_item,
    call_of_c,
    dtype_name,
    is_array,
    is_plain_array,
    shape_of,
    write_numpy,
)
from .layout import Layout, cut
from .reading import Value, attributes, c_attribute, type_module, type_name

MAX_COLUMNS = 1000
_SHOWN_COLUMNS = 12
_HEAD_ROWS = 12
_MAX_BLOCKS = 1000
_MAX_CATEGORIES = 1000
_LISTED_ROWS = 1000
_UNREADABLE = (AttributeError, TypeError, ValueError, LookupError, OverflowError)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it is called, of which type it is, and its first values."""

    name: object
    dtype: str | None
    head: Callable[[int], list[object]]


@dataclass(frozen=True, slots=True)
class Frame:
    """What is read of a frame; of a series, which has one column, `width` is None."""

    height: int
    width: int | None
    columns: Callable[[int], Iterator[Column]]


def write_frame(layout: Layout, value: Value, module: str, room: int, depth: int) -> str | None:
    """A value of one of MODULES; None when its attributes say more."""
    if module == "numpy":
        return write_numpy(layout, value, room, depth)
    frame = read_frame(value)
    if frame is None:
        return None
    name = cut(type_name(type(value)), 30)
    if frame.width is None:
        (column,) = frame.columns(1)
        return _series_text(layout, name, frame.height, column, room, depth)
    columns = frame.columns(_SHOWN_COLUMNS)
    return _frame_text(layout, name, frame.height, frame.width, columns, room, depth)


def frame_shape(value: Value) -> tuple[list[int] | None, str | None]:
    """Dimensions and item type, where the value is an array, a frame or a series."""
    kind = type(value)
    module = type_module(kind).partition(".")[0]
    if module not in MODULES:
        return None, None
    if module == "numpy":
        known = shape_of(value) if is_array(kind) else None
        return known, None if known is None else dtype_name(c_attribute(value, "dtype"))
    frame = read_frame(value)
    if frame is None:
        return None, None
    if frame.width is None:
        return [frame.height], next(frame.columns(1)).dtype
    return [frame.height, frame.width], None


def read_frame(value: Value) -> Frame | None:
    """The frame or series that a value is; None when it is neither, or keeps things elsewhere."""
    kind = type(value)
    reader = _READERS.get((type_module(kind).partition(".")[0], type_name(kind)))
    try:
        return reader(value) if reader else None
    except _UNREADABLE:
        return None


def list_head(column: Column) -> list[object]:
    """The values that expanding a column shows."""
    return column.head(_LISTED_ROWS)


# --- pandas


def _pandas_frame(value: Value) -> Frame:
    manager = _held(value, "_mgr")
    labels, rows = _list(_held(manager, "axes"))
    blocks = _tuple(_held(manager, "blocks"))
    width = _index_length(labels) or 0
    height = _index_length(rows)
    if height is None:  # an index of several levels
        height = _last(shape_of(_values_array(c_attribute(blocks[0], "values")))) if blocks else 0

    def columns(most: int) -> Iterator[Column]:
        placed = _placed_blocks(blocks, most)
        for place, name in enumerate(_index_head(labels, most)):
            values, row = placed.get(place, (None, 0))
            yield Column(name, _values_dtype(values), partial(_values_head, values, row))

    return Frame(height, width, columns)


def _pandas_series(value: Value) -> Frame:
    manager = _held(value, "_mgr")
    (rows,) = _list(_held(manager, "axes"))
    (block,) = _tuple(_held(manager, "blocks"))
    values = c_attribute(block, "values")
    length = _index_length(rows)
    if length is None:
        length = _last(shape_of(_values_array(values)))
    return _one_column(length, values, _held(value, "_name"))


def _pandas_index(value: Value) -> Frame:
    length = _index_length(value)
    if length is None:
        raise TypeError("an index of several levels")
    held = _held(value, "_range")
    if type(held) is range:
        column = Column(_held(value, "_name"), "int64", lambda most: list(held[:most]))
        return Frame(length, None, lambda most: iter([column]))
    return _one_column(length, _held(value, "_data"), _held(value, "_name"))


def _one_column(length: int, values: Value, name: Value) -> Frame:
    column = Column(name, _values_dtype(values), partial(_values_head, values, 0))
    return Frame(length, None, lambda most: iter([column]))


def _index_length(index: Value) -> int | None:
    held = _held(index, "_range")
    if type(held) is range:
        return len(held)
    shape = shape_of(_values_array(_held(index, "_data")))
    return shape[-1] if shape else None


def _index_head(index: Value, most: int) -> list[object]:
    held = _held(index, "_range")
    return (
        list(held[:most]) if type(held) is range else _values_head(_held(index, "_data"), 0, most)
    )


def _placed_blocks(blocks: tuple[object, ...], width: int) -> dict[int, tuple[object, int]]:
    """For each of the first columns: the values that it is in, and its row there."""
    placed: dict[int, tuple[object, int]] = {}
    for block in blocks[:_MAX_BLOCKS]:
        places = c_attribute(c_attribute(block, "_mgr_locs"), "indexer")
        for row, place in enumerate(_places(places)):
            if place < width:
                placed[place] = (c_attribute(block, "values"), row)
    return placed


def _places(indexer: object) -> Iterable[int]:
    if type(indexer) is not slice:
        found = array_head(indexer, MAX_COLUMNS) if is_plain_array(type(indexer)) else []
        return [place for place in found if type(place) is int]
    start, stop, step = indexer.start, indexer.stop, indexer.step
    if type(start) is not int or type(stop) is not int:
        return ()
    return islice(range(start, stop, step if type(step) is int else 1), MAX_COLUMNS)


def _values_dtype(values: Value) -> str | None:
    """numpy's name of the type; of pandas' own arrays what a person would call them."""
    named = _EXTENSIONS.get(type_name(type(values)))
    inside = _values_array(values)
    return named or (None if inside is None else dtype_name(c_attribute(inside, "dtype")))


def _values_array(values: Value) -> object:
    """The plain array that values are kept in, or None: pyarrow's are not looked into."""
    if is_plain_array(type(values)):
        return values
    inside = c_attribute(values, "_ndarray")
    if inside is None:  # of those with missing values, beside their mask
        inside = _held(values, "_data")
    return inside if is_plain_array(type(inside)) else None


def _values_head(values: Value, row: int, most: int) -> list[object]:
    inside = _values_array(values)
    if inside is None:
        return []
    if len(shape_of(inside) or ()) == 2:
        inside = array_item(inside, row)
    head = array_head(inside, most)
    if type_name(type(values)) == "Categorical":
        return _categories(values, head)
    mask = _held(values, "_mask") if inside is not values else None
    if is_plain_array(type(mask)):
        missing = array_head(mask, most)
        return [
            None if is_missing else item for item, is_missing in zip(head, missing, strict=True)
        ]
    return head


def _categories(values: Value, codes: list[object]) -> list[object]:
    """What the numbers of a Categorical stand for."""
    known = _index_head(_held(_held(values, "_dtype"), "_categories"), _MAX_CATEGORIES)
    return [
        None if code == -1 else known[code]
        for code in codes
        if type(code) is int and code < len(known)
    ]


# --- polars


def _polars_frame(value: Value) -> Frame:
    inner = _held(value, "_df")
    height, width = call_of_c(inner, "shape")

    def columns(most: int) -> Iterator[Column]:
        names, dtypes = call_of_c(inner, "columns"), call_of_c(inner, "dtype_strings")
        for name, dtype in islice(zip(names, dtypes, strict=True), most):
            yield Column(name, dtype, partial(_polars_head, call_of_c(inner, "get_column", name)))

    return Frame(height, width, columns)


def _polars_series(value: Value) -> Frame:
    inner = _held(value, "_s")
    dtype = type_name(type(call_of_c(inner, "dtype"))).lower()
    column = Column(call_of_c(inner, "name") or None, dtype, partial(_polars_head, inner))
    return Frame(call_of_c(inner, "len"), None, lambda most: iter([column]))


def _polars_head(series: Value, most: int) -> list[object]:
    found: list[object] = call_of_c(call_of_c(series, "head", most), "to_list")
    return found


# --- text


def _frame_text(
    layout: Layout,
    name: str,
    height: int,
    width: int,
    columns: Iterator[Column],
    room: int,
    depth: int,
) -> str:
    """`DataFrame(3×2, name: str ['Ann', … 2 more], score: int64 [1, 2, 3])`."""

    def write(room: int, column: Column) -> str:
        label = column.name if type(column.name) is str else layout.of(column.name, 30, depth + 1)
        title = cut(f"{label}: {column.dtype or '…'} ", room // 2)
        head = column.head(_HEAD_ROWS)
        if not head:
            return title.rstrip()
        return title + layout.items(head, height, room - len(title), depth + 1, ("[", "]"))

    texts = (partial(write, column=column) for column in columns)
    size = f"{name}({height}×{width}"
    return layout.joined(texts, width, room, (f"{size}, " if width else size, ")"))


def _series_text(
    layout: Layout, name: str, height: int, column: Column, room: int, depth: int
) -> str:
    """`Series([1, 2, … 8 more], int64, name='score')`."""
    ending = f", {column.dtype or '…'}"
    if column.name is not None:
        ending += f", name={layout.of(column.name, 40, depth + 1)}"
    space = room - len(name) - len(ending) - 2
    items = layout.items(column.head(_HEAD_ROWS), height, space, depth + 1, ("[", "]"))
    return f"{name}({items}{ending})"


def _held(value: Value, name: str) -> object:
    """What C or the instance itself keeps under a name; None when neither does."""
    found = c_attribute(value, name)
    if found is None:
        found = next((item for key, item in attributes(value) if key == name), None)
    return found


def _list(value: object) -> list[Any]:
    if type(value) is not list:
        raise TypeError("axes are kept elsewhere")
    return value


def _tuple(value: object) -> tuple[Any, ...]:
    if type(value) is not tuple:
        raise TypeError("blocks are kept elsewhere")
    return value


def _last(shape: list[int] | None) -> int:
    if not shape:
        raise TypeError("values are kept elsewhere")
    return shape[-1]


# What people call pandas' own arrays; their classes are named after how they are kept.
_EXTENSIONS = {
    "Categorical": "category",
    "StringArray": "str",
    "StringArrayNumpySemantics": "str",
    "ArrowStringArray": "str",
    "ArrowStringArrayNumpySemantics": "str",
    "IntegerArray": "Int64",
    "FloatingArray": "Float64",
    "BooleanArray": "boolean",
}
_READERS: dict[tuple[str, str], Callable[[Value], Frame]] = {
    ("pandas", "DataFrame"): _pandas_frame,
    ("pandas", "Series"): _pandas_series,
    ("pandas", "Index"): _pandas_index,
    ("pandas", "RangeIndex"): _pandas_index,
    ("pandas", "DatetimeIndex"): _pandas_index,
    ("polars", "DataFrame"): _polars_frame,
    ("polars", "Series"): _polars_series,
}
MODULES = frozenset({"numpy", *(module for module, _ in _READERS)})
