"""How a preview is laid out: what fits into its characters, and where it stops."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

from .reading import Value, type_name

MAX_DEPTH = 4
MAX_ITEMS = 60
_MAX_VALUES = 300
_ITEM_CHARACTERS = 60
# Room for ", … 1234567890 more".
_MORE = 22

# Writes one value into at most so many characters, at a depth.
Writer: TypeAlias = Callable[["Layout", Any, int, int], str]


class Layout:
    """One preview on its way: what is open around it, and how many values it may still show."""

    def __init__(self, writer: Writer, closed: Callable[[Value], str]) -> None:
        self._writer = writer
        self._closed = closed
        self._open: set[int] = set()
        self._left = _MAX_VALUES

    def of(self, value: Value, room: int, depth: int) -> str:
        """At most `room` characters for any value whatever."""
        self._left -= 1
        if self._left < 0 or room < 4:
            return "…"
        if id(value) in self._open:
            return cut(self._closed(value), room)
        self._open.add(id(value))
        try:
            return cut(self._writer(self, value, room, depth), room)
        except (TypeError, ValueError, AttributeError, RuntimeError, OverflowError):
            # A released memoryview, a half-made instance, a class that only looks like a builtin.
            return cut(plain_object(value), room)
        finally:
            self._open.discard(id(value))

    def items(
        self, values: Iterable[object], total: int, room: int, depth: int, ends: tuple[str, str]
    ) -> str:
        """The items between their brackets, and how many more there are."""
        texts = (partial(self.of, item, depth=depth + 1) for item in values)
        return self.joined(texts, total, room, ends)

    def pairs(
        self, values: Iterable[tuple[object, object]], total: int, room: int, depth: int
    ) -> str:
        """`{'gold': 3, … 2 more}`."""

        def pair(room: int, key: object, value: object) -> str:
            shown = self.of(key, room // 2, depth + 1)
            return f"{shown}: {self.of(value, room - len(shown) - 2, depth + 1)}"

        texts = (partial(pair, key=key, value=value) for key, value in values)
        return self.joined(texts, total, room, ("{", "}"))

    def fields(
        self, name: str, values: Iterable[tuple[str, object]], total: int, room: int, depth: int
    ) -> str:
        """`Unit(hp=10, name='x')`."""

        def field(room: int, key: str, value: object) -> str:
            shown = cut(key, room // 2)
            return f"{shown}={self.of(value, room - len(shown) - 1, depth + 1)}"

        texts = (partial(field, key=key, value=value) for key, value in values)
        return self.joined(texts, total, room, (f"{cut(name, room // 2)}(", ")"))

    def joined(
        self,
        texts: Iterable[Callable[[int], str]],
        total: int,
        room: int,
        ends: tuple[str, str],
    ) -> str:
        """As many texts as fit, each given the room that it may take."""
        left = room - len(ends[0]) - len(ends[1])
        shown: list[str] = []
        for write in islice(texts, MAX_ITEMS):
            is_last = len(shown) + 1 == total
            space = left - (2 if shown else 0) - (0 if is_last else _MORE)
            if space < 4 or self._left <= 0:
                break
            text = write(space if is_last else min(space, max(_ITEM_CHARACTERS, space // 2)))
            left -= len(text) + (2 if shown else 0)
            shown.append(text)
        hidden = total - len(shown)
        if hidden > 0:
            shown.append(f"… {hidden} more" if shown else f"… {hidden}")
        return ends[0] + ", ".join(shown) + ends[1]


def cut(text: str, room: int) -> str:
    """The beginning of a text, marked where it was cut."""
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"


def quoted(text: str, room: int) -> str:
    """A string as its `repr`, cut to `room`: NUL and lone surrogates come out as escapes."""
    return _fitting(text, room, is_whole=len(text) <= room)


def _fitting(text: str, room: int, *, is_whole: bool) -> str:
    text = text[:room]
    shown = repr(text)
    while len(shown) > room - (not is_whole) and text:
        is_whole = False
        keep = min(len(text) - 1, len(text) * max(room - 4, 0) // len(shown))
        text = text[:keep]
        shown = repr(text)
    return shown if is_whole else f"{shown[:-1]}…{shown[-1]}"


def plain_object(value: Value) -> str:
    """What is shown of an object of which nothing can be read."""
    return f"<{cut(type_name(type(value)), 120)} object>"
