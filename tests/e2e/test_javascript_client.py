"""docs/protocol.md is enough to write a client: one in plain JavaScript goes through all calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatch_build import find_node
from tests.support.serving import Serving

pytestmark = pytest.mark.slow


@pytest.fixture
def watching(tmp_path: Path, cache_dir: Path) -> Iterator[Serving]:
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "turns.py").write_text("turns = 3\n")
    arguments = ("--pool-min-size", "1", "--watch", str(folder))
    with Serving(tmp_path, *arguments, cache_dir=cache_dir) as serving:
        yield serving


async def test_a_client_in_plain_javascript_goes_through_all_calls(watching: Serving) -> None:
    script = Path(__file__).with_name("all_calls.mjs")
    process = await asyncio.create_subprocess_exec(
        *map(str, (find_node()[0], script, watching.url, watching.token)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert "calls, " in output.decode()
