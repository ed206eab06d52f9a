"""Before, after → which names were bound and which are gone; pure."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

# What a binding is recognised by, without holding the object: see `fingerprint.mark`.
Mark: TypeAlias = Hashable


@dataclass(frozen=True, slots=True)
class Difference:
    """Names that are bound to something else than before, and names that are bound no more."""

    bound: tuple[str, ...] = ()
    unbound: tuple[str, ...] = ()


def difference(before: Mapping[str, Mark], after: Mapping[str, Mark]) -> Difference:
    """All names whose mark differs."""
    return difference_of(before, after, {**after, **before})


def difference_of(
    before: Mapping[str, Mark], after: Mapping[str, Mark], names: Iterable[str]
) -> Difference:
    """The given names only; a name in neither has come and gone unseen, and is no difference."""
    bound: list[str] = []
    unbound: list[str] = []
    for name in names:
        if name not in after:
            if name in before:
                unbound.append(name)
        elif name not in before or before[name] != after[name]:
            bound.append(name)
    return Difference(tuple(bound), tuple(unbound))
