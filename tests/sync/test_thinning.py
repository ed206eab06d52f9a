"""A history that grows: the newest changes are all there, the old ones are few, none is moved."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass_sync.journal import Journal
from watchglass_sync.migrations import kind_of
from watchglass_sync.records import EventRecord, SessionDeleted, SessionRecord
from watchglass_sync.thinning import MOST, NEWEST, IndexedChange, room, surplus

TIME = "2026-01-31T12:00:00.123456Z"
RUNS = st.lists(
    st.tuples(
        st.sampled_from((None, "e1", "e2", "e3", "e4")),
        st.integers(1, 3000),
        st.sampled_from(("float", "float nan", "NoneType", "negative")),
    ),
    min_size=1,
    max_size=6,
)


def grown(made: Iterable[IndexedChange]) -> list[IndexedChange]:
    """What is left of changes that came one after the other, looked at as the journal does it."""
    kept: list[IndexedChange] = []
    limit = MOST
    for one in made:
        kept.append(one)
        if len(kept) > limit:
            gone = set(surplus(kept))
            kept = [each for each in kept if each.nth not in gone]
            limit = room(len(kept))
    return kept


def edges(changes: list[IndexedChange]) -> set[IndexedChange]:
    """The first and last of each execution, and the first of each kind."""
    forwards = {one.execution: one for one in changes[::-1]}
    backwards = {one.execution: one for one in changes}
    kinds = {one.kind: one for one in changes[::-1]}
    return {*forwards.values(), *backwards.values(), *kinds.values()}


@settings(max_examples=20, deadline=None)
@given(RUNS)
def test_whatever_comes_the_newest_and_the_edges_stay_and_the_rest_is_few(
    runs: list[tuple[str | None, int, str]],
) -> None:
    made: list[IndexedChange] = []
    for execution, length, kind in runs:
        for nth in range(length):
            became = kind if nth == length // 2 else "float"
            made.append(IndexedChange(len(made) + 1, execution, became))
    kept = grown(made)
    known = {one.nth for one in kept}
    assert kept == [one for one in made if one.nth in known], "in order, none twice, none made up"
    assert kept[-NEWEST:] == made[-NEWEST:]
    assert {one.nth for one in edges(made)} <= known
    assert len(kept) <= MOST + len(edges(made)) * 5 // 4
    if len(made) <= MOST:
        assert kept == made


def test_the_old_changes_that_stay_are_spread_over_the_whole_life() -> None:
    numbers = [one.nth for one in grown(change(at) for at in range(200_000))]
    gaps = [after - before for before, after in pairwise(numbers)]
    assert len(numbers) > NEWEST + 1000
    assert max(gaps) <= 256
    assert max(gaps[1:1000]) == min(gaps[1:500]), "as wide at the beginning as in the middle"


def test_many_executions_each_keep_their_ends_and_are_looked_at_ever_more_seldom() -> None:
    made = [change(at, execution=f"e{at // 2}") for at in range(20_000)]
    assert surplus(made) == []
    limits = [MOST]
    while limits[-1] < len(made):
        limits.append(room(limits[-1]))
    assert len(limits) < 10


def test_a_kind_is_what_people_ask_for_the_first_time_of() -> None:
    for special in ("nan", "inf", "-inf"):
        assert kind_of(told({"$type": "float", "value": special})) == f"float {special}"
    assert kind_of(told({"$type": "int", "value": "-99999999999999999"}, "int")) == "negative"
    assert kind_of(told({"$type": "int", "value": "99999999999999999"}, "int")) == "int"
    assert kind_of(told(-0.5)) == "negative"
    assert kind_of(told(None, "NoneType")) == "NoneType"
    for value, type in ((True, "bool"), (0, "int"), ("nan", "str"), ([-1], "list")):
        assert kind_of(told(value, type)) == type
    assert kind_of({"op": "delete", "variable": None}) == "deleted"
    assert kind_of(told(1, "é" * 1000)) == "\\u00e9" * 100


def test_of_ever_new_kinds_only_some_are_kept_for_ever() -> None:
    made = [IndexedChange(nth, "e", f"T{nth}") for nth in range(1, 12_000)]
    assert len(grown(made)) <= MOST


async def test_the_journal_keeps_a_bounded_history_of_an_endless_loop(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path) as journal:
        await journal.append("s", [SessionRecord({}), event(1, "x", "y")])
        for first in range(2, 12_002, 400):
            await journal.append("s", [event(seq, "x") for seq in range(first, first + 400)])
        found = [one.seq for one in await journal.history("s", "x", None, 100_000)]
        assert found[:NEWEST] == list(range(12_001, 12_001 - NEWEST, -1))
        assert found == sorted(set(found), reverse=True)
        assert NEWEST < len(found) <= MOST
        assert found[-1] == 1
        assert [one.nth for one in await journal.history("s", "x", None, 2)] == [12_001, 12_000]
        assert len(await journal.history("s", "y", None, 10)) == 1
        assert len(await journal.events("s", 0, 20_000)) == 12_001, "the events all stay"


async def test_pages_of_a_thinned_history_are_the_whole_of_it(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path) as journal:
        await journal.append("s", [SessionRecord({})])
        for first in range(1, 6001, 500):
            await journal.append("s", [event(seq, "x") for seq in range(first, first + 500)])
        whole = await journal.history("s", "x", None, 100_000)
        paged = []
        before = None
        while page := await journal.history("s", "x", before, 333):
            paged += page
            before = page[-1].seq
        assert paged == whole


async def test_a_journal_that_was_closed_goes_on_thinning(tmp_path: Path) -> None:
    for first in range(1, 9001, 900):
        async with await Journal.open(tmp_path) as journal:
            if first == 1:
                await journal.append("s", [SessionRecord({})])
            await journal.append("s", [event(seq, "x") for seq in range(first, first + 900)])
            assert len(await journal.history("s", "x", None, 100_000)) <= MOST


async def test_a_session_made_anew_under_an_old_id_begins_an_empty_history(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path) as journal:
        for _ in range(2):
            await journal.append("s", [SessionRecord({})])
            await journal.append("s", [event(seq, "x") for seq in range(1, 3001)])
            assert len(await journal.history("s", "x", None, 100_000)) == 3000
            await journal.append("s", [SessionDeleted()])


async def test_thinning_costs_a_loop_no_more_at_its_end_than_at_its_beginning(
    tmp_path: Path,
) -> None:
    async def took(journal: Journal, first: int) -> float:
        since = time.perf_counter()
        await journal.append("s", [event(seq, "x") for seq in range(first, first + 4000)])
        return time.perf_counter() - since

    async with await Journal.open(tmp_path) as journal:
        await journal.append("s", [SessionRecord({})])
        times = [await took(journal, first) for first in range(1, 80_001, 4000)]
    assert min(times[-5:]) < 5 * min(times[:5])


def event(seq: int, *names: str) -> EventRecord:
    changes = [
        {"op": "set", "name": name, "execution": "e", "variable": {"preview": str(seq)}}
        for name in names
    ]
    return EventRecord(seq, TIME, "variables.changed", {"changes": changes, "running": True})


def change(at: int, execution: str | None = "e") -> IndexedChange:
    return IndexedChange(at + 1, execution, "float")


def told(value: object, type: str = "float") -> dict[str, object]:
    return {"op": "set", "name": "x", "variable": {"type": type, "value": value}}
