"""An event loop on a thread of its own, for programs that have none."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from spacetimedb_client.errors import InvalidState

T = TypeVar("T")


def check_waiting(needs: str) -> None:
    """Raises where nobody can wait for a loop: a page has one loop, and one thread for all."""
    if sys.platform == "emscripten":
        raise InvalidState(
            f"{needs}, which is not there inside Pyodide: use "
            "`async with spacetimedb_client.connect(…) as conn:`, which runs on the page's loop"
        )


class LoopThread:
    """Runs coroutines and functions where a connection lives, and waits for what they return."""

    def __init__(self, name: str) -> None:
        check_waiting("calls that wait need a thread")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Waits for a coroutine; after `timeout` it is cancelled, and `TimeoutError` raised."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("a callback on the loop's own thread would wait for itself")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise

    def call(self, function: Callable[[], T]) -> T:
        """What a function returns that has to run where the connection lives."""

        async def work() -> T:
            return function()

        return self.run(work())

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
