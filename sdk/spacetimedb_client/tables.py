"""`conn.db.player`: the rows of a table, its indexes, and who hears of its changes."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from spacetimedb_client.bindings import Bindings, CallBinding, IndexBinding, Key
from spacetimedb_client.cache import ClientCache, Staged, TableCache
from spacetimedb_client.callbacks import CallbackRunner, Callbacks, Remove
from spacetimedb_client.changes import Changes, Overflow
from spacetimedb_client.protocol.messages import ReducerEvent
from spacetimedb_client.row_changes import Delete, Insert, Update

R = TypeVar("R")
K = TypeVar("K")


class Cause(enum.Enum):
    """Why rows changed."""

    TRANSACTION = "transaction"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    RECONNECTED = "reconnected"


@dataclass(frozen=True, slots=True)
class EventContext:
    """The first argument of row callbacks; only v1 servers tell the reducer of others' calls.

    `is_own`: a call of this connection did it, whose answer follows.
    """

    connection: Any
    cause: Cause
    reducer: ReducerEvent | None = None
    is_own: bool = False

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What the reducer was called with, by name."""
        if self.reducer is None:
            return {}
        call: CallBinding | None = self.connection.bindings.reducers.get(self.reducer.reducer)
        if call is None:
            return {}
        return dict(zip(call.params, call.codec.decode(self.reducer.args), strict=True))


class IndexHandle(Generic[R, K]):
    """`conn.db.player.id`, `conn.db.player.by_score`."""

    def __init__(self, cache: TableCache, binding: IndexBinding) -> None:
        self._cache = cache
        self._binding = binding

    def find(self, value: K) -> R | None:
        """The row with this value, or None; for unique columns."""
        if not self._binding.is_unique:
            columns = ", ".join(self._binding.columns)
            raise TypeError(f"{columns}: not unique, so there may be many; use filter()")
        # A primary key is what the cache has its rows by.
        if self._binding.columns == self._key_columns():
            return cast("R | None", self._cache.rows.get(value))
        return self._cache.unique_index(self._binding.accessor).find(value)

    def _key_columns(self) -> tuple[str, ...] | None:
        binding = self._cache.binding
        place = binding.table.primary_key
        return None if place is None or binding.key is None else (binding.fields[place],)

    def filter(self, *bounds: Any) -> Iterator[R]:
        """Rows with a value, or between two: see `OrderedIndex.filter`."""
        if not self._binding.has_order:
            raise TypeError(f"{self._binding.accessor}: a hash index finds single values only")
        return self._cache.ordered_index(self._binding.accessor).filter(*bounds)


class TableHandle(Generic[R]):
    """A table: iterate over it, count it, find rows by its indexes, hear of its changes."""

    def __init__(
        self, cache: TableCache, runner: CallbackRunner, check: Callable[[], None]
    ) -> None:
        self._cache = cache
        self._runner = runner
        self._check = check
        self._inserts, self._updates, self._deletes = Callbacks(), Callbacks(), Callbacks()
        self._streams: tuple[Changes[R], ...] = ()
        for name, binding in cache.binding.indexes.items():
            handle: IndexHandle[R, Any] = IndexHandle(cache, binding)
            setattr(self, name, handle)

    def __len__(self) -> int:
        return len(self._cache)

    def __iter__(self) -> Iterator[R]:
        """A picture of this moment: rows that change meanwhile disturb nobody."""
        return iter(tuple(self._cache.rows.values()))

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<table {self._cache.binding.name}: {len(self)} rows>"

    def __getattr__(self, name: str) -> Any:
        known = ", ".join(self._cache.binding.indexes) or "none"
        raise AttributeError(
            f"table {self._cache.binding.name!r} has no index {name!r}; there is {known}"
        )

    def on_insert(self, callback: Callable[[EventContext, R], Any]) -> Remove:
        """`callback(event, row)`; returns what removes it again."""
        self._check()
        return self._inserts.add(callback)

    def on_update(self, callback: Callable[[EventContext, R, R], Any]) -> Remove:
        """`callback(event, old, new)`; only tables with a primary key have updates."""
        self._check()
        return self._updates.add(callback)

    def on_delete(self, callback: Callable[[EventContext, R], Any]) -> Remove:
        """`callback(event, row)`; returns what removes it again."""
        self._check()
        return self._deletes.add(callback)

    def changes(self, maxsize: int = 1000, overflow: Overflow = "block") -> Changes[R]:
        """From now on, one after another."""
        self._check()
        key: Key | None = self._cache.binding.key
        stream: Changes[R] = Changes(key, maxsize, overflow, self._forget)
        self._streams = (*self._streams, stream)
        return stream

    def _forget(self, stream: Any) -> None:
        self._streams = tuple(each for each in self._streams if each is not stream)

    def dispatch(self, context: EventContext, staged: Staged) -> None:
        """Tells everyone of what has happened."""
        streams = self._streams
        if not (streams or self._inserts or self._updates or self._deletes):
            return
        run, name = self._runner.run, self._cache.binding.name
        for change in staged.changes():
            match change:
                case Insert(row):
                    run(self._inserts, name, context, row)
                case Update(old, new):
                    run(self._updates, name, context, old, new)
                case Delete(row):
                    run(self._deletes, name, context, row)
            for stream in streams:
                stream.put(change)

    @property
    def has_streams(self) -> bool:
        return bool(self._streams)

    async def has_room(self) -> None:
        for stream in self._streams:
            await stream.has_room()

    def close(self) -> None:
        for stream in self._streams:
            stream.close()


class Tables:
    """`conn.db`: each table by its name."""

    def __init__(
        self,
        bindings: Bindings,
        cache: ClientCache,
        runner: CallbackRunner,
        check: Callable[[], None],
    ) -> None:
        self._by_name: Final[dict[str, TableHandle[Any]]] = {
            name: TableHandle(table, runner, check) for name, table in cache.tables.items()
        }
        for safe, name in bindings.table_names.items():
            setattr(self, safe, self._by_name[name])

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"no table {name!r}; there is {', '.join(self._by_name)}")

    def __getitem__(self, name: str) -> TableHandle[Any]:
        """By the server's name."""
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def dispatch(self, context: EventContext, staged: Mapping[str, Staged]) -> None:
        for name, each in staged.items():
            if each:
                self._by_name[name].dispatch(context, each)

    async def has_room(self) -> None:
        """Until every iterator that may stop the connection has caught up."""
        for table in self._by_name.values():
            if table.has_streams:
                await table.has_room()

    def close(self) -> None:
        for table in self._by_name.values():
            table.close()
