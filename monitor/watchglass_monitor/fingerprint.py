"""Value -> fingerprint: finds in-place changes by walking over what a value holds.

A walk is cut into slices of time and holds no object between two of them: what the program deletes
in the meantime must be freed at that moment. It remembers positions, and finds its way back by
them. No user code runs; what is read, and how, is in `contents`.
"""

from array import array
from collections.abc import Iterator
from itertools import islice
from marshal import dumps
from time import perf_counter
from typing import Any, TypeAlias
from zlib import crc32

from .contents import Contents, Token, contents
from .marks import SCALARS
from .reading import Value

# (checksum, hash, number of values)
Fingerprint: TypeAlias = tuple[int, int, int]

MAX_DEPTH = 200
MAX_VALUES = 4_000_000
_MAX_SEEN = 200_000
_MAX_TOKENS = 2048
_CHECK_EVERY = 512

_INT, _FLOAT, _STR, _BYTES, _BOOL, _NONE = (
    id(kind) for kind in (int, float, str, bytes, bool, type(None))
)
_PLAIN = frozenset({_FLOAT, _BOOL, _NONE})
_BULK_TEXT = 1 << 16
_WHOLE_TEXT = 1024
_SMALL = 1 << 62


class _Level:
    """An object that is being walked over, and how far; lives during one slice only."""

    __slots__ = ("at", "base", "chunk", "chunk_size", "items", "value")

    def __init__(self, value: Value, found: Contents, position: int) -> None:
        assert found.start is not None
        self.value = value
        self.items: Iterator[Any] = found.start(position)
        self.chunk_size = found.chunk
        self.chunk: list[Any] = []
        self.base = position
        self.at = 0

    def read(self) -> list[Any]:
        self.chunk = list(islice(self.items, self.chunk_size))
        return self.chunk


class Walk:
    """One walk over everything that a variable holds, in slices."""

    def __init__(self) -> None:
        self._begin()
        # Something on the way was replaced between two slices: the value has changed.
        self.disturbed = False
        # A limit cut something off: changes beyond it are not seen.
        self.truncated = False

    def _begin(self) -> None:
        self._check = 0
        self._hash = 0
        self._values = 0
        self._tokens: list[Any] = []
        self._seen: dict[int, int] = {}
        self._places: list[tuple[int, int, int]] = []
        self._began = False

    @property
    def fingerprint(self) -> Fingerprint:
        """What differs when anything that was walked over differs."""
        return (self._check, self._hash, self._values)

    def step(self, root: Value, deadline: float) -> bool:
        """Walks on until the deadline; True when the walk is complete."""
        levels: list[_Level] = []
        if self._began:
            levels = self._find_back(root)
            if not levels:
                self.disturbed = True
                self._begin()
        if not self._began:
            self._began = True
            self._enter(root, levels)
        work = 0
        while levels:
            level = levels[-1]
            if level.at < len(level.chunk):
                work += self._walk_chunk(level, levels)
            else:
                if not self._next_chunk(level):
                    levels.pop()
                work += _CHECK_EVERY // 8 + level.at
            if work >= _CHECK_EVERY:
                work = 0
                if perf_counter() >= deadline and levels:
                    # Tokens stay for the next slice: where they are folded must not depend on time.
                    self._places = [(id(each.value), each.base, each.at) for each in levels]
                    return False
        self._flush()
        return True

    def _next_chunk(self, level: _Level) -> bool:
        """Reads the next items of a level; False at its end."""
        level.base += level.at
        level.at = 0
        chunk = level.read()
        if len(chunk) >= 8 and self._fold_alike(chunk):
            level.at = len(chunk)
        return bool(chunk)

    def _walk_chunk(self, level: _Level, levels: list[_Level]) -> int:
        """Takes scalars as they are, up to the next object that holds others."""
        chunk, tokens, began = level.chunk, self._tokens, level.at
        for at in range(began, len(chunk)):
            item = chunk[at]
            kind = id(type(item))
            if kind in _PLAIN:
                tokens.append(item)
            elif kind in SCALARS:
                tokens.append(_scalar(kind, item))
            else:
                level.at = at + 1
                self._enter(item, levels)
                return at - began + 8
        level.at = len(chunk)
        if len(tokens) >= _MAX_TOKENS:
            self._flush()
        return level.at - began

    def _enter(self, value: Value, levels: list[_Level]) -> None:
        """Opens an object that holds others, unless it was seen already."""
        kind = id(type(value))
        if kind in SCALARS:
            self._tokens.append(_scalar(kind, value))
            return
        ordinal = self._seen.get(id(value))
        if ordinal is not None:
            self._tokens.append(("seen", ordinal))
            return
        self._values += 1
        found = contents(value)
        self._tokens.append(found.token)
        if found.start is None:
            return
        if len(levels) >= MAX_DEPTH or self._values > MAX_VALUES:
            self.truncated = True
            return
        if len(self._seen) < _MAX_SEEN:
            self._seen[id(value)] = self._values
        elif any(each.value is value for each in levels):
            return
        levels.append(_Level(value, found, 0))

    def _find_back(self, root: Value) -> list[_Level]:
        """The levels where the last slice stopped; none when one of them was replaced."""
        levels: list[_Level] = []
        value = root
        for identity, base, at in self._places:
            found = contents(value) if id(type(value)) not in SCALARS else Contents(None)
            if id(value) != identity or found.start is None:
                return []
            level = _Level(value, found, base)
            level.at = at
            levels.append(level)
            if at > len(level.read()):
                return []
            value = level.chunk[at - 1] if at else None
        return levels

    def _fold_alike(self, chunk: list[Any]) -> bool:
        """Takes many scalars of one type at once, at the speed of C; False when they are not."""
        self._flush()
        kinds = set(map(id, map(type, chunk)))
        if len(kinds) != 1:
            return False
        (kind,) = kinds
        if kind == _INT:
            try:
                self._fold(array("q", chunk).tobytes())
            except OverflowError:
                return False
        elif kind == _FLOAT:
            self._fold(array("d", chunk).tobytes())
        elif kind in (_STR, _BYTES):
            if sum(map(len, chunk)) > _BULK_TEXT:
                return False
            self._fold(dumps(chunk, 2))
        elif kind in (_BOOL, _NONE):
            self._fold(dumps(chunk, 2))
        else:
            return False
        self._values += len(chunk)
        self._fold(b"%d %d" % (kind, len(chunk)))
        return True

    def _flush(self) -> None:
        if self._tokens:
            # Version 2 writes no references, which would depend on reference counts.
            self._fold(dumps(self._tokens, 2))
            self._values += len(self._tokens)
            self._tokens.clear()

    def _fold(self, data: bytes) -> None:
        self._check = crc32(data, self._check)
        self._hash = hash((self._hash, data))


def _scalar(kind: int, value: Any) -> Token:
    """A scalar as `marshal` writes it exactly; a long one by its mark."""
    if kind in _PLAIN:
        return value  # type: ignore[no-any-return]
    if kind == _INT and -_SMALL < value < _SMALL:
        return value  # type: ignore[no-any-return]
    if kind in (_STR, _BYTES) and len(value) <= _WHOLE_TEXT:
        return value  # type: ignore[no-any-return]
    return (kind, SCALARS[kind](value))


def fingerprint(value: Value) -> Fingerprint:
    """The fingerprint of a value in one go."""
    walk = Walk()
    while not walk.step(value, perf_counter() + 1):
        pass
    return walk.fingerprint


def glance(value: Value) -> object:
    """What can be seen of a large value at once: its length, and some of its items."""
    found = contents(value) if id(type(value)) not in SCALARS else Contents(None)
    if found.start is None or type(value) not in (list, tuple):
        return found.token
    length = len(value)  # type: ignore[arg-type]
    ends = [*range(min(16, length)), *range(max(length - 16, 0), length)]
    spread = range(0, length, max(length // 16, 1))
    samples = tuple(
        _scalar(kind, item) if kind in SCALARS else (kind, id(item))
        for item in (value[index] for index in (*ends, *spread))  # type: ignore[index]
        for kind in [id(type(item))]
    )
    return (found.token, samples)
