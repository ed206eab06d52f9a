"""Tests of suspension.py and prompt.py."""

import asyncio
import json
import signal
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from tests.support.kernel_host import HandGate, HandHost
from watchglass_monitor.interrupts import Interrupts
from watchglass_monitor.ownership import Ownership
from watchglass_monitor.prompt import Prompt, StandardInput
from watchglass_monitor.suspension import MAX_WAITING, PRECISE_S, Suspender

T = TypeVar("T")


class Scene:
    """A stack that suspends by letting the test's events happen."""

    def __init__(self) -> None:
        self.host = HandHost()
        self.ownership = Ownership(self.host.own, lambda: None)
        self.interrupts = Interrupts(self.host, self.ownership)
        self.interrupts.is_main = lambda: self.ownership.is_main
        self.suspender = Suspender(self.host, self.ownership, self.interrupts)
        self.suspender.run_sync = self._turn
        self.suspender.can_run_sync = lambda: True
        self.sent: list[dict[str, Any]] = []
        self.prompt = Prompt(self.host, self.suspender, self.interrupts, self.sent.append)
        self.events: list[Callable[[], None]] = []

    def _turn(self, promise: Any) -> None:
        assert isinstance(promise, HandGate)
        assert self.ownership.current is None
        while not promise.is_open:
            self.events.pop(0)()

    def press(self) -> None:
        """An interrupt comes while the stack is suspended."""
        self.host.press = 5
        self.suspender.interrupt(5)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """As asyncio.run, which would put a SIGINT handler of its own in the way."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_sleep_suspends_and_goes_on_when_its_time_has_come(scene: Scene) -> None:
    scene.events = [lambda: time.sleep(0.02), lambda: scene.host.gates[-1].open()]
    with scene.ownership.running(5, is_main=True):
        scene.suspender.sleep(0.02)
        assert scene.ownership.current == 5
        assert scene.ownership.is_main


def test_a_gate_that_opens_early_does_not_end_a_sleep(scene: Scene) -> None:
    scene.events = [
        lambda: scene.host.gates[-1].open(),
        lambda: time.sleep(0.03),
        lambda: scene.host.gates[-1].open(),
    ]
    started = time.monotonic()
    with scene.ownership.running(5, is_main=True):
        scene.suspender.sleep(0.03)
    assert time.monotonic() - started >= 0.03


def test_a_short_sleep_blocks_without_a_gate(scene: Scene) -> None:
    scene.host.on_wait = lambda: time.sleep(PRECISE_S)
    with scene.ownership.running(5):
        scene.suspender.sleep(PRECISE_S / 2)
    assert scene.host.gates == []
    assert scene.host.waits


def test_sleep_blocks_where_the_stack_cannot_be_suspended(scene: Scene) -> None:
    scene.suspender.can_run_sync = lambda: False
    scene.host.on_wait = lambda: time.sleep(0.02)
    with scene.ownership.running(5):
        scene.suspender.sleep(0.02)
    assert scene.host.gates == []


@pytest.mark.parametrize(
    ("value", "error"), [(-1, ValueError), ("1", TypeError), (None, TypeError)]
)
def test_sleep_refuses_what_time_sleep_refuses(
    scene: Scene, value: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        scene.suspender.sleep(value)


def test_an_interrupt_wakes_a_sleep(scene: Scene) -> None:
    scene.events = [scene.press]
    with pytest.raises(KeyboardInterrupt), scene.ownership.running(5, is_main=True):
        scene.suspender.sleep(60)
    assert scene.host.acknowledged == 1


def test_an_interrupt_wakes_only_its_own_execution(scene: Scene) -> None:
    def interrupt_another() -> None:
        assert not scene.suspender.interrupt(6)
        scene.host.gates[-1].open()

    scene.events = [interrupt_another]
    with scene.ownership.running(5, is_main=True):
        scene.suspender.suspend(scene.host.gate(0))
    assert scene.host.acknowledged == 0


def test_an_interrupt_that_came_just_before_is_raised_before_waiting(scene: Scene) -> None:
    scene.host.press = 5
    with pytest.raises(KeyboardInterrupt), scene.ownership.running(5, is_main=True):
        scene.suspender.sleep(60)
    assert scene.host.acknowledged == 1


def test_wait_for_gives_the_very_result(scene: Scene) -> None:
    async def outside() -> float:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[float] = loop.create_future()
        scene.events = [lambda: future.set_result(1.0), lambda: scene.host.gates[-1].open()]
        with scene.ownership.running(5, is_main=True):
            return scene.suspender.wait_for(future)

    value = run(outside())
    assert (value, type(value)) == (1.0, float)


def test_an_interrupted_wait_cancels_what_it_waits_for_and_waits_for_that(scene: Scene) -> None:
    async def outside() -> bool:
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        scene.events = [scene.press, lambda: scene.host.gates[-1].open()]
        with pytest.raises(KeyboardInterrupt), scene.ownership.running(5, is_main=True):
            scene.suspender.wait_for(future)
        return future.cancelled()

    assert run(outside())


def test_a_wait_goes_on_after_a_sigint_handler_of_the_user(scene: Scene) -> None:
    async def outside() -> int:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        open_gate = lambda: scene.host.gates[-1].open()  # noqa: E731
        scene.events = [scene.press, lambda: future.set_result(42), open_gate]
        with scene.ownership.running(5, is_main=True):
            return scene.suspender.wait_for(future)

    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        assert run(outside()) == 42
    finally:
        signal.signal(signal.SIGINT, before)


def test_only_so_many_stacks_wait_at_once(scene: Scene) -> None:
    depth: list[int] = []

    def deeper() -> None:
        with scene.ownership.running(5, is_main=True):
            if scene.suspender.available():
                depth.append(len(depth))
                scene.events.insert(0, deeper)
                scene.suspender.suspend(scene.host.gate(0))
            else:
                with pytest.raises(RuntimeError, match="make this function async"):
                    scene.suspender.wait_for(asyncio.Future(loop=loop))
                for gate in scene.host.gates:
                    gate.open()

    loop = asyncio.new_event_loop()
    deeper()
    loop.close()
    assert len(depth) == MAX_WAITING


def answer(scene: Scene, text: str | None) -> Callable[[], None]:
    return lambda: scene.prompt.answer(scene.sent[-1]["request"], text)


def test_input_gives_the_line_that_was_typed(scene: Scene) -> None:
    scene.events = [answer(scene, "Ada")]
    with scene.ownership.running(5, is_main=True):
        assert scene.prompt.input("name? ") == "Ada"
    assert scene.sent == [
        {"type": "input_request", "request": 1, "prompt": "name? ", "password": False}
    ]


def test_input_waits_in_place_where_the_stack_cannot_be_suspended(scene: Scene) -> None:
    scene.suspender.can_run_sync = lambda: False
    scene.host.on_wait = answer(scene, "Ada")
    with scene.ownership.running(5, is_main=True):
        assert scene.prompt.getpass() == "Ada"
    assert scene.sent[0]["password"] is True


def test_an_interrupted_input_is_told_cancelled_and_takes_no_late_answer(scene: Scene) -> None:
    scene.events = [scene.press]
    with pytest.raises(KeyboardInterrupt), scene.ownership.running(5, is_main=True):
        scene.prompt.input()
    assert scene.sent[-1] == {"type": "input_cancelled", "request": 1}
    scene.prompt.answer(1, "too late")


def test_the_end_of_input_is_an_eof_error(scene: Scene) -> None:
    scene.events = [answer(scene, None)]
    with pytest.raises(EOFError), scene.ownership.running(5, is_main=True):
        scene.prompt.input()


def test_an_answer_that_comes_before_there_is_a_gate_is_not_waited_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = scene.host.gate

    def answered_before(ms: float) -> HandGate:
        scene.prompt.answer(scene.sent[-1]["request"], "quick")
        return gate(ms)

    monkeypatch.setattr(scene.host, "gate", answered_before)
    with scene.ownership.running(5, is_main=True):
        assert scene.prompt.input() == "quick"


def test_a_prompt_that_is_not_text_is_shown_as_text(scene: Scene) -> None:
    scene.events = [answer(scene, "")]
    with scene.ownership.running(5, is_main=True):
        scene.prompt.input(42)
    assert scene.sent[0]["prompt"] == "42"


def test_stdin_reads_lines_until_the_end_of_input(scene: Scene) -> None:
    texts = iter(["one", "two", None])
    scene.suspender.can_run_sync = lambda: False
    scene.host.on_wait = lambda: answer(scene, next(texts))()
    stdin = StandardInput(scene.prompt)
    with scene.ownership.running(5, is_main=True):
        assert list(stdin) == ["one\n", "two\n"]


def test_stdin_gives_a_line_in_parts(scene: Scene) -> None:
    texts = iter(["abc", "d", None])
    scene.suspender.can_run_sync = lambda: False
    scene.host.on_wait = lambda: answer(scene, next(texts))()
    stdin = StandardInput(scene.prompt)
    with scene.ownership.running(5, is_main=True):
        assert [stdin.read(2), stdin.readline(), stdin.read()] == ["ab", "c\n", "d\n"]


def test_messages_are_plain_json(scene: Scene) -> None:
    scene.events = [answer(scene, "")]
    with scene.ownership.running(5, is_main=True):
        scene.prompt.input("\ud800")
    assert json.loads(json.dumps(scene.sent[0]))["prompt"] == "\ud800"
