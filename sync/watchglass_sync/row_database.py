"""Bound rows ⇄ SpacetimeDB: one connection to a database, by which single rows are followed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol

from spacetimedb_client import (
    Admin,
    CallError,
    Connection,
    ConnectionLost,
    ConversionError,
    EventContext,
    Identity,
    MessageTooLarge,
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
from watchglass_sync.row_form import Bytes, Owner, RowAddress, RowForm

_log = logging.getLogger(__name__)

ANSWER_S: Final = 10.0
SHOWN_S: Final = 2.0
# A row that others change faster than this is put right is not chased for ever.
PUT_RIGHT_AT_MOST: Final = 20
UNSUITABLE: Final = (ConversionError, MessageTooLarge, QueryError)
# A row is told of so often at most, and all of them so seldom that no session waits for the server,
# to which each variable that is set costs about this.
TOLD_EVERY_S: Final = 0.01
SETTING_S: Final = 0.003

RowKey = tuple[str, Any]


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


class FollowedRow:
    """One row that is followed on an open connection, by everybody who is bound to it."""

    def __init__(self, form: RowForm) -> None:
        self.form = form
        self.followers: dict[Follower, RowForm] = {}
        self.subscription: Subscription | None = None
        self.is_due = False
        self.told_at = 0.0
        self.news = asyncio.Event()
        # One call at a time: each is made of what the one before has left.
        self.calling = asyncio.Lock()
        # The row of the SDK that our own call has found, and replaced.
        self.found: Any = None
        self._row: Any = None
        self._picture: Bytes | None = None

    def put(self, row: Any) -> None:
        """It is this row of the SDK now."""
        self._row, self._picture = row, None
        self.news.set()

    @property
    def picture(self) -> Bytes | None:
        """All of its columns; made when somebody asks for them."""
        if self._picture is None and self._row is not None:
            self._picture = self.form.row_picture(self._row)
        return self._picture

    def tell(self) -> None:
        """Tell everybody what it is now."""
        self.is_due, self.told_at = False, time.monotonic()
        for follower in list(self.followers):
            follower.row_came(self.picture)

    def undone(self, known: Bytes, written: Picture) -> Picture:
        """What others have put in the place of `known`, and `written` hides since."""
        now = self.picture
        if self.found is None or now is None:
            return {}
        return {
            name: value
            for name, value in self.form.row_picture(self.found).items()
            if value not in (known[name], written[name]) and now[name] == written[name]
        }

    async def shows(self, columns: Picture) -> None:
        """SQL is answered on another way than rows are told: wait until the row shows it."""
        try:
            async with asyncio.timeout(SHOWN_S):
                while (now := self.picture) is not None and not columns.items() <= now.items():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            _log.info("%s: another write was faster", self.form.address)


class RowDatabase:
    """A database of which rows are followed: connected as long as there is a follower."""

    def __init__(
        self, uri: str, database: str, token: Callable[[], str | None], *, is_mirror: bool
    ) -> None:
        self._uri, self._database, self._token = uri, database, token
        self._is_mirror = is_mirror
        self._followers: dict[Follower, None] = {}
        self._rows: dict[RowKey, FollowedRow] = {}
        self._keys: dict[Follower, RowKey] = {}
        self._connection: Connection | None = None
        self._admin: Admin | None = None
        self._owner: Owner = "others"
        self._heard: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._main: asyncio.Task[None] | None = None
        self._problem: str | None = None
        self._hurry = asyncio.Event()

    def follow(self, follower: Follower) -> None:
        """Have it hear of its row, as soon as the database is there."""
        self._followers[follower] = None
        self._hurry.set()
        if self._main is None or self._main.done():
            self._main = asyncio.create_task(self._run(), name=f"rows of {self._database}")
        elif self._connection is not None:
            self._begin(self._connection, follower)

    def unfollow(self, follower: Follower) -> None:
        """Have it hear nothing more."""
        self._followers.pop(follower, None)
        key = self._keys.pop(follower, None)
        if key is not None and (row := self._rows.get(key)) is not None:
            row.followers.pop(follower, None)
            self._end_unused(key, row)
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
            owner = await self._owner_of(admin, identity_of_token(self._token() or ""))
        connection = self._connection
        if connection is not None and connection.bindings.hash != bindings.hash:
            self._drop(connection)  # its module is another one by now
        return RowForm(bindings, address, owner)

    async def _owner_of(self, admin: Admin, us: Identity | None) -> Owner:
        if self._is_mirror:
            return "mirror"
        told = (await admin.describe(self._database))["owner_identity"]
        owner = told["__identity__"] if isinstance(told, dict) else told
        return "us" if Identity.from_hex(owner) == us else "others"

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
                    self._owner = await self._owner_of(admin, connection.identity)
                    waits = delays()
                    await self._serve(connection, admin)
            except (SpacetimeDBError, OSError, TimeoutError) as problem:
                self._lost(problem)
            except Exception:
                _log.exception("bound rows of %s", self._database)
            finally:
                self._forget()
            await self._wait(next(waits))

    async def _wait(self, seconds: float) -> None:
        """Before the next attempt; somebody who binds a row now waits for it."""
        self._hurry.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()

    async def _serve(self, connection: Connection, admin: Admin) -> None:
        self._connection, self._admin, self._problem = connection, admin, None
        self._heard.clear()
        for follower in list(self._followers):
            self._begin(connection, follower)
        await connection.wait_closed()

    def _lost(self, problem: Exception) -> None:
        words = f"{type(problem).__name__}: {problem}"
        if words != self._problem:
            _log.warning("bound rows of %s: %s; it is tried again", self._database, words)
        self._problem = words

    def _forget(self) -> None:
        self._connection = self._admin = None
        rows = list(self._rows.values())
        self._rows.clear()
        self._keys.clear()
        for row in rows:
            followers = list(row.followers) if row.subscription is not None else []
            row.followers.clear()  # what it was is not told any more, late as it may be due
            for follower in followers:
                follower.disconnected()

    # --- following

    def _begin(self, connection: Connection, follower: Follower) -> None:
        """Follow a row on an open connection, or listen with those who do."""
        try:
            form = RowForm(connection.bindings, follower.address, self._owner)
        except BindingRefused as problem:
            follower.refused(f"{problem.message} {problem.hint}")
            return
        key = form.table.name, form.key
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = FollowedRow(form)
            self._own(self._open(connection, key, row))
        row.followers[follower] = form
        self._keys[follower] = key
        if row.subscription is not None:
            follower.connected(form, row.picture)

    async def _open(self, connection: Connection, key: RowKey, row: FollowedRow) -> None:
        form = row.form
        try:
            async with asyncio.timeout(ANSWER_S):
                subscription = await connection.subscribe(form.query)
        except SubscriptionError as problem:
            self._rows.pop(key, None)
            for follower in row.followers:
                follower.refused(f"the database refuses to tell of it: {problem}")
            return
        except (SpacetimeDBError, TimeoutError) as problem:
            _log.warning("%s: %s", form.address, problem)
            self._drop(connection)
            return
        if connection is not self._connection:
            return
        row.subscription = subscription
        self._hear(connection, form.table.name)
        row.put(getattr(connection.db[form.table.name], form.key_index).find(form.key))
        self._end_unused(key, row)
        for follower, own_form in list(row.followers.items()):
            follower.connected(own_form, row.picture)

    def _end_unused(self, key: RowKey, row: FollowedRow) -> None:
        if not row.followers and row.subscription is not None:
            self._rows.pop(key, None)
            self._own(_ended(row.subscription))

    def _hear(self, connection: Connection, table: str) -> None:
        """Be told of the changes of a table, once for all of its rows."""
        if table in self._heard:
            return
        self._heard.add(table)
        handle = connection.db[table]
        handle.on_insert(lambda _, row: self._changed(table, row, row))
        handle.on_update(lambda event, old, row: self._updated(table, event, old, row))
        handle.on_delete(lambda _, row: self._changed(table, row, None))

    def _row(self, table: str, known: Any) -> FollowedRow | None:
        key_of = self._connection.bindings.tables[table].key if self._connection else None
        return self._rows.get((table, key_of(known))) if key_of is not None else None

    def _updated(self, table: str, event: EventContext, old: Any, now: Any) -> None:
        if event.is_own and (row := self._row(table, now)) is not None:
            row.found = old
        self._changed(table, now, now)

    def _changed(self, table: str, known: Any, now: Any) -> None:
        """Keep the newest of a row; who follows it is told at once, and then not too often."""
        row = self._row(table, known)
        if row is None or row.subscription is None:
            return
        row.put(now)
        if not row.is_due:
            row.is_due = True
            pause = max(TOLD_EVERY_S, len(self._followers) * SETTING_S)
            delay = row.told_at + pause - time.monotonic()
            asyncio.get_running_loop().call_later(max(0.0, delay), self._tell, row)

    def _tell(self, row: FollowedRow) -> None:
        # While it is being written it may be what nobody wants: its writer tells of it at the end.
        if row.is_due and not row.calling.locked():
            row.tell()

    def _own(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

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
        row = self._rows.get(self._keys[follower]) if follower in self._keys else None
        if connection is None or admin is None or row is None:
            raise RowWriteLost
        try:
            await self._write(connection, admin, row, columns)
        except (CallError, PermissionDenied, ValueMisfit, *UNSUITABLE) as problem:
            raise RowWriteRefused(str(problem)) from problem
        except (SpacetimeDBError, TimeoutError, OSError) as problem:
            if not isinstance(problem, ConnectionLost):
                _log.warning("%s is not written: %s", follower.address, problem or "no answer")
            self._drop(connection)
            raise RowWriteLost from problem
        finally:
            self._tell(row)

    async def _write(
        self, connection: Connection, admin: Admin, row: FollowedRow, columns: Picture
    ) -> None:
        form = row.form
        if form.why_read_only is not None:
            raise RowWriteRefused(form.why_read_only)
        if form.reducer is not None:
            # Not cut in two when nobody waits any more: what it has undone is put right first.
            calling = self._own(self._call(connection.reducers[form.reducer], row, columns))
            calling.add_done_callback(_heard)
            await asyncio.shield(calling)
            return
        _must_be_there(row)
        async with asyncio.timeout(ANSWER_S):
            await self._update(admin, form, columns)
            await row.shows(columns)

    async def _call(
        self, reducer: Callable[[Any], Awaitable[Any]], row: FollowedRow, columns: Picture
    ) -> None:
        """Have it written whole, and say what it is then, also when nobody waits any more."""
        try:
            async with row.calling:
                await self._call_and_put_right(reducer, row, columns)
        finally:
            self._tell(row)

    async def _call_and_put_right(
        self, reducer: Callable[[Any], Awaitable[Any]], row: FollowedRow, columns: Picture
    ) -> None:
        """What others changed on the way there is written again at once."""
        undone = await self._called(reducer, row, _must_be_there(row), columns)
        undone = {name: undone[name] for name in undone if name not in columns}
        for _ in range(PUT_RIGHT_AT_MOST):
            if not undone or (now := row.picture) is None:
                return
            undone = await self._called(reducer, row, now, undone)
        _log.warning(
            "%s: others change it too often; of theirs this may be lost: %s",
            row.form.address, ", ".join(undone),
        )  # fmt: skip

    async def _called(
        self,
        reducer: Callable[[Any], Awaitable[Any]],
        row: FollowedRow,
        known: Bytes,
        columns: Picture,
    ) -> Picture:
        """Write a row that is `known` but for some columns; returns what that has undone."""
        row.found = None
        async with asyncio.timeout(ANSWER_S):
            await reducer(row.form.changed_row(known, columns))
        return row.undone(known, {**known, **columns})

    async def _update(self, admin: Admin, form: RowForm, columns: Picture) -> None:
        try:
            await admin.sql(self._database, form.update_statement(columns))
        except QueryError as problem:  # servers know no negative numbers here, for one
            raise RowWriteRefused(f"SQL cannot write it ({problem}): {form.wanted}") from problem


def _heard(task: asyncio.Task[None]) -> None:
    """Whoever waited has got the error, and nobody misses it where nobody does."""
    if not task.cancelled():
        task.exception()


def _must_be_there(row: FollowedRow) -> Bytes:
    if row.picture is None:
        raise RowWriteRefused("there is no such row now; it has to be inserted first")
    return row.picture


async def _ended(subscription: Subscription) -> None:
    with contextlib.suppress(SpacetimeDBError, TimeoutError):
        await asyncio.wait_for(subscription.unsubscribe(), ANSWER_S)
