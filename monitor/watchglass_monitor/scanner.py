"""Which variables were changed in place: walks over them in turn, each at most 2 % of the time."""

from collections.abc import Iterable
from time import perf_counter
from typing import Any

from .fingerprint import Walk, glance
from .marks import is_constant
from .native_fingerprint import (
    COMPLETE,
    FOREIGN,
    LARGE,
    MAX_SCANNED,
    NativeFingerprints,
    NativeUnavailable,
    NativeWalk,
    status_of,
)
from .reading import Value
from .scanned import ADVANCE_S, Found, Scanned, seems_changed, step_on, tell

# A variable may be walked over for this share of the time.
SHARE = 0.02
# A walk that takes longer than this is preceded by a glance.
_LONG_WALK_S = 0.001
_SHORTEST_SLICE_S = 0.0002
# How many times as long as it may a slice is believed to have taken.
_LONGEST_OVERRUN = 2


class Scanner:
    """Takes turns over all variables; a round may take many calls."""

    def __init__(self, native: NativeFingerprints | None = None) -> None:
        self._native = native
        self._scanned: dict[str, Scanned] = {}
        self._round: list[str] = []
        # Walks that have not come to their end: whether code has run since they began.
        self._owed: dict[str, bool] = {}
        self._is_resting = False
        self._suspects: dict[str, None] = {}

    @property
    def unfinished(self) -> bool:
        """Whether the round that was begun is not complete yet."""
        return bool(self._round)

    @property
    def owes(self) -> bool:
        """Whether some walk is not complete yet, and has to wait for its share of the time."""
        return bool(self._owed)

    def rest(self) -> None:
        """No code runs: from the next round on, only what is unfinished is looked at."""
        self._is_resting = True

    def wake(self) -> None:
        """Code runs: it may change what a walk has passed by already."""
        self._is_resting = False
        for name in self._owed:
            self._owed[name] = True

    def bound(self, name: str, value: Value) -> None:
        """A name was bound: what was known of its former value means nothing."""
        if is_constant(value):
            self.forget(name)
        else:
            credit = self._scanned.get(name, Scanned(credited_at=perf_counter()))
            self._scanned[name] = Scanned(credit=credit.credit, credited_at=credit.credited_at)
            self._suspects[name] = None

    def is_truncated(self, name: str) -> bool:
        """Whether a variable holds more than is walked over."""
        scanned = self._scanned.get(name)
        return scanned is not None and scanned.is_truncated

    def forget(self, name: str) -> None:
        """A name is not bound any more, or to something that cannot change."""
        self._scanned.pop(name, None)
        self._suspects.pop(name, None)
        self._owed.pop(name, None)

    def suspect(self, names: Iterable[str]) -> None:
        """Looks at these first: they may be other objects at the same addresses."""
        for name in names:
            if name in self._scanned:
                self._suspects[name] = None

    def scan(self, namespace: dict[str, Any], deadline: float) -> list[Found]:
        """Walks on until the deadline, and at least over one variable."""
        if not self._round:
            names = self._owed if self._is_resting else self._scanned
            rest = [name for name in names if name not in self._suspects]
            # Taken from the end.
            self._round = [*reversed(rest), *reversed(self._suspects)]
        elif self._suspects:
            self._round = [
                *(name for name in self._round if name not in self._suspects),
                *reversed(self._suspects),
            ]
        try:
            return self._scan_round(namespace, deadline)
        except NativeUnavailable:
            self._native = None
            self._owed.clear()
            for scanned in self._scanned.values():
                scanned.walk = scanned.fingerprint = None
            return []

    def check(self, name: str, value: Value, deadline: float) -> bool:
        """Walks over one variable now; whether it was changed since the last complete walk."""
        scanned = self._scanned.get(name)
        if scanned is None or scanned.fingerprint is None:
            return False
        whole = Scanned(is_foreign=scanned.is_foreign, walk=self._begin(scanned))
        if whole.walk is None or not step_on(whole, value, deadline):
            return glance(value) != scanned.glance and scanned.glance is not None
        changed = whole.walk.fingerprint != scanned.fingerprint
        scanned.fingerprint, scanned.walk = whole.walk.fingerprint, None
        return changed

    def _scan_round(self, namespace: dict[str, Any], deadline: float) -> list[Found]:
        found: list[Found] = []
        while self._round:
            names = self._take_small(namespace)
            if names:
                found += self._scan_small(names, namespace, deadline)
            elif self._round:  # else all that was left of it is bound no more
                name = self._round[-1]
                one = self._scan_one(name, namespace, deadline)
                if one is not None:
                    found.append(one)
                scanned = self._scanned.get(name)
                if scanned is None or scanned.walk is None or scanned.credit <= 0:
                    self._round.pop()
                    self._suspects.pop(name, None)
            if perf_counter() >= deadline:
                break
        return found

    def _take_small(self, namespace: dict[str, Any]) -> list[str]:
        """The next of the round that can be walked over together."""
        names: list[str] = []
        left, look_up = self._round, self._scanned.get
        while self._native is not None and left and len(names) < MAX_SCANNED:
            name = left[-1]
            scanned = look_up(name)
            if scanned is None or name not in namespace:
                self._looked_at(left.pop())
            elif scanned.is_large or scanned.is_foreign or scanned.walk is not None:
                break
            else:
                names.append(left.pop())
        return names

    def _scan_small(
        self, names: list[str], namespace: dict[str, Any], deadline: float
    ) -> list[Found]:
        """Walks over many at once. What one of them takes is too little to be counted."""
        assert self._native is not None
        left = max(deadline - perf_counter(), _SHORTEST_SLICE_S)
        reached = self._native.scan([namespace[name] for name in names], left * 1000)
        self._round += reversed(names[reached:])
        told = iter(self._native.results)
        found: list[Found] = []
        for name, fingerprint, status in zip(names[:reached], told, told, strict=False):
            scanned = self._scanned[name]
            if status == COMPLETE and fingerprint == scanned.fingerprint:
                self._looked_at(name)
                continue
            one = self._tell_small(name, scanned, fingerprint, status)
            if one is not None:
                found.append(one)
        return found

    def _tell_small(self, name: str, scanned: Scanned, fingerprint: int, told: int) -> Found | None:
        status, is_truncated = status_of(told)
        if status == COMPLETE:
            self._looked_at(name)
            return tell(name, scanned, fingerprint, is_truncated)
        scanned.is_large = status == LARGE
        scanned.is_foreign = status == FOREIGN
        self._round.append(name)
        return None

    def _looked_at(self, name: str) -> None:
        if self._suspects:
            self._suspects.pop(name, None)
        if self._owed:
            self._owed.pop(name, None)

    def _scan_one(self, name: str, namespace: dict[str, Any], deadline: float) -> Found | None:
        scanned = self._scanned.get(name)
        if scanned is None or name not in namespace:
            self._owed.pop(name, None)
            return None
        began = perf_counter()
        earned = (began - scanned.credited_at) * SHARE
        scanned.credit = min(scanned.credit + earned, ADVANCE_S)
        scanned.credited_at = began
        self._owed.setdefault(name, False)
        if scanned.credit <= 0:
            return None
        end = max(deadline, began + _SHORTEST_SLICE_S)
        try:
            return self._walk_on(name, namespace[name], scanned, end)
        finally:
            # A walk ends soon after its slice does: what is more, other processes took.
            spent = min(perf_counter() - began, _LONGEST_OVERRUN * (end - began))
            scanned.credit -= spent
            scanned.cost = spent if scanned.walk is None else scanned.cost + spent

    def _walk_on(self, name: str, value: Value, scanned: Scanned, deadline: float) -> Found | None:
        if scanned.walk is None:
            scanned.walk = self._begin(scanned)
            if scanned.walk is None:
                return None
            if scanned.cost > _LONG_WALK_S and seems_changed(value, scanned):
                return Found(name, certain=True)
        if not step_on(scanned, value, deadline):
            scanned.cost = max(scanned.cost, _LONG_WALK_S * 2)
            return None
        walk, scanned.walk = scanned.walk, None
        if self._owed.pop(name, False):
            self._owed[name] = False
        scanned.is_foreign = False  # perhaps the next walk finds nothing foreign any more
        found = tell(name, scanned, walk.fingerprint, walk.truncated)
        return Found(name, certain=True) if walk.disturbed else found

    def _begin(self, scanned: Scanned) -> Walk | NativeWalk | None:
        """A walk over a variable; None when too many others are on their way."""
        if self._native is None or scanned.is_foreign:
            return Walk()
        return self._native.walk()
