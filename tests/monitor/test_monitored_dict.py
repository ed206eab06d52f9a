"""Tests of monitored_dict.py: a dict in every respect, that tells of every set and delete."""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from watchglass_monitor.monitored_dict import MonitoredDict

KEYS = st.sampled_from(["a", "b", "c", 1, (2,)])


class MonitoredAndPlain(RuleBasedStateMachine):
    """The same calls to a MonitoredDict and to a dict; what is told makes a third equal to both."""

    def __init__(self) -> None:
        super().__init__()
        self.monitored: MonitoredDict[Any, int] = MonitoredDict()
        self.plain: dict[Any, int] = {}
        self.told: dict[Any, int] = {}
        self.monitored.listen(self.hear)

    def hear(self, operation: str, key: Any) -> None:
        if operation == "set":
            self.told[key] = self.monitored[key]
        else:
            assert key not in self.monitored, "told before it was deleted"
            del self.told[key]

    def both(self, call: Any) -> None:
        results = []
        for one in (self.monitored, self.plain):
            try:
                results.append(("returned", call(one)))
            except KeyError as error:
                results.append(("raised", error.args))
        assert results[0] == results[1]

    @rule(key=KEYS, value=st.integers())
    def set_item(self, key: Any, value: int) -> None:
        self.both(lambda one: one.__setitem__(key, value))

    @rule(key=KEYS)
    def delete(self, key: Any) -> None:
        self.both(lambda one: one.__delitem__(key))

    @rule(key=KEYS, default=st.none() | st.integers())
    def pop(self, key: Any, default: int | None) -> None:
        self.both(lambda one: one.pop(key) if default is None else one.pop(key, default))

    @rule(key=KEYS, value=st.integers())
    def setdefault(self, key: Any, value: int) -> None:
        self.both(lambda one: one.setdefault(key, value))

    @rule()
    def popitem(self) -> None:
        try:
            self.both(lambda one: one.popitem())
        except AssertionError:
            assert not self.plain, "only the words of the KeyError may differ"

    @rule()
    def clear(self) -> None:
        self.both(lambda one: one.clear())

    @rule(items=st.dictionaries(KEYS, st.integers()), how=st.sampled_from(["dict", "pairs", "|="]))
    def update(self, items: dict[Any, int], how: str) -> None:
        if how == "|=":
            self.monitored |= items
            self.plain |= items
        elif how == "pairs":
            self.both(lambda one: one.update(list(items.items())))
        else:
            self.both(lambda one: one.update(items, a=1))

    @invariant()
    def all_three_are_the_same(self) -> None:
        assert list(self.monitored.items()) == list(self.plain.items())
        assert self.told == self.plain


MonitoredAndPlain.TestCase.settings = settings(max_examples=100, stateful_step_count=30)
TestMonitoredAndPlain = MonitoredAndPlain.TestCase


def test_a_listener_that_was_removed_hears_nothing() -> None:
    heard: list[Any] = []
    monitored: MonitoredDict[str, int] = MonitoredDict(a=1)
    assert heard == [], "what it is made of is no change"
    stop = monitored.listen(lambda operation, key: heard.append((operation, key)))
    monitored["b"] = 2
    stop()
    stop()
    monitored["c"] = 3
    assert heard == [("set", "b")]


def test_copies_and_pickles_have_the_items_and_no_listeners() -> None:
    heard: list[Any] = []
    monitored: MonitoredDict[str, Any] = MonitoredDict(a=[1])
    monitored.listen(lambda operation, key: heard.append(key))
    for other in (
        monitored.copy(), copy.copy(monitored), copy.deepcopy(monitored),
        pickle.loads(pickle.dumps(monitored)),
    ):  # fmt: skip
        assert type(other) is MonitoredDict
        assert other == {"a": [1]}
        other["b"] = 2
    assert heard == []
    assert MonitoredDict.fromkeys("ab", 0) == {"a": 0, "b": 0}


def test_it_takes_what_a_dict_takes_and_refuses_what_a_dict_refuses() -> None:
    monitored: MonitoredDict[Any, Any] = MonitoredDict([("a", 1)], b=2)
    assert monitored | {"c": 3} == {"a": 1, "b": 2, "c": 3}
    with pytest.raises(TypeError, match="at most 1 argument"):
        monitored.update({}, {})
    with pytest.raises(KeyError):
        monitored.pop("nothing")
    assert monitored.setdefault("d", 4) == 4
    assert monitored.get("e") is None
