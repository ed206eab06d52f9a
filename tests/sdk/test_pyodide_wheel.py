"""The wheel for Pyodide: what is in it, and what it asks for."""

from __future__ import annotations

import base64
import hashlib
import io
import tomllib
import zipfile
from pathlib import Path

import pytest

from spacetimedb_client import cli, pyodide_wheel
from spacetimedb_client.pyodide_wheel import INFO, LEFT_OUT, NAME, PACKAGES, VERSION

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel() -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(pyodide_wheel.pyodide_wheel()))


def test_both_packages_are_in_it_and_what_needs_more_is_not(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {name.split("/")[0] for name in names} == {*PACKAGES, INFO}
    assert "spacetimedb_client/module/generic.wasm" in names
    assert "spacetimedb_client/py.typed" in names
    assert not [name for name in names if "__pycache__" in name]
    for left_out in LEFT_OUT:
        assert (ROOT / "sdk/spacetimedb_client" / left_out).exists()
        assert not [name for name in names if name.startswith(f"spacetimedb_client/{left_out}")]


def test_it_asks_for_no_other_package(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(f"{INFO}/METADATA").decode()
    assert "Requires-Dist" not in metadata
    assert f"Version: {VERSION}\n" in metadata
    assert "Root-Is-Purelib: true" in wheel.read(f"{INFO}/WHEEL").decode()


def test_its_version_is_the_one_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION


def test_each_member_is_recorded_as_installers_check_it(wheel: zipfile.ZipFile) -> None:
    lines = wheel.read(f"{INFO}/RECORD").decode().splitlines()
    recorded = {name: (digest, size) for name, digest, size in (each.split(",") for each in lines)}
    assert recorded.pop(f"{INFO}/RECORD") == ("", "")
    assert recorded.keys() | {f"{INFO}/RECORD"} == set(wheel.namelist())
    for name, (digest, size) in recorded.items():
        data = wheel.read(name)
        hashed = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        assert (digest, size) == (f"sha256={hashed}", str(len(data)))


def test_the_same_files_make_the_same_bytes() -> None:
    assert pyodide_wheel.pyodide_wheel() == pyodide_wheel.pyodide_wheel()


def test_the_command_writes_it_into_a_folder_that_it_makes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "a" / "site"
    assert cli.main(["pyodide", "--output", str(folder)]) == 0
    assert capsys.readouterr().out.strip() == str(folder / NAME)
    assert zipfile.is_zipfile(folder / NAME)
