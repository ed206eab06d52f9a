"""The client without asyncio: the same calls, which wait; a loop runs on a thread of its own.

with connect("http://127.0.0.1:3000", "arena") as conn:
    conn.subscribe("SELECT * FROM player")
    conn.reducers.join_game("Ann")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final, Self

from spacetimedb_bsatn import ConnectionId, Identity
from spacetimedb_client.callbacks import Remove
from spacetimedb_client.closing import Closing
from spacetimedb_client.connecting import connect as connect_with_asyncio
from spacetimedb_client.connection import Connection, ConnectionState
from spacetimedb_client.loop_thread import LoopThread
from spacetimedb_client.subscriptions import Subscription
from spacetimedb_client.tables import IndexHandle, TableHandle


class SyncIndex:
    """`conn.db.player.id`: rows of this moment."""

    def __init__(self, thread: LoopThread, index: IndexHandle[Any, Any]) -> None:
        self._thread = thread
        self._index = index

    def find(self, value: Any) -> Any:
        return self._thread.call(lambda: self._index.find(value))

    def filter(self, *bounds: Any) -> list[Any]:
        return self._thread.call(lambda: list(self._index.filter(*bounds)))


class SyncTable:
    """`conn.db.player`: rows of this moment; callbacks run on an executor, one after another."""

    def __init__(self, thread: LoopThread, table: TableHandle[Any], callbacks: Executor) -> None:
        self._thread = thread
        self._table = table
        self._callbacks = callbacks

    def __len__(self) -> int:
        return self._thread.call(lambda: len(self._table))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._thread.call(lambda: list(self._table)))

    def __bool__(self) -> bool:
        return True

    def __getattr__(self, name: str) -> SyncIndex:
        return SyncIndex(self._thread, getattr(self._table, name))

    def on_insert(self, callback: Callable[..., Any]) -> Remove:
        return self._register(self._table.on_insert, callback)

    def on_update(self, callback: Callable[..., Any]) -> Remove:
        return self._register(self._table.on_update, callback)

    def on_delete(self, callback: Callable[..., Any]) -> Remove:
        return self._register(self._table.on_delete, callback)

    def _register(self, register: Callable[[Any], Remove], callback: Callable[..., Any]) -> Remove:
        def hand_over(*args: Any) -> None:
            self._callbacks.submit(callback, *args)

        remove = self._thread.call(lambda: register(hand_over))
        return lambda: self._thread.call(remove)


class SyncTables:
    def __init__(self, thread: LoopThread, conn: Connection, callbacks: Executor) -> None:
        self._parts = thread, conn, callbacks

    def __getattr__(self, name: str) -> SyncTable:
        thread, conn, callbacks = self._parts
        return SyncTable(thread, getattr(conn.db, name), callbacks)

    def __getitem__(self, name: str) -> SyncTable:
        thread, conn, callbacks = self._parts
        return SyncTable(thread, conn.db[name], callbacks)


class SyncCall:
    """Calls and waits until it is committed."""

    def __init__(self, conn: SyncConnection, handle: Any) -> None:
        self._conn = conn
        self._handle = handle

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self._conn.wait(self._handle(*args, **named))

    def nowait(self, *args: Any, **named: Any) -> None:
        self._conn.thread.call(lambda: self._handle.nowait(*args, **named))


class SyncCalls:
    def __init__(self, conn: SyncConnection, calls: Any) -> None:
        self._parts = conn, calls

    def __getattr__(self, name: str) -> SyncCall:
        conn, calls = self._parts
        return SyncCall(conn, getattr(calls, name))

    def __getitem__(self, name: str) -> SyncCall:
        conn, calls = self._parts
        return SyncCall(conn, calls[name])


class SyncSubscription:
    """Ends with `with`, or by `unsubscribe`."""

    def __init__(self, conn: SyncConnection, subscription: Subscription) -> None:
        self._conn = conn
        self._subscription = subscription

    @property
    def is_active(self) -> bool:
        return self._subscription.is_active

    def unsubscribe(self) -> None:
        self._conn.wait(self._subscription.unsubscribe())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.unsubscribe()


class SyncConnection(Closing):
    """Usable from any thread; every call waits at most `timeout` seconds."""

    def __init__(
        self,
        uri: str,
        database: str,
        timeout: float | None,
        callbacks: Executor | None,
        options: Any,
    ) -> None:
        self.thread: Final = LoopThread(f"spacetimedb {database}")
        self._timeout = timeout
        self._own_callbacks = ThreadPoolExecutor(1, "spacetimedb callbacks")
        self._callbacks = callbacks or self._own_callbacks
        self._is_closed = False
        try:
            self._conn: Connection = self.wait(_open(uri, database, options))
        except BaseException:
            self._end()
            raise
        self.db: Final = SyncTables(self.thread, self._conn, self._callbacks)
        self.reducers: Final = SyncCalls(self, self._conn.reducers)
        self.procedures: Final = SyncCalls(self, self._conn.procedures)
        self.queries: Final = self._conn.queries
        self.bindings: Final = self._conn.bindings

    def wait(self, work: Any) -> Any:
        """What a coroutine of the connection returns."""
        return self.thread.run(work, self._timeout)

    @property
    def identity(self) -> Identity:
        return self._conn.identity

    @property
    def connection_id(self) -> ConnectionId:
        return self._conn.connection_id

    @property
    def token(self) -> str:
        return self._conn.token

    @property
    def state(self) -> ConnectionState:
        return self._conn.state

    @property
    def is_stale(self) -> bool:
        return self._conn.is_stale

    def subscribe(self, *queries: object) -> SyncSubscription:
        return SyncSubscription(self, self.wait(self._conn.subscribe(*queries)))

    def sql(self, query: object, *, into: type | None = None) -> list[Any]:
        rows: list[Any] = self.wait(self._conn.sql(query, into=into))
        return rows

    def close(self) -> None:
        """Ends the connection, its thread, and the callbacks that are due."""
        if not self._is_closed:
            self.wait(self._conn.close())
            self._end()

    def _end(self) -> None:
        self._is_closed = True
        self._own_callbacks.shutdown()
        self.thread.close()


async def _open(uri: str, database: str, options: Any) -> Connection:
    conn: Connection = await connect_with_asyncio(uri, database, **options)
    return conn


def connect(
    uri: str,
    database: str,
    *,
    call_timeout: float | None = 30.0,
    callbacks: Executor | None = None,
    **options: Any,
) -> SyncConnection:
    """As `spacetimedb_client.connect`, with how long a call waits, and where callbacks run."""
    return SyncConnection(uri, database, call_timeout, callbacks, options)
