"""The commands that talk to a server, against a real one: sessions, export, import, attach."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.support.client import Client
from tests.support.commands import Commands
from tests.support.serving import Serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("served")
    with Serving(folder, "--pool-min-size", "1", cache_dir=cache_dir) as serving:
        yield serving


@pytest.fixture
def commands(served: Serving, tmp_path: Path, cache_dir: Path) -> Commands:
    return Commands(tmp_path, cache_dir, DATA_DIR=str(served.data_dir))


def imported(commands: Commands, code: str, *flags: str) -> str:
    commands.write("file.py", code)
    done = commands.run("import", "file.py", *flags)
    assert (done.status, done.stderr) == (0, "")
    return done.stdout.strip()


def test_a_file_becomes_a_session_that_is_listed_and_comes_out_again(commands: Commands) -> None:
    session = imported(commands, "# %%\nx = 41\n# %%\nx + 1\n", "--name", "my game")
    listed = commands.run("sessions")
    assert f"{session}  my game" in listed.stdout
    found = json.loads(commands.run("sessions", "--json").stdout)
    assert {one["session"]: one["executions"] for one in found}[session] == 2
    exported = commands.run("export", session)
    assert exported.stdout.endswith("# In[1]\nx = 41\n\n# In[2]\nx + 1\n\n")
    written = commands.run("export", session, "-o", "game.ipynb")
    assert (written.status, written.stdout) == (0, "")
    nbformat.validate(json.loads((commands.folder / "game.ipynb").read_text()))
    again = commands.run("import", "game.ipynb")
    assert commands.run("export", again.stdout.strip()).stdout == exported.stdout


def test_an_import_runs_nothing_unless_it_is_asked_to(commands: Commands) -> None:
    resting = imported(commands, "print(6 * 7)")
    assert (
        json.loads(commands.run("export", resting, "--format", "json").stdout)["executions"][0][
            "outputs"
        ]
        == []
    )
    running = imported(commands, "# %%\nprint(6 * 7)\n# %%\n1 + 1", "--run")
    document = json.loads(commands.run("export", running, "--format", "json").stdout)
    [stream], [result] = (one["outputs"] for one in document["executions"])
    assert stream == {"type": "stream", "data": {"name": "stdout", "text": "42\n"}}
    assert result["data"]["bundle"] == {"text/plain": "2"}


def test_a_failing_import_stops_where_it_failed(commands: Commands) -> None:
    commands.write("file.py", "# %%\n1/0\n# %%\n2\n")
    done = commands.run("import", "--run", "file.py")
    assert done.status == 1
    assert "execution 1 of 2 ended with error; the rest was not run" in done.stderr
    session = done.stdout.strip()
    assert "In[2]" not in commands.run("export", session).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("export", "nosuchsession"), "There is no session 'nosuchsession'"),
        (("export", "x", "-o", "a.pdf"), "--output: the ending of a.pdf names no format"),
        (("attach", "nosuchsession"), "There is no session 'nosuchsession'"),
        (("import", "missing.py"), "missing.py cannot be read"),
        (("import", "bad.ipynb"), "bad.ipynb: cell 1, source is missing"),
        (("sessions", "--token", "wrong" * 5), "refused the token"),
        (("sessions", "--url", "http://127.0.0.1:1", "--token", "t"), "there is no Watchglass at"),
        (("sessions", "--data-dir", "nowhere"), "no server runs on nowhere"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    commands: Commands, arguments: tuple[str, ...], words: str
) -> None:
    commands.write("bad.ipynb", '{"nbformat": 4, "cells": [{"cell_type": "code"}]}')
    done = commands.run(*arguments)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith("watchglass: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_lines_from_a_pipe_run_in_the_session_and_answer_its_questions(
    commands: Commands,
) -> None:
    session = imported(commands, "x = 41", "--run")
    lines = "x += 1\nx\nfor i in range(2):\n    print(i)\n\nname = input('n? ')\nBob\nname\n"
    done = commands.run("attach", session, stdin=lines)
    assert done.status == 0
    assert done.stdout.endswith("Out[3]: 42\n0\n1\nn? Out[6]: 'Bob'\n")
    failed = commands.run("attach", session, stdin="1/0")
    assert failed.status == 1
    assert "ZeroDivisionError" in failed.stdout


async def test_a_viewers_link_shows_the_session_and_runs_nothing(
    commands: Commands, served: Serving
) -> None:
    session = imported(commands, "print('seen')", "--run")
    async with Client(served.url, served.token) as owner:
        link = (await owner.call("session.share", session=session, role="viewer"))["link"]
    done = commands.run("attach", link, stdin="1\n", settings={"WATCHGLASS_DATA_DIR": "/nowhere"})
    assert done.status == 1
    assert "seen\n" in done.stdout
    assert "role" in done.stdout.splitlines()[-1]


async def test_a_terminal_edits_completes_interrupts_and_shows_what_others_do(
    commands: Commands, served: Serving
) -> None:
    session = imported(commands, "a_long_name = 5", "--run")
    async with Client(served.url, served.token, name="Ana") as other:
        await other.join(session)
        with commands.terminal("attach", session, "--name", "Pat") as terminal:
            terminal.until("In [2]: ")
            terminal.press("a_lo\t")
            terminal.until("a_long_name")
            terminal.press(" + 1\r")
            terminal.until("Out[2]: 6")
            terminal.until("In [3]: ")
            terminal.press("def f():\r")
            terminal.until("...:     ")
            terminal.press("return 7\r")
            terminal.until("...: ")
            terminal.press("\r")
            terminal.until("In [4]: ")
            terminal.press("exec(\"print('run' 'ning')\\nwhile True: pass\")\r")
            terminal.until("running")
            terminal.press("\x03")
            terminal.until("KeyboardInterrupt")
            terminal.until("In [5]: ")
            await other.run(session, "print('from', 'afar')")
            terminal.until("Ana In [5]: print('from', 'afar')")
            terminal.until("from afar")
            terminal.press("f(\x03")
            terminal.until("^C")
            terminal.until("In [6]: ")
            terminal.press("\x04")
            assert terminal.ended() == 0
    assert "Pat" in str(other.log(session).events)


def test_a_server_that_was_stopped_is_told_from_one_that_runs(
    tmp_path: Path, cache_dir: Path
) -> None:
    commands = Commands(tmp_path / "commands", cache_dir)
    with Serving(tmp_path, "--pool-min-size", "0", cache_dir=cache_dir) as serving:
        data_dir = ("--data-dir", str(serving.data_dir))
        assert commands.run("sessions", *data_dir).status == 0
        serving.kill()
        gone = commands.run("sessions", *data_dir)
        assert "is gone" in gone.stderr
        serving.start()
        assert serving.stop()[0] == 0
        assert "no server runs on" in commands.run("sessions", *data_dir).stderr
