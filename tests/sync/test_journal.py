"""The journal: what was acknowledged is there, in order, whatever happened in between."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from watchglass_sync.errors import (
    DataDirLocked,
    DataDirUnusable,
    JournalBroken,
    JournalClosed,
    JournalOutOfOrder,
    JournalTooNew,
    JournalWriteFailed,
    SessionUnknown,
)
from watchglass_sync.group_commit import ROOM_BYTES
from watchglass_sync.journal import Journal
from watchglass_sync.journal_reader import FILE_NAME
from watchglass_sync.records import (
    Chunk,
    DumpRecord,
    Event,
    EventRecord,
    ExecutionRecord,
    OutputRecord,
    Record,
    SessionDeleted,
    SessionRecord,
    ShareRecord,
    ShareRevoked,
    StateRecord,
    StoredDump,
)

TIME = "2026-01-31T12:00:00.123456Z"
NASTY = "a\x00b\ud800c\U0001f600\udfff\r\n"


def event(seq: int, kind: str = "stream", **data: object) -> EventRecord:
    return EventRecord(seq, TIME, kind, data)


def change(name: str, preview: str) -> dict[str, object]:
    return {"op": "set", "name": name, "variable": {"preview": preview}}


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with await Journal.open(tmp_path) as journal:
        await journal.append("s", [SessionRecord({"name": "one"})])
        yield journal


async def test_events_come_back_as_they_were_appended(journal: Journal) -> None:
    await journal.append("s", [event(1, text=NASTY), event(2, "error", line=None)])
    await journal.append("s", [event(3, deep={"list": [1.5, True, 2**70]})])
    assert await journal.events("s", 0, 10) == [
        Event(1, TIME, "stream", {"text": NASTY}),
        Event(2, TIME, "error", {"line": None}),
        Event(3, TIME, "stream", {"deep": {"list": [1.5, True, 2**70]}}),
    ]
    assert [one.seq for one in await journal.events("s", 1, 1)] == [2]


async def test_a_page_of_events_stops_before_it_grows_too_large(journal: Journal) -> None:
    await journal.append("s", [event(seq, text="x" * 1000) for seq in range(1, 6)])
    page = await journal.events("s", 0, 100, max_bytes=2500)
    assert [one.seq for one in page] == [1, 2]
    assert len(await journal.events("s", 0, 100, max_bytes=1)) == 1


async def test_a_session_loads_from_its_newest_state_and_the_events_after_it(
    journal: Journal,
) -> None:
    await journal.append("s", [event(1), event(2), StateRecord(2, {"fold": "old"})])
    await journal.append("s", [event(3), StateRecord(3, {"fold": "new"}), event(4)])
    await journal.append("s", [SessionRecord({"name": "renamed"})])
    loaded = await journal.load("s")
    assert (loaded.row.fields, loaded.row.last_seq) == ({"name": "renamed"}, 4)
    assert (loaded.state, loaded.state_seq) == ({"fold": "new"}, 3)
    assert [one.seq for one in loaded.events] == [4]


async def test_an_append_is_stored_whole_or_not_at_all(journal: Journal) -> None:
    with pytest.raises(JournalOutOfOrder, match="append the missing ones first"):
        await journal.append("s", [OutputRecord("e", "stdout", "lost"), event(7)])
    assert await journal.output("s", "e", 0, 10) == ([], 0)


async def test_a_gap_a_double_and_a_mixed_order_are_refused(journal: Journal) -> None:
    await journal.append("s", [event(1)])
    for seq in (1, 3, 0):
        with pytest.raises(JournalOutOfOrder):
            await journal.append("s", [event(seq or 9)])
    with pytest.raises(JournalOutOfOrder, match="not consecutive"):
        journal.append("s", [event(2), event(4)])
    await journal.append("s", [event(2)])


async def test_a_failed_append_fails_its_followers_until_it_is_repeated(journal: Journal) -> None:
    first = journal.append("s", [event(2)])
    second = journal.append("s", [event(3)])
    other = journal.append("t", [SessionRecord({}), event(1)])
    outcomes = await asyncio.gather(first, second, other, return_exceptions=True)
    assert [type(one) for one in outcomes] == [JournalOutOfOrder, JournalOutOfOrder, type(None)]
    await asyncio.gather(*(journal.append("s", [event(seq)]) for seq in (1, 2, 3)))
    assert [one.seq for one in await journal.events("s", 0, 10)] == [1, 2, 3]


async def test_records_of_an_unknown_session_are_refused(journal: Journal) -> None:
    with pytest.raises(SessionUnknown):
        await journal.append("nobody", [event(1)])
    with pytest.raises(SessionUnknown):
        await journal.append("nobody", [OutputRecord("e", "stdout", "x")])
    with pytest.raises(SessionUnknown):
        await journal.load("nobody")
    assert await journal.events("nobody\ud800", 0, 10) == []


async def test_nan_is_refused_at_once_and_nothing_is_queued(journal: Journal) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        journal.append("s", [event(1, value=float("nan"))])
    await journal.append("s", [event(1, value=None)])


async def test_output_is_read_by_code_points_over_both_streams(journal: Journal) -> None:
    await journal.append(
        "s", [OutputRecord("e", "stdout", "añ😀"), OutputRecord("e", "stdout", "")]
    )
    await journal.append("s", [OutputRecord("e", "stderr", NASTY)])
    await journal.append(
        "s", [OutputRecord("f", "stdout", "other"), OutputRecord("e", "stderr", "!")]
    )
    total = 3 + len(NASTY) + 1
    assert await journal.output("s", "e", 0, 10**9) == (
        [Chunk("stdout", "añ😀"), Chunk("stderr", NASTY + "!")],
        total,
    )
    assert await journal.output("s", "e", 2, 3) == (
        [Chunk("stdout", "😀"), Chunk("stderr", "a\x00")],
        total,
    )
    assert await journal.output("s", "e", total, 5) == ([], total)
    assert await journal.output("s", "e", 2**80, 5) == ([], total)
    assert await journal.output("s", "e", -1, 5) == ([], total)
    assert await journal.output("s", "e", 0, 0) == ([], total)


async def test_executions_are_paged_backwards_by_number(journal: Journal) -> None:
    for number in range(1, 6):
        await journal.append("s", [ExecutionRecord(f"e{number}", number, {"n": number})])
    await journal.append("s", [ExecutionRecord("e4", 4, {"n": "again"})])
    assert [one.number for one in await journal.executions("s", None, 2)] == [4, 5]
    page = await journal.executions("s", 5, 2)
    assert [(one.execution, one.data["n"]) for one in page] == [("e3", 3), ("e4", "again")]
    assert len(await journal.executions("s", 2**80, 2**80)) == 5
    assert await journal.executions("s", None, -1) == []


async def test_only_the_newest_dump_is_kept(journal: Journal) -> None:
    assert await journal.dump("s") is None
    for number in (1, 2):
        await journal.append("s", [DumpRecord(number, bytes([0, 255, number]), [{"name": "x"}])])
    assert await journal.dump("s") == StoredDump(2, b"\0\xff\2", [{"name": "x"}])


async def test_shares_are_listed_by_session_and_for_all_until_they_are_revoked(
    journal: Journal,
) -> None:
    await journal.append("t", [SessionRecord({}), ShareRecord("b", {"role": "viewer"})])
    await journal.append("s", [ShareRecord("a", {"role": "owner"})])
    assert {one.share for one in await journal.shares()} == {"a", "b"}
    assert [one.fields for one in await journal.shares("s")] == [{"role": "owner"}]
    await journal.append("s", [ShareRevoked("a")])
    assert await journal.shares("s") == []


async def test_the_history_of_a_variable_is_read_from_the_newest_backwards(
    journal: Journal,
) -> None:
    for seq in range(1, 5):
        changes = [change("x", f"{seq}a"), change("é\ud800", "?"), change("x", f"{seq}b")]
        await journal.append("s", [event(seq, "variables.changed", changes=changes)])

    async def previews(before: int | None, limit: int) -> list[object]:
        found = await journal.history("s", "x", before, limit)
        return [one.change["variable"] for one in found]

    assert await previews(None, 1) == [{"preview": "4b"}, {"preview": "4a"}]
    assert await previews(3, 1) == [{"preview": "2b"}, {"preview": "2a"}]
    assert len(await journal.history("s", "é\ud800", None, 10)) == 4
    assert await journal.history("s", "y", None, 10) == []


async def test_the_history_of_a_watch_has_the_events_that_changed_it_and_no_variable_of_its_name(
    journal: Journal,
) -> None:
    def watches(*values: int) -> list[dict[str, object]]:
        return [{"watch": f"w{place}", "error": str(value)} for place, value in enumerate(values)]

    for seq, changed in enumerate((["w0"], ["w0", "w1"], ["w1"]), 1):
        told = event(
            seq,
            "watches.changed",
            watches=watches(seq, seq * 10),
            changed=changed,
            execution="e",
            line=seq,
        )
        await journal.append("s", [told])
    names = [change("w0", "1"), change('"w0', "2")]
    await journal.append("s", [event(4, "variables.changed", changes=names)])
    found = await journal.watch_history("s", "w0", None, 10)
    assert [(one.seq, one.change) for one in found] == [
        (2, {"watch": "w0", "error": "2", "op": "set", "execution": "e", "line": 2}),
        (1, {"watch": "w0", "error": "1", "op": "set", "execution": "e", "line": 1}),
    ]
    assert [one.seq for one in await journal.watch_history("s", "w1", 3, 10)] == [2]
    assert [one.seq for one in await journal.history("s", "w0", None, 10)] == [4]


async def test_a_deleted_session_leaves_nothing_and_its_id_is_free(journal: Journal) -> None:
    everything: list[Record] = [
        event(1, "variables.changed", changes=[change("x", "1")]),
        OutputRecord("e", "stdout", "text"),
        ExecutionRecord("e", 1, {}),
        DumpRecord(1, b"d", []),
        StateRecord(1, {}),
        ShareRecord("a", {}),
    ]
    await journal.append("s", everything)
    await journal.append("s", [SessionDeleted()])
    assert await journal.sessions() == []
    assert await journal.shares() == []
    assert await journal.dump("s") is None
    await journal.append("s", [SessionRecord({}), event(1)])
    assert await journal.history("s", "x", None, 10) == []
    assert await journal.output("s", "e", 0, 10) == ([], 0)


async def test_an_empty_append_is_a_barrier(journal: Journal) -> None:
    journal.append("s", [event(1)])
    await journal.append("whoever", [])
    assert len(await journal.events("s", 0, 10)) == 1


async def test_there_is_no_room_while_more_than_the_bound_is_queued(journal: Journal) -> None:
    piece = "x" * 2**20
    last = None
    for _ in range(ROOM_BYTES // 2**20 + 1):
        last = journal.append("s", [OutputRecord("e", "stdout", piece)])
    assert journal.queued_bytes > ROOM_BYTES
    waiting = asyncio.ensure_future(journal.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    await waiting
    assert journal.queued_bytes <= ROOM_BYTES
    assert last is not None
    await last


async def test_a_full_disk_fails_the_append_and_the_journal_lives_on(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path, max_bytes=2**20) as journal:
        await journal.append("s", [SessionRecord({}), event(1)])
        large = journal.append("s", [DumpRecord(1, b"x" * 2**21, [])])
        small = journal.append("s", [event(2)])
        with pytest.raises(JournalWriteFailed, match="make room"):
            await large
        await small
        await journal.append("s", [event(3)])
    async with await Journal.open(tmp_path) as journal:
        await journal.append("s", [DumpRecord(1, b"x" * 2**21, [])])
        assert [one.seq for one in await journal.events("s", 0, 10)] == [1, 2, 3]


async def test_a_value_that_sqlite_cannot_take_fails_only_its_own_append(journal: Journal) -> None:
    large = journal.append("s", [DumpRecord(2**70, b"", [])])
    small = journal.append("s", [event(1)])
    with pytest.raises(JournalWriteFailed):
        await large
    await small


async def test_closing_commits_what_is_queued(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path)
    stored = journal.append("s", [SessionRecord({}), *(event(seq) for seq in range(1, 500))])
    await journal.close()
    await stored
    await journal.close()
    with pytest.raises(JournalClosed):
        journal.append("s", [])
    with pytest.raises(JournalClosed):
        await journal.sessions()
    async with await Journal.open(tmp_path) as again:
        assert (await again.load("s")).row.last_seq == 499


async def test_a_second_server_is_told_who_holds_the_directory(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path):
        with pytest.raises(DataDirLocked, match=r"process \d+.*--data-dir"):
            await Journal.open(tmp_path)
    await (await Journal.open(tmp_path)).close()


async def test_a_file_in_the_place_of_the_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataDirUnusable, match="not a directory"):
            await Journal.open(path)


async def test_a_directory_that_cannot_be_written_is_named() -> None:
    with pytest.raises(DataDirUnusable, match="/proc/watchglass cannot be written"):
        await Journal.open(Path("/proc/watchglass"))


async def test_a_file_that_is_no_database_is_kept_and_named(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"this is not SQLite at all" * 100)
    with pytest.raises(JournalBroken, match=r"is damaged.*nothing was deleted.*mv .*\.damaged"):
        await Journal.open(tmp_path)
    assert path.read_bytes().startswith(b"this is not SQLite")
    path.rename(tmp_path / "aside")
    await (await Journal.open(tmp_path)).close()


async def test_a_page_that_was_overwritten_is_noticed_at_start(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path) as journal:
        rows = [event(seq, text="x" * 500) for seq in range(1, 200)]
        await journal.append("s", [SessionRecord({}), *rows])
    path = tmp_path / FILE_NAME
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 8192] = b"\xa5" * 8192
    path.write_bytes(data)
    with pytest.raises(JournalBroken, match="is damaged"):
        await Journal.open(tmp_path)


async def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("CREATE TABLE theirs (a)")
    db.close()
    with pytest.raises(JournalBroken, match="something else"):
        await Journal.open(tmp_path)


async def test_a_journal_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    await (await Journal.open(tmp_path)).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(JournalTooNew, match=r"version 99.*newer"):
        await Journal.open(tmp_path)


async def test_an_append_waits_for_a_program_that_looks_into_the_file(
    journal: Journal, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    stored = journal.append("s", [event(1)])
    assert [row.last_seq for row in await journal.sessions()] == [0]
    await asyncio.sleep(0.2)
    assert not stored.done()
    other.execute("ROLLBACK")
    other.close()
    await stored


async def test_a_sound_file_passes_the_check(journal: Journal) -> None:
    assert await journal.check() == []


async def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    async with await Journal.open(tmp_path / "deep" / "data"):
        assert (tmp_path / "deep" / "data").stat().st_mode & 0o077 == 0
        assert (tmp_path / "deep" / "data" / FILE_NAME).stat().st_mode & 0o077 == 0
