"""scripts/chromium: the browser tests fail for want of a browser, and say so in one line."""

from __future__ import annotations

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "scripts/chromium"


def run(path: str, chromium: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": path, "CHROMIUM": chromium}
    return subprocess.run(["/bin/sh", SCRIPT], env=environment, capture_output=True, text=True)


def a_program(folder: Path, name: str, output: str = "") -> Path:
    program = folder / name
    program.write_text(f"#!/bin/sh\necho {output}\n")
    program.chmod(0o755)
    return program


def test_a_google_chrome_on_the_path_is_enough(tmp_path: Path) -> None:
    a_program(tmp_path, "google-chrome")
    done = run(str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_one_that_is_named_is_taken_wherever_it_is(tmp_path: Path) -> None:
    assert run("/nowhere", str(a_program(tmp_path, "my-chromium"))).returncode == 0


def test_one_that_is_named_and_missing_is_an_error_even_if_there_is_another(tmp_path: Path) -> None:
    a_program(tmp_path, "chromium")
    done = run(str(tmp_path), "/nowhere/chromium")
    assert done.returncode == 1
    assert done.stderr == (
        "CHROMIUM=/nowhere/chromium is not there: name a Chromium or Chrome that is.\n"
    )


def test_without_any_and_without_root_it_says_in_one_line_what_to_install(tmp_path: Path) -> None:
    a_program(tmp_path, "id", "1000")
    done = run(str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "install chromium" in done.stderr


def test_root_on_debian_installs_it_after_an_update(tmp_path: Path) -> None:
    a_program(tmp_path, "id", "0")
    apt = a_program(tmp_path, "apt-get")
    apt.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n'
        f"case $* in *install*) cp {apt} {tmp_path}/chromium;; esac\n"
    )
    (tmp_path / "cp").symlink_to("/bin/cp")
    done = run(str(tmp_path))
    assert done.returncode == 0, done.stderr
    updated, installed = (tmp_path / "asked").read_text().splitlines()
    assert "update" in updated
    assert "install" in installed
