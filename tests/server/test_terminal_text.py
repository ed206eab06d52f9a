"""What a session prints in our terminal: seen, not obeyed."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_server.terminal_text import NO_COLOUR, TerminalStream, harmless, plain

COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
OBEYED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
ATTACKS = {
    "clipboard": "\x1b]52;c;ZXZpbA==\x07",
    "clipboard, 8 bit": "\x9d52;c;ZXZpbA==\x9c",
    "title": "\x1b]0;evil\x07",
    "title, other end": "\x1b]2;evil\x1b\\",
    "link": "\x1b]8;;http://evil.example\x1b\\text\x1b]8;;\x1b\\",
    "cursor": "\x1b[1;1Hevil",
    "cursor, 8 bit": "\x9b1;1Hevil",
    "up": "\x1b[9A\x1b[2Kevil",
    "clear": "\x1b[2J\x1b[3J",
    "reset": "\x1bc",
    "report": "\x1b[6n\x1b[c\x1b[>q\x05",
    "answer": "\x1b]4;0;?\x07\x1bP+q544e\x1b\\",
    "device": "\x1bPq#0;2;0;0;0#0~~\x1b\\",
    "keys": "\x1b[?1000h\x1b[?2004l\x1b[?1049h",
    "charset": "\x1b(0\x0e",
    "program": "\x1b_Gf=100;AAAA\x1b\\\x1b^x\x1b\\",
    "backspace": "safe\x08\x08\x08\x08evil",
    "scroll": "\x1b[1;2r\x1bM",
    "long": "\x1b[" + "1;" * 1000 + "m",
    "form feed": "\x0b\x0c\x85\x84\x8d",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_but_colours_reaches_the_terminal(name: str) -> None:
    for colours in (True, False):
        shown = harmless(f"before{ATTACKS[name]}after\n", colours=colours)
        assert not OBEYED.search(COLOUR.sub("", shown)), shown
        assert "before" in shown
        assert "after" in shown


def test_colours_pass_and_end_with_the_text() -> None:
    assert harmless("\x1b[1;31mred", colours=True) == f"\x1b[1;31mred{NO_COLOUR}"
    assert harmless("\x1b[38;2;1;2;3m\x1b[4:3mx\r\n\ty", colours=True).startswith("\x1b[38;2;1")
    assert harmless("\x1b[8mhidden", colours=True).endswith(NO_COLOUR)
    assert harmless("\x1b[31mred\x1b[0m", colours=False) == "red"


@given(st.text(st.sampled_from("\x1b[]m0;1\x07\x9bab\r\n\\")), st.integers(0, 40))
def test_where_a_stream_is_cut_makes_no_difference(text: str, at: int) -> None:
    whole, parts = TerminalStream(colours=True), TerminalStream(colours=True)
    shown = whole.feed(text) + whole.end()
    assert parts.feed(text[:at]) + parts.feed(text[at:]) + parts.end() == shown
    assert not OBEYED.search(COLOUR.sub("", shown))


def test_a_name_is_one_line_in_which_everything_can_be_seen() -> None:
    hostile = "\u202eevil\u2066\u200b\u200d\ufeff\u2028\x1b]0;x\x07\n\u3164\u115f"
    shown = plain(hostile, 60)
    assert shown == "?evil??????]0;x????"
    assert plain("Zoë 名前", 60) == "Zoë 名前"


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_script_does_not_command_the_terminal_but_its_file_is_as_it_is(
    tmp_path: Path, cache_dir: Path
) -> None:
    script = tmp_path / "evil.py"
    script.write_text(
        "import sys\n"
        f"for attack in {list(ATTACKS.values())!r}:\n"
        "    print(attack)\n"
        "    print(attack, file=sys.stderr)\n"
        "print('\\x1b[31mred')\n"
        f"raise SystemExit({ATTACKS['title']!r})\n"
    )
    command = [str(Path(sys.executable).with_name("watchglass")), "run", str(script)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm-256color"}
    environment["XDG_CACHE_HOME"] = str(cache_dir)
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert ATTACKS["clipboard"].encode() in done.stdout
    shown = in_a_terminal(command, environment)
    assert "\x1b[31mred" in shown
    assert not OBEYED.search(COLOUR.sub("", shown)), repr(shown)


def in_a_terminal(command: list[str], environment: dict[str, str]) -> str:
    """What a terminal is sent."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    sent, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        sent += part
    os.close(ours)
    assert process.wait(10) == 1
    return sent.decode(errors="replace")
