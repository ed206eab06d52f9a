"""Changes of a table as an iterator, with a bounded buffer and a rule for when it is full."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, Literal, TypeVar

from spacetimedb_client.bindings import Key
from spacetimedb_client.errors import ChangesOverflow
from spacetimedb_client.row_changes import Change, Delete, Insert, Update

R = TypeVar("R")
Overflow = Literal["block", "coalesce", "drop_oldest", "raise"]
POLICIES: Final = ("block", "coalesce", "drop_oldest", "raise")


class Changes(Generic[R]):
    """`async for change in conn.db.player.changes()`; ends with the connection.

    When more than `maxsize` changes wait: `block` stops reading for the whole connection,
    `coalesce` merges those of one row, `drop_oldest` forgets, `raise` ends with `ChangesOverflow`.
    """

    def __init__(
        self, key: Key | None, maxsize: int, overflow: Overflow, forget: Callable[[Any], None]
    ) -> None:
        if overflow not in POLICIES:
            raise ValueError(f"overflow={overflow!r}: take one of {', '.join(POLICIES)}")
        if maxsize < 1:
            raise ValueError(f"maxsize={maxsize}: at least 1 change has to fit")
        if overflow == "coalesce" and key is None:
            raise ValueError("overflow='coalesce' needs a primary key to know which row changed")
        self._key = key
        self._maxsize = maxsize
        self._overflow: Overflow = overflow
        self._forget = forget
        self._waiting: deque[Change[R]] = deque()
        self._merged: dict[Any, Change[R]] = {}
        self._woken = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._problem: Exception | None = None
        self._is_closed = False
        self.dropped = 0  # changes that `drop_oldest` has forgotten

    def __aiter__(self) -> Changes[R]:
        return self

    async def __anext__(self) -> Change[R]:
        while not self._waiting and not self._merged:
            if self._problem is not None:
                raise self._problem
            if self._is_closed:
                raise StopAsyncIteration
            self._woken.clear()
            await self._woken.wait()
        return self._next()

    def _next(self) -> Change[R]:
        if self._merged:
            key = next(iter(self._merged))
            return self._merged.pop(key)
        change = self._waiting.popleft()
        if len(self._waiting) < self._maxsize:
            self._room.set()
        return change

    async def aclose(self) -> None:
        """Nothing more is kept for this iterator."""
        self.close()

    def close(self, problem: Exception | None = None) -> None:
        self._problem = self._problem or problem
        self._is_closed = True
        self._forget(self)
        self._room.set()
        self._woken.set()

    def put(self, change: Change[R]) -> None:
        """A change that has happened."""
        if self._is_closed:
            return
        if self._overflow == "coalesce":
            self._merge(change)
        else:
            self._waiting.append(change)
            if len(self._waiting) > self._maxsize:
                self._too_many()
        self._woken.set()

    def _too_many(self) -> None:
        match self._overflow:
            case "block":
                self._room.clear()
            case "drop_oldest":
                self._waiting.popleft()
                self.dropped += 1
            case _:
                self._waiting.clear()
                words = f"more than {self._maxsize} changes wait: be faster, or raise maxsize"
                self.close(ChangesOverflow(words))

    def _merge(self, change: Change[R]) -> None:
        """At most one change for each row waits: what it comes to since the last one taken."""
        assert self._key is not None
        key = self._key(change.new if isinstance(change, Update) else change.row)
        merged = combined(self._merged.pop(key, None), change)
        if merged is not None:
            self._merged[key] = merged

    async def has_room(self) -> None:
        """Until the reader has caught up; at once for all rules but `block`."""
        await self._room.wait()


def combined(first: Change[R] | None, second: Change[R]) -> Change[R] | None:
    """What two changes of one row come to; None where that is nothing."""
    match first, second:
        case None, change:
            return change
        case Insert(), Update(_, new):
            return Insert(new)
        case Insert(), Delete():
            return None
        case Update(old, _), Update(_, new):
            return Update(old, new)
        case Update(old, _), Delete():
            return Delete(old)
        case Delete(old), Insert(new):
            return Update(old, new)
    return second
