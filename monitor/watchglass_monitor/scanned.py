"""What is known of one variable between two walks over it, and what the next walk tells of it."""

from dataclasses import dataclass

from .fingerprint import Fingerprint, Walk, glance
from .native_fingerprint import NativeWalk
from .reading import Value

# Credit that a variable has in advance: so small ones are looked at after every execution, however
# quickly these follow each other.
ADVANCE_S = 0.01


@dataclass(slots=True)
class Scanned:
    """One variable; no object of the user's is held."""

    fingerprint: Fingerprint | int | None = None
    walk: Walk | NativeWalk | None = None
    glance: object = None
    cost: float = 0.0
    credit: float = ADVANCE_S
    credited_at: float = 0.0
    # Too much for a scan of many variables; or with something in it that only Python walks over.
    is_large: bool = False
    is_foreign: bool = False
    is_truncated: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A variable that was changed in place. One that was never walked over before is uncertain."""

    name: str
    certain: bool


def step_on(scanned: Scanned, value: Value, deadline: float) -> bool:
    """Goes on with a walk, in Python if need be; True when it is complete."""
    walk = scanned.walk
    assert walk is not None
    is_complete = walk.step(value, deadline)
    if isinstance(walk, NativeWalk) and walk.is_foreign:
        scanned.is_foreign = True
        scanned.walk = walk = Walk()
        is_complete = walk.step(value, deadline)
    return is_complete


def tell(
    name: str, scanned: Scanned, fingerprint: Fingerprint | int, is_truncated: bool
) -> Found | None:
    """What a complete walk has found."""
    before, was_truncated = scanned.fingerprint, scanned.is_truncated
    scanned.fingerprint, scanned.is_truncated = fingerprint, is_truncated
    if before is not None and before != fingerprint:
        return Found(name, certain=True)
    return Found(name, certain=False) if before is None or was_truncated != is_truncated else None


def seems_changed(value: Value, scanned: Scanned) -> bool:
    seen = glance(value)
    changed = scanned.glance is not None and seen != scanned.glance
    scanned.glance = seen
    if changed:
        # The walk that begins now makes a new picture to compare the next one with.
        scanned.fingerprint = None
    return changed
