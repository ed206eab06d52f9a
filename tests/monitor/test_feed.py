"""Tests of feed.py and keeping.py; live.py has its own."""

from contextlib import nullcontext
from math import inf
from typing import Any

import pytest

from tests.support.kernel_host import HandHost
from watchglass_monitor import feed as feeds
from watchglass_monitor import keeping
from watchglass_monitor import live as lives
from watchglass_monitor.feed import FAULTS_AT_MOST, MAX_CHANGES, Feed
from watchglass_monitor.keeping import DUTY, Keeper
from watchglass_monitor.live import Live
from watchglass_monitor.paths import VariableError
from watchglass_monitor.wire import Change, GetResult


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class ListedMonitor:
    """A monitor whose changes the test lists."""

    def __init__(self) -> None:
        self.waiting: list[Change] = []
        self.rounds = 0
        self.left_out = 0
        self.clock = Clock()
        self.slice_s = 0.0

    def change(self, *names: str) -> None:
        for name in names:
            self.waiting.append({"op": "delete", "name": name, "line": None})

    def has_changes(self) -> bool:
        return bool(self.waiting)

    def collect(self, *, scan: bool, budget_ms: float = 2.0, hurried: bool = False) -> list[Change]:
        self.rounds = max(0, self.rounds - 1)
        self.clock.now += self.slice_s
        found, self.waiting = self.waiting, []
        return found

    @property
    def unfinished(self) -> bool:
        return self.rounds > 0

    def get(self, path: object, offset: int = 0, limit: int = 100) -> GetResult:
        raise VariableError("variable_not_found", f"there is no {path}", "")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (feeds, keeping, lives):
        monkeypatch.setattr(module, "monotonic", clock.monotonic)
    return clock


@pytest.fixture
def sent() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def monitor() -> ListedMonitor:
    return ListedMonitor()


@pytest.fixture
def live(monitor: ListedMonitor, sent: list[dict[str, Any]], clock: Clock) -> Live:
    return Live(monitor, sent.append, lambda: None, lambda ms: None)


@pytest.fixture
def feed(monitor: ListedMonitor, sent: list[dict[str, Any]], clock: Clock, live: Live) -> Feed:
    return Feed(monitor, sent.append, live)


def names(message: dict[str, Any]) -> list[str]:
    return [change["name"] for change in message["changes"]]


def test_the_first_change_is_shown_at_once_and_the_others_four_times_a_second(
    feed: Feed, monitor: ListedMonitor, sent: list[dict[str, Any]], clock: Clock
) -> None:
    feed.begin()
    for _ in range(1000):
        monitor.change("x")
        feed.show(7, running=True)
        clock.now += 0.001
    assert len(sent) == 4
    assert {(message["request_id"], message["running"]) for message in sent} == {(7, True)}


def test_what_was_stored_is_due_at_once_or_when_the_last_message_is_long_enough_ago(
    feed: Feed, monitor: ListedMonitor, sent: list[dict[str, Any]], clock: Clock
) -> None:
    assert feed.due_s() == inf
    monitor.change("x")
    assert feed.due_s() == 0
    feed.show(7, running=True, waits=True)
    assert (len(sent), feed.due_s()) == (1, inf)
    clock.now += 0.1
    monitor.change("y")
    assert feed.due_s() == pytest.approx(0.15)


def test_a_long_look_goes_on_between_two_messages(
    feed: Feed, monitor: ListedMonitor, sent: list[dict[str, Any]], clock: Clock
) -> None:
    feed.begin()
    monitor.change("x")
    monitor.rounds = 4
    feed.show(7, running=True)
    monitor.change("y")
    for _ in range(4):
        clock.now += 0.05
        feed.show(7, running=True)
    assert (len(sent), monitor.rounds) == (1, 0)
    monitor.change("z")
    feed.show(7, running=True)
    assert monitor.waiting
    clock.now += 0.1
    feed.show(7, running=True)
    assert [names(message) for message in sent] == [["x"], ["y", "z"]]


def test_a_quiet_time_does_not_use_up_the_first(
    feed: Feed, monitor: ListedMonitor, sent: list[dict[str, Any]]
) -> None:
    feed.begin()
    feed.show(7, running=True)
    monitor.change("x")
    feed.show(7, running=True)
    assert [names(message) for message in sent] == [["x"]]


def test_the_end_tells_all_that_was_not_yet_told(
    feed: Feed, monitor: ListedMonitor, sent: list[dict[str, Any]], clock: Clock
) -> None:
    feed.begin()
    monitor.change("x")
    feed.show(7, running=True)
    monitor.change("y")
    monitor.rounds = 3
    clock.now += 0.001
    feed.finish(7)
    assert [names(message) for message in sent] == [["x"], ["y"]]
    assert sent[-1]["running"] is False
    assert monitor.rounds == 0


def test_the_end_looks_at_all_also_when_others_have_the_processor(
    feed: Feed, monitor: ListedMonitor, clock: Clock
) -> None:
    monitor.clock, monitor.slice_s, monitor.rounds = clock, 0.1, 6
    feed.begin()
    feed.finish(7)
    assert monitor.rounds == 0


def test_what_is_set_from_outside_is_told_at_once_and_is_no_executions(
    feed: Feed, monitor: ListedMonitor, sent: list[dict[str, Any]]
) -> None:
    feed.begin()
    monitor.change("x")
    feed.show(7, running=True)
    monitor.change("of_the_code")
    feed.edit(7, lambda: monitor.change("by_hand"), running=True)
    (told,) = sent[1:]
    owners = {change["name"]: change["request_id"] for change in told["changes"]}
    assert owners == {"of_the_code": 7, "by_hand": 0}


def test_a_fault_of_the_monitor_is_told_and_ends_nothing(
    feed: Feed, monitor: ListedMonitor, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fail(**_: object) -> list[Change]:
        calls.append(1)
        raise KeyError("gone")

    monkeypatch.setattr(monitor, "collect", fail)
    for number in range(1, 6):
        feed.finish(number)
    assert {message["type"] for message in sent} == {"error"}
    assert "KeyError: 'gone'" in sent[0]["message"]
    assert "no longer" in sent[-1]["message"]
    assert len(sent) == len(calls) == FAULTS_AT_MOST


def test_nothing_is_sent_when_nothing_changed(feed: Feed, sent: list[dict[str, Any]]) -> None:
    feed.finish(7)
    assert sent == []


def test_many_changes_come_in_messages_of_bounded_length(
    feed: Feed, monitor: ListedMonitor, sent: list[dict[str, Any]]
) -> None:
    every = [f"n{number}" for number in range(2 * MAX_CHANGES + 1)]
    monitor.change(*every)
    feed.finish(7)
    assert [len(message["changes"]) for message in sent] == [MAX_CHANGES, MAX_CHANGES, 1]
    assert [name for message in sent for name in names(message)] == every


def test_a_name_that_changed_twice_is_told_once_and_last(
    feed: Feed, monitor: ListedMonitor, sent: list[dict[str, Any]]
) -> None:
    monitor.change("x", "y", "x")
    feed.finish(7)
    assert names(sent[0]) == ["y", "x"]


def test_what_a_task_changed_is_told_in_the_name_of_its_execution(
    feed: Feed, monitor: ListedMonitor, sent: list[dict[str, Any]]
) -> None:
    monitor.change("x")
    feed.credit(3)
    monitor.change("y")
    feed.finish(7)
    owners = {change["name"]: change["request_id"] for change in sent[0]["changes"]}
    assert owners == {"x": 3, "y": 7}


def test_what_was_told_in_another_way_is_not_told_again(
    feed: Feed, monitor: ListedMonitor, sent: list[dict[str, Any]]
) -> None:
    monitor.change("x")
    monitor.change("y")
    feed.credit(3)
    feed.forget(["x"])
    assert feed.total == 1
    feed.finish(7)
    assert [names(message) for message in sent] == [["y"]]


class Shelf:
    """A keeper of one namespace."""

    def __init__(self, sent: list[dict[str, Any]]) -> None:
        self.host = HandHost()
        self.namespace: dict[str, object] = {"x": 1, "Out": {}, "_": None}
        self.keeper = Keeper(
            self.host,
            self.namespace,
            lambda: list(self.namespace),
            {},
            lambda _: nullcontext(),
            sent.append,
        )


@pytest.fixture
def shelf(sent: list[dict[str, Any]], clock: Clock) -> Shelf:
    return Shelf(sent)


def test_a_dump_is_told_with_its_size_and_without_the_names_of_the_prompt(
    shelf: Shelf, sent: list[dict[str, Any]]
) -> None:
    shelf.keeper.at_end(3, 7, changes=1)
    assert (sent[0]["number"], sent[0]["request_id"]) == (3, 7)
    assert sent[0]["bytes"] == len(shelf.host.blobs[0])
    assert [entry["name"] for entry in sent[0]["variables"]] == ["x"]


def test_a_namespace_that_did_not_change_is_not_dumped_again(
    shelf: Shelf, sent: list[dict[str, Any]]
) -> None:
    shelf.keeper.at_end(3, 7, changes=1)
    shelf.keeper.at_end(4, 8, changes=1)
    assert shelf.keeper.when_idle(4, 8, changes=1) == 0
    assert len(sent) == 1


def test_a_slow_dump_waits_for_idle_time_and_takes_a_tenth_of_it(
    shelf: Shelf, sent: list[dict[str, Any]], clock: Clock
) -> None:
    class Slow:
        def __reduce__(self) -> str:
            clock.now += 1
            return "x"

    shelf.namespace["slow"] = Slow()
    shelf.keeper.at_end(3, 7, changes=1)
    shelf.keeper.at_end(4, 8, changes=2)
    assert len(sent) == 1
    wait_ms = shelf.keeper.when_idle(4, 8, changes=2)
    assert wait_ms >= (DUTY - 1) * 1000
    clock.now += wait_ms / 1000
    assert shelf.keeper.when_idle(4, 8, changes=2) == 0
    assert [message["number"] for message in sent] == [3, 4]


def test_what_took_too_long_at_the_end_gets_more_time_when_nothing_runs(
    shelf: Shelf, sent: list[dict[str, Any]], clock: Clock
) -> None:
    class Slow:
        def __reduce__(self) -> str:
            clock.now += 1
            return "x"

    shelf.namespace["slow"] = Slow()
    shelf.keeper.at_end(3, 7, changes=1)
    clock.now += 100
    assert shelf.keeper.when_idle(3, 7, changes=1) == 0
    assert len(sent) == 2
    clock.now += 100
    assert shelf.keeper.when_idle(3, 7, changes=1) == 0
    assert len(sent) == 2


def test_a_dump_that_runs_out_of_memory_leaves_the_last_one_in_force(
    shelf: Shelf, sent: list[dict[str, Any]]
) -> None:
    def fail() -> list[str]:
        raise MemoryError

    shelf.keeper._names = fail
    with pytest.raises(MemoryError):
        shelf.keeper.at_end(3, 7, changes=1)
    shelf.keeper.at_end(4, 8, changes=1)
    assert sent == []


def test_how_many_are_left_out_is_told_once_and_when_it_changes(
    monitor: ListedMonitor, sent: list[dict[str, Any]], live: Live
) -> None:
    feed = Feed(monitor, sent.append, live)
    monitor.left_out = 5
    feed.finish(1)
    feed.finish(2)
    monitor.left_out = 0
    feed.finish(3)
    assert [(one["request_id"], one.get("left_out", 0)) for one in sent] == [(1, 5), (3, 0)]
