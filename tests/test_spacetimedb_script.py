"""The script that builds the database server: once, and where it cannot, one line says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from scripts.spacetimedb_server import BINARY

SCRIPT = Path(__file__).parents[1] / "scripts" / "spacetimedb_server.py"

CARGO = """#!/bin/sh
if [ "$1" = --version ]; then echo "cargo 1.95.0 (fake)"; exit; fi
while [ $# -gt 0 ]; do
    if [ "$1" = --root ]; then mkdir -p "$2/bin"; echo built > "$2/bin/spacetimedb-standalone"; fi
    shift
done
"""


def run(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """With an empty cache, and only the programs of one folder besides the shell's."""
    environment = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")} | variables
    environment.setdefault("PATH", str(folder))
    command = [sys.executable, str(SCRIPT)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_without_cargo_one_line_says_so_and_tests_are_skipped(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert "no cargo 1.84 or newer" in done.stderr


def test_without_cargo_continuous_integration_fails(tmp_path: Path) -> None:
    assert run(tmp_path, CI="true").returncode == 1


def test_with_cargo_it_is_built_once_and_only_the_program_is_kept(tmp_path: Path) -> None:
    cargo = tmp_path / "cargo"
    cargo.write_text(CARGO)
    cargo.chmod(0o755)
    path = f"{tmp_path}:/bin:/usr/bin"
    # A text is nothing to strip: a fake that leaves it alone.
    strip = tmp_path / "strip"
    strip.write_text("#!/bin/sh\n")
    strip.chmod(0o755)
    done = run(tmp_path, PATH=path)
    assert done.returncode == 0, done.stderr
    kept = list((tmp_path / "cache" / "watchglass").iterdir())
    assert [each.name for each in kept] == [BINARY.name]
    cargo.unlink()
    again = run(tmp_path, PATH=os.fspath(tmp_path))
    assert (again.returncode, again.stderr) == (0, "")
