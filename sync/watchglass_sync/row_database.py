"""Bound rows ⇄ SpacetimeDB: one connection to a database, by which single rows are followed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from spacetimedb_client import (
    Admin,
    CallError,
    Connection,
    ConnectionLost,
    ConversionError,
    Identity,
    PermissionDenied,
    QueryError,
    SpacetimeDBError,
    Subscription,
    SubscriptionError,
    connect,
)
from spacetimedb_client.backoff import delays
from spacetimedb_client.http_answers import identity_of_token
from watchglass_sync.bindings import Picture
from watchglass_sync.errors import BindingRefused, ValueMisfit
from watchglass_sync.row_form import Bytes, RowAddress, RowForm

_log = logging.getLogger(__name__)

ANSWER_S: Final = 10.0
SHOWN_S: Final = 2.0


class RowWriteRefused(Exception):
    """The database does not take it; the message says why."""


class RowWriteLost(Exception):
    """Whether the database took it is not known."""


class Follower(Protocol):
    """Who hears of one row."""

    @property
    def address(self) -> RowAddress: ...

    def connected(self, form: RowForm, row: Bytes | None) -> None:
        """It is followed from here on, and is this now."""
        ...

    def row_came(self, row: Bytes | None) -> None:
        """It became this."""
        ...

    def disconnected(self) -> None:
        """It is not followed any more."""
        ...

    def refused(self, words: str) -> None:
        """It cannot be followed as the database is now."""
        ...


class _Route:
    """One row that is followed on an open connection."""

    def __init__(self, form: RowForm, subscription: Subscription, row: Bytes | None) -> None:
        self.form = form
        self.subscription = subscription
        self.row = row
        self.news = asyncio.Event()


class RowDatabase:
    """A database of which rows are followed: connected as long as there is a follower."""

    def __init__(self, uri: str, database: str, token: Callable[[], str | None]) -> None:
        self._uri, self._database, self._token = uri, database, token
        self._followers: dict[Follower, None] = {}
        self._routes: dict[Follower, _Route] = {}
        self._connection: Connection | None = None
        self._admin: Admin | None = None
        self._is_owner = False
        self._heard: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._main: asyncio.Task[None] | None = None
        self._problem: str | None = None

    def follow(self, follower: Follower) -> None:
        """Have it hear of its row, as soon as the database is there."""
        self._followers[follower] = None
        if self._main is None or self._main.done():
            self._main = asyncio.create_task(self._run(), name=f"rows of {self._database}")
        elif self._connection is not None:
            self._own(self._begin(self._connection, follower))

    def unfollow(self, follower: Follower) -> None:
        """Have it hear nothing more."""
        self._followers.pop(follower, None)
        route = self._routes.pop(follower, None)
        if route is not None:
            self._own(_ended(route.subscription))
        if not self._followers and self._connection is not None:
            self._drop(self._connection)

    async def close(self) -> None:
        """End it."""
        self._followers.clear()
        tasks = [*self._tasks, *([self._main] if self._main is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def form(self, address: RowAddress) -> RowForm:
        """What the database says of a row now. Raises BindingRefused, SpacetimeDBError."""
        async with Admin(self._uri, token=self._token(), timeout=ANSWER_S) as admin:
            bindings = await admin.bindings(self._database)
            owner = await _owner(admin, self._database)
        connection = self._connection
        if connection is not None and connection.bindings.hash != bindings.hash:
            self._drop(connection)  # its module is another one by now
        return RowForm(bindings, address, is_ours=owner == identity_of_token(self._token() or ""))

    # --- its task

    async def _run(self) -> None:
        waits = delays()
        while self._followers:
            try:
                token = self._token()
                opening = connect(
                    self._uri, self._database, token=token, reconnect=False, light=True
                )
                async with (
                    Admin(self._uri, token=token, timeout=ANSWER_S) as admin,
                    opening as connection,
                ):
                    self._is_owner = await _owner(admin, self._database) == connection.identity
                    waits = delays()
                    await self._serve(connection, admin)
            except (SpacetimeDBError, OSError) as problem:
                self._lost(problem)
            finally:
                self._forget()
            await asyncio.sleep(next(waits))

    async def _serve(self, connection: Connection, admin: Admin) -> None:
        self._connection, self._admin, self._problem = connection, admin, None
        self._heard.clear()
        for follower in self._followers:
            self._own(self._begin(connection, follower))
        await connection.wait_closed()

    def _lost(self, problem: Exception) -> None:
        words = f"{type(problem).__name__}: {problem}"
        if words != self._problem:
            _log.warning("bound rows of %s: %s; it is tried again", self._database, words)
        self._problem = words

    def _forget(self) -> None:
        self._connection = self._admin = None
        followers = list(self._routes)
        self._routes.clear()
        for follower in followers:
            follower.disconnected()

    async def _begin(self, connection: Connection, follower: Follower) -> None:
        """Follow one row on an open connection."""
        try:
            form = RowForm(connection.bindings, follower.address, is_ours=self._is_owner)
            async with asyncio.timeout(ANSWER_S):
                subscription = await connection.subscribe(form.query)
        except BindingRefused as problem:
            follower.refused(f"{problem.message} {problem.hint}")
            return
        except SubscriptionError as problem:
            follower.refused(f"the database refuses to tell of it: {problem}")
            return
        except (SpacetimeDBError, TimeoutError) as problem:
            _log.warning("%s: %s", follower.address, problem)
            self._drop(connection)
            return
        if follower not in self._followers or connection is not self._connection:
            await _ended(subscription)
            return
        self._hear(connection, form.table.name)
        row = _now(connection, form)
        self._routes[follower] = _Route(form, subscription, row)
        follower.connected(form, row)

    def _hear(self, connection: Connection, table: str) -> None:
        """Be told of the changes of a table, once for all of its followers."""
        if table in self._heard:
            return
        self._heard.add(table)
        handle = connection.db[table]
        handle.on_insert(lambda _, row: self._changed(table, row, row))
        handle.on_update(lambda _, __, row: self._changed(table, row, row))
        handle.on_delete(lambda _, row: self._changed(table, row, None))

    def _changed(self, table: str, known: Any, row: Any) -> None:
        for follower, route in list(self._routes.items()):
            form = route.form
            if form.table.name == table and getattr(known, form.key_field) == form.key:
                route.row = None if row is None else form.row_picture(row)
                route.news.set()
                follower.row_came(route.row)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _drop(self, connection: Connection) -> None:
        """Come back by another connection: this one owes an answer."""
        if connection is self._connection:
            self._own(connection.close())

    # --- writing

    async def write(self, follower: Follower, columns: Picture) -> None:
        """Write some columns of a row; when it returns, the follower was told what it is now.

        Raises RowWriteRefused, RowWriteLost.
        """
        connection, admin = self._connection, self._admin
        route = self._routes.get(follower)
        if connection is None or admin is None or route is None:
            raise RowWriteLost
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._write(connection, admin, route, columns)
        except (CallError, QueryError, PermissionDenied, ValueMisfit, ConversionError) as problem:
            raise RowWriteRefused(str(problem)) from problem
        except (SpacetimeDBError, TimeoutError, OSError) as problem:
            if not isinstance(problem, ConnectionLost):
                _log.warning("%s is not written: %s", follower.address, problem or "no answer")
            self._drop(connection)
            raise RowWriteLost from problem

    async def _write(
        self, connection: Connection, admin: Admin, route: _Route, columns: Picture
    ) -> None:
        form = route.form
        if route.row is None:
            raise RowWriteRefused("there is no such row now; it has to be inserted first")
        if form.why_read_only is not None:
            raise RowWriteRefused(form.why_read_only)
        if form.reducer is not None:
            await connection.reducers[form.reducer](form.changed_row(route.row, columns))
        else:
            await admin.sql(self._database, form.update_statement(columns))
            await _shown(route, columns)


async def _shown(route: _Route, columns: Picture) -> None:
    """SQL is answered on another way than rows are told: wait until the row shows it."""
    try:
        async with asyncio.timeout(SHOWN_S):
            while route.row is not None and not columns.items() <= route.row.items():
                route.news.clear()
                await route.news.wait()
    except TimeoutError:
        _log.info("%s: another write was faster", route.form.address)


def _now(connection: Connection, form: RowForm) -> Bytes | None:
    found = getattr(connection.db[form.table.name], form.key_index).find(form.key)
    return None if found is None else form.row_picture(found)


async def _owner(admin: Admin, database: str) -> Identity:
    owner = (await admin.describe(database))["owner_identity"]
    return Identity.from_hex(owner["__identity__"] if isinstance(owner, dict) else owner)


async def _ended(subscription: Subscription) -> None:
    await asyncio.wait_for(subscription.unsubscribe(), ANSWER_S)
