"""The ladder: tests at start which watchers see what they must, and takes the best."""

from collections.abc import Callable
from typing import Any

from .fingerprint import fingerprint
from .marks import mark
from .monitored_dict import MonitoredDict
from .watcher import (
    CtypesWatcher,
    MonitoredDictWatcher,
    PollingWatcher,
    Watcher,
    WatcherUnavailable,
)

_SETUP = """
def store_global():
    global stored
    stored = 1
class Thing:
    pass
items = []
thing = Thing()
thing.size = 1
gone = 1
"""
_BINDINGS = {"x = 1": "x", "del gone": "gone", "store_global()": "stored"}
_IN_PLACE = {"items.append(1)": "items", "thing.size = 2": "thing"}
# What has passed the self-test: an image, which fits one build only, carries it to the processes
# that start from it, for the test takes 10 ms of each start.
_passed: set[Callable[[Any], Watcher]] = set()


class SelfTestFailed(RuntimeError):
    """A watcher did not see a change that it must see: take the next rung."""


def choose_watcher(namespace: dict[str, Any]) -> Watcher:
    """The best watcher that passes the self-test here, not armed yet."""
    rungs: list[tuple[Callable[[Any], Watcher], type[dict[str, Any]]]] = [(CtypesWatcher, dict)]
    if isinstance(namespace, MonitoredDict):
        rungs.append((MonitoredDictWatcher, MonitoredDict))
    for make, kind in rungs:
        try:
            if make not in _passed:
                self_test(make, kind())
        except (WatcherUnavailable, SelfTestFailed):
            continue
        _passed.add(make)
        return make(namespace)
    return PollingWatcher()


def self_test(make: Callable[[Any], Watcher], scratch: dict[str, Any]) -> None:
    """Each kind of change must be seen in a namespace like the real one; raises SelfTestFailed."""
    exec(compile(_SETUP, "<self-test>", "exec"), scratch)
    watcher = make(scratch)
    watcher.arm()
    try:
        watcher.drain()
        for code, name in _BINDINGS.items():
            if not _sees_binding(watcher, scratch, code, name):
                raise SelfTestFailed(f"{watcher.rung} does not see {code!r}")
        for code, name in _IN_PLACE.items():
            before = fingerprint(scratch[name])
            exec(compile(code, "<self-test>", "exec"), scratch)
            if before == fingerprint(scratch[name]):
                raise SelfTestFailed(f"a fingerprint does not see {code!r}")
    finally:
        watcher.clear()


def _sees_binding(watcher: Watcher, scratch: dict[str, Any], code: str, name: str) -> bool:
    """By what was noticed, or where not every store is, by what a poll compares."""
    absent = object()
    before = mark(scratch[name]) if name in scratch else absent
    exec(compile(code, "<self-test>", "exec"), scratch)
    if watcher.complete:
        return watcher.has_stores() and name in watcher.drain().names
    watcher.drain()
    return before != (mark(scratch[name]) if name in scratch else absent)
