"""What the commands decide without a server: addresses, exit statuses, prologues, tables, feeds."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_server.client import ClientError, ServerAddress, SessionFeed
from watchglass_server.subcommands import SUBCOMMANDS
from watchglass_server.subcommands.connecting import find_server, split_address
from watchglass_server.subcommands.script import (
    PIECE_BYTES,
    Script,
    exit_status,
    prologue,
    shown_traceback,
)
from watchglass_server.subcommands.sessions import ago, row, table
from watchglass_server.subcommands.transcript_view import TranscriptView
from watchglass_server.terminal_text import plain


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "TOKEN", "DATA_DIR"):
        monkeypatch.delenv(f"WATCHGLASS_{name}", raising=False)


def asked(**given: str) -> argparse.Namespace:
    return argparse.Namespace(**{"url": None, "token": None, "data_dir": None, **given})


def write_runtime_file(folder: Path, **fields: object) -> None:
    about = {"url": "http://127.0.0.1:9", "token": "t", "pid": os.getpid(), **fields}
    (folder / "server.json").write_text(json.dumps(about))


def test_every_command_has_the_parts_that_the_command_line_needs() -> None:
    names = [module.NAME for module in SUBCOMMANDS]
    assert names == ["run", "attach", "sessions", "export", "import", "mirror", "doctor"]
    for module in SUBCOMMANDS:
        parser = argparse.ArgumentParser()
        module.add_arguments(parser)
        taken = {action.dest for action in parser._actions}
        assert not taken & {"command", "run"}, "cli.py keeps its own values under these"


def test_an_address_with_its_fragment_is_taken_as_the_server_prints_it() -> None:
    found = find_server(asked(url="http://127.0.0.1:8765/#token=a%2Fb"))
    assert found == ServerAddress("http://127.0.0.1:8765", "a/b")
    assert split_address("https://h/prefix/") == ServerAddress("https://h/prefix", "")


def test_a_flag_counts_before_its_variable_and_that_before_the_running_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_runtime_file(tmp_path)
    monkeypatch.setenv("WATCHGLASS_DATA_DIR", str(tmp_path))
    assert find_server(asked()) == ServerAddress("http://127.0.0.1:9", "t")
    monkeypatch.setenv("WATCHGLASS_TOKEN", "from-variable")
    assert find_server(asked()).token == "from-variable"
    assert find_server(asked(token="from-flag")).token == "from-flag"
    assert find_server(asked(url="http://other:1")) == ServerAddress(
        "http://other:1", "from-variable"
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"pid": "x"}, "name the server with --url and --token"),
        ({"url": None, "token": None, "pid": None}, "cannot be read"),
    ],
)
def test_a_runtime_file_that_is_broken_is_named(
    tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    write_runtime_file(tmp_path, **fields)
    with pytest.raises(ClientError, match=words):
        find_server(asked(data_dir=str(tmp_path)))


def test_a_server_that_is_gone_or_was_never_there_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"no server runs on .*watchglass serve"):
        find_server(asked(data_dir=str(tmp_path)))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    write_runtime_file(tmp_path, pid=ended.pid)
    with pytest.raises(ClientError, match=f"process {ended.pid}.*is gone"):
        find_server(asked(data_dir=str(tmp_path)))


def test_what_is_no_address_is_refused_and_a_foreign_one_needs_a_token(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="is no address"):
        find_server(asked(url="localhost:8765", token="t"))
    write_runtime_file(tmp_path)
    with pytest.raises(ClientError, match="http://elsewhere:1 needs a token"):
        find_server(asked(url="http://elsewhere:1", data_dir=str(tmp_path)))


@pytest.mark.parametrize(
    ("name", "message", "status"),
    [
        ("SystemExit", "", 0),
        ("SystemExit", "None", 0),
        ("SystemExit", "0", 0),
        ("SystemExit", "3", 3),
        ("SystemExit", "-1", 255),
        ("SystemExit", "bye", 1),
        ("ValueError", "3", 1),
        ("MemoryError", "", 137),
    ],
)
def test_a_script_ends_as_python_would_end_it(name: str, message: str, status: int) -> None:
    assert exit_status(name, message) == status


def test_the_prologue_leaves_the_names_and_files_that_a_script_expects(tmp_path: Path) -> None:
    data = bytes(range(256)) * (PIECE_BYTES // 256) + b"tail"
    script = Script("dir/s'x.py", "", ("a b", "ü"))
    lines = prologue(script, {"data.bin": data, "empty": b""})
    program = "\n".join([*lines, "import sys; print(ascii(sys.argv), __file__, sorted(globals()))"])
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("[\"dir/s'x.py\", 'a b', '\\xfc'] s'x.py")
    assert "__file'" not in done.stdout
    assert (tmp_path / "data.bin").read_bytes() == data
    assert (tmp_path / "empty").read_bytes() == b""
    assert all(len(one) < 2**20 for one in lines)


def test_a_traceback_names_the_script_and_not_the_execution() -> None:
    lines = ['  File "<In[1]>", line 3, in f', "    f()"]
    assert shown_traceback(lines, Script("a.py", "", ()))[0] == '  File "a.py", line 3, in f'


def test_the_table_of_sessions_has_aligned_columns_and_no_control_characters() -> None:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    one = {
        "session": "abc",
        "name": "evil\x1b[2J\nname",
        "status": "idle",
        "participants": 2,
        "executions": 12,
        "memory_bytes": 75 * 2**20,
        "last_active_at": (now - timedelta(hours=3)).isoformat(),
    }
    assert row(one, now) == ("abc", "evil?[2J?name", "idle", "2", "12", "75 MB", "3 h ago")
    assert table([("A", "LONG"), ("abc", "x")]) == "A    LONG\nabc  x"
    assert plain("x" * 50, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (86400 * 2, "2 d ago")],
)
def test_an_age_is_told_in_one_unit(seconds: int, words: str) -> None:
    now = datetime(2026, 1, 31, tzinfo=UTC)
    assert ago(now - timedelta(seconds=seconds), now) == words


@given(st.permutations(range(1, 9)), st.integers(0, 8), st.lists(st.integers(1, 8)))
def test_a_feed_gives_each_event_once_and_in_order_however_they_come(
    order: list[int], start: int, doubles: list[int]
) -> None:
    seen: list[int] = []
    feed = SessionFeed("s", {}, lambda event: seen.append(event["seq"]))
    early, late = order[:4], order[4:]
    for seq in early:
        feed.receive({"seq": seq})
    assert seen == []
    feed.start(start)
    for seq in [*late, *doubles]:
        feed.receive({"seq": seq})
    assert seen == list(range(start + 1, 9))
    assert not feed.missing


def test_a_feed_knows_that_something_is_missing() -> None:
    feed = SessionFeed("s", {}, lambda event: None)
    feed.start(3)
    feed.receive({"seq": 5})
    assert feed.missing
    feed.receive({"seq": 4})
    assert not feed.missing
    assert feed.seq == 5


class Screen:
    """What a terminal would show, without styles."""

    def __init__(self) -> None:
        self.text = ""
        self.view = TranscriptView(self.write, "me")

    def write(self, spans: Sequence[tuple[str, str]]) -> None:
        assert {style for _, style in spans} <= {"", "red", "green", "dim"}
        self.text += "".join(text for text, _ in spans)

    def show(self, kind: str, **data: object) -> None:
        self.view.show({"type": kind, "data": data})


def test_what_others_run_is_shown_with_their_name_and_what_i_run_is_not_repeated() -> None:
    screen = Screen()
    about = {"number": 4, "code": "for x in y:\n    x", "author": "Ana"}
    screen.show("execution.started", execution="e1", **about)
    screen.view.own.add("e2")
    screen.show("execution.queued", execution="e2", number=5, code="1", author="me")
    screen.show("execution.started", execution="e2", number=5, code="1", author="me")
    assert screen.text == "Ana In [4]: for x in y:\n       ...:     x\n"
    assert screen.view.next_number == 6


def test_a_file_that_is_run_is_named() -> None:
    screen = Screen()
    about = {"number": 4, "code": "x = 1", "author": "watch", "script": {"path": "game/units.py"}}
    screen.show("execution.started", execution="e1", **about)
    assert screen.text == "watch game/units.py In [4]: x = 1\n"


def test_output_without_a_line_end_is_not_glued_to_the_result() -> None:
    screen = Screen()
    screen.show("stream", execution="e", name="stdout", text="no end")
    screen.show("execute_result", execution="e", number=1, bundle={"text/plain": "a\nb"})
    screen.show("display_data", execution="e", bundle={"image/png": "…"}, display_id=None)
    screen.show("execution.finished", execution="e", status="interrupted", duration_ms=1)
    assert screen.text == "no end\nOut[1]: \na\nb\n<image/png>\ninterrupted\n"


def test_a_flood_is_told_once_with_its_end() -> None:
    screen = Screen()
    for dropped in (10, 2000):
        tail = [{"name": "stdout", "text": "last\n"}]
        screen.show("stream.truncated", execution="e", dropped_bytes=dropped, tail=tail)
    screen.show("execution.finished", execution="e", status="ok", duration_ms=1)
    assert screen.text == "… 2,000 bytes are not shown here …\nlast\n"


def test_a_new_process_is_told_with_what_came_back_and_what_did_not() -> None:
    screen = Screen()
    restore = [
        {"name": "x", "verdict": "restored", "why": None},
        {"name": "f", "verdict": "lost", "why": "an open file"},
        {"name": "g", "verdict": "rerun", "why": None},
    ]
    screen.show("state.reset", reason="recovered", variables=[], watches=[], restore=restore)
    assert screen.text == (
        "a new process: 1 variables are back\n  lost: f (an open file)\n  to be run again: g\n"
    )


def test_a_file_that_changed_is_told_with_what_to_write() -> None:
    screen = Screen()
    for path, version, kind in (
        ("units.py", "1a2b", "module"),
        ("battle.py", "3c4d", "script"),
        ("battle.py", None, "script"),
    ):
        data = {"path": path, "version": version, "kind": kind}
        screen.view.show({"type": "script.changed", "data": data})
    assert screen.text == (
        "units.py has changed on disk; %reload units.py takes it\n"
        "battle.py has changed on disk\n"
        "battle.py is deleted on disk\n"
    )


def test_the_picture_of_a_session_shows_its_last_executions_with_their_outputs() -> None:
    screen = Screen()
    executions = [
        {
            "execution": f"e{number}",
            "number": number,
            "code": f"x{number}",
            "author": None,
            "outputs": [{"type": "stream", "name": "stdout", "text": f"o{number}\n"}],
        }
        for number in range(1, 9)
    ]
    state = {"name": "game", "status": "idle", "participants": [1, 2], "executions": executions}
    screen.view.show_state({**state, "session": "s", "execution_count": 60})
    assert "game · idle · 2 here" in screen.text
    assert "… 55 earlier executions\nIn [4]: x4\no4\n" in screen.text
    assert screen.text.endswith("In [8]: x8\no8\n")
    assert screen.view.next_number == 9
