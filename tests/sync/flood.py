"""Run as a program: appends to a journal for ever and prints the `seq` of what is committed."""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial
from pathlib import Path

from watchglass_sync.journal import Journal
from watchglass_sync.records import EventRecord, OutputRecord, SessionRecord


def acknowledge(seq: int, stored: asyncio.Future[None]) -> None:
    """Unbuffered, at once: the test may take as seen whatever it reads."""
    if not stored.exception():
        os.write(1, f"{seq}\n".encode())


async def main(data_dir: Path) -> None:
    async with await Journal.open(data_dir) as journal:
        await journal.append("s", [SessionRecord({})])
        seq = (await journal.load("s")).row.last_seq
        while True:
            await journal.room()
            for _ in range(7):
                seq += 1
                text = f"{seq}\n"
                event = EventRecord(seq, "t", "stream", {"text": text})
                stored = journal.append("s", [OutputRecord("e", "stdout", text), event])
                stored.add_done_callback(partial(acknowledge, seq))
            await asyncio.sleep(0)


asyncio.run(main(Path(sys.argv[1])))
