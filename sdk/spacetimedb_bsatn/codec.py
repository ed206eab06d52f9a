"""Values ⇄ BSATN bytes, with a decoder and an encoder written for each type on first use."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Final

from spacetimedb_bsatn.algebraic import AlgebraicType, described
from spacetimedb_bsatn.classes import Classes
from spacetimedb_bsatn.conversion import Converter
from spacetimedb_bsatn.decoder_source import DecoderSource
from spacetimedb_bsatn.encoder_source import EncoderSource
from spacetimedb_bsatn.errors import ConversionError, DecodeError

# What reading bytes that are no value of the type ends in.
MALFORMED: Final = (struct.error, IndexError, ValueError, RecursionError, MemoryError)
# What an encoder ends in that was given something else.
UNSUITABLE: Final = (
    struct.error, TypeError, AttributeError, KeyError, ValueError, OverflowError, RecursionError,
)  # fmt: skip
STALE: Final = "often the bindings are older than the module: generate them anew"


class Codec:
    """Encodes and decodes values of one type; `name` begins the path that errors show."""

    def __init__(self, classes: Classes, type_: AlgebraicType, name: str = "") -> None:
        self.type: Final = type_
        self.name: Final = name
        self._classes = classes

    def decode(self, data: bytes) -> Any:
        """The one value that these bytes are."""
        try:
            value, end = self._decode(data, 0)
        except MALFORMED as problem:
            raise self._malformed(problem) from problem
        if end != len(data):
            raise self._malformed(f"{len(data)} bytes, of which the value takes {end}")
        return value

    def decode_rows(self, data: bytes, starts: Sequence[int]) -> list[Any]:
        """Values that lie one behind the other, where each is told to start."""
        try:
            rows, end = self._rows(data, starts)
        except MALFORMED as problem:
            raise self._malformed(problem) from problem
        if len(rows) != len(starts) or end != len(data):
            raise self._malformed("rows do not lie where they are told to")
        return rows

    def decode_fixed_rows(self, data: bytes, size: int) -> list[Any]:
        """Values that lie one behind the other, each of this size."""
        if size == 0 or len(data) % size:
            raise self._malformed(f"{len(data)} bytes of rows that are told to have {size} each")
        own_size, decode = self._fixed_rows
        if decode is None:
            return self.decode_rows(data, range(0, len(data), size))
        if own_size != size:
            raise self._malformed(f"rows are told to have {size} bytes, and have {own_size}")
        try:
            return decode(data)
        except MALFORMED as problem:
            raise self._malformed(problem) from problem

    def encode(self, value: Any) -> bytes:
        """The bytes of a value; `ConversionError` says what does not fit."""
        try:
            return self._encode(value)
        except UNSUITABLE:
            converted = Converter(self._classes).convert(self.type, value, self.name)
        try:
            return self._encode(converted)
        except UNSUITABLE as problem:
            expected = described(self.type, self._classes.names())
            raise ConversionError(self.name, value, expected, str(problem)) from problem

    def encode_many(self, values: Iterable[Any]) -> bytes:
        """Values one behind the other."""
        return b"".join([self.encode(value) for value in values])

    def _malformed(self, problem: object) -> DecodeError:
        what = self.name or described(self.type, self._classes.names())
        return DecodeError(f"{what}: {problem or type(problem).__name__}; {STALE}")

    @cached_property
    def _decode(self) -> Callable[[bytes, int], tuple[Any, int]]:
        source = DecoderSource(self._classes)
        name = source.function(self.type)
        source.write_functions()
        return source.compiled(f"decoder of {self.name}")[name]

    @cached_property
    def _rows(self) -> Callable[[bytes, Sequence[int]], tuple[list[Any], int]]:
        source = DecoderSource(self._classes)
        source.write_rows(self.type)
        source.write_functions()
        return source.compiled(f"rows of {self.name}")["rows"]

    @cached_property
    def _fixed_rows(self) -> tuple[int | None, Callable[[bytes], list[Any]] | None]:
        source = DecoderSource(self._classes)
        size = source.write_fixed_rows(self.type)
        if size is None:
            return None, None
        source.write_functions()
        return size, source.compiled(f"rows of {self.name}")["fixed_rows"]

    @cached_property
    def _encode(self) -> Callable[[Any], bytes]:
        source = EncoderSource(self._classes)
        name = source.function(self.type)
        source.write_functions()
        return source.compiled(f"encoder of {self.name}")[name]


class Codecs:
    """One codec for each type of a schema that is asked for."""

    def __init__(self, classes: Classes) -> None:
        self.classes: Final = classes
        self._made: dict[tuple[AlgebraicType, str], Codec] = {}

    def of(self, type_: AlgebraicType, name: str = "") -> Codec:
        key = type_, name
        if key not in self._made:
            self._made[key] = Codec(self.classes, type_, name)
        return self._made[key]
