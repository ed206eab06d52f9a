"""Tests of scripts.py: which files of a folder are given to sessions, and why others are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from watchglass_server import scripts
from watchglass_server.given_scripts import BATCH_CHARACTERS, batches
from watchglass_server.scripts import (
    MAX_SCRIPT_BYTES,
    Catalog,
    Script,
    ScriptChange,
    differences,
    read_catalog,
    version_of,
)


def made(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def script(path: str, text: str) -> Script:
    return Script(path, text, version_of(text))


def catalog(**texts: str) -> Catalog:
    return Catalog({f"{name}.py": script(f"{name}.py", text) for name, text in texts.items()})


def test_python_files_are_found_and_nothing_else(tmp_path: Path) -> None:
    wanted = {"a.py": "a = 1\n", "game/units.py": "hp = 10\n", "game/__init__.py": ""}
    others = dict.fromkeys(
        [
            "notes.txt",
            ".hidden.py",
            ".venv/lib/x.py",
            "__pycache__/a.py",
            "node_modules/x.py",
            "venv/y.py",
            "a.pyc",
        ],
        "",
    )
    found = read_catalog(made(tmp_path, wanted | others))
    assert {path: one.text for path, one in found.scripts.items()} == wanted
    assert not found.refused


def test_a_version_is_the_text_and_nothing_else(tmp_path: Path) -> None:
    made(tmp_path, {"a.py": "same", "b.py": "same", "c.py": "other"})
    versions = [one.version for one in read_catalog(tmp_path).scripts.values()]
    assert versions[0] == versions[1] != versions[2]
    os.utime(tmp_path / "a.py", (1, 1))
    assert read_catalog(tmp_path).scripts["a.py"].version == versions[0]


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    outside = made(tmp_path / "outside", {"secret.py": "password = 1", "more/deep.py": ""})
    folder = made(tmp_path / "folder", {"real.py": "x = 1"})
    (folder / "link.py").symlink_to(outside / "secret.py")
    (folder / "up.py").symlink_to("../outside/secret.py")
    (folder / "more").symlink_to(outside / "more")
    (folder / "inside.py").symlink_to("real.py")
    (folder / "circle.py").symlink_to("circle.py")
    (folder / "nowhere.py").symlink_to("not_there.py")
    found = read_catalog(folder)
    assert set(found.scripts) == {"real.py", "inside.py"}
    assert "leads out of" in found.refused["link.py"]
    assert "leads out of" in found.refused["up.py"]
    assert {"circle.py", "nowhere.py"} <= set(found.refused)


def test_a_watched_folder_may_itself_be_a_link(tmp_path: Path) -> None:
    made(tmp_path / "folder", {"a.py": "x = 1"})
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    assert set(read_catalog(tmp_path / "link").scripts) == {"a.py"}


def test_what_is_no_text_of_a_bearable_size_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "full.py").write_bytes(b"#" * MAX_SCRIPT_BYTES)
    (tmp_path / "huge.py").write_bytes(b"#" * (MAX_SCRIPT_BYTES + 1))
    (tmp_path / "latin.py").write_bytes(b"name = 'J\xfcrgen'")
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    found = read_catalog(tmp_path)
    assert set(found.scripts) == {"full.py"}
    assert found.refused == {
        "huge.py": "has 1,000,001 bytes; at most 1,000,000 are given",
        "latin.py": "is not UTF-8",
        "pipe.py": "is no ordinary file",
    }


def test_a_byte_order_mark_is_no_part_of_the_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfx = 1\n")
    assert read_catalog(tmp_path).scripts["a.py"].text == "x = 1\n"


def test_files_beyond_the_limits_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, {f"{letter}.py": "#" * 40 for letter in "abcde"})
    monkeypatch.setattr(scripts, "MAX_SCRIPTS", 3)
    assert list(read_catalog(tmp_path).scripts) == ["a.py", "b.py", "c.py"]
    monkeypatch.setattr(scripts, "MAX_ALL_BYTES", 100)
    found = read_catalog(tmp_path)
    assert list(found.scripts) == ["a.py", "b.py"]
    assert set(found.refused) == {"c.py", "d.py", "e.py"}


def test_a_folder_that_is_gone_has_no_files(tmp_path: Path) -> None:
    assert read_catalog(tmp_path / "gone") == Catalog()


def test_differences_are_what_is_other_new_or_gone() -> None:
    before, after = catalog(a="1", b="1", c="1"), catalog(a="1", b="2", d="1")
    assert differences(before, after) == [
        ScriptChange("c.py", None),
        ScriptChange("b.py", script("b.py", "2")),
        ScriptChange("d.py", script("d.py", "1")),
    ]
    assert differences(after, after) == []


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("units.py", "units"),
        ("game/units.py", "game.units"),
        ("game/__init__.py", "game"),
        ("__init__.py", None),
        ("my-tool.py", None),
        ("2d/shapes.py", None),
    ],
)
def test_only_names_that_import_takes_are_modules(path: str, module: str | None) -> None:
    assert script(path, "").module == module


def test_a_script_is_executed_as_it_is_and_a_module_under_its_name() -> None:
    units = script("units.py", "hp = 10\n")
    assert units.code("script") == "hp = 10\n"
    assert units.code("module") == f"%%reload units.py {units.version}\nhp = 10\n"


def test_a_process_is_given_what_it_lacks_in_bounded_parts() -> None:
    large = "#" * (BATCH_CHARACTERS // 2)
    there = catalog(a=large, b=large, c="small", d=large)
    held = {"b.py": there.scripts["b.py"].version, "gone.py": "v1"}
    first, second = batches(held, there)
    assert [file["path"] for file in first["files"]] == ["a.py", "c.py"]
    assert first["removed"] == ["gone.py"]
    assert [file["path"] for file in second["files"]] == ["d.py"]
    assert second["removed"] == []
    assert list(batches({}, Catalog())) == [{"files": [], "removed": []}]
