"""Iterators over changes: what each rule does when nobody takes them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from spacetimedb_client import ChangesOverflow, Delete, Insert, Update
from spacetimedb_client.changes import Changes, combined


def changes(overflow: Any, maxsize: int = 2) -> Changes[tuple[int, int]]:
    return Changes(lambda row: row[0], maxsize, overflow, lambda _: None)


async def test_oldest_changes_are_dropped_and_counted() -> None:
    stream = changes("drop_oldest")
    for n in range(5):
        stream.put(Insert((n, 0)))
    assert [await anext(stream) for _ in range(2)] == [Insert((3, 0)), Insert((4, 0))]
    assert stream.dropped == 3


async def test_too_many_changes_are_an_error_that_says_what_to_do() -> None:
    stream = changes("raise")
    for n in range(3):
        stream.put(Insert((n, 0)))
    with pytest.raises(ChangesOverflow, match="more than 2 changes"):
        await anext(stream)


async def test_changes_of_one_row_are_merged() -> None:
    stream = changes("coalesce")
    stream.put(Insert((1, 0)))
    stream.put(Update((1, 0), (1, 1)))
    stream.put(Insert((2, 0)))
    stream.put(Delete((2, 0)))
    stream.put(Update((3, 0), (3, 1)))
    stream.put(Update((3, 1), (3, 2)))
    assert [await anext(stream) for _ in range(2)] == [
        Insert((1, 1)),
        Update((3, 0), (3, 2)),
    ]


async def test_a_full_iterator_has_no_room_until_it_is_read() -> None:
    stream = changes("block")
    for n in range(3):
        stream.put(Insert((n, 0)))
    waiting = asyncio.create_task(stream.has_room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await anext(stream)
    await anext(stream)
    await waiting


async def test_the_end_comes_after_all_that_waits() -> None:
    stream = changes("block")
    stream.put(Insert((1, 0)))
    stream.close()
    assert [change async for change in stream] == [Insert((1, 0))]


def test_what_two_changes_come_to() -> None:
    a, b = (1, 0), (1, 1)
    assert combined(Update(a, b), Delete(b)) == Delete(a)
    assert combined(Delete(a), Insert(b)) == Update(a, b)
    assert combined(None, Delete(a)) == Delete(a)


async def test_rules_that_are_none_are_told() -> None:
    with pytest.raises(ValueError, match="take one of block"):
        changes("ignore")
    with pytest.raises(ValueError, match="at least 1"):
        changes("block", 0)
    with pytest.raises(ValueError, match="primary key"):
        Changes(None, 5, "coalesce", lambda _: None)
