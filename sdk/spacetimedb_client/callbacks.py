"""Who is called when something happens: one after another, and an error of one stops nobody."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

LOG: Final = logging.getLogger("spacetimedb_client")

Callback = Callable[..., Any]
Remove = Callable[[], None]


class Callbacks:
    """The callbacks of one event; registering and removing is allowed from inside of one."""

    def __init__(self) -> None:
        self._known: tuple[Callback, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._known)

    def add(self, callback: Callback) -> Remove:
        """Returns what removes it again."""
        self._known = (*self._known, callback)

        def remove() -> None:
            self._known = tuple(each for each in self._known if each is not callback)

        return remove

    def all(self) -> tuple[Callback, ...]:
        return self._known


class CallbackRunner:
    """Calls callbacks; those that are coroutines run as tasks, in order for each table."""

    def __init__(self) -> None:
        self.errors: Final = Callbacks()
        self._last: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, callbacks: Callbacks, order: str, *args: Any) -> None:
        for callback in callbacks.all():
            self.call(callback, order, *args)

    def call(self, callback: Callback, order: str, *args: Any) -> None:
        try:
            answer = callback(*args)
        except Exception as problem:
            self._failed(callback, problem)
            return
        if inspect.iscoroutine(answer):
            self._start(callback, order, answer)

    def _start(self, callback: Callback, order: str, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(self._after(self._last.get(order), callback, work))
        self._last[order] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _after(
        self,
        previous: asyncio.Task[None] | None,
        callback: Callback,
        work: Coroutine[Any, Any, Any],
    ) -> None:
        if previous is not None and not previous.done():
            await asyncio.wait([previous])
        try:
            await work
        except Exception as problem:
            self._failed(callback, problem)

    def _failed(self, callback: Callback, problem: Exception) -> None:
        LOG.error("a callback failed: %r", callback, exc_info=problem)
        for each in self.errors.all():
            try:
                each(problem)
            except Exception:
                LOG.exception("on_callback_error failed: %r", each)

    async def close(self) -> None:
        """Ends callbacks that still run: whatever they wait for does not come any more."""
        current = asyncio.current_task()
        left = [task for task in self._tasks if task is not current]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
