"""Which changes of a variable its history keeps: all while they are few, fewer of the old later.

The events themselves stay; what goes is their place in the index `variable_changes`. A look at all
changes of a variable comes after so many new ones that each change costs the same, however many
there were. The connection comes from outside.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from watchglass_sync.reading import Connection
from watchglass_sync.statements import Changed

NEWEST = 1000
"""These are always there."""
MOST = 4000
"""More than this, besides those that always stay, no variable has."""
OLDER_AFTER = (MOST - NEWEST) // 2
KINDS_MOST = 100
KNOWN_MOST = 100_000

Variable = tuple[str, str]


@dataclass(frozen=True, slots=True)
class IndexedChange:
    """One row of the index: the how manyth of its variable, who made it, what the value became."""

    nth: int
    execution: str | None
    kind: str


@dataclass(slots=True)
class _Count:
    """What is known of one variable: too much costs a look, or leaves a number out; no more."""

    changes: int
    last_nth: int
    room: int = MOST


def surplus(changes: Sequence[IndexedChange]) -> list[int]:
    """Of all changes of a variable, in order, those that go: every 2nd stays, every 4th, …"""
    if len(changes) <= MOST:
        return []
    always = _always(changes)
    older = [one.nth for one in changes[:-NEWEST] if one.nth not in always]
    stay = older
    stride = 1
    while len(stay) > OLDER_AFTER:
        stride *= 2
        stay = [nth for nth in stay if nth % stride == 0]
    kept = set(stay)
    return [nth for nth in older if nth not in kept]


def room(kept: int) -> int:
    """How many there may be before they are looked at again."""
    return max(MOST, kept + kept // 4)


def _always(changes: Iterable[IndexedChange]) -> set[int]:
    """The first and last of each execution, and the first of each kind."""
    firsts: dict[str | None, int] = {}
    lasts: dict[str | None, int] = {}
    kinds: dict[str, int] = {}
    for one in changes:
        firsts.setdefault(one.execution, one.nth)
        lasts[one.execution] = one.nth
        if len(kinds) < KINDS_MOST:
            kinds.setdefault(one.kind, one.nth)
    return set(chain(firsts.values(), lasts.values(), kinds.values()))


class Thinning:
    """Numbers the changes of each variable as they are put into the index, and thins them."""

    def __init__(self) -> None:
        self._known: dict[Variable, _Count] = {}

    def numbered(self, db: Connection, changes: Sequence[Changed]) -> list[tuple[object, ...]]:
        """The rows to put into the index."""
        self._meet(db, {one.variable for one in changes})
        rows: list[tuple[object, ...]] = []
        for one in changes:
            count = self._known[one.variable]
            count.changes += 1
            count.last_nth += 1
            rows.append((*one.variable, *one.place, one.execution, one.kind, count.last_nth))
        return rows

    def thin(self, db: Connection, changes: Iterable[Changed]) -> None:
        """Thin what became too many by these."""
        for variable in {one.variable for one in changes}:
            count = self._known[variable]
            if count.changes > count.room:
                count.changes = _thinned(db, variable)
                count.room = room(count.changes)

    def _meet(self, db: Connection, variables: set[Variable]) -> None:
        """With one statement for all: a flood would wait for one for each."""
        if len(self._known) > KNOWN_MOST:
            self._known.clear()
        unknown = sorted(variables - self._known.keys())
        if not unknown:
            return
        of = "FROM variable_changes WHERE session = sid AND name = named"
        rows = db.execute(
            "WITH wanted (sid, named) AS"
            " (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))"
            f" SELECT sid, named, (SELECT count(*) {of}),"
            f" (SELECT nth {of} ORDER BY seq DESC, position DESC LIMIT 1) FROM wanted",
            (json.dumps(unknown),),
        )
        for session, name, changes, last_nth in rows:
            self._known[session, name] = _Count(changes, last_nth or 0)


def _thinned(db: Connection, variable: Variable) -> int:
    """How many changes of the variable are left."""
    where = "WHERE session = ? AND name = ?"
    rows = db.execute(
        f"SELECT nth, execution, kind FROM variable_changes {where} ORDER BY seq, position",
        variable,
    )
    changes = [IndexedChange(*row) for row in rows]
    gone = surplus(changes)
    if gone:
        db.execute(
            f"DELETE FROM variable_changes {where} AND nth IN (SELECT value FROM json_each(?))",
            (*variable, json.dumps(gone)),
        )
    return len(changes) - len(gone)
