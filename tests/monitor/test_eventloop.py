"""Tests of eventloop.py and task_errors.py."""

import asyncio
import contextvars
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kernel_host import HandHost, TurnedLoop
from watchglass_monitor.eventloop import Schedule
from watchglass_monitor.ownership import OWNER, Ownership
from watchglass_monitor.task_errors import TaskErrors


class Scene:
    """A loop that the test turns."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.host = HandHost()
        self.ownership = Ownership(self.host.own, lambda: None)
        self.shown: list[tuple[int, str]] = []
        self.errors = TaskErrors(self.ownership, self._show)
        self.schedule = Schedule(loop, self.host, self.ownership, self.errors.report)
        self.schedule.install()
        loop.set_exception_handler(self.errors.handle)

    def _show(self, exc: BaseException) -> None:
        self.shown.append((OWNER.get(), type(exc).__name__))

    def as_owner(self, owner: int, call: Callable[[], object]) -> None:
        def inside() -> None:
            OWNER.set(owner)
            call()

        contextvars.copy_context().run(inside)

    def turn(self, times: int = 5) -> None:
        for _ in range(times):
            self.schedule.step()


@pytest.fixture
def scene() -> Iterator[Scene]:
    with TurnedLoop() as loop:
        yield Scene(loop)


def test_callbacks_run_in_order_and_as_their_execution(scene: Scene) -> None:
    seen: list[tuple[int, int | None]] = []
    for owner in (3, 4, 3):
        scene.as_owner(
            owner,
            lambda: scene.loop.call_soon(
                lambda: seen.append((OWNER.get(), scene.ownership.current))
            ),
        )
    scene.turn()
    assert seen == [(3, 3), (4, 4), (3, 3)]
    assert scene.ownership.current is None


def test_tasks_of_tasks_belong_to_the_same_execution(scene: Scene) -> None:
    seen: list[int] = []

    async def inner() -> None:
        seen.append(OWNER.get())

    async def outer() -> None:
        await asyncio.gather(inner(), inner())

    scene.as_owner(9, lambda: asyncio.ensure_future(outer()))
    scene.turn()
    assert seen == [9, 9]


def test_what_a_callback_schedules_comes_in_the_next_turn(scene: Scene) -> None:
    seen: list[int] = []
    scene.loop.call_soon(lambda: scene.loop.call_soon(seen.append, 1))
    scene.schedule.step()
    assert seen == []
    scene.schedule.step()
    assert seen == [1]


def test_the_host_is_asked_for_one_turn_however_many_callbacks_wait(scene: Scene) -> None:
    for _ in range(10):
        scene.loop.call_soon(int)
    assert scene.host.scheduled == [0]


def test_a_cancelled_callback_does_not_run(scene: Scene) -> None:
    seen: list[int] = []
    scene.loop.call_soon(seen.append, 1).cancel()
    scene.loop.call_later(0.001, seen.append, 2).cancel()
    time.sleep(0.002)
    scene.turn()
    assert seen == []


@given(st.lists(st.integers(min_value=0, max_value=6), max_size=12))
def test_timers_run_in_the_order_of_their_time_and_none_is_lost(delays: list[int]) -> None:
    with TurnedLoop() as loop:
        scene = Scene(loop)
        clock = [100.0]
        setattr(loop, "time", lambda: clock[0])  # noqa: B010
        seen: list[tuple[int, int]] = []
        for place, delay in enumerate(delays):
            loop.call_later(delay, seen.append, (delay, place))
        for _ in range(8):
            scene.turn(2)
            clock[0] += 1
        assert seen == sorted(seen)
        assert len(seen) == len(delays)


def test_the_host_is_asked_again_for_the_next_timer(scene: Scene) -> None:
    clock = [100.0]
    setattr(scene.loop, "time", lambda: clock[0])  # noqa: B010
    scene.loop.call_later(5, int)
    scene.loop.call_later(2, int)
    scene.loop.call_later(9, int)
    assert scene.host.scheduled == [5000, 2000]
    clock[0] += 2
    scene.schedule.step()
    assert scene.host.scheduled[-1] == 3000


def test_an_endless_delay_never_runs_and_can_be_cancelled(scene: Scene) -> None:
    scene.loop.call_later(float("inf"), int).cancel()
    assert scene.host.scheduled == []


def test_a_callback_that_fails_is_told_under_its_execution(scene: Scene) -> None:
    scene.as_owner(4, lambda: scene.loop.call_soon(lambda: 1 / 0))
    scene.turn()
    assert scene.shown == [(4, "ZeroDivisionError")]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_the_loop_outlives_what_asyncio_lets_pass(scene: Scene, error: type[BaseException]) -> None:
    def fail() -> None:
        raise error

    seen: list[int] = []
    scene.as_owner(4, lambda: scene.loop.call_soon(fail))
    scene.loop.call_soon(seen.append, 1)
    scene.turn()
    assert scene.shown == [(4, error.__name__)]
    assert seen == [1]


class CountedFuture:
    """What Pyodide's loop hands over when a task of its own is done."""

    def __init__(self, exc: BaseException | None, callbacks: int = 1) -> None:
        self._exception = exc
        self._num_done_callbacks = callbacks
        self._log_traceback = True

    def cancelled(self) -> bool:
        return False


def test_a_task_that_fails_while_nothing_runs_is_told_at_once(scene: Scene) -> None:
    scene.as_owner(4, lambda: scene.errors.future_done(CountedFuture(ValueError())))
    assert scene.shown == [(4, "ValueError")]


def test_a_task_whose_execution_still_runs_is_told_at_its_end(scene: Scene) -> None:
    scene.errors.running = lambda: 4
    scene.as_owner(4, lambda: scene.errors.future_done(CountedFuture(ValueError())))
    assert scene.shown == []
    scene.errors.settle(4)
    scene.errors.settle(4)
    assert scene.shown == [(4, "ValueError")]


def test_a_task_whose_error_was_taken_is_not_told(scene: Scene) -> None:
    scene.errors.running = lambda: 4
    future = CountedFuture(ValueError())
    scene.as_owner(4, lambda: scene.errors.future_done(future))
    future._log_traceback = False  # somebody asked for the exception
    scene.errors.settle(4)
    assert scene.shown == []


def test_a_task_that_somebody_awaits_is_not_told(scene: Scene) -> None:
    scene.errors.future_done(CountedFuture(ValueError(), callbacks=2))
    scene.errors.future_done(CountedFuture(None))
    assert scene.shown == []
