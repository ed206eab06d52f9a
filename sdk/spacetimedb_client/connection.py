"""A live connection to one database: rows, callbacks, calls; it comes back when it was lost."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import threading
from collections.abc import Sequence
from typing import Any, Final

from spacetimedb_bsatn import ConnectionId, DecodeError, Identity
from spacetimedb_client.backoff import delays
from spacetimedb_client.bindings import Bindings
from spacetimedb_client.cache import ROWS_AT_ONCE, ClientCache, Staged
from spacetimedb_client.callbacks import Callback, CallbackRunner, Callbacks, Remove
from spacetimedb_client.calls import Calls, ProcedureHandle, ReducerHandle
from spacetimedb_client.credentials import another_token
from spacetimedb_client.errors import (
    AuthError,
    ConnectError,
    ConnectionLost,
    DatabaseNotFound,
    IdentityChanged,
    InvalidState,
    ProtocolError,
    ProtocolRejected,
    QueryError,
    SubscriptionError,
)
from spacetimedb_client.link import Link
from spacetimedb_client.options import Options
from spacetimedb_client.protocol.messages import (
    Connected,
    Event,
    ProcedureResult,
    QueryResult,
    SubscribeApplied,
    SubscriptionFailed,
    TransactionUpdate,
    UnsubscribeApplied,
    Updates,
)
from spacetimedb_client.query import Queries
from spacetimedb_client.subscriptions import Subscription
from spacetimedb_client.tables import Cause, EventContext, Tables

LOG: Final = logging.getLogger("spacetimedb_client")
FATAL: Final = (AuthError, DatabaseNotFound, ProtocolRejected, IdentityChanged)
LIFE: Final = "connection"  # the order that callbacks about the connection itself keep


class ConnectionState(enum.Enum):
    LIVE = "live"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"


class Connection:
    """Made by `connect`; all of it belongs to the event loop that made it."""

    def __init__(
        self, options: Options, bindings: Bindings, link: Link, connected: Connected
    ) -> None:
        self.bindings: Final = bindings
        self.identity: Identity = connected.identity
        self.connection_id: ConnectionId = connected.connection_id
        self.token: str = connected.token
        self.state = ConnectionState.LIVE
        self.frames_handled = 0
        self._options = options
        self._link = link
        self._thread = threading.get_ident()
        self._runner = CallbackRunner()
        self._cache = ClientCache(bindings)
        self._shadow: ClientCache | None = None
        self._subscriptions: dict[int, Subscription] = {}
        self._returning: set[int] = set()
        self._ended = asyncio.Event()
        self._problem: Exception | None = None
        self._connects, self._disconnects = Callbacks(), Callbacks()
        self._connect_errors = Callbacks()
        self._db = Tables(bindings, self._cache, self._runner, self.check_thread)
        self._reducers = Calls(
            "reducer",
            bindings.reducer_names,
            {name: ReducerHandle(self, call) for name, call in bindings.reducers.items()},
        )
        self._procedures = Calls(
            "procedure",
            bindings.procedure_names,
            {name: ProcedureHandle(self, call) for name, call in bindings.procedures.items()},
        )
        if options.on_connect_error is not None:
            self._connect_errors.add(options.on_connect_error)
        self._task = asyncio.create_task(self._run())

    def __repr__(self) -> str:
        return f"<connection to {self._options.database}: {self.state.value}>"

    @property
    def db(self) -> Tables:
        """The tables, by name: `conn.db.player`."""
        return self._db

    @property
    def reducers(self) -> Calls:
        """What can be called: `await conn.reducers.join_game("Ann")`."""
        return self._reducers

    @property
    def procedures(self) -> Calls:
        """What can be called, and returns a value; of servers from 2.0 on."""
        return self._procedures

    @property
    def queries(self) -> Queries:
        """Queries in Python: `conn.queries.player.where(lambda p: p.score > 10)`."""
        return Queries(self.bindings)

    @property
    def is_stale(self) -> bool:
        """Whether rows are those of before a loss, until the server has told all again."""
        return self.state is not ConnectionState.LIVE or self._shadow is not None

    def check_thread(self) -> None:
        """Raises in a foreign thread, where a call would damage what the loop works on."""
        if threading.get_ident() != self._thread:
            raise RuntimeError(
                "a connection belongs to the thread of its event loop: use "
                "loop.call_soon_threadsafe, asyncio.run_coroutine_threadsafe, or "
                "spacetimedb_client.sync"
            )

    def live_link(self) -> Link:
        """Raises while there is no connection."""
        if self.state is ConnectionState.CLOSED:
            raise InvalidState("the connection is closed")
        if self.state is ConnectionState.RECONNECTING:
            raise ConnectionLost("the connection was lost, and is not back yet: nothing was sent")
        return self._link

    def on_connect(self, callback: Callback) -> Remove:
        """`callback(conn)`, after each reconnection."""
        return self._connects.add(callback)

    def on_disconnect(self, callback: Callback) -> Remove:
        """`callback(error)`, when the connection is lost or closed; closed by us, with None."""
        return self._disconnects.add(callback)

    def on_connect_error(self, callback: Callback) -> Remove:
        """`callback(error)`, when an attempt to come back failed."""
        return self._connect_errors.add(callback)

    def on_callback_error(self, callback: Callback) -> Remove:
        """`callback(error)`, when one of your callbacks raised."""
        return self._runner.errors.add(callback)

    async def subscribe(self, *queries: object) -> Subscription:
        """SQL, or queries of the query builder; returns when their rows are there."""
        self.check_thread()
        if not queries:
            raise TypeError("subscribe() needs at least one query")
        subscription = Subscription(tuple(map(str, queries)), self.end_subscription)
        link = self.live_link()
        self._ask_for(link, subscription)
        try:
            # Where sending fails, the query is asked again after reconnecting.
            with contextlib.suppress(ConnectionLost):
                await link.flush()
            await asyncio.shield(subscription.applied)
        except asyncio.CancelledError:
            self._abandon(subscription)
            raise
        return subscription

    def _abandon(self, subscription: Subscription) -> None:
        """Ends what nobody waits for any more, and nobody could end."""
        query_id = subscription.query_id
        is_live = self.state is ConnectionState.LIVE
        if is_live and query_id is not None and self._link.talk.unsubscribe(query_id):
            self._link.flush_soon(0)

    def _ask_for(self, link: Link, subscription: Subscription) -> int:
        query_id = link.talk.subscribe(subscription.queries)
        subscription.query_id = query_id
        self._subscriptions[query_id] = subscription
        return query_id

    async def end_subscription(self, subscription: Subscription) -> None:
        """Returns at once where it has ended already, or the connection has."""
        self.check_thread()
        query_id = subscription.query_id
        if query_id is None or subscription.ended.done():
            return
        if self.state is not ConnectionState.LIVE:
            self._subscriptions.pop(query_id, None)
            subscription.ended.set_result(None)
            return
        if self._link.talk.unsubscribe(query_id):
            with contextlib.suppress(ConnectionLost):
                await self._link.flush()
        await asyncio.shield(subscription.ended)

    async def sql(self, query: object, *, into: type | None = None) -> list[Any]:
        """Rows of one query over one table, asked once; `into` says which class is expected."""
        self.check_thread()
        text = str(query)
        result: QueryResult = await self.live_link().ask(lambda talk: talk.one_off_query(text))
        if result.error is not None:
            raise QueryError(result.error)
        rows: list[Any] = []
        for name, found in result.tables:
            table = self._cache.tables.get(name)
            if table is None:
                raise QueryError(f"rows of {name!r}, which the bindings do not know")
            if into is not None and table.binding.row is not into:
                raise QueryError(f"the rows are of {name!r}, and no {into.__name__}")
            rows += [row for _, row in table.decoded(found)]
        return rows

    async def close(self) -> None:
        """Ends the connection; whoever waits for an answer gets `ConnectionLost`."""
        self.check_thread()
        if self.state is not ConnectionState.CLOSED:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._close(None)
        await self._runner.close()

    async def wait_closed(self) -> None:
        """Until the connection has ended for good; raises why, if it was not us."""
        await self._ended.wait()
        if self._problem is not None:
            raise self._problem

    async def _close(self, problem: Exception | None) -> None:
        if self.state is ConnectionState.CLOSED:
            return
        self.state = ConnectionState.CLOSED
        self._problem = problem
        lost = problem or ConnectionLost("the connection was closed")
        await self._link.close(lost)
        for subscription in self._subscriptions.values():
            if not subscription.applied.done():
                subscription.applied.set_exception(ConnectionLost(str(lost)))
            if not subscription.ended.done():
                subscription.ended.set_result(None)
        self._subscriptions.clear()
        self._runner.run(self._disconnects, LIFE, problem)
        self._db.close()
        self._ended.set()

    async def _run(self) -> None:
        """Until closed: applies what comes, and comes back after losses."""
        while True:
            try:
                lost = await self._listen()
            except Exception as problem:
                LOG.exception("the client failed")
                await self._close(problem)
                return
            LOG.info("connection to %s lost: %s", self._options.database, lost)
            if not self._options.reconnect:
                await self._close(lost)
                return
            await self._lose(lost)
            if not await self._come_back():
                return

    async def _listen(self) -> Exception:
        """Applies what comes; returns what ended it."""
        try:
            while True:
                for event in await self._link.next_events():
                    await self._handle(event)
                self.frames_handled += 1
                await self._db.has_room()
        except (ConnectionLost, DecodeError, ProtocolError) as problem:
            return problem

    async def _lose(self, problem: Exception) -> None:
        self.state = ConnectionState.RECONNECTING
        await self._link.close(problem)
        self._runner.run(self._disconnects, LIFE, problem)

    async def _come_back(self) -> bool:
        """Tries until it succeeds; False where that cannot be, and the connection is closed."""
        failure: Exception = ConnectError("the connection was lost")
        for delay in delays(self._options.max_attempts):
            await asyncio.sleep(delay)
            try:
                await self._reconnect()
            except FATAL as problem:
                await self._close(problem)
                return False
            except (ConnectError, ConnectionLost, ProtocolError) as problem:
                failure = problem
                self._runner.run(self._connect_errors, LIFE, problem)
                continue
            return True
        await self._close(failure)
        return False

    async def _reconnect(self) -> None:
        """A new connection as who we were; its rows go into a shadow until all are there."""
        link, connected = await self._open_again()
        if connected.identity != self.identity:
            await link.close()
            raise IdentityChanged(f"we were {self.identity}, and now are {connected.identity}")
        self._shadow = ClientCache(self.bindings)
        before = list(self._subscriptions.values())
        self._subscriptions.clear()
        self._returning = {self._ask_for(link, subscription) for subscription in before}
        try:
            await link.flush()
        except ConnectionLost:
            await link.close()
            raise
        self._link, self.connection_id, self.token = link, connected.connection_id, connected.token
        self.state = ConnectionState.LIVE
        self._settle_return()
        self._runner.run(self._connects, LIFE, self)

    async def _open_again(self) -> tuple[Link, Connected]:
        options = self._options
        try:
            return await Link.open(options, self.token, self.bindings)
        except AuthError:
            again = await another_token(options.token, options.uri, options.database, self.token)
            if again in (None, self.token):
                raise
            return await Link.open(options, again, self.bindings)

    def _settle_return(self) -> None:
        """When all subscriptions are back, what really changed meanwhile is told."""
        if self._shadow is None or self._returning:
            return
        staged = self._cache.difference(self._shadow)
        self._shadow = None
        self._cache.commit(staged)
        self._db.dispatch(EventContext(self, Cause.RECONNECTED), staged)

    async def _handle(self, event: Event) -> None:
        """Rows, then what is applied, then row callbacks, then whoever waits for the answer."""
        match event:
            case SubscribeApplied():
                await self._subscribed(event)
            case UnsubscribeApplied():
                await self._unsubscribed(event)
            case SubscriptionFailed():
                self._failed(event)
            case TransactionUpdate():
                await self._transaction(event)
            case QueryResult() | ProcedureResult():
                self._link.answer(event.request_id, event)

    async def _apply(self, updates: Updates) -> dict[str, Staged]:
        """Read with pauses, so that others have their turn; done in one step."""
        cache = self._shadow or self._cache
        steps = cache.staging(updates)
        is_large = sum(len(each.inserts) + len(each.deletes) for each in updates) > ROWS_AT_ONCE
        while True:
            try:
                next(steps)
            except StopIteration as done:
                staged: dict[str, Staged] = done.value
                break
            if is_large:
                await asyncio.sleep(0)
        cache.commit(staged)
        return {} if self._shadow else staged

    async def _subscribed(self, event: SubscribeApplied) -> None:
        staged = await self._apply(event.updates)
        subscription = self._subscriptions.get(event.query_id)
        if subscription is not None:
            self._runner.run(subscription.on_applied_callbacks, LIFE)
        self._db.dispatch(EventContext(self, Cause.SUBSCRIBED), staged)
        if subscription is not None and not subscription.applied.done():
            subscription.applied.set_result(None)
        self._returned(event.query_id)

    async def _unsubscribed(self, event: UnsubscribeApplied) -> None:
        staged = await self._apply(event.updates)
        self._db.dispatch(EventContext(self, Cause.UNSUBSCRIBED), staged)
        subscription = self._subscriptions.pop(event.query_id, None)
        if subscription is not None and not subscription.ended.done():
            subscription.ended.set_result(None)

    def _failed(self, event: SubscriptionFailed) -> None:
        """Ends one subscription; without a number, all of them."""
        query_id = event.query_id
        ended: Sequence[int] = list(self._subscriptions) if query_id is None else [query_id]
        for each in ended:
            subscription = self._subscriptions.pop(each, None)
            if subscription is None:
                continue
            problem = SubscriptionError(event.message)
            if not subscription.applied.done():
                subscription.applied.set_exception(problem)
            if not subscription.ended.done():
                subscription.ended.set_result(None)
            self._runner.run(subscription.on_error_callbacks, LIFE, problem)
            self._returned(each)

    def _returned(self, query_id: int) -> None:
        self._returning.discard(query_id)
        self._settle_return()

    async def _transaction(self, event: TransactionUpdate) -> None:
        staged = await self._apply(event.updates)
        called = event.reducer
        is_own = event.result is not None or (
            called is not None and called.connection_id == self.connection_id
        )
        self._db.dispatch(EventContext(self, Cause.TRANSACTION, called, is_own), staged)
        if event.result is not None:
            self._link.answer(event.result.request_id, event.result)
