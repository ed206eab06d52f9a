"""Tests of given_scripts.py: what a process is given, and what is believed of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from watchglass_server.errors import QueryTimeout, SetupError
from watchglass_server.given_scripts import GivenScripts
from watchglass_server.process import PyodideProcess


class Asked:
    """A process that keeps what it is asked, and answers what the test says."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.loaded: object = {}
        self.is_busy = False

    async def query(self, op: str, args: Mapping[str, Any], *, timeout: float) -> object:
        assert op == "modules"
        if self.is_busy:
            raise QueryTimeout("it has not answered")
        self.asked.append(args)
        return {"loaded": self.loaded}

    @property
    def process(self) -> PyodideProcess:
        return cast(PyodideProcess, self)

    def paths(self) -> list[str]:
        return [file["path"] for args in self.asked for file in args["files"]]


@pytest.fixture
async def given(tmp_path: Path) -> GivenScripts:
    (tmp_path / "a.py").write_text("a = 1")
    (tmp_path / "b.py").write_text("b = 1")
    scripts = GivenScripts(tmp_path)
    await scripts.open()
    return scripts


async def test_each_process_gets_what_it_lacks_and_that_once(given: GivenScripts) -> None:
    first, second = Asked(), Asked()
    await given.prepare(first.process)
    await given.give(first.process)
    assert first.paths() == ["a.py", "b.py"]
    assert given.folder is not None
    (given.folder / "a.py").write_text("a = 2")
    (given.folder / "b.py").unlink()
    assert [change.path for change in await given.read()] == ["b.py", "a.py"]
    await given.give(first.process)
    assert first.paths() == ["a.py", "b.py", "a.py"]
    assert first.asked[-1]["removed"] == ["b.py"]
    await given.give(second.process)
    assert second.paths() == ["a.py"]


async def test_a_process_that_is_busy_gets_it_later_and_keeps_what_it_said(
    given: GivenScripts,
) -> None:
    one = Asked()
    one.loaded = {"a.py": "v1"}
    await given.give(one.process)
    assert given.folder is not None
    (given.folder / "c.py").write_text("c = 1")
    await given.read()
    one.is_busy = True
    assert await given.give(one.process) == {"a.py": "v1"}
    one.is_busy = False
    await given.give(one.process)
    assert one.paths() == ["a.py", "b.py", "c.py"]


@pytest.mark.parametrize("said", [None, [], {"a.py": 7}, {"a.py": "x" * 65}, "loaded"])
async def test_an_answer_that_cannot_be_is_not_believed(given: GivenScripts, said: object) -> None:
    one = Asked()
    one.loaded = said
    assert await given.give(one.process) == {}


async def test_a_process_cannot_claim_files_that_it_was_not_given(given: GivenScripts) -> None:
    one = Asked()
    one.loaded = {"a.py": "v1", "/etc/passwd": "v1", **{f"x{n}.py": "v" for n in range(5000)}}
    assert await given.give(one.process) == {"a.py": "v1"}


async def test_nothing_is_watched_without_a_folder_and_a_missing_one_is_an_error(
    tmp_path: Path,
) -> None:
    one = Asked()
    nothing = GivenScripts(None)
    await nothing.open()
    assert await nothing.give(one.process) == {}
    assert await nothing.read() == []
    assert one.asked == []
    with pytest.raises(SetupError, match="make it first"):
        await GivenScripts(tmp_path / "missing").open()
