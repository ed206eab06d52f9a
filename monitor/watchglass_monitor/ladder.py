"""The ladder: tests at start which watchers see what they must, and takes the best."""

from collections.abc import Callable
from functools import partial
from types import CodeType
from typing import Any, TypeAlias

from .fingerprint import fingerprint
from .host import NativeWatcher
from .marks import mark
from .monitored_dict import MonitoredDict
from .wasm_watcher import WasmWatcher
from .watcher import (
    CtypesWatcher,
    MonitoredDictWatcher,
    PollingWatcher,
    Watcher,
    WatcherUnavailable,
)

# Makes the watcher of a namespace.
Make: TypeAlias = Callable[[Any], Watcher]


# Code, and the name that it changes.
Changes: TypeAlias = tuple[tuple[CodeType, str], ...]


def _compiled(codes: dict[str, str]) -> Changes:
    # Once for all starts: they lie in the image.
    return tuple((compile(code, "<self-test>", "exec"), name) for code, name in codes.items())


_SETUP = compile(
    """
def store_global():
    global stored
    stored = 1
class Thing:
    pass
items = []
thing = Thing()
thing.size = 1
gone = 1
""",
    "<self-test>",
    "exec",
)
_BINDINGS = _compiled(
    {
        "x = 1": "x",
        "del gone": "gone",
        "store_global()": "stored",
        "globals().update(x=2, y=3)": "y",
    }
)
_IN_PLACE = _compiled({"items.append(1)": "items", "thing.size = 2": "thing"})
# Names that are never reported: the user's own namespace is tried with them.
_PROBES = _compiled(
    {
        "__watchglass_probe__ = 1": "__watchglass_probe__",
        "def __watchglass_store__():\n  global __watchglass_probe__\n  __watchglass_probe__ = 2\n"
        "__watchglass_store__()": "__watchglass_probe__",
        "del __watchglass_store__": "__watchglass_store__",
        "del __watchglass_probe__": "__watchglass_probe__",
    }
)
# The rungs that have passed the self-test: an image, which fits one build only, carries them to the
# processes that start from it, for the test of a watcher made by ctypes takes 10 ms of each start.
_passed: set[str] = set()


class SelfTestFailed(RuntimeError):
    """A watcher did not see a change that it must see: take the next rung."""


def choose_watcher(
    namespace: dict[str, Any], native: NativeWatcher | None = None, below: str | None = None
) -> Watcher:
    """The best watcher that passes the self-test here, not armed yet; one `below` a failed rung."""
    rungs = _rungs(namespace, native)
    if below in rungs:
        rungs = dict(list(rungs.items())[list(rungs).index(below) + 1 :])
    for rung, (make, kind) in rungs.items():
        try:
            if rung not in _passed:
                self_test(make, kind())
            _passed.add(rung)
            watcher = make(namespace)
            if type(namespace) is dict:
                _try_out(watcher, namespace)
        except (WatcherUnavailable, SelfTestFailed):
            continue
        return watcher
    return PollingWatcher()


def _rungs(
    namespace: dict[str, Any], native: NativeWatcher | None
) -> dict[str, tuple[Make, type[dict[str, Any]]]]:
    """What there is to choose from, the best first, and on what to test it."""
    rungs: dict[str, tuple[Make, type[dict[str, Any]]]] = {}
    if native is not None:
        rungs[WasmWatcher.rung] = (partial(WasmWatcher, native=native), dict)
    rungs[CtypesWatcher.rung] = (CtypesWatcher, dict)
    if isinstance(namespace, MonitoredDict):
        rungs[MonitoredDictWatcher.rung] = (MonitoredDictWatcher, MonitoredDict)
    return rungs


def self_test(make: Make, scratch: dict[str, Any]) -> None:
    """Each kind of change must be seen in a namespace like the real one; raises SelfTestFailed."""
    exec(_SETUP, scratch)
    watcher = make(scratch)
    watcher.arm()
    try:
        watcher.drain()
        _must_see_all(_BINDINGS, watcher, scratch)
        for code, name in _IN_PLACE:
            before = fingerprint(scratch[name])
            exec(code, scratch)
            if before == fingerprint(scratch[name]):
                raise SelfTestFailed(f"a fingerprint does not see a change of {name}")
        watcher.drain()
        scratch.clear()
        if watcher.complete and not watcher.drain().everything:
            raise SelfTestFailed(f"{watcher.rung} does not see that all names are gone")
    finally:
        watcher.clear()


def _try_out(watcher: Watcher, namespace: dict[str, Any]) -> None:
    """The same on the real namespace, as far as nobody notices; raises SelfTestFailed."""
    watcher.arm()
    try:
        watcher.drain()
        _must_see_all(_PROBES, watcher, namespace)
    finally:
        watcher.clear()


def _must_see_all(changes: Changes, watcher: Watcher, namespace: dict[str, Any]) -> None:
    for code, name in changes:
        if not _sees_binding(watcher, namespace, code, name):
            raise SelfTestFailed(f"{watcher.rung} does not see a change of {name}")


def _sees_binding(watcher: Watcher, namespace: dict[str, Any], code: CodeType, name: str) -> bool:
    """By what was noticed, or where not every store is, by what a poll compares."""
    absent = object()
    before = mark(namespace[name]) if name in namespace else absent
    exec(code, namespace)
    if watcher.complete:
        return watcher.has_stores() and name in watcher.drain().names
    watcher.drain()
    return before != (mark(namespace[name]) if name in namespace else absent)
