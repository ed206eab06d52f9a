"""Source text and a cursor -> where the cursor is: in which string, bracket and expression."""

import re
from dataclasses import dataclass
from typing import Literal

BEFORE = 16_384
BEHIND = 4_096
_STRING_START = re.compile(r"""([rbfuRBFUtT]{0,2})('''|\"\"\"|'|")""")
_OPEN = {"(": ")", "[": "]", "{": "}"}
_CLOSE = {close: opened for opened, close in _OPEN.items()}


@dataclass(frozen=True, slots=True)
class Place:
    """What is open at the cursor."""

    kind: Literal["code", "string", "comment"]
    brackets: tuple[int, ...]
    string_start: int = 0  # of the text between the quotes
    quote: str = ""
    prefix: str = ""  # what stands before the quotes, such as rb


def place_at(code: str, cursor: int) -> Place:
    """Read `code` up to the cursor; never fails, whatever the text is."""
    return _Scan(code[:cursor]).run()


class _Scan:
    """One pass over the text before a cursor."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.brackets: list[int] = []

    def run(self) -> Place:
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "#":
                end = self.text.find("\n", self.at)
                if end < 0:
                    return Place("comment", tuple(self.brackets))
                self.at = end
            elif (start := self._string_start()) is not None:
                inside = self._string(start)
                if inside is not None:
                    return inside
            elif char.isidentifier():
                self._skip_name()
            else:
                self._bracket(char)
                self.at += 1
        return Place("code", tuple(self.brackets))

    def _string_start(self) -> "re.Match[str] | None":
        return _STRING_START.match(self.text, self.at)

    def _skip_name(self) -> None:
        # One letter at a time: a name may be as long as the code.
        while self.at < len(self.text) and f"_{self.text[self.at]}".isidentifier():
            self.at += 1

    def _bracket(self, char: str) -> None:
        if char in _OPEN:
            self.brackets.append(self.at)
        elif char in _CLOSE:
            while self.brackets:
                opened = self.text[self.brackets.pop()]
                if opened == _CLOSE[char]:
                    break

    def _string(self, start: "re.Match[str]") -> Place | None:
        """Skip a string, or say that the cursor is in it."""
        prefix, quote = start.group(1).lower(), start.group(2)
        begin = position = start.end()
        while position < len(self.text):
            if self.text[position] == "\\":
                position += 2
            elif self.text.startswith(quote, position):
                self.at = position + len(quote)
                return None
            elif self.text[position] == "\n" and len(quote) == 1:
                self.at = position  # not closed on its line: the next line starts afresh
                return None
            else:
                position += 1
        if "f" in prefix and (hole := self._hole(begin)) is not None:
            inner = place_at(self.text[hole:], len(self.text))
            brackets = tuple(hole + each for each in inner.brackets)
            return Place(inner.kind, brackets, hole + inner.string_start, inner.quote)
        return Place("string", tuple(self.brackets), begin, quote, prefix)

    def _hole(self, begin: int) -> int | None:
        """Where the `{` of an f-string that is open at the cursor begins."""
        body = self.text[begin:].replace("{{", "  ")
        opened = body.rfind("{")
        return begin + opened + 1 if opened >= 0 and body.rfind("}") < opened else None


def around(code: str, cursor: int) -> tuple[str, int, int]:
    """As much of long code as help needs: it, the cursor in it, and how much was before it.

    Whoever asks at each key waits for the answer, and what follows a cut is a guess either way.
    """
    cursor = max(0, min(cursor, len(code)))
    begin, end = max(0, cursor - BEFORE), cursor + BEHIND
    if begin > 0:  # at a line's beginning, where there is one
        begin = code.find("\n", begin, cursor) + 1 or begin
    return code[begin:end], cursor - begin, begin


def name_start(code: str, cursor: int) -> int:
    """Where the identifier that ends at the cursor starts."""
    start = cursor
    while start > 0 and (code[start - 1].isidentifier() or code[start - 1].isdigit()):
        start -= 1
    return start


def name_end(code: str, cursor: int) -> int:
    """Where the identifier around the cursor ends."""
    end = cursor
    while end < len(code) and (code[end].isidentifier() or code[end].isdigit()):
        end += 1
    return end


def expression_start(code: str, end: int) -> int:
    """Where the primary expression that ends at `end` starts: `a.b["x"](1)` as a whole."""
    at = end
    while at > 0:
        char = code[at - 1]
        if char in _CLOSE:
            opened = _matching(code, at - 1)
            if opened is None:
                return at
            at = opened
            if not _continues(code, at):
                return at
        elif char in "'\"":
            start = _string_start_before(code, at)
            return at if start is None else start
        elif char.isidentifier() or char.isdigit():
            at = name_start(code, at)
            if at == 0 or code[at - 1] != ".":
                return at
        elif char == "." and at < end:
            at -= 1
        else:
            return at
    return at


def _continues(code: str, bracket: int) -> bool:
    """Does a bracket belong to an expression before it?"""
    before = code[bracket - 1 : bracket]
    return bool(before) and (before.isidentifier() or before.isdigit() or before in ")]}'\"")


def _matching(code: str, closing: int) -> int | None:
    opened = place_at(code, closing)
    if opened.kind == "code" and opened.brackets:
        position = opened.brackets[-1]
        return position if _OPEN[code[position]] == code[closing] else None
    return None


def _string_start_before(code: str, end: int) -> int | None:
    """Where the string literal that ends at `end` starts."""
    inside = place_at(code, end - 1)
    if inside.kind != "string":
        return None
    return inside.string_start - len(inside.quote) - len(inside.prefix)


def call_at(code: str, cursor: int) -> tuple[int, int] | None:
    """The expression that is being called where the cursor is, as start and end."""
    for bracket in reversed(place_at(code, cursor).brackets):
        if code[bracket] == "(":
            start = expression_start(code, bracket)
            if start < bracket:
                return start, bracket
    return None
