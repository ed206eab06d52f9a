"""kill -9 in the middle of a flood: what was acknowledged is there, and nothing is half there."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from watchglass_sync.journal import Journal

FLOOD = Path(__file__).with_name("flood.py")


def flood_until_killed(data_dir: Path, after_lines: int) -> int:
    """Return the last `seq` that the writer said was committed."""
    writer = subprocess.Popen(
        [sys.executable, str(FLOOD), str(data_dir)], stdout=subprocess.PIPE, text=True
    )
    with writer:
        assert writer.stdout is not None
        for _ in range(after_lines):
            assert writer.stdout.readline()
        writer.kill()
        seen = writer.stdout.read().splitlines()
    # The last line may be cut short by the end of the process.
    return int(seen[-2]) if len(seen) > 1 else 0


async def test_what_was_acknowledged_survives_kill_and_the_rest_is_whole(tmp_path: Path) -> None:
    random.seed(3)
    before = 0
    for _ in range(6):
        acknowledged = flood_until_killed(tmp_path, random.randrange(1, 3000))
        async with await Journal.open(tmp_path) as journal:
            last_seq = (await journal.load("s")).row.last_seq
            assert last_seq >= max(acknowledged, before + 1)
            events = await journal.events("s", 0, last_seq + 10)
            assert [one.seq for one in events] == list(range(1, last_seq + 1))
            text = "".join(str(one.data["text"]) for one in events)
            chunks, total = await journal.output("s", "e", 0, len(text) + 10)
            assert ("".join(chunk.text for chunk in chunks), total) == (text, len(text))
            assert await journal.check() == []
        before = last_seq
