"""The examples run, as they are, against a real server."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from spacetimedb_client.testing import Server

EXAMPLES = Path(__file__).parents[2] / "examples" / "spacetimedb"


async def start(home: Path, name: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, str(EXAMPLES / name), *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"HOME": str(home)},
    )


async def finished(process: asyncio.subprocess.Process, written: bytes = b"") -> list[str]:
    async with asyncio.timeout(30):
        told, problems = await process.communicate(written)
    assert process.returncode == 0, problems.decode()
    return told.decode().splitlines()


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_has_less_than_sixty_lines(example: Path) -> None:
    assert len(example.read_text().splitlines()) < 60


async def test_two_people_chat(database_server: Server, tmp_path: Path) -> None:
    uri = database_server.uri
    ann = await start(tmp_path / "ann", "chat.py", uri, "chat", "Ann")
    assert ann.stdin is not None
    assert ann.stdout is not None
    ann.stdin.write(b"Hello!\n")
    async with asyncio.timeout(20):
        assert await ann.stdout.readline() == b"Ann: Hello!\n"
    bo = await start(tmp_path / "bo", "chat.py", uri, "chat", "Bo")
    assert await finished(bo, b"Hi Ann\n") == ["Ann: Hello!", "Bo: Hi Ann"]
    async with asyncio.timeout(20):
        assert await ann.stdout.readline() == b"Bo: Hi Ann\n"
    assert await finished(ann) == []


async def test_a_leaderboard_watches_itself(database_server: Server, tmp_path: Path) -> None:
    process = await start(tmp_path, "leaderboard.py", database_server.uri, "scores", "40")
    told = await finished(process)
    assert any("joins" in line for line in told)
    assert any("+" in line and ":" in line for line in told)


async def test_frames_are_drawn_with_what_has_come(database_server: Server, tmp_path: Path) -> None:
    process = await start(tmp_path, "frames.py", database_server.uri, "field", "30")
    told = await finished(process)
    assert len(told) == 30
    assert "o" in told[-1]
