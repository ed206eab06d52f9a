"""A mirrored session goes into the journal whole, asleep, and as if it had run here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tests.sync.test_mirrored_session import SESSION, bound, change, execution, output, text
from watchglass_server.session_fold import Fold
from watchglass_server.session_resume import resumed
from watchglass_sync.journal import Journal
from watchglass_sync.mirrored_session import MirroredRows, MirroredSession, read_session
from watchglass_sync.records import RESUMED_FROM, Chunk, DumpRecord, EventRecord

ROWS = MirroredRows(
    SESSION,
    [execution(), execution(2, status="running", finished_at=None, duration_ms=None)],
    [output(), output(1, kind="execute_result", name=None, bundle='{"text/plain": "5"}')],
    [bound(), bound("big", json=None, type="ndarray", execution="e2")],
    [change()],
)


async def test_the_journal_has_all_of_it_after_one_append(tmp_path: Path) -> None:
    found = resumed("s1", read_session(ROWS), "j1")
    async with await Journal.open(tmp_path) as journal:
        await journal.append("s1", found.records)
        loaded = await journal.load("s1")
        chunks, _ = await journal.output("s1", "e1", 0, 100)
        executions = await journal.executions("s1", None, 10)
        dump = await journal.dump("s1")
        history = await journal.history("s1", "x", None, 10)
    assert loaded.row.fields == {
        "name": "arena", "status": "hibernated", "created_at": text(0), "last_active_at": text(9),
        "executions": 2, RESUMED_FROM: "j1",
    }  # fmt: skip
    assert loaded.events == []
    fold = msgspec.convert(loaded.state, Fold, strict=False)
    assert (fold.process.state, fold.process.reason) == ("hibernated", "resumed")
    assert fold.process.exit is None
    assert {name: one.execution for name, one in fold.variables.items()} == {"x": "e1", "big": "e2"}
    assert fold.resumed_from == "j1"
    assert (fold.last_number, fold.running, fold.queue) == (2, None, [])
    assert chunks == [Chunk("stdout", "hello")]
    assert [one.data["status"] for one in executions] == ["ok", "died"]
    assert dump is not None
    assert dump.number == 2
    assert [one.number for one in history] == [1]
    assert (found.executions, found.variables, found.values, found.bad) == (2, 2, 1, 0)


def test_an_event_of_the_wrong_form_is_counted_and_leaves_no_hole() -> None:
    about: dict[str, Any] = {"execution": "e1", "number": [], "code": "", "author": None}
    wrong = (text(1), "execution.queued", about)
    stream = (text(1), "stream", {"execution": None, "name": "stdout", "text": "x"})
    told = MirroredSession("n", text(0), text(0), [wrong, stream], [], DumpRecord(0, b"", []), 2)
    found = resumed("s1", told, "j1")
    assert found.bad == 3
    assert [one.seq for one in found.records if isinstance(one, EventRecord)] == [1]
