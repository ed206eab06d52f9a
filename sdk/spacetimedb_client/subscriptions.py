"""Standing queries: what we asked to be told of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Self

from spacetimedb_client.callbacks import Callback, Callbacks, Remove

End = Callable[["Subscription"], Awaitable[None]]


class Subscription:
    """Holds until it is ended, by `unsubscribe` or at the end of `async with`."""

    def __init__(self, queries: tuple[str, ...], end: End) -> None:
        self.queries: Final = queries
        self._end = end
        self.query_id: int | None = None
        self.applied: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_applied_callbacks: Final = Callbacks()
        self.on_error_callbacks: Final = Callbacks()
        for future in (self.applied, self.ended):
            future.add_done_callback(_seen)

    @property
    def is_active(self) -> bool:
        """Whether its rows are held."""
        is_applied = self.applied.done() and not self.applied.cancelled()
        return is_applied and self.applied.exception() is None and not self.ended.done()

    def on_applied(self, callback: Callback) -> Remove:
        """`callback()`, also after each reconnection."""
        return self.on_applied_callbacks.add(callback)

    def on_error(self, callback: Callback) -> Remove:
        """`callback(error)`, when the server ends it."""
        return self.on_error_callbacks.add(callback)

    async def unsubscribe(self) -> None:
        """Returns when its rows are gone, but for those that other queries hold."""
        await self._end(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.unsubscribe()

    def __repr__(self) -> str:
        state = "active" if self.is_active else "ended" if self.ended.done() else "asked"
        return f"<subscription {state}: {'; '.join(self.queries)}>"


def _seen(future: asyncio.Future[None]) -> None:
    """An error of a subscription that nobody awaits is told by `on_error`."""
    if not future.cancelled():
        future.exception()
