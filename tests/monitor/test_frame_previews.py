"""Tests of array_previews.py, frame_previews.py and frame_parts.py, on the libraries themselves."""

from collections.abc import Callable
from typing import Any

import numpy
import pandas
import polars
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from watchglass_monitor.children import children, count_children
from watchglass_monitor.fingerprint import fingerprint
from watchglass_monitor.paths import parse_path, resolve, write
from watchglass_monitor.previews import MAX_CHARACTERS, preview
from watchglass_monitor.summary import summary

PEOPLE = {"name": ["Ann", "Ben", "Cem"], "score": [3, 1, 2]}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (numpy.array([1, 2, 3]), "array([1, 2, 3], int64)"),
        (numpy.array([[0.5, 1.0], [2.0, 3.0]]), "array([[0.5, 1.0], [2.0, 3.0]], 2×2 float64)"),
        (numpy.array(5), "array(5, int64)"),
        (numpy.zeros((0, 3)), "array([], 0×3 float64)"),
        (numpy.array([0.1, 0.2], dtype="f4"), "array([0.1, 0.2], float32)"),
        (numpy.array(["ab", "c"]), "array(['ab', 'c'], str)"),
        (numpy.array([None, [1]], dtype=object), "array([None, [1]], object)"),
        (numpy.array(["2020-01-02"], dtype="M8[D]"), "array([date(2020-01-02)], datetime64[D])"),
        (numpy.array([True]), "array([True], bool)"),
        (numpy.ma.masked_array([1, 2]).data, "array([1, 2], int64)"),
        (numpy.float64(1.5), "np.float64(1.5)"),
        (numpy.int8(-3), "np.int8(-3)"),
        (numpy.bool_(True), "np.bool(True)"),
        (numpy.longdouble(1), "np.longdouble(…)"),
        (numpy.dtype("u2"), "dtype('uint16')"),
        (pandas.DataFrame(PEOPLE),
         "DataFrame(3×2, name: str ['Ann', 'Ben', 'Cem'], score: int64 [3, 1, 2])"),
        (pandas.DataFrame(PEOPLE)[["score", "name"]],
         "DataFrame(3×2, score: int64 [3, 1, 2], name: str ['Ann', 'Ben', 'Cem'])"),
        (pandas.DataFrame(), "DataFrame(0×0)"),
        (pandas.DataFrame(numpy.eye(2)),
         "DataFrame(2×2, 0: float64 [1.0, 0.0], 1: float64 [0.0, 1.0])"),
        (pandas.DataFrame({"a": [1, 2]}, index=pandas.MultiIndex.from_tuples([(1, 2), (3, 4)])),
         "DataFrame(2×1, a: int64 [1, 2])"),
        (pandas.Series([1.5, 2.5], name="x"), "Series([1.5, 2.5], float64, name='x')"),
        (pandas.Series(["u", "v", None], dtype="category"), "Series(['u', 'v', None], category)"),
        (pandas.Series([1, None], dtype="Int64"), "Series([1, None], Int64)"),
        (pandas.RangeIndex(3), "RangeIndex([0, 1, 2], int64)"),
        (pandas.Index(["a", "b"], name="k"), "Index(['a', 'b'], str, name='k')"),
        (polars.DataFrame(PEOPLE),
         "DataFrame(3×2, name: str ['Ann', 'Ben', 'Cem'], score: i64 [3, 1, 2])"),
        (polars.DataFrame(), "DataFrame(0×0)"),
        (polars.Series("x", [1, None]), "Series([1, None], int64, name='x')"),
        (polars.Series([[1], []]), "Series([[1], []], list)"),
    ],
)  # fmt: skip
def test_what_people_hold_in_their_arrays_and_frames_is_shown(value: Any, shown: str) -> None:
    assert preview(value) == shown


@pytest.mark.parametrize(
    ("value", "shape", "dtype"),
    [
        (numpy.zeros((3, 4)), [3, 4], "float64"),
        (numpy.array(5), [], "int64"),
        (numpy.zeros((2, 1)).view(numpy.matrix), [2, 1], "float64"),
        (numpy.float64(1), None, None),
        (pandas.DataFrame(PEOPLE), [3, 2], None),
        (pandas.Series([True]), [1], "bool"),
        (polars.DataFrame(PEOPLE), [3, 2], None),
        (polars.Series([0.5]), [1], "float64"),
    ],
)
def test_shape_and_dtype_are_told(value: Any, shape: list[int] | None, dtype: str | None) -> None:
    told = summary("x", value, 1)
    assert (told["shape"], told["dtype"]) == (shape, dtype)


@given(
    arrays.arrays(arrays.array_dtypes() | arrays.scalar_dtypes(), arrays.array_shapes(max_dims=8))
)
def test_any_array_is_shown_within_bounds(value: Any) -> None:
    assert len(preview(value)) <= MAX_CHARACTERS
    assert children(value, 0, 5) is not None
    assert fingerprint(value) == fingerprint(value)


def test_a_large_array_and_a_wide_frame_take_their_heads_only() -> None:
    large = numpy.lib.stride_tricks.as_strided(numpy.zeros(1), (10**9, 10**9), (0, 0))
    assert preview(large).endswith("… 999999997 more], 1000000000×1000000000 float64)")
    wide = pandas.DataFrame(numpy.zeros((3, 5000)))
    assert preview(wide).endswith("more)")
    assert count_children(wide) == 1000


def test_an_array_opens_into_its_rows_and_takes_what_is_assigned() -> None:
    grid = numpy.arange(6).reshape(2, 3)
    assert [entry.label for entry in children(grid, 0, 10)] == ["0", "1"]
    path = parse_path(["grid", {"index": 1}, {"index": 2}])
    assert resolve(grid, path).value == 5
    write(path, resolve(grid, path.parent).value, 50)
    assert grid[1, 2] == 50
    assert count_children(numpy.array(5)) == 0


@pytest.mark.parametrize("frame", [pandas.DataFrame(PEOPLE), polars.DataFrame(PEOPLE)])
def test_a_frame_opens_into_its_columns(frame: Any) -> None:
    columns = children(frame, 0, 10)
    assert [(entry.label, entry.value, entry.settable) for entry in columns] == [
        ("name", ["Ann", "Ben", "Cem"], False),
        ("score", [3, 1, 2], False),
    ]
    assert children(frame, 1, 1) == columns[1:]
    series = children(frame["score"], 0, 10)
    assert [entry.value for entry in series] == [3, 1, 2]


def _item(place: Any, value: Any) -> Callable[[Any], None]:
    def assign(held: Any) -> None:
        held[place] = value

    return assign


def _cell(row: int, column: str, value: Any) -> Callable[[Any], None]:
    def assign(held: Any) -> None:
        held.loc[row, column] = value

    return assign


@pytest.mark.parametrize(
    ("value", "change"),
    [
        (numpy.zeros(5), _item(2, 1)),
        (numpy.zeros((5, 5)), _item((2, 3), 1)),
        (numpy.asfortranarray(numpy.zeros((5, 5))), _item((2, 3), 1)),
        (numpy.zeros((50, 50))[::2, ::3], _item((2, 3), 1)),
        (numpy.zeros(10**6), _item(500_001, 1)),
        (numpy.zeros((2000, 2000))[:, ::2], _item((300, 3), 1)),
        (numpy.array([[1], 2], dtype=object), lambda held: held[0].append(3)),
        (numpy.zeros(3, dtype="M8[s]"), _item(1, 5)),
        (numpy.eye(2).view(numpy.matrix), _item((0, 0), 5)),
        ([numpy.zeros(3)], lambda held: held[0].fill(2)),
        (pandas.DataFrame(PEOPLE), _cell(0, "score", 9)),
        (pandas.DataFrame(PEOPLE), _cell(0, "name", "Zoe")),
        (pandas.DataFrame(PEOPLE), _item("new", [1, 2, 3])),
        (pandas.Series([1, 2]), _item(1, 5)),
        (polars.DataFrame(PEOPLE), _item((0, "score"), 7)),
        (polars.DataFrame(PEOPLE), lambda held: held.insert_column(0, polars.Series("z", [1] * 3))),
        (polars.Series([1, 2]), _item(0, 7)),
    ],
)
def test_changes_inside_of_them_are_found_and_reading_is_none(
    value: Any, change: Callable[[Any], object]
) -> None:
    before = fingerprint(value)
    repr(value)
    preview(value)
    assert fingerprint(value) == before
    change(value)
    assert fingerprint(value) != before


RAN: list[str] = []


class Noisy:
    def __getattribute__(self, name: str) -> Any:
        RAN.append(name)
        raise AttributeError(name)

    def __repr__(self) -> str:
        RAN.append("repr")
        return "noisy"

    __str__ = __reduce__ = __repr__


class Lent:
    """Its methods are C's, but another type's, and would call what is beside them."""

    shape = object.__format__
    columns = object.__reduce__
    len = object.__sizeof__
    __repr__ = Noisy.__repr__


class Mine(numpy.ndarray):
    def __array_finalize__(self, other: Any) -> None:
        RAN.append("finalize")


def _posing(module: str, name: str, **held: object) -> object:
    kind = type(name, (), {"__module__": module, "__repr__": Noisy.__repr__})
    poser: object = kind()
    for key, item in held.items():
        object.__setattr__(poser, key, item)
    return poser


@pytest.mark.parametrize(
    "value",
    [
        _posing("pandas", "DataFrame", _mgr=Noisy()),
        _posing("pandas", "DataFrame", _mgr=_posing("x", "Manager", axes=[Noisy(), Noisy()],
                                                    blocks=(Noisy(),))),
        _posing("pandas", "Series", _mgr=None),
        _posing("pandas", "Index", _range=Noisy(), _data=Noisy()),
        _posing("polars.dataframe.frame", "DataFrame", _df=Lent()),
        _posing("polars.series.series", "Series", _s=Lent()),
        _posing("numpy", "ndarray", shape=Noisy(), dtype=Noisy()),
        Mine(3),
        numpy.array([Noisy()], dtype=object),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_only_looks_like_them_runs_no_code(value: Any) -> None:
    RAN.clear()
    assert len(preview(value)) <= MAX_CHARACTERS
    summary("x", value, 1)
    children(value, 0, 10)
    fingerprint(value)
    assert RAN == []
