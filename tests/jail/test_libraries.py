"""Tests of libraries.py: a program and what it is linked with."""

import os
import sys
from pathlib import Path

import pytest

from watchglass_jail import JailError, libraries_of


def test_a_program_needs_itself_its_loader_and_its_libraries() -> None:
    needed = libraries_of(sys.executable)
    assert needed[0] == sys.executable
    assert os.path.realpath(sys.executable) in needed
    assert any("/libc." in path or "/ld-musl" in path for path in needed)
    assert any("/ld-" in path for path in needed)
    assert len(set(needed)) == len(needed)
    assert all(os.path.exists(path) for path in needed)


def test_a_program_by_a_link_is_needed_by_both_names(tmp_path: Path) -> None:
    link = tmp_path / "python"
    link.symlink_to(sys.executable)
    assert {str(link), os.path.realpath(sys.executable)} <= set(libraries_of(str(link)))


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + bytes(100)])
def test_what_is_no_program_is_named(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_bytes(content)
    with pytest.raises(JailError, match=f"{file} cannot be read as a program"):
        libraries_of(str(file))


def test_a_program_without_a_loader_needs_itself_only(tmp_path: Path) -> None:
    file = tmp_path / "static"
    file.write_bytes(b"\x7fELF\x02\x01" + bytes(58))
    assert libraries_of(str(file)) == (str(file),)
