"""The README's command line tour, taken as it is printed: by its reader, with one session open."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.client import Client
from tests.support.serving import Serving
from tests.test_docs import commands_of, watchglass

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


async def test_the_command_line_tour_can_be_taken_from_start_to_end(
    server: Serving, client: Client, tmp_path: Path
) -> None:
    session = await client.create()
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    said: dict[str, str] = {}
    for command in commands_of("README.md"):
        match shlex.split(command.replace("SESSION", session)):
            case ["watchglass", name, *arguments]:
                typed = "6 * 7\n" if name == "attach" else ""
                said[name] = await asyncio.to_thread(run, server, tmp_path, typed, name, *arguments)
    assert said.keys() == {"run", "sessions", "attach", "export", "import", "doctor"}
    assert "wins after" in said["run"]
    assert session in said["sessions"]
    assert "42" in said["attach"]
    assert (tmp_path / "race.ipynb").stat().st_size > 100


def run(server: Serving, folder: Path, typed: str, *arguments: str) -> str:
    command = [watchglass(), *arguments]
    environment = {**os.environ, "WATCHGLASS_DATA_DIR": str(server.data_dir)}
    done = subprocess.run(
        command, cwd=folder, env=environment, input=typed, capture_output=True, text=True
    )
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout
