"""What set-up does again, and what it does not."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest

from hatch_build import HOST, digest, find_node, renew, run_npm, sources, wheel_files


def a_page(folder: Path) -> list[Path]:
    (folder / "src").mkdir()
    (folder / "dist").mkdir()
    (folder / "src/main.ts").write_text("let x = 1")
    (folder / "index.html").write_text("<html>")
    (folder / "dist/main.js").write_text("built")
    return list(sources(folder, {folder / "dist"}))


def test_a_new_checkout_of_the_same_files_repeats_nothing(tmp_path: Path) -> None:
    files = a_page(tmp_path)
    before = digest(tmp_path, files)
    os.utime(tmp_path / "src/main.ts", (1, 1))
    assert digest(tmp_path, files) == before


def test_a_changed_source_is_built_again_and_what_was_built_is_no_source(tmp_path: Path) -> None:
    before = digest(tmp_path, a_page(tmp_path))
    (tmp_path / "dist/main.js").write_text("built differently")
    assert digest(tmp_path, sources(tmp_path, {tmp_path / "dist"})) == before
    (tmp_path / "src/main.ts").write_text("let x = 2")
    assert digest(tmp_path, sources(tmp_path, {tmp_path / "dist"})) != before


def test_a_source_that_moved_is_a_change(tmp_path: Path) -> None:
    before = digest(tmp_path, a_page(tmp_path))
    (tmp_path / "src/main.ts").rename(tmp_path / "src/other.ts")
    assert digest(tmp_path, sources(tmp_path, {tmp_path / "dist"})) != before


def test_a_stamp_replaces_the_older_one_of_its_kind_only(tmp_path: Path) -> None:
    for name in (".built-1", ".installed-1"):
        (tmp_path / name).touch()
    renew(tmp_path / ".built-2")
    assert sorted(os.listdir(tmp_path)) == [".built-2", ".installed-1"]


def test_node_and_npm_come_with_the_python_packages() -> None:
    assert all(path.is_file() for path in find_node())


def test_everything_that_the_wheel_takes_of_pyodide_is_there() -> None:
    taken = [Path(path) for path in wheel_files() if path.startswith(str(HOST))]
    assert len(taken) > 6
    assert all(path.exists() for path in taken)


def test_npm_keeps_its_cache_in_the_home_only_where_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    package = tmp_path / "package"
    package.mkdir()
    script = f"node -p process.env.npm_config_cache > '{said}'"
    (package / "package.json").write_text(json.dumps({"scripts": {"tell": script}}))
    for home, is_temporary in ((tmp_path / "home", False), (package / "package.json/home", True)):
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("npm_config_cache", raising=False)
        run_npm(package, "run", "--silent", "tell")
        assert said.read_text().strip().startswith(tempfile.gettempdir() + "/tmp") is is_temporary
