"""Value -> text/plain as IPython lays it out: one line where it fits, else one item a line."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from itertools import islice

from watchglass_monitor.builtin_items import builtin_items

WIDTH = 79
MAX_ITEMS = 1000
MAX_CHARS = 1024 * 1024
_MAX_DEPTH = 60

# What stands before an item: nothing, or a key.
Item = tuple[object, object]
_NO_KEY = object()
Parts = tuple[str, str, Iterator[Item]]


def plain_text(value: object) -> str:
    """The text of `value`, bounded; a repr that raises is told instead of raised."""
    return cut(_Layout().text(value, 0), MAX_CHARS)


def cut(text: str, limit: int) -> str:
    """Head and tail of a text that is longer than `limit`."""
    if len(text) <= limit:
        return text
    half = limit // 2
    hidden = len(text) - 2 * half
    return f"{text[:half]}\n… {hidden} characters are left out here …\n{text[-half:]}"


def safe_repr(value: object) -> str:
    """`repr(value)`, or what went wrong in it."""
    try:
        return str.__str__(repr(value))
    except KeyboardInterrupt:
        raise
    except BaseException as problem:
        return f"<{type(value).__name__} object: its repr raised {describe(problem)}>"


def describe(problem: BaseException) -> str:
    """`ValueError: bad`, even when the exception's own text is broken."""
    try:
        message = cut(str(problem), 1000)
    except KeyboardInterrupt:
        raise
    except BaseException:
        message = "(its __str__ raises too)"
    name = type(problem).__name__
    return f"{name}: {message}" if message else name


class _Layout:
    """One rendering; each object's repr is called once in it."""

    def __init__(self) -> None:
        self._reprs: dict[int, str] = {}
        self._open: set[int] = set()

    def text(self, value: object, column: int) -> str:
        """`value` over as many lines as it takes, starting at `column`."""
        flat = self._flat(value, WIDTH - column)
        if flat is not None:
            return flat
        parts = self._parts(value)
        if parts is None:
            return self._repr(value)
        self._open.add(id(value))
        pieces = self._spread(parts, column + len(parts[0]))
        self._open.discard(id(value))
        separator = ",\n" + " " * (column + len(parts[0]))
        return parts[0] + separator.join(pieces) + _end(parts, len(pieces))

    def _spread(self, parts: Parts, column: int) -> list[str]:
        pieces: list[str] = []
        room = MAX_CHARS
        for key, item in parts[2]:
            if len(pieces) == MAX_ITEMS or room < 0:
                pieces.append("...")
                break
            name = "" if key is _NO_KEY else self.text(key, column) + ": "
            after = len(name) - name.rfind("\n") - 1
            pieces.append(name + self.text(item, column + after))
            room -= len(pieces[-1])
        return pieces

    def _flat(self, value: object, room: int) -> str | None:
        """`value` on one line of at most `room` characters, or None."""
        parts = self._parts(value)
        if parts is None:
            text = self._repr(value)
            return text if len(text) <= room and "\n" not in text else None
        self._open.add(id(value))
        inside = self._flat_items(parts[2], room - len(parts[0]) - len(parts[1]))
        self._open.discard(id(value))
        return inside and parts[0] + inside[0] + _end(parts, inside[1])

    def _flat_items(self, items: Iterator[Item], room: int) -> tuple[str, int] | None:
        pieces: list[str] = []
        for key, item in items:
            name = "" if key is _NO_KEY else self._flat(key, room)
            text = None if name is None else self._flat(item, room - len(name))
            if name is None or text is None:
                return None
            pieces.append(text if key is _NO_KEY else f"{name}: {text}")
            room -= len(pieces[-1]) + 2
            if room < -2:
                return None
        return ", ".join(pieces), len(pieces)

    def _parts(self, value: object) -> Parts | None:
        """How a container begins, ends and what is in it; None where only its repr knows."""
        open_parts = _CONTAINERS.get(type(value).__repr__)
        # A container inside itself gets its repr, which says [...].
        if open_parts is None or len(self._open) > _MAX_DEPTH or not value:
            return None
        if id(value) in self._open:
            start, end, _ = open_parts(value)
            return start, end, iter([(_NO_KEY, _ELLIPSIS)])
        return open_parts(value)

    def _repr(self, value: object) -> str:
        known = self._reprs.get(id(value))
        if known is None:
            known = self._reprs[id(value)] = safe_repr(value)
        return known


class _Ellipsis:
    def __repr__(self) -> str:
        return "..."


_ELLIPSIS = _Ellipsis()


def _end(parts: Parts, count: int) -> str:
    return ",)" if parts[:2] == ("(", ")") and count == 1 else parts[1]


def _sequence(start: str, end: str) -> Callable[[object], Parts]:
    def parts(value: object) -> Parts:
        return start, end, _without_keys(value)

    return parts


def _without_keys(value: object) -> Iterator[Item]:
    return ((_NO_KEY, item) for item in islice(builtin_items(value), MAX_ITEMS + 1))


def _deque(value: object) -> Parts:
    assert isinstance(value, deque)
    end = "])" if value.maxlen is None else f"], maxlen={value.maxlen})"
    return "deque([", end, _without_keys(value)


def _mapping(value: object) -> Parts:
    assert isinstance(value, dict)
    return "{", "}", islice(iter(dict.items(value)), MAX_ITEMS + 1)


def _defaultdict(value: object) -> Parts:
    assert isinstance(value, defaultdict)
    start = f"defaultdict({safe_repr(value.default_factory)}, {{"
    return start, "})", islice(iter(dict.items(value)), MAX_ITEMS + 1)


def _counter(value: object) -> Parts:
    assert isinstance(value, Counter)
    try:
        items = value.most_common(MAX_ITEMS + 1)
    except TypeError:  # counts that cannot be compared
        items = list(islice(dict.items(value), MAX_ITEMS + 1))
    return "Counter({", "})", iter(items)


# By __repr__, so that a subclass counts as its parent unless it says how it looks.
_CONTAINERS: dict[object, Callable[[object], Parts]] = {
    deque.__repr__: _deque,
    list.__repr__: _sequence("[", "]"),
    tuple.__repr__: _sequence("(", ")"),
    set.__repr__: _sequence("{", "}"),
    frozenset.__repr__: _sequence("frozenset({", "})"),
    dict.__repr__: _mapping,
    defaultdict.__repr__: _defaultdict,
    Counter.__repr__: _counter,
}
