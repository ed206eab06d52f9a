"""Rows by other columns than their primary key. An index is built on first use, then kept."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Any, Final, Generic, Protocol, TypeVar

from spacetimedb_client.bindings import IndexBinding

R = TypeVar("R")


class TableIndex(Protocol):
    """What the cache tells an index of."""

    def add(self, rows: Iterable[Any]) -> None: ...

    def remove(self, rows: Iterable[Any]) -> None: ...


class UniqueIndex(Generic[R]):
    """At most one row for each value."""

    def __init__(self, binding: IndexBinding, rows: Iterable[R]) -> None:
        self._key: Final = binding.key
        self._rows = {binding.key(row): row for row in rows}

    def add(self, rows: Iterable[R]) -> None:
        self._rows.update((self._key(row), row) for row in rows)

    def remove(self, rows: Iterable[R]) -> None:
        for row in rows:
            key = self._key(row)
            # Another row may have taken the value over in the same transaction.
            if self._rows.get(key) is row:
                del self._rows[key]

    def find(self, value: Any) -> R | None:
        return self._rows.get(value)


class OrderedIndex(Generic[R]):
    """Any number of rows for each value, and the values in order."""

    def __init__(self, binding: IndexBinding, rows: Iterable[R]) -> None:
        self._key: Final = binding.key
        self._width: Final = len(binding.columns)
        self._buckets: dict[Any, list[R]] = {}
        self._order: list[Any] | None = None
        self.add(rows)

    def add(self, rows: Iterable[R]) -> None:
        for row in rows:
            key = self._key(row)
            bucket = self._buckets.get(key)
            if bucket is None:
                self._buckets[key] = [row]
                self._order = None
            else:
                bucket.append(row)

    def remove(self, rows: Iterable[R]) -> None:
        for row in rows:
            key = self._key(row)
            bucket = self._buckets.get(key, [])
            for at, each in enumerate(bucket):
                if each is row:
                    del bucket[at]
                    break
            if not bucket and self._buckets.pop(key, None) is not None:
                self._order = None

    def filter(self, *bounds: Any) -> Iterator[R]:
        """Rows in the order of their values.

        `filter(5)` those with this value; `filter(5, 9)`, `filter((5, 9))` from 5 to 9, both
        included; `filter(5, ...)` from 5 on; `filter(slice(5, 9))` from 5 to below 9. Of an index
        over several columns, a value is a tuple, which may leave the last columns out.
        """
        if self._width == 1:
            return self._of_one_column(bounds)
        if len(bounds) == 1 and not isinstance(bounds[0], slice):
            return self._between(_prefix(bounds[0]), _prefix(bounds[0]))
        low, high, is_open = _range(bounds)
        return self._between(_prefix(low), _prefix(high), is_open)

    def _of_one_column(self, bounds: tuple[Any, ...]) -> Iterator[R]:
        match bounds:
            case (slice(),) | (_, _):
                low, high, is_open = _range(bounds)
            case (tuple((low, high)),):
                is_open = False
            case (value,):
                return iter(tuple(self._buckets.get(value, ())))
            case _:
                raise TypeError("filter() takes a value, two bounds, or a slice")
        return self._between(low, high, is_open)

    def _between(self, low: Any, high: Any, is_open: bool = False) -> Iterator[R]:
        order = self._sorted()
        start = 0 if low is ... or low == () else bisect_left(order, low)
        if high is ... or high == ():
            end = len(order)
        elif self._width == 1:
            end = (bisect_left if is_open else bisect_right)(order, high)
        else:
            width = len(high)
            cut = bisect_left if is_open else bisect_right
            end = cut(order, high, key=lambda key: key[:width])
        return iter([row for key in order[start:end] for row in self._buckets[key]])

    def _sorted(self) -> list[Any]:
        if self._order is None:
            self._order = sorted(self._buckets)
        return self._order


def _range(bounds: tuple[Any, ...]) -> tuple[Any, Any, bool]:
    """Low, high, and whether high is left out."""
    match bounds:
        case (slice(start=low, stop=high, step=None),):
            return (... if low is None else low), (... if high is None else high), True
        case (low, high):
            return low, high, False
    raise TypeError("filter() takes a value, two bounds, or a slice without a step")


def _prefix(bound: Any) -> Any:
    if bound is ... or isinstance(bound, tuple):
        return bound
    return (bound,)
