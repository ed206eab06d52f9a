"""Tests of watches.py and watch_expressions.py: what is evaluated when, and what is told of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from watchglass_monitor import watches as module
from watchglass_monitor.deadline import DeadlineExceeded
from watchglass_monitor.watch_expressions import problem_of
from watchglass_monitor.watches import INTERVAL_S, TOO_LONG, Watches


class Desk:
    """Watches on a namespace, with a clock that the test and its expressions move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.limits: list[float] = []
        self.sent: list[dict[str, Any]] = []
        self.namespace: dict[str, Any] = {"__name__": "__main__", "take": self.take}
        self.watches = Watches(self.namespace, copy_context(), self.time_limit, self.sent.append)
        self.changes: object = None
        self.watches.changes = lambda: self.changes

    @contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        self.limits.append(self.now + seconds)
        try:
            yield
        finally:
            self.limits.pop()

    def take(self, seconds: float, value: object = None) -> object:
        """What the user's code does when it needs time."""
        self.now += seconds
        if self.limits and self.now > self.limits[-1]:
            raise DeadlineExceeded
        return value

    def watch(self, *expressions: str | tuple[str, str]) -> None:
        listed = []
        for number, one in enumerate(expressions, 1):
            expression, condition = one if isinstance(one, tuple) else (one, None)
            listed.append({"watch": f"w{number}", "expression": expression, "condition": condition})
        self.watches.set(listed)

    def run(self, seconds: float, step: float = 0.05) -> None:
        """Code runs for so long, with a safe point at each step."""
        end = self.now + seconds
        while self.now < end:
            self.watches.show(7)
            self.now += step

    def told(self) -> list[dict[str, Any]]:
        """What was told since the last look."""
        found = [each for message in self.sent for each in message["watches"]]
        self.sent.clear()
        return found

    def seen(self, expression: str, condition: str | None = None) -> dict[str, Any]:
        """What one watch gives."""
        self.watches.set([])
        self.watch(expression if condition is None else (expression, condition))
        self.changes = object()
        self.watches.when_idle(7)
        (found,) = self.told()
        return found


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk()
    monkeypatch.setattr(module, "monotonic", lambda: desk.now)
    return desk


def test_a_watch_tells_the_value_as_a_variable_of_that_name(desk: Desk) -> None:
    desk.namespace["n"] = 20
    found = desk.seen(" n * 2 ")
    variable = found["variable"]
    assert (variable["name"], variable["type"], variable["preview"], variable["value"]) == (
        "n * 2", "int", "40", 40,
    )  # fmt: skip
    assert (found["error"], found["met"], found["condition_error"]) == (None, None, None)
    assert not variable["settable"]
    assert not variable["expandable"]


def test_it_is_told_again_when_it_gives_another_value_and_only_then(desk: Desk) -> None:
    desk.namespace["n"] = 1
    desk.watch("n")
    desk.run(2)
    assert [each["variable"]["preview"] for each in desk.told()] == ["1"]
    desk.namespace["n"] = 2
    desk.run(1)
    assert [each["variable"]["preview"] for each in desk.told()] == ["2"]


def test_while_code_runs_it_is_evaluated_at_most_four_times_a_second(desk: Desk) -> None:
    desk.namespace["seen"] = []
    desk.watch("seen.append(1)")
    desk.run(10)
    assert 33 <= len(desk.namespace["seen"]) <= 40


@pytest.mark.parametrize("cost", [0.001, 0.01, 0.04])
def test_all_together_take_two_percent_of_the_time(desk: Desk, cost: float) -> None:
    desk.namespace["spent"] = []
    desk.watch(*[f"spent.append(take({cost}))"] * 5)
    desk.run(100, step=0.01)
    assert len(desk.namespace["spent"]) > 20
    assert cost * len(desk.namespace["spent"]) <= 100 * module.SHARE + 5 * cost


def test_one_that_takes_too_long_says_so_and_makes_no_other_late(desk: Desk) -> None:
    desk.namespace["tries"] = []
    desk.namespace["n"] = 0
    desk.watch("tries.append(1) or take(1)", "n")
    for _ in range(100):
        desk.namespace["n"] += 1
        desk.run(INTERVAL_S)
    told = desk.told()
    assert [each["error"] for each in told if each["watch"] == "w1"] == [TOO_LONG]
    assert len(desk.namespace["tries"]) < 5
    assert len([each for each in told if each["watch"] == "w2"]) > 70


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("nothing", "NameError: name 'nothing' is not defined"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("{}['a']", "KeyError: 'a'"),
        ("exit_with(SystemExit(3))", "SystemExit: 3"),
        ("exit_with(KeyboardInterrupt())", "KeyboardInterrupt"),
        ("exit_with(GeneratorExit())", "GeneratorExit"),
        ("deep()", "RecursionError"),
        ("1 +", "SyntaxError: invalid syntax"),
    ],
)
def test_what_it_raises_is_told_in_words_and_ends_nothing(
    desk: Desk, expression: str, error: str
) -> None:
    def exit_with(problem: BaseException) -> None:
        raise problem

    def deep() -> None:
        deep()

    desk.namespace |= {"exit_with": exit_with, "deep": deep}
    found = desk.seen(expression)
    assert (found["error"], found["variable"]) == (error, None)


def test_no_code_of_an_exception_is_run(desk: Desk) -> None:
    exec(
        "class Loud(Exception):\n    def __str__(self): ran.append(1)\n    __repr__ = __str__\n"
        "ran = []\ndef fail(): raise Loud(1, Loud())",
        desk.namespace,
    )
    assert desk.seen("fail()")["error"].startswith("Loud: 1, ")
    assert desk.namespace["ran"] == []


def test_a_limit_of_the_code_that_runs_is_no_error_of_the_watch(desk: Desk) -> None:
    def full() -> None:
        raise MemoryError

    desk.namespace["full"] = full
    desk.watch("full()")
    desk.run(1)
    assert desk.told() == []
    desk.watches.finish(7)
    assert [each["error"] for each in desk.told()] == ["MemoryError"]


def test_a_condition_knows_the_value_everywhere_and_all_globals(desk: Desk) -> None:
    desk.namespace |= {"n": 11, "limit": 10}
    assert desk.seen("n", "value > limit")["met"] is True
    assert desk.seen("n", "all(part < value for part in [limit])")["met"] is True
    assert desk.seen("n", "value > 100")["met"] is False
    failed = desk.seen("n", "value.nothing")
    assert failed["condition_error"] == "AttributeError: 'int' object has no attribute 'nothing'"
    assert (failed["met"], failed["variable"]["preview"]) == (None, "11")
    slow = desk.seen("n", "take(1)")
    assert (slow["error"], slow["met"], slow["variable"]) == (TOO_LONG, None, None)


def test_what_it_prints_goes_nowhere(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert desk.seen("print('seen')")["variable"]["preview"] == "None"
    assert capsys.readouterr().out == ""


def test_it_sees_context_variables_and_changes_none(desk: Desk) -> None:
    mine: ContextVar[int] = ContextVar("mine", default=1)
    desk.namespace["mine"] = mine
    assert desk.seen("(mine.set(2), mine.get())[1]")["variable"]["preview"] == "2"
    assert desk.seen("mine.get()")["variable"]["preview"] == "1"


def test_when_nothing_runs_it_is_evaluated_after_something_changed(desk: Desk) -> None:
    desk.namespace["seen"] = []
    desk.watch("seen.append(1)")
    for _ in range(5):
        assert desk.watches.when_idle(7) == 0
        desk.now += 1
    assert len(desk.namespace["seen"]) == 1
    desk.changes = "another"
    assert desk.watches.when_idle(7) == 0
    assert len(desk.namespace["seen"]) == 2


def test_a_slow_one_is_left_for_later_at_the_end_of_quick_executions(desk: Desk) -> None:
    desk.namespace["spent"] = []
    desk.watch("spent.append(take(0.04))")
    for number in range(20):
        desk.changes = number
        desk.watches.finish(number)
        desk.now += 0.01
    assert len(desk.namespace["spent"]) == 1
    wait = desk.watches.when_idle(20)
    assert 0 < wait <= 200
    desk.now += wait / 1000
    assert desk.watches.when_idle(20) == 0
    assert len(desk.namespace["spent"]) == 2


def test_a_watch_that_is_known_goes_on_and_one_that_is_not_listed_ends(desk: Desk) -> None:
    desk.namespace["n"] = 1
    desk.watch("n", "n + 1")
    desk.run(0.1)
    assert len(desk.told()) == 2
    desk.watch("n")
    desk.run(1)
    assert desk.told() == []


def test_what_changed_is_told_with_the_execution_and_no_line_outside_of_its_code(
    desk: Desk,
) -> None:
    desk.watch("1")
    desk.watches.show(7)
    (message,) = desk.sent
    assert (message["type"], message["request_id"], message["line"]) == ("watches", 7, None)


@pytest.mark.parametrize("source", ["1", " n * 2\n", "(y := 5)", "[x for x in n]"])
def test_an_expression_is_in_order(source: str) -> None:
    assert problem_of(source) is None


@pytest.mark.parametrize(
    "source", ["", "x = 1", "n *", "await n", "import os", "(" * 500, "a\0b", "'\ud800'"]
)
def test_what_is_no_expression_is_told_in_words(source: str) -> None:
    problem = problem_of(source)
    assert problem is not None
    assert problem.partition(":")[0].endswith("Error")


def test_what_could_not_be_sent_is_told_the_next_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise MemoryError

    desk.watch("1")
    with monkeypatch.context() as patch:
        patch.setattr(desk.watches, "_send", full)
        with pytest.raises(MemoryError):
            desk.watches.show(7)
    desk.watches.finish(7)
    assert [each["variable"]["preview"] for each in desk.told()] == ["1"]
