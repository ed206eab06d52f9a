"""Which variables were changed in place: walks over them in turn, each at most 2 % of the time."""

from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from .fingerprint import Fingerprint, Walk, glance
from .marks import is_constant
from .reading import Value

# A variable may be walked over for this share of the time, and this long in advance: so small ones
# are looked at after every execution, however quickly these follow each other.
SHARE = 0.02
ADVANCE_S = 0.01
# A walk that takes longer than this is preceded by a glance.
_LONG_WALK_S = 0.001
_SHORTEST_SLICE_S = 0.0002


@dataclass(slots=True)
class _Scanned:
    """What is known of one variable between two walks; no object of the user's."""

    fingerprint: Fingerprint | None = None
    walk: Walk | None = None
    glance: object = None
    cost: float = 0.0
    credit: float = ADVANCE_S
    credited_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Found:
    """A variable that was changed in place. One that was never walked over before is uncertain."""

    name: str
    certain: bool


class Scanner:
    """Takes turns over all variables; a round may take many calls."""

    def __init__(self) -> None:
        self._scanned: dict[str, _Scanned] = {}
        self._round: list[str] = []
        self._suspects: dict[str, None] = {}

    @property
    def unfinished(self) -> bool:
        """Whether the round that was begun is not complete yet."""
        return bool(self._round)

    def bound(self, name: str, value: Value) -> None:
        """A name was bound: what was known of its former value means nothing."""
        if is_constant(value):
            self.forget(name)
        else:
            credit = self._scanned.get(name, _Scanned(credited_at=perf_counter()))
            self._scanned[name] = _Scanned(credit=credit.credit, credited_at=credit.credited_at)
            self._suspects[name] = None

    def forget(self, name: str) -> None:
        """A name is not bound any more, or to something that cannot change."""
        self._scanned.pop(name, None)
        self._suspects.pop(name, None)

    def suspect(self, names: Iterable[str]) -> None:
        """Looks at these first: they may be other objects at the same addresses."""
        for name in names:
            if name in self._scanned:
                self._suspects[name] = None

    def scan(self, namespace: dict[str, Any], deadline: float) -> list[Found]:
        """Walks on until the deadline, and at least over one variable."""
        if not self._round:
            rest = [name for name in self._scanned if name not in self._suspects]
            # Taken from the end.
            self._round = [*reversed(rest), *reversed(self._suspects)]
        elif self._suspects:
            self._round = [
                *(name for name in self._round if name not in self._suspects),
                *reversed(self._suspects),
            ]
        found: list[Found] = []
        while self._round:
            name = self._round[-1]
            result = self._scan_one(name, namespace, deadline)
            if result is not None:
                found.append(result)
            scanned = self._scanned.get(name)
            out_of_time = perf_counter() >= deadline
            if scanned is None or scanned.walk is None or scanned.credit <= 0:
                self._round.pop()
                self._suspects.pop(name, None)
            if out_of_time:
                break
        return found

    def check(self, name: str, value: Value, deadline: float) -> bool:
        """Walks over one variable now; whether it was changed since the last complete walk."""
        scanned = self._scanned.get(name)
        if scanned is None or scanned.fingerprint is None:
            return False
        walk = Walk()
        if not walk.step(value, deadline):
            return glance(value) != scanned.glance and scanned.glance is not None
        changed = walk.fingerprint != scanned.fingerprint
        scanned.fingerprint, scanned.walk = walk.fingerprint, None
        return changed

    def _scan_one(self, name: str, namespace: dict[str, Any], deadline: float) -> Found | None:
        scanned = self._scanned.get(name)
        if scanned is None or name not in namespace:
            return None
        began = perf_counter()
        earned = (began - scanned.credited_at) * SHARE
        scanned.credit = min(scanned.credit + earned, ADVANCE_S)
        scanned.credited_at = began
        if scanned.credit <= 0:
            return None
        try:
            return _walk_on(
                name, namespace[name], scanned, max(deadline, began + _SHORTEST_SLICE_S)
            )
        finally:
            spent = perf_counter() - began
            scanned.credit -= spent
            scanned.cost = spent if scanned.walk is None else scanned.cost + spent


def _walk_on(name: str, value: Value, scanned: _Scanned, deadline: float) -> Found | None:
    if scanned.walk is None:
        scanned.walk = Walk()
        if scanned.cost > _LONG_WALK_S and _seems_changed(value, scanned):
            return Found(name, certain=True)
    if not scanned.walk.step(value, deadline):
        scanned.cost = max(scanned.cost, _LONG_WALK_S * 2)
        return None
    walk, before = scanned.walk, scanned.fingerprint
    scanned.walk, scanned.fingerprint = None, walk.fingerprint
    if before is None:
        return Found(name, certain=False)
    return Found(name, certain=True) if walk.disturbed or before != walk.fingerprint else None


def _seems_changed(value: Value, scanned: _Scanned) -> bool:
    seen = glance(value)
    changed = scanned.glance is not None and seen != scanned.glance
    scanned.glance = seen
    if changed:
        # The walk that begins now makes a new picture to compare the next one with.
        scanned.fingerprint = None
    return changed
