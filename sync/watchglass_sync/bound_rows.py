"""Sessions ⇄ SpacetimeDB: variables that are rows. Performs what `bindings.py` decides."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from watchglass_sync.bindings import (
    UNSEEN,
    Action,
    Binding,
    Changed,
    Connected,
    Disconnected,
    Gone,
    Input,
    Loose,
    Reset,
    RowCame,
    SetDone,
    SetLost,
    SetRefused,
    SetVariable,
    Side,
    Slept,
    Tell,
    WriteLost,
    WriteRefused,
    WriteRow,
    Written,
    apply,
)
from watchglass_sync.mirror_address import MirrorAddress
from watchglass_sync.row_database import RowDatabase, RowWriteLost, RowWriteRefused
from watchglass_sync.row_form import Bytes, RowAddress, RowForm

_log = logging.getLogger(__name__)

# The same words are not told again before this: code may break a rule a thousand times a second.
TOLD_AGAIN_S: Final = 10.0
TELLINGS_AT_ONCE: Final = 5


@dataclass(frozen=True, slots=True)
class Holding:
    """What a variable is: its `version`, and its exact value as tagged JSON, if it has one."""

    version: int
    value: Any
    is_exact: bool


class VariableRefused(Exception):
    """The session does not take the value; the message says why."""


class VariableAway(Exception):
    """Whether the variable was set is not known; `is_gone`: its process is gone."""

    def __init__(self, *, is_gone: bool) -> None:
        super().__init__()
        self.is_gone = is_gone


class Variable(Protocol):
    """A variable of a session, as it is set from here."""

    async def set(self, value: Any, columns: Mapping[str, Any] | None) -> Holding:
        """Set it to a value, or of a dict these items. Raises VariableRefused, VariableAway."""
        ...

    def tell(self, words: str) -> None:
        """Say something to the people of the session."""
        ...


class BoundRow:
    """One variable and one row: hears of both, and sets and writes them."""

    def __init__(self, address: RowAddress, database: RowDatabase, variable: Variable) -> None:
        self.address = address
        self._database = database
        self._variable = variable
        self._state = Binding()
        self._form: RowForm | None = None
        self._held: Holding | None = None
        self._is_awake = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: dict[str, float] = {}
        self._changed = asyncio.Event()
        self._is_closed = False

    def open(self) -> None:
        """Begin to follow the row."""
        self._database.follow(self)

    def close(self) -> None:
        """End it; the variable and the row stay as they are."""
        self._is_closed = True
        self._database.unfollow(self)
        for task in self._tasks:
            task.cancel()

    @property
    def is_equal(self) -> bool:
        """Whether the variable is what the row is."""
        return self._state.is_equal

    @property
    def owes(self) -> bool:
        """Whether the row is to be written yet."""
        return self._state.owes

    @property
    def is_settled(self) -> bool:
        """Whether both are equal, or only a process is missing for that."""
        state = self._state
        is_known = not isinstance(state.row, Loose)
        return state.is_equal or (is_known and (state.is_stuck or not state.is_awake))

    async def until_settled(self, timeout: float) -> None:
        """Wait until both are equal, at most so many seconds."""
        await self._until(lambda: self.is_settled, timeout)

    async def until_written(self, timeout: float) -> None:
        """Wait until the row has what the variable was last, while the database is there."""
        await self._until(lambda: not (self.owes and self._state.is_connected), timeout)

    async def _until(self, holds: Callable[[], bool], timeout: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()

    # --- the variable

    def reset(self, held: Holding | None) -> None:
        """A process is there, and the variable is this in it, or is not there."""
        self._held, self._is_awake = held, True
        self._take(Reset(held.version if held else 0, self._side(held)))

    def changed(self, held: Holding) -> None:
        """The variable was changed, or was told of again."""
        if self._form is not None and held.version <= self._state.version:
            return
        self._held = held
        self._take(Changed(held.version, self._side(held)))

    def gone(self) -> None:
        """The variable was deleted."""
        self._held = None
        self._take(Gone("it follows a row and is there again; session.unbind ends that"))

    def slept(self) -> None:
        """There is no process."""
        self._is_awake = False
        self._take(Slept())

    def _side(self, held: Holding | None) -> Side:
        if held is None or self._form is None:
            return UNSEEN
        if not held.is_exact:
            return Loose("its value has no exact form of at most 8 KiB that a row could hold")
        if held.value is not None:
            return self._form.variable_picture(held.value)
        if self._state.row is None:
            return None
        if self.address.column is None:
            return Loose("None deletes no row: that is for a reducer")
        return self._form.variable_picture(None)

    # --- the row

    def connected(self, form: RowForm, row: Bytes | None) -> None:
        """It is followed from here on."""
        is_other = self._form is None or self._form.signature != form.signature
        self._form = form
        if is_other:
            self._state = Binding()
            if self._is_awake:
                self._take(Reset(self._held.version if self._held else 0, self._side(self._held)))
        self._take(Connected(form.followed(row)))

    def row_came(self, row: Bytes | None) -> None:
        """It became this."""
        if self._form is not None:
            self._take(RowCame(self._form.followed(row)))

    def disconnected(self) -> None:
        """It is not followed any more."""
        self._take(Disconnected())

    def refused(self, words: str) -> None:
        """It cannot be followed."""
        self._tell(words)

    # --- what follows

    def _take(self, happened: Input) -> None:
        if self._is_closed or (self._form is None and not isinstance(happened, Disconnected)):
            return
        self._state, actions = apply(self._state, happened)
        for action in actions:
            self._perform(action)
        self._changed.set()

    def _perform(self, action: Action) -> None:
        match action:
            case SetVariable():
                self._own(self._set(action))
            case WriteRow():
                self._own(self._write(action))
            case Tell(words):
                self._tell(words)

    async def _set(self, wanted: SetVariable) -> None:
        form = self._form
        assert form is not None
        columns = None
        if wanted.only is not None and wanted.picture is not None and self.address.column is None:
            picture = wanted.picture
            columns = form.columns_json({name: picture[name] for name in sorted(wanted.only)})
        try:
            held = await self._variable.set(form.variable_json(wanted.picture), columns)
        except VariableRefused as problem:
            self._take(SetRefused(wanted.number, str(problem)))
        except VariableAway as problem:
            self._take(SetLost(wanted.number, problem.is_gone))
        else:
            self._held = held
            side = self._side(held)
            # What is too large to be told back is what it was set to.
            known = wanted.picture if isinstance(side, Loose) and columns is None else side
            self._take(SetDone(wanted.number, held.version, known))

    async def _write(self, wanted: WriteRow) -> None:
        try:
            await self._database.write(self, wanted.columns)
        except RowWriteRefused as problem:
            self._take(WriteRefused(wanted.number, str(problem)))
        except RowWriteLost:
            self._take(WriteLost(wanted.number))
        else:
            self._take(Written(wanted.number))

    def _tell(self, words: str) -> None:
        now = time.monotonic()
        self._told = {each: at for each, at in self._told.items() if now - at < TOLD_AGAIN_S}
        if words in self._told or len(self._told) >= TELLINGS_AT_ONCE:
            return
        self._told[words] = now
        _log.info("%s: %s", self.address, words)
        self._variable.tell(words)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s failed", self.address, exc_info=error)


class BoundRows:
    """All bound rows of a server, over one connection to each database."""

    def __init__(self, address: MirrorAddress, token: Callable[[], str | None]) -> None:
        """`token`: of the mirror's identity, as soon as there is one."""
        self.address = address
        self._token = token
        self._databases: dict[str, RowDatabase] = {}

    @property
    def has_identity(self) -> bool:
        """Whether the mirror has been at its database, ever."""
        return self._token() is not None

    async def form(self, address: RowAddress) -> RowForm:
        """What there is at an address. Raises BindingRefused, SpacetimeDBError."""
        return await self._database(address.database).form(address)

    def bind(self, address: RowAddress, variable: Variable) -> BoundRow:
        """Begin to hold both equal."""
        bound = BoundRow(address, self._database(address.database), variable)
        bound.open()
        return bound

    async def close(self) -> None:
        """End all connections."""
        databases = list(self._databases.values())
        await asyncio.gather(*(each.close() for each in databases), return_exceptions=True)

    def _database(self, name: str) -> RowDatabase:
        if name not in self._databases:
            is_mirror = name == self.address.database
            self._databases[name] = RowDatabase(
                self.address.uri, name, self._token, is_mirror=is_mirror
            )
        return self._databases[name]
