"""Text of others in our terminal: colours may pass, nothing else moves or asks anything there."""

from __future__ import annotations

import re

# A colour (SGR), or what a terminal would obey: ESC and the other control characters, also those
# above 0x7f, which begin sequences too.
_OBEYED = re.compile(r"\x1b\[[0-9;:]{0,64}m|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BEGUN = re.compile(r"\x1b(?:\[[0-9;:]{0,64})?\Z")
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0]")
NO_COLOUR = "\x1b[0m"


def harmless(text: str, *, colours: bool) -> str:
    """The text without what a terminal would obey. Its colours end with it."""

    def passed(found: re.Match[str]) -> str:
        if found[0].startswith("\x1b["):
            return found[0] if colours else ""
        return found[0] if found[0] == "\r" else "?"

    shown = _OBEYED.sub(passed, text)
    return shown + NO_COLOUR if "\x1b" in shown else shown


def plain(text: str, width: int) -> str:
    """One line of it, not longer than this: no control, invisible or direction characters."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    shown = _INVISIBLE.sub("?", shown)
    return shown if len(shown) <= width else shown[: width - 1] + "…"


class TerminalStream:
    """The same for text that comes in pieces: a sequence may be cut anywhere."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours
        self._held = ""
        self._is_coloured = False

    def feed(self, text: str) -> str:
        """What may be written now."""
        text = self._held + text
        begun = _BEGUN.search(text)
        self._held = begun[0] if begun else ""
        shown = harmless(text[: len(text) - len(self._held)], colours=self._colours)
        if "\x1b" in shown:
            shown = shown.removesuffix(NO_COLOUR)
            self._is_coloured = True
        return shown

    def end(self) -> str:
        """What is left, and the end of its colours."""
        rest = "?" * bool(self._held) + self._held[1:]
        self._held = ""
        return rest + NO_COLOUR * self._is_coloured
