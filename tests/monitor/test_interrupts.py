"""Tests of interrupts.py and ownership.py."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator, Set
from types import CodeType, FrameType

import pytest

from tests.support.kernel_host import HandHost
from watchglass_monitor import interrupts
from watchglass_monitor.deadline import DeadlineExceeded
from watchglass_monitor.host import (
    DUE_BLOCKED,
    DUE_DEADLINE,
    DUE_MESSAGES,
    DUE_TICK,
    SAFE_POINT_SIGNAL,
)
from watchglass_monitor.interrupts import BLOCKING_S, Interrupts
from watchglass_monitor.ownership import Ownership


class Scene:
    """Interrupts on a host by hand, with notes of what happened."""

    def __init__(self) -> None:
        self.host = HandHost()
        self.notes: list[str] = []
        self.ownership = Ownership(self.host.own, lambda: self.notes.append("flush"))
        self.interrupts = Interrupts(self.host, self.ownership)
        self.interrupts.serve = self._serve
        self.interrupts.tick = lambda: self.notes.append("tick")
        self.interrupts.is_main = lambda: self.ownership.is_main
        self.in_serve: Callable[[], None] = lambda: None

    def _serve(self) -> None:
        self.notes.append("serve")
        self.host.inbox.clear()
        self.in_serve()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_interrupt_is_raised_in_the_execution_that_it_is_meant_for(scene: Scene) -> None:
    scene.host.press = 7
    with pytest.raises(KeyboardInterrupt), scene.ownership.running(7, is_main=True):
        scene.interrupts.safe_point()
    assert scene.host.acknowledged == 1


def test_nothing_is_raised_into_the_kernel(scene: Scene) -> None:
    scene.host.press = 7
    scene.interrupts.safe_point()
    assert (scene.host.acknowledged, scene.host.press) == (0, 7)


def test_a_callback_is_left_alone_until_it_keeps_the_event_loop(scene: Scene) -> None:
    scene.host.press = 7
    with scene.ownership.running(7):
        scene.interrupts.safe_point()
        assert scene.host.acknowledged == 0
        scene.ownership.entered -= 2 * BLOCKING_S
        with pytest.raises(KeyboardInterrupt):
            scene.interrupts.safe_point()
    assert scene.host.acknowledged == 1


def test_what_blocks_the_way_to_an_execution_is_interrupted_but_not_counted(scene: Scene) -> None:
    scene.host.press = 7
    with scene.ownership.running(3):
        scene.ownership.entered -= 2 * BLOCKING_S
        with pytest.raises(KeyboardInterrupt):
            scene.interrupts.safe_point()
    assert (scene.host.acknowledged, scene.host.press) == (0, 7)


def test_an_interrupt_of_an_execution_that_is_over_reaches_the_task_that_blocks(
    scene: Scene,
) -> None:
    scene.host.bits, scene.host.strayed = DUE_BLOCKED, 3
    with scene.ownership.running(3):
        scene.interrupts.safe_point()
        scene.ownership.entered -= 2 * BLOCKING_S
        with pytest.raises(KeyboardInterrupt):
            scene.interrupts.safe_point()


@pytest.fixture
def sigint() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("sigint")
def test_the_handler_that_the_user_installed_is_called_instead(scene: Scene) -> None:
    called: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: called.append(number))
    scene.host.press = 7
    with scene.ownership.running(7, is_main=True):
        scene.interrupts.safe_point()
    assert called == [signal.SIGINT]
    assert scene.host.acknowledged == 1


@pytest.mark.usefixtures("sigint")
def test_an_ignored_interrupt_is_not_acknowledged(scene: Scene) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    scene.host.press = 7
    with scene.ownership.running(7, is_main=True):
        scene.interrupts.safe_point()
    assert scene.host.acknowledged == 0


def test_queries_and_flushes_are_served_while_code_runs(scene: Scene) -> None:
    scene.host.bits = DUE_MESSAGES | DUE_TICK
    with scene.ownership.running(7):
        scene.interrupts.safe_point()
    assert scene.notes == ["flush", "serve", "tick", "flush"]


@pytest.mark.parametrize("error", [ValueError, RecursionError, MemoryError, KeyboardInterrupt])
def test_no_failure_of_ours_reaches_the_code_of_the_user(
    scene: Scene, error: type[BaseException]
) -> None:
    def fail() -> None:
        raise error

    scene.in_serve = fail
    scene.host.bits = DUE_MESSAGES
    with scene.ownership.running(7):
        scene.interrupts.safe_point()
    assert not scene.interrupts.serving


def test_serving_is_never_entered_twice(scene: Scene) -> None:
    scene.in_serve = scene.interrupts.safe_point
    scene.host.bits = DUE_MESSAGES
    scene.host.press = 7
    with pytest.raises(KeyboardInterrupt), scene.ownership.running(7, is_main=True):
        scene.interrupts.safe_point()
    assert scene.notes.count("serve") == 1
    assert scene.host.acknowledged == 1


def test_a_deadline_ends_its_body_and_nothing_after_it(scene: Scene) -> None:
    scene.host.bits = DUE_DEADLINE
    with pytest.raises(DeadlineExceeded), scene.interrupts.time_limit(0.5):
        scene.interrupts.safe_point()
    scene.interrupts.safe_point()
    assert scene.host.deadlines[-1] == 0


def test_code_that_swallows_the_deadline_is_told_again(scene: Scene) -> None:
    scene.host.bits = DUE_DEADLINE
    told = 0
    with scene.interrupts.time_limit(0.5):
        for _ in range(3):
            with contextlib.suppress(DeadlineExceeded):
                scene.interrupts.safe_point()
                continue
            told += 1
    assert told == 3


def test_the_outer_of_two_limits_holds_in_the_inner_and_after_it(scene: Scene) -> None:
    with scene.interrupts.time_limit(1):
        with scene.interrupts.time_limit(100):
            assert 0 < scene.host.deadlines[-1] <= 1000
        assert 0 < scene.host.deadlines[-1] <= 1000
    assert scene.host.deadlines[-1] == 0


def test_a_deadline_that_comes_while_a_limit_begins_leaves_no_limit_behind(scene: Scene) -> None:
    def expire(ms: float) -> None:
        scene.host.deadlines.append(ms)
        if len(scene.host.deadlines) == 2:
            raise DeadlineExceeded

    scene.host.deadline = expire  # type: ignore[method-assign]
    limit = scene.interrupts.time_limit
    with pytest.raises(DeadlineExceeded), limit(1), limit(1):
        raise AssertionError("not reached")
    scene.host.bits = DUE_DEADLINE
    scene.interrupts.safe_point()
    assert scene.host.deadlines[-1] == 0


def test_owners_are_told_when_they_change_and_after_what_was_printed_before(scene: Scene) -> None:
    for owner in (1, 1, 2):
        with scene.ownership.running(owner):
            pass
    assert scene.host.owners == [1, 2]
    assert scene.notes[-2:] == ["flush", "flush"]
    assert scene.ownership.current is None


def handler(scene: Scene) -> Callable[[int, FrameType | None], None]:
    taken = signal.getsignal(SAFE_POINT_SIGNAL)
    scene.interrupts.arm()
    own = signal.getsignal(SAFE_POINT_SIGNAL)
    signal.signal(SAFE_POINT_SIGNAL, taken)
    assert callable(own)
    return own


def test_an_interrupt_that_was_swallowed_is_raised_where_it_is_heard(scene: Scene) -> None:
    on_signal = handler(scene)

    def finalizer() -> None:
        on_signal(0, sys._getframe())

    scene.host.press = 7
    with scene.ownership.running(7, is_main=True):
        with pytest.raises(KeyboardInterrupt) as caught:
            finalizer()
        swallowed = caught.value
        assert swallowed.__traceback__ is not None
        swallowed.__traceback__ = swallowed.__traceback__.tb_next  # C code called the finalizer
        assert scene.interrupts.is_lost(swallowed)
        finalizer()  # left alone, for there it would be swallowed again
        with pytest.raises(KeyboardInterrupt):
            on_signal(0, sys._getframe())
    assert scene.host.acknowledged == 2


def test_an_interrupt_of_the_users_own_is_not_taken_for_a_lost_one(scene: Scene) -> None:
    assert not scene.interrupts.is_lost(KeyboardInterrupt())
    scene.host.press = 7
    with pytest.raises(KeyboardInterrupt), scene.ownership.running(7, is_main=True):
        scene.interrupts.safe_point()
    assert not scene.interrupts.is_lost(ValueError())


def test_nothing_is_raised_in_the_middle_of_a_store(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_signal = handler(scene)

    def callback() -> None:
        on_signal(0, sys._getframe())

    monkeypatch.setattr(interrupts, "CALLBACK_CODES", {callback.__code__})
    scene.host.press = 7
    with scene.ownership.running(7, is_main=True):
        callback()
        assert (scene.host.acknowledged, scene.host.press) == (0, 7)
        with pytest.raises(KeyboardInterrupt):
            on_signal(0, sys._getframe())


def test_a_signal_that_comes_while_the_last_one_is_looked_at_does_not_hide_the_store(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_signal = handler(scene)
    is_inside = interrupts.is_inside

    def look(frame: FrameType | None, codes: Set[CodeType], depth: int) -> bool:
        on_signal(0, sys._getframe())
        return is_inside(frame, codes, depth)

    def callback() -> None:
        on_signal(0, sys._getframe())

    monkeypatch.setattr(interrupts, "CALLBACK_CODES", {callback.__code__})
    monkeypatch.setattr(interrupts, "is_inside", look)
    scene.host.press = 7
    with scene.ownership.running(7, is_main=True):
        callback()
        assert (scene.host.acknowledged, scene.host.press) == (0, 7)
        with pytest.raises(KeyboardInterrupt):
            on_signal(0, sys._getframe())
