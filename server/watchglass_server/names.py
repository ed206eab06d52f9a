"""Names that people give to sessions, links and themselves, as everybody will see them."""

from __future__ import annotations

import unicodedata

# Letters that are drawn as nothing, though they count as letters or marks.
_DRAWN_AS_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
# An emoji of several parts keeps its joiners and its look.
_JOINING = frozenset("\u200d\ufe0f")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_name(name: str) -> str:
    """The name with `�` for what cannot be seen, or would turn the line around."""
    return "".join(_seen(letter, before) for before, letter in zip(" " + name, name, strict=False))


def _seen(letter: str, before: str) -> str:
    if letter in _JOINING:
        return letter if unicodedata.category(before) in ("So", "Sk") or before == "\ufe0f" else "�"
    is_hidden = unicodedata.category(letter) in _UNSEEN or letter in _DRAWN_AS_NOTHING
    return "�" if is_hidden else letter
