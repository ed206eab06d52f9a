"""Value -> fingerprint, by the walk in WebAssembly: as fingerprint.py finds it, only sooner.

What it does not know it leaves to Python: a value that holds such a thing is foreign.
"""

import weakref
from array import array
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from time import perf_counter
from typing import Any

from .host import Fingerprints
from .native_layout import LayoutUnknown, facts
from .reading import Value

# The numbers of walk.ts.
COMPLETE, PAUSED, LARGE, FOREIGN, DISTURBED = range(1, 6)
_STATUS = 0xFF
_TRUNCATED = 0x100

MAX_SCANNED = 512
_WALKS = 4
_SELF_TEST_MS = 100.0


class NativeUnavailable(RuntimeError):
    """The native walk is not there, or does not see what it must: walk in Python."""


class NativeFingerprints:
    """The walk in WebAssembly, once it has shown that it sees what it must."""

    def __init__(self, native: Fingerprints) -> None:
        self.results = array("Q", bytes(16 * MAX_SCANNED))
        self._results_at = id(self.results)
        self._scan = native.scan
        self._step = native.step
        self._drop = native.drop
        self._free = list(range(1, _WALKS + 1))
        if native.configure(facts().address) != 1:
            raise NativeUnavailable("there is no memory for it")

    def scan(self, values: list[Value], ms: float) -> int:
        """Walks over small variables; how many it came to. What it found is in `results`."""
        return self._reached(self._scan(id(values), self._results_at, ms))

    def walk(self) -> "NativeWalk | None":
        """A walk of any length; None when too many others are paused."""
        return NativeWalk(self, self._free.pop()) if self._free else None

    def step(self, number: int, root: Value, ms: float) -> tuple[int, int]:
        """Goes on with a walk: its fingerprint, and its status."""
        self._reached(self._step(number, id(root), self._results_at, ms))
        return self.results[0], self.results[1]

    def end(self, number: int) -> None:
        """A walk is over, or given up."""
        self._drop(number)
        self._free.append(number)

    def _reached(self, count: int) -> int:
        if count < 0:
            raise NativeUnavailable("the native walk failed")
        return count


class NativeWalk:
    """One walk over everything that a variable holds, in slices; as `Walk` in Python."""

    def __init__(self, native: NativeFingerprints, number: int) -> None:
        self._native = native
        self._number = number
        self.fingerprint = 0
        self.disturbed = False
        self.truncated = False
        # It holds something that only Python can walk over.
        self.is_foreign = False

    def step(self, root: Value, deadline: float) -> bool:
        """Walks on until the deadline; True when the walk is complete, or cannot be."""
        while True:
            left = (deadline - perf_counter()) * 1000
            self.fingerprint, told = self._native.step(self._number, root, left)
            status = told & _STATUS
            if status != DISTURBED:
                break
            self.disturbed = True
        self.is_foreign = status == FOREIGN
        self.truncated = bool(told & _TRUNCATED)
        return status != PAUSED

    def __del__(self) -> None:
        self._native.end(self._number)


def status_of(told: int) -> tuple[int, bool]:
    """The second number of a result: the status, and whether something was cut off."""
    return told & _STATUS, bool(told & _TRUNCATED)


def choose_native(native: Fingerprints | None) -> NativeFingerprints | None:
    """The native walk, if there is one and it passes its self-test."""
    if native is None:
        return None
    try:
        chosen = NativeFingerprints(native)
        self_test(chosen)
    except (LayoutUnknown, NativeUnavailable):
        return None
    return chosen


class _Plain:
    __module__ = "__main__"  # as a session's own; those of the monitor are not looked into

    def __init__(self) -> None:
        self.size = 1
        self.items = [1]


class _Slotted:
    __module__ = "__main__"
    __slots__ = ("a", "b")


class _Listed(list[Any]):
    __module__ = "__main__"


def _function(value: Any = [1]) -> Any:  # noqa: B006
    return value


def _append(value: Any) -> None:
    value.append(2)


def _store(value: Any) -> None:
    value[0] = 7


# A value, and a change that must be seen.
_SEEN: tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...] = (
    (lambda: [1], _append),
    (lambda: [1, 2], _store),
    (lambda: [2**70], lambda v: v.__setitem__(0, 2**70 + 1)),
    (lambda: ["aé✓"], lambda v: v.__setitem__(0, "aé✗")),
    (lambda: [Decimal("1.5")], lambda v: v.__setitem__(0, Decimal("1.6"))),
    (lambda: [time(1)], lambda v: v.__setitem__(0, time(1, microsecond=1))),
    (lambda: {0: 1}, _store),
    (lambda: {"a": [{"b": [1]}]}, lambda v: v["a"][0]["b"].append(2)),
    (lambda: ([],), lambda v: v[0].append(1)),
    (lambda: {1, 2}, lambda v: v.add(3)),
    (lambda: deque([1]), _append),
    (lambda: defaultdict(list), lambda v: v["new"]),
    (lambda: bytearray(70), _store),
    (lambda: array("d", [1.0] * 9), _store),
    (lambda: memoryview(bytearray(9)), _store),
    (_Plain, lambda v: setattr(v, "size", 2)),
    (_Plain, lambda v: setattr(v, "more", 2)),
    (_Plain, lambda v: v.items.append(2)),
    (_Slotted, lambda v: setattr(v, "b", 2)),
    (lambda: _Listed([1]), lambda v: setattr(v, "name", 2)),
    (lambda: iter([1, 2]), next),
    (lambda: _function, lambda v: v().append(1)),
)
# A value, and a look at it that is no change.
_UNSEEN: tuple[tuple[Callable[[], Any], Callable[[Any], object]], ...] = (
    (lambda: ["".join(["né✓"] * 3)], lambda v: (hash(v[0]), v[0].encode())),
    (_Plain, lambda v: (vars(v), weakref.ref(v))),
    (lambda: _Listed([1]), lambda v: (vars(v), weakref.ref(v))),
    (
        lambda: [(1, "a"), frozenset({1}), Decimal(1), datetime.max, date.max, timedelta.max],
        lambda v: [hash(each) for each in v],
    ),
)


def self_test(native: NativeFingerprints) -> None:
    """Each kind of change must be seen, and a look at a value must not; or NativeUnavailable."""
    for cases, is_seen in ((_SEEN, True), (_UNSEEN, False)):
        values = [make() for make, _ in cases]
        before = _fingerprints(native, values)
        if before != _fingerprints(native, values):
            raise NativeUnavailable("a fingerprint is another one each time")
        for value, (_, change) in zip(values, cases, strict=True):
            change(value)
        after = _fingerprints(native, values)
        if any((left != right) != is_seen for left, right in zip(before, after, strict=True)):
            raise NativeUnavailable("a change is not seen, or seen where there is none")


def _fingerprints(native: NativeFingerprints, values: list[Any]) -> list[int]:
    reached = native.scan(values, _SELF_TEST_MS)
    told = native.results[: 2 * reached]
    if any(status_of(each)[0] != COMPLETE for each in told[1::2]) or reached < len(values):
        raise NativeUnavailable("a value of a known type is foreign")
    return list(told[::2])
