"""Keys ⇄ lines: readline's editing and history, and text of others that appears above the line."""

from __future__ import annotations

import getpass
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

try:
    import readline
except ImportError:  # a Python without it still reads lines
    readline = None  # type: ignore[assignment]

Complete = Callable[[str, int], dict[str, Any]]
"""Code and cursor → matches, start, end, as the `complete` call gives them."""
COLOURS = {"red": "31", "green": "32", "dim": "2"}
# Of others' output, colours may pass and line ends; nothing else may move in our terminal.
CONTROL = re.compile(r"\x1b\[[0-9;]*m|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
HISTORY_LENGTH = 1000


class LineEditor:
    """One terminal, or a pipe. `before`: the lines of this execution that were typed already."""

    def __init__(self, complete: Complete) -> None:
        self.is_interactive = sys.stdin.isatty()
        self.before = ""
        self._complete = complete
        self._colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._is_ansi = sys.stdout.isatty()
        self._prompt: str | None = None
        self._writing = threading.Lock()
        self._matches: list[str] = []
        self._ends_in_line = False
        if self.is_interactive and readline is not None:
            readline.set_completer(self._completion)
            readline.set_completer_delims(" \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?")
            readline.parse_and_bind("tab: complete")
            readline.parse_and_bind("set enable-bracketed-paste on")
            readline.set_history_length(HISTORY_LENGTH)

    def remember(self, codes: Iterable[str]) -> None:
        """Put code into the history that the arrows bring back."""
        if self.is_interactive and readline is not None:
            for line in (line for code in codes for line in code.split("\n") if line.strip()):
                readline.add_history(line)

    def read(self, prompt: str, indent: str) -> str:
        """One line. Raises EOFError, KeyboardInterrupt."""
        if not self.is_interactive:
            line = sys.stdin.readline()
            if not line:
                raise EOFError
            return line.removesuffix("\n")
        if (library := readline) is not None:
            library.set_startup_hook(lambda: library.insert_text(indent))
        return self._input(prompt, "32")

    def ask(self, prompt: str, *, hidden: bool) -> str:
        """The answer to `input()` of the session."""
        if not self.is_interactive:
            self.write(prompt, "")
            return self.read("", "")
        if readline is not None:
            readline.set_startup_hook(None)
        prompt = CONTROL.sub("", prompt)
        return getpass.getpass(prompt) if hidden else self._input(prompt, "")

    def _input(self, prompt: str, colour: str) -> str:
        shown = self._coloured(prompt, colour, "\x01", "\x02")
        with self._writing:
            self._prompt = self._coloured(prompt, colour)
        try:
            return input(shown)
        finally:
            with self._writing:
                self._prompt = None

    def write(self, text: str, style: str = "") -> None:
        """Print text; while a line is being typed, above it."""
        self.write_spans([(text, style)])

    def write_spans(self, spans: Sequence[tuple[str, str]]) -> None:
        """The same for pieces in several styles that belong together."""
        shown = "".join(
            self._coloured(CONTROL.sub(self._passed, text), COLOURS.get(style, ""))
            for text, style in spans
        )
        with self._writing:
            if self._prompt is not None and self._is_ansi:
                shown = self._above_line(shown)
            sys.stdout.buffer.write(shown.encode("utf-8", "backslashreplace"))
            sys.stdout.flush()

    def end_line(self, mark: str) -> None:
        """Leave the line that was being typed."""
        self.before = ""
        self.write(mark + "\n")

    def close(self) -> None:
        """Leave the terminal on a line of its own."""
        if self.is_interactive:
            self.write("\n")

    def _above_line(self, text: str) -> str:
        """The typed line is taken away, and put back under the text."""
        typed = readline.get_line_buffer() if readline is not None else ""
        end = "" if text.endswith(("\n", "\n\x1b[0m")) else "\n"
        return f"\r\x1b[K{text}{end}{self._prompt}{typed}"

    def _passed(self, found: re.Match[str]) -> str:
        is_colour = found[0].startswith("\x1b[")
        if is_colour:
            return found[0] if self._colours else ""
        return found[0] if found[0] == "\r" else "?"

    def _coloured(self, text: str, colour: str, begin: str = "", end: str = "") -> str:
        if not colour or not self._colours or not text:
            return text
        return f"{begin}\x1b[{colour}m{end}{text}{begin}\x1b[0m{end}"

    def _completion(self, _text: str, state: int) -> str | None:
        """What readline asks: the matches one after another, for the word before the cursor."""
        assert readline is not None
        if state == 0:
            self._matches = self._find(readline.get_line_buffer(), readline.get_begidx())
        return self._matches[state] if state < len(self._matches) else None

    def _find(self, line: str, begin: int) -> list[str]:
        assert readline is not None
        cursor = readline.get_endidx()
        if not line[:cursor].strip():
            readline.insert_text("    ")
            return []
        found = self._complete(self.before + line, len(self.before) + cursor)
        start = found["start"] - len(self.before)
        return [
            (line[begin:start] + match["text"])[max(0, begin - start) :]
            for match in found["matches"]
        ]
