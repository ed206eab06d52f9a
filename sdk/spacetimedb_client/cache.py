"""The rows that our subscriptions hold, as the server counts them. No I/O here.

A row that two queries match comes twice, and goes twice: each has a count. A frame is read to its
last byte and all its tables are worked out before the first one changes, so that nobody ever sees
half of a transaction, and a frame that cannot be read changes nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final

from spacetimedb_bsatn import DecodeError
from spacetimedb_client.bindings import Bindings, TableBinding
from spacetimedb_client.errors import ProtocolError
from spacetimedb_client.indexes import OrderedIndex, TableIndex, UniqueIndex
from spacetimedb_client.protocol.messages import RowList, TableUpdate
from spacetimedb_client.row_changes import Change, Delete, Insert, Update

ROWS_AT_ONCE: Final = 20_000


@dataclass(slots=True)
class Delta:
    """What one transaction does to one key."""

    deletes: int = 0
    inserts: int = 0
    row: Any = None


@dataclass(slots=True)
class Staged:
    """What one frame does to one table, worked out and not yet done."""

    added: dict[Any, Any] = field(default_factory=dict)
    removed: dict[Any, Any] = field(default_factory=dict)
    replaced: dict[Any, tuple[Any, Any]] = field(default_factory=dict)
    counts: dict[Any, int] = field(default_factory=dict)
    order: Sequence[Any] = ()
    events: list[Any] = field(default_factory=list)

    def changes(self) -> Iterator[Change[Any]]:
        """In the order of the server."""
        yield from map(Insert, self.events)
        for key in self.order or (*self.removed, *self.added):
            if key in self.added:
                yield Insert(self.added[key])
            elif key in self.removed:
                yield Delete(self.removed[key])
            elif key in self.replaced:
                yield Update(*self.replaced[key])

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.replaced or self.events)


class TableCache:
    """One table: rows by primary key, or by their bytes where there is none."""

    def __init__(self, binding: TableBinding) -> None:
        self.binding: Final = binding
        self.rows: dict[Any, Any] = {}
        self._counts: dict[Any, int] = {}  # of rows that are there more than once
        self._indexes: dict[str, TableIndex] = {}

    def decoded(self, rows: RowList) -> list[tuple[Any, Any]]:
        """Rows with their keys."""
        codec, key = self.binding.codec, self.binding.key
        if rows.size is not None:
            values = codec.decode_fixed_rows(rows.data, rows.size) if rows.data else []
        else:
            values = codec.decode_rows(rows.data, rows.starts)
        if key is not None:
            return list(zip(map(key, values), values, strict=True))
        return list(zip(row_bytes(rows), values, strict=True))

    def staging(self, updates: Iterable[TableUpdate]) -> Generator[None, None, Staged]:
        """What these updates of one transaction come to, with pauses; changes nothing."""
        deletes: list[tuple[Any, Any]] = []
        inserts: list[tuple[Any, Any]] = []
        staged = Staged()
        for update in updates:
            is_event = update.is_event or self.binding.is_event
            for part in parts_of(update.deletes):
                deletes += self.decoded(part)
                yield
            for part in parts_of(update.inserts):
                if is_event:
                    staged.events += [row for _, row in self.decoded(part)]
                else:
                    inserts += self.decoded(part)
                yield
        if not self._stage_simply(staged, deletes, inserts):
            self._stage_counted(staged, deletes, inserts)
        return staged

    def _stage_simply(
        self,
        staged: Staged,
        deletes: Sequence[tuple[Any, Any]],
        inserts: Sequence[tuple[Any, Any]],
    ) -> bool:
        """The frequent cases of only new rows, or only rows that are there once, in bulk."""
        if not deletes:
            added = dict(inserts)
            if len(added) == len(inserts) and self.rows.keys().isdisjoint(added):
                staged.added = added
                return True
        elif not inserts and not self._counts:
            removed = dict(deletes)
            if len(removed) == len(deletes) and self.rows.keys() >= removed.keys():
                staged.removed = {key: self.rows[key] for key in removed}
                return True
        return False

    def _stage_counted(
        self,
        staged: Staged,
        deletes: Iterable[tuple[Any, Any]],
        inserts: Iterable[tuple[Any, Any]],
    ) -> None:
        """The net of all copies of each key."""
        deltas: dict[Any, Delta] = {}
        for key, _ in deletes:
            deltas.setdefault(key, Delta()).deletes += 1
        for key, row in inserts:
            delta = deltas.setdefault(key, Delta())
            delta.inserts += 1
            delta.row = row
        staged.order = list(deltas)
        for key, delta in deltas.items():
            self._stage_one(staged, key, delta)

    def _stage_one(self, staged: Staged, key: Any, delta: Delta) -> None:
        before = self._counts.get(key, 1) if key in self.rows else 0
        after = before - delta.deletes + delta.inserts
        if after < 0:
            raise ProtocolError(
                f"{self.binding.name}: the server takes a row {delta.deletes} times, "
                f"which was given {before} times: {key!r}"
            )
        staged.counts[key] = after
        if before == 0 and after:
            staged.added[key] = delta.row
        elif before and after == 0:
            staged.removed[key] = self.rows[key]
        elif after and delta.inserts and not same(self.rows[key], delta.row, self.binding):
            staged.replaced[key] = self.rows[key], delta.row

    def commit(self, staged: Staged) -> None:
        """Does what was worked out; cannot fail."""
        rows, counts = self.rows, self._counts
        for key in staged.removed:
            del rows[key]
        for key, (_, new) in staged.replaced.items():
            rows[key] = new
        rows.update(staged.added)
        for key, count in staged.counts.items():
            if count > 1:
                counts[key] = count
            else:
                counts.pop(key, None)
        if self._indexes:
            self._reindex(staged)

    def _reindex(self, staged: Staged) -> None:
        gone = [*staged.removed.values(), *(old for old, _ in staged.replaced.values())]
        come = [*staged.added.values(), *(new for _, new in staged.replaced.values())]
        for index in self._indexes.values():
            index.remove(gone)
            index.add(come)

    def unique_index(self, accessor: str) -> UniqueIndex[Any]:
        found: UniqueIndex[Any] = self._index(accessor, UniqueIndex)
        return found

    def ordered_index(self, accessor: str) -> OrderedIndex[Any]:
        found: OrderedIndex[Any] = self._index(accessor, OrderedIndex)
        return found

    def _index(self, accessor: str, kind: Any) -> Any:
        """A column may have both: values are found by one, and ranges by the other."""
        name = f"{accessor} {kind.__name__}"
        if name not in self._indexes:
            self._indexes[name] = kind(self.binding.indexes[accessor], self.rows.values())
        return self._indexes[name]

    def count_of(self, key: Any) -> int:
        """How many of our queries hold this row."""
        return self._counts.get(key, 1) if key in self.rows else 0

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows.values())


def same(old: Any, new: Any, binding: TableBinding) -> bool:
    """Whether a row is as it was: by value, and where that is unequal to itself (NaN), by bytes."""
    if binding.key is None or old == new:
        return True
    return binding.codec.encode(old) == binding.codec.encode(new)


def parts_of(rows: RowList) -> Iterator[RowList]:
    """A list in parts that take some 20 ms each: others have their turn in between."""
    if len(rows) <= ROWS_AT_ONCE:
        yield rows
        return
    for first in range(0, len(rows), ROWS_AT_ONCE):
        last = min(first + ROWS_AT_ONCE, len(rows))
        if rows.size is not None:
            yield RowList(rows.data[first * rows.size : last * rows.size], rows.size)
            continue
        start = rows.starts[first]
        end = rows.starts[last] if last < len(rows) else len(rows.data)
        if (first == 0 and start != 0) or start > end:
            raise DecodeError("rows do not lie where they are told to")
        yield RowList(rows.data[start:end], None, [at - start for at in rows.starts[first:last]])


def row_bytes(rows: RowList) -> Iterator[bytes]:
    """Each row as it came."""
    data = rows.data
    if rows.size is not None:
        return (data[at : at + rows.size] for at in range(0, len(data), rows.size))
    ends = (*rows.starts[1:], len(data)) if rows.starts else ()
    return (data[start:end] for start, end in zip(rows.starts, ends, strict=True))


class ClientCache:
    """All tables of a connection."""

    def __init__(self, bindings: Bindings) -> None:
        self.bindings: Final = bindings
        self.tables: Final[Mapping[str, TableCache]] = {
            name: TableCache(binding) for name, binding in bindings.tables.items()
        }

    def staging(self, updates: Iterable[TableUpdate]) -> Generator[None, None, dict[str, Staged]]:
        """What a frame comes to, table by table, with pauses; fails for all or none."""
        by_table: dict[str, list[TableUpdate]] = {}
        for update in updates:
            by_table.setdefault(update.table, []).append(update)
        found: dict[str, Staged] = {}
        for name, each in by_table.items():
            found[name] = yield from self._table(name).staging(each)
        return found

    def stage(self, updates: Iterable[TableUpdate]) -> dict[str, Staged]:
        """What a frame comes to, without pauses."""
        steps = self.staging(updates)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                staged: dict[str, Staged] = done.value
                return staged

    def _table(self, name: str) -> TableCache:
        if name not in self.tables:
            raise ProtocolError(
                f"the server sends rows of {name!r}, which the bindings do not know: generate them "
                "anew"
            )
        return self.tables[name]

    def commit(self, staged: Mapping[str, Staged]) -> None:
        """All tables in one step."""
        for name, each in staged.items():
            self.tables[name].commit(each)

    def apply(self, updates: Iterable[TableUpdate]) -> dict[str, Staged]:
        staged = self.stage(updates)
        self.commit(staged)
        return staged

    def difference(self, newer: ClientCache) -> dict[str, Staged]:
        """What makes this cache the same as a newer one: real differences, and all counts."""
        return {name: difference(table, newer.tables[name]) for name, table in self.tables.items()}


def difference(older: TableCache, newer: TableCache) -> Staged:
    staged = Staged()
    for key, row in older.rows.items():
        if key not in newer.rows:
            staged.removed[key] = row
    for key, row in newer.rows.items():
        if key not in older.rows:
            staged.added[key] = row
        elif not same(older.rows[key], row, older.binding):
            staged.replaced[key] = older.rows[key], row
    staged.order = [*staged.removed, *staged.replaced, *staged.added]
    staged.counts = dict(zip(staged.removed, repeat(0)))
    staged.counts |= {key: newer.count_of(key) for key in newer.rows}
    return staged
