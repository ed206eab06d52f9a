"""PyodideManager, the pool: lends a warm process to each session, and starts the next ones."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from watchglass_server.errors import (
    ImageError,
    InvalidState,
    PoolClosed,
    PoolTimeout,
    ProcessStartError,
    TooManyRequests,
)
from watchglass_server.host_messages import Ready
from watchglass_server.image import ensure_image
from watchglass_server.pool_plan import PoolCounts, PoolSizes, plan
from watchglass_server.process import PyodideProcess
from watchglass_server.process_config import ProcessConfig, ProcessLimits

__all__ = [
    "PoolClosed",
    "PoolStats",
    "PoolTimeout",
    "ProcessLimits",
    "PyodideManager",
    "TooManyRequests",
]

_log = logging.getLogger(__name__)

FIRST_BACKOFF_S: Final = 0.25
LONGEST_BACKOFF_S: Final = 30.0
# A machine out of breath may fail to start a process, and another; a third failure is told to who
# waits.
FAILURES_UNTOLD: Final = 2
# A process that was warm for so long shows that starting works.
STEADY_S: Final = 1.0
# An image that is whole and yet starts nothing: after so many failures we do without.
FAILURES_WITH_IMAGE: Final = 3


@dataclass(frozen=True, slots=True)
class PoolStats:
    """How the pool stands."""

    warm: int
    starting: int
    lent: int
    waiting: int
    started: int
    failed: int
    last_error: str | None


@dataclass(eq=False, slots=True)
class _Waiter:
    limits: ProcessLimits
    is_special: bool
    lent: asyncio.Future[PyodideProcess]


class PyodideManager:
    """A pool of warm processes. Each is lent once, to one session, and ended when it comes back.

    `max_size` counts all of them; `max_waiting` 0 lets any number wait; `max_idle` seconds after
    it became more than `min_size`, a warm process is ended (None: never).
    """

    def __init__(
        self,
        config: ProcessConfig,
        *,
        min_size: int = 2,
        max_size: int = 8,
        max_waiting: int = 64,
        max_idle: float | None = None,
        timeout: float = 30.0,
        cache_dir: Path | None = None,
        on_change: Callable[[PoolStats], None] = lambda stats: None,
        on_progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.sizes = PoolSizes(min_size, max_size, max_waiting)
        self._config = config
        self._max_idle = max_idle
        self._timeout = timeout
        self._cache_dir = cache_dir
        self._on_change = on_change
        self._on_progress = on_progress
        self._makes_image = config.image is None
        self._is_open = False
        self._is_prepared = False
        self._is_preparing = False
        self._warm: dict[PyodideProcess, float] = {}  # since when; oldest first
        self._lent: set[PyodideProcess] = set()
        self._waiters: list[_Waiter] = []
        self._starting_for: list[_Waiter | None] = []  # None: for the reserve
        self._ending = 0
        self._started = 0
        self.ready: Ready | None = None  # what the first process said of itself
        self._failed = 0
        self._failures = 0  # since a process was lent or stood its time
        self._failure: ProcessStartError | None = None
        self._not_before = 0.0
        self._wake: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()

    # --- life

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def open(self) -> None:
        """Begin to fill the pool, in the background."""
        if self._is_open:
            raise InvalidState("the pool is open already")
        self._is_open = True
        self._own(self._prepare(), "pool: image")

    async def wait(self, timeout: float = 60.0) -> None:
        """Wait until `min_size` processes are warm. Raises PoolTimeout, ProcessStartError."""
        try:
            async with asyncio.timeout(timeout):
                while not (self._is_prepared and len(self._warm) >= self.sizes.min_size):
                    self._must_be_open()
                    self._must_be_starting()
                    await self._news.wait()
        except TimeoutError:
            raise PoolTimeout(self._too_late(timeout)) from None

    async def close(self) -> None:
        """End all processes, the lent ones too; whoever waits gets PoolClosed."""
        self._is_open = False
        if self._wake is not None:
            self._wake.cancel()
        for waiter in self._waiters:
            if not waiter.lent.done():
                waiter.lent.set_exception(PoolClosed("the pool was closed while you waited"))
        processes, tasks = [*self._warm, *self._lent], list(self._tasks)
        self._warm.clear()
        self._lent.clear()
        for task in tasks:
            task.cancel()
        ends = (process.stop() for process in processes)
        await asyncio.gather(*tasks, *ends, return_exceptions=True)
        self._changed()

    # --- lending

    async def acquire(
        self, limits: ProcessLimits | None = None, *, timeout: float | None = None
    ) -> PyodideProcess:
        """Lend a process, at once when one is warm. Give it back with `release`.

        Raises PoolClosed, PoolTimeout, TooManyRequests; ProcessStartError when none can be started.
        A memory limit of one's own needs a process of one's own, which is not warm.
        """
        self._must_be_open()
        limits = limits or ProcessLimits()
        wanted = self._config.limited(limits)
        is_special = wanted.memory_bytes != self._config.memory_bytes
        process = None if is_special else self._lend_warm()
        if process is None:
            lent: asyncio.Future[PyodideProcess] = asyncio.get_running_loop().create_future()
            process = await self._wait_for(
                _Waiter(limits, is_special, lent), self._timeout if timeout is None else timeout
            )
        known = process.config
        if (known.output_bytes, known.variables) != (wanted.output_bytes, wanted.variables):
            process.configure(
                poll_ms=wanted.poll_ms,
                output_bytes=wanted.output_bytes,
                variables=wanted.variables,
            )
        self._act()
        return process

    async def release(self, process: PyodideProcess) -> None:
        """End a process that was lent; the next one starts in the background."""
        if process in self._lent:
            self._lent.remove(process)
            await self._end(process)
        elif process.exit is None and self._is_open:
            raise InvalidState(f"{process} was not lent, or was given back already")

    def stats(self) -> PoolStats:
        """Return how the pool stands."""
        return PoolStats(
            warm=len(self._warm),
            starting=len(self._starting_for),
            lent=len(self._lent),
            waiting=len(self._waiters),
            started=self._started,
            failed=self._failed,
            last_error=str(self._failure) if self._failure else None,
        )

    def _lend_warm(self) -> PyodideProcess | None:
        for process in list(self._warm):
            del self._warm[process]
            if not process.is_ending:  # one that has just died is not lent
                self._lend(process)
                return process
        return None

    def _lend(self, process: PyodideProcess) -> None:
        self._lent.add(process)
        self._failures = 0

    async def _wait_for(self, waiter: _Waiter, timeout: float) -> PyodideProcess:
        self._must_be_starting()
        if 0 < self.sizes.max_waiting <= len(self._waiters):
            raise TooManyRequests(
                f"{len(self._waiters)} are waiting for a process already; "
                "try again later, or raise max_waiting or max_size"
            )
        self._waiters.append(waiter)
        self._act()
        try:
            async with asyncio.timeout(timeout):
                return await waiter.lent
        except BaseException as error:
            if waiter.lent.done() and not waiter.lent.cancelled() and not waiter.lent.exception():
                # Lent in the very moment in which we gave up.
                self._own(self.release(waiter.lent.result()), "pool: give back")
            if isinstance(error, TimeoutError):
                raise PoolTimeout(self._too_late(timeout)) from None
            raise
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            self._changed()

    def _too_late(self, timeout: float) -> str:
        busy = f"{len(self._lent)} of {self.sizes.max_size} lent"
        why = f"; the last start failed: {self._failure}" if self._failure else ""
        return f"no process free within {timeout:g} s ({busy}{why}); raise max_size or wait longer"

    def _must_be_open(self) -> None:
        if not self._is_open:
            raise PoolClosed("the pool is closed; open it first")

    def _must_be_starting(self) -> None:
        """Raise the reason for which no process starts, when that is known."""
        if self._failure is not None and self._failures > FAILURES_UNTOLD:
            raise ProcessStartError(self._failure.exit)

    # --- what runs in the background

    def _act(self) -> None:
        """Give the warm ones to those who wait, then start and stop what the plan says."""
        if not self._is_open:
            return
        for waiter in [waiter for waiter in self._waiters if not waiter.is_special]:
            process = self._lend_warm() if not waiter.lent.done() else None
            if process is not None:
                self._hand_over(waiter, process)
        now = asyncio.get_running_loop().time()
        steps = plan(
            self.sizes,
            self._counts(now),
            may_start=self._is_prepared and now >= self._not_before,
        )
        for _ in range(steps.stop):
            self._own(self._end(self._pop_oldest()), "pool: stop")
        unserved = [w for w in self._waiters if w.is_special and w not in self._starting_for]
        for waiter_or_none in [*unserved[: steps.start_special], *[None] * steps.start]:
            self._starting_for.append(waiter_or_none)
            self._own(self._start(waiter_or_none), "pool: start")
        self._sleep_until_next(now)
        self._changed()

    def _counts(self, now: float) -> PoolCounts:
        special = [waiter for waiter in self._waiters if waiter.is_special]
        stale = 0
        if self._max_idle is not None:
            stale = sum(now - since >= self._max_idle for since in self._warm.values())
        reserved = self._starting_for.count(None)
        return PoolCounts(
            warm=len(self._warm),
            starting=reserved,
            starting_special=len(self._starting_for) - reserved,
            lent=len(self._lent),
            ending=self._ending,
            waiting=len(self._waiters) - len(special),
            special=len(special),
            special_first=bool(self._waiters) and self._waiters[0].is_special,
            stale=stale,
        )

    def _sleep_until_next(self, now: float) -> None:
        """Come back when the pause after a failure is over, or the oldest warm one is stale."""
        times = [self._not_before] if self._not_before > now else []
        if self._max_idle is not None and len(self._warm) > self.sizes.min_size:
            times.append(max(now, next(iter(self._warm.values())) + self._max_idle))
        if self._wake is not None:
            self._wake.cancel()
        self._wake = None
        if times:
            self._wake = asyncio.get_running_loop().call_at(min(times) + 0.001, self._awake)

    def _awake(self) -> None:
        if self._is_prepared or self._is_preparing:
            self._act()
        else:
            self._own(self._prepare(), "pool: image")

    async def _prepare(self) -> None:
        self._is_preparing = True
        if self._makes_image:
            image: Path | None = None
            try:
                if self._failures < FAILURES_WITH_IMAGE:
                    image = await ensure_image(
                        self._config, self._cache_dir, on_progress=self._on_progress
                    )
            except ImageError as error:
                _log.warning("no base image: %s", error)
                self._on_progress(f"{error}; processes start without it, which takes 1 s more each")
            self._config = replace(self._config, image=image)
        self._is_prepared, self._is_preparing = True, False
        self._act()

    async def _start(self, waiter: _Waiter | None) -> None:
        limits = waiter.limits if waiter else ProcessLimits()
        process = PyodideProcess(self._config.limited(limits))
        try:
            await process.start()
            self._started += 1
            self.ready = self.ready or process.ready
            self._failure = None
            self._own(self._watch(process), f"pool: watch {process.pid}")
            if waiter is None:
                self._warm[process] = asyncio.get_running_loop().time()
            elif waiter in self._waiters:
                self._lend(process)
                self._hand_over(waiter, process)
            else:  # it was not waited for long enough
                self._own(self._end(process), "pool: stop")
        except ProcessStartError as error:
            self._start_failed(error, waiter)
        finally:
            self._starting_for.remove(waiter)
            self._act()

    def _hand_over(self, waiter: _Waiter, process: PyodideProcess) -> None:
        self._waiters.remove(waiter)
        waiter.lent.set_result(process)

    def _start_failed(self, error: ProcessStartError, waiter: _Waiter | None) -> None:
        _log.warning("a process did not start: %s", error)
        self._failed += 1
        told = [waiter] if waiter in self._waiters else []
        if waiter is None:
            self._count_anew()
            self._pause(error)
            if self._failures > FAILURES_UNTOLD:
                told = list(self._waiters)
        for each in told:
            if each is not None and not each.lent.done():
                self._waiters.remove(each)
                each.lent.set_exception(ProcessStartError(error.exit))

    def _count_anew(self) -> None:
        """What failed before some process stood its time is not why this one failed."""
        now = asyncio.get_running_loop().time()
        if any(now - since >= STEADY_S for since in self._warm.values()):
            self._failures = 0

    def _pause(self, error: ProcessStartError) -> None:
        self._failures += 1
        self._failure = error
        pause = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** (self._failures - 1))
        self._not_before = asyncio.get_running_loop().time() + pause
        self._is_prepared = not self._makes_image  # look at the image before the next one starts

    async def _watch(self, process: PyodideProcess) -> None:
        """Notice when a process dies: a warm one is replaced, a lent one makes room."""
        exit_info = await process.wait()
        if process in self._warm:
            self._count_anew()
            del self._warm[process]
            self._failed += 1
            _log.warning("a warm process died: %s", exit_info.message)
            self._pause(ProcessStartError(exit_info))
        self._lent.discard(process)
        self._act()

    async def _end(self, process: PyodideProcess) -> None:
        self._ending += 1
        try:
            await process.stop()
        finally:
            self._ending -= 1
            self._act()

    def _pop_oldest(self) -> PyodideProcess:
        process = next(iter(self._warm))
        del self._warm[process]
        return process

    def _changed(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
        self._on_change(self.stats())

    def _own(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s failed", task.get_name(), exc_info=error)
