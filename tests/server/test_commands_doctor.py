"""`watchglass doctor`: a sound machine passes, and each thing that is missing is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import cgroups
from tests.support.commands import Commands
from watchglass_sync.journal_reader import FILE_NAME

pytestmark = pytest.mark.slow


@pytest.fixture
def commands(tmp_path: Path, cache_dir: Path) -> Commands:
    return Commands(tmp_path, cache_dir)


def levels(stdout: str) -> dict[str, str]:
    return {
        line[6:22].strip(): line[:4].strip() for line in stdout.splitlines() if line[:6].strip()
    }


def test_a_sound_machine_passes_and_no_attempt_gets_out(commands: Commands) -> None:
    done = commands.run("doctor")
    assert (done.status, done.stderr) == (0, "")
    found = levels(done.stdout)
    assert set(found) == {
        "Python",
        "Node",
        "Pyodide",
        "base image",
        "process",
        "isolation",
        "data directory",
        "server",
    }
    assert set(found.values()) == {"ok"}, done.stdout
    assert re.search(r"strict: 0 of \d{2,} escape probes got out \(.*seccomp", done.stdout)
    are_grouped = re.search(r"held by .*cgroups \([a-z, ]+\)", done.stdout) is not None
    assert are_grouped == cgroups.can_be_had()
    assert bool(re.search("not on this machine: .*cgroups", done.stdout)) != are_grouped
    assert "1 + 1 = 2 in a session" in done.stdout


def test_without_a_jail_it_is_said_plainly_what_is_missing(commands: Commands) -> None:
    done = commands.run("doctor", "--isolation", "process")
    assert (done.status, done.stderr) == (0, "")
    assert levels(done.stdout)["isolation"] == "note"
    assert "no jail around it" in done.stdout
    assert "let in only people you trust" in done.stdout


def test_a_node_that_is_not_there_fails_all_that_stands_on_it(commands: Commands) -> None:
    done = commands.run("doctor", settings={"WATCHGLASS_NODE": "/nowhere/node"})
    assert done.status == 1
    found = levels(done.stdout)
    for name in ("Node", "Pyodide", "base image", "process", "server"):
        assert found[name] == "FAIL", done.stdout
    assert "WATCHGLASS_NODE names '/nowhere/node'" in done.stdout


def test_a_node_of_another_version_is_named(commands: Commands) -> None:
    fake = commands.write("node", "#!/bin/sh\necho v18.1.0\n")
    fake.chmod(0o755)
    done = commands.run("doctor", settings={"WATCHGLASS_NODE": str(fake)})
    assert done.status == 1
    assert "says 'v18.1.0'; Node 24 is needed" in done.stdout


def test_a_damaged_journal_fails_and_is_left_as_it_is(commands: Commands) -> None:
    folder = commands.folder / "data"
    folder.mkdir()
    (folder / FILE_NAME).write_bytes(b"nothing of ours" * 100)
    done = commands.run("doctor", "--data-dir", str(folder))
    assert done.status == 1
    assert levels(done.stdout)["data directory"] == "FAIL"
    assert "nothing was deleted" in done.stdout
    assert (folder / FILE_NAME).read_bytes().startswith(b"nothing of ours")
