"""Writes encoders: one expression each, with adjacent numbers packed by one struct call.

They accept exactly what they can encode without doubt, and raise whatever comes for anything
else: `conversion.py` then finds out what is wrong, or makes of it what fits.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from spacetimedb_bsatn.algebraic import (
    BYTES,
    INTEGERS,
    SCHEDULE_AT,
    UNIT,
    UUID,
    AlgebraicType,
    ArrayType,
    Element,
    Primitive,
    ProductType,
    Ref,
    SumType,
    is_plain_enum,
    some_of,
)
from spacetimedb_bsatn.classes import Classes, variant_classes
from spacetimedb_bsatn.decoder_source import DEEPEST, SPECIAL
from spacetimedb_bsatn.identity import HexNumber
from spacetimedb_bsatn.source import CODES, Source
from spacetimedb_bsatn.times import Interval, Time
from spacetimedb_bsatn.values import Err, Ok, Some

U32: Final = struct.Struct("<I")


class Number(NamedTuple):
    """Something of a fixed size, for struct."""

    code: str
    expression: str


Piece = Number | str  # a str is an expression of bytes


def refuse(value: object) -> Any:
    """Not a value that can be encoded as it is."""
    raise TypeError(f"{value!r}")


def pack_array(code: str, items: Sequence[Any]) -> bytes:
    if items.__class__ is not tuple and items.__class__ is not list:
        refuse(items)
    return struct.pack(f"<I{len(items)}{code}", len(items), *items)


def encode_array(encode: Callable[[Any], bytes], items: Sequence[Any]) -> bytes:
    if items.__class__ is not tuple and items.__class__ is not list:
        refuse(items)
    return U32.pack(len(items)) + b"".join([encode(item) for item in items])


def of_length(count: int, items: Any) -> Any:
    return items if items.__class__ is tuple and len(items) == count else refuse(items)


class EncoderSource(Source):
    """Functions `f(v)`: a value → bytes."""

    PREFIX = "encode_"

    def __init__(self, classes: Classes) -> None:
        super().__init__(classes)
        self._sums: list[tuple[str, dict[str, str]]] = []
        self.constants |= {
            "BOOLS": {False: 0, True: 1},
            "encode_array": encode_array,
            "of_length": of_length,
            "pack_array": pack_array,
            "refuse": refuse,
        }

    def write_function(self, type_: AlgebraicType, name: str) -> None:
        self._write(name, self.pieces(type_, "v", 0))

    def write_functions(self) -> None:
        """The functions, then the tables of sums."""
        super().write_functions()
        for name, entries in self._sums:
            self.line(
                f"{name} = {{{', '.join(f'{key}: {value}' for key, value in entries.items())}}}"
            )

    def _write(self, name: str, pieces: Sequence[Piece]) -> None:
        with self.block(f"def {name}(v):"):
            self.line(f"return {self.joined(pieces)}")

    def joined(self, pieces: Sequence[Piece]) -> str:
        """One expression of bytes."""
        parts: list[str] = []
        numbers: list[Number] = []
        for piece in (*pieces, ""):
            if isinstance(piece, Number):
                numbers.append(piece)
                continue
            if numbers:
                codes = "".join(number.code for number in numbers)
                pack = self.constant(self.struct(codes).pack, "s", codes)
                parts.append(f"{pack}({', '.join(number.expression for number in numbers)})")
                numbers = []
            if piece:
                parts.append(piece)
        if len(parts) > 4:
            return f"b''.join(({', '.join(parts)}))"
        return " + ".join(parts) or "b''"

    def pieces(self, type_: AlgebraicType, value: str, depth: int) -> list[Piece]:
        """What a value is made of, in order; `value` is an expression that is used once."""
        if type_ in SPECIAL:
            return [self._special(type_, value)]
        match type_:
            case Primitive.STRING:
                text = self.name()
                return [Number("I", f"len({text} := {value}.encode())"), text]
            case Primitive():
                return [self._primitive(type_, value)]
            case Ref(index):
                return self._reference(index, value, depth)
        if depth > DEEPEST:
            return [f"{self.function(type_)}({value})"]
        return self._composite(type_, value, depth)

    def _composite(self, type_: AlgebraicType, value: str, depth: int) -> list[Piece]:
        if (payload := some_of(type_)) is not None:
            return [self._option(payload, value, depth)]
        match type_:
            case ArrayType() if type_ == BYTES:
                return self._bytes(value)
            case ArrayType(element):
                return [self._array(element, value)]
            case ProductType(elements):
                return self._tuple(elements, value, depth)
            case SumType(variants):
                made = [Interval, Time] if type_ == SCHEDULE_AT else [Ok, Err]
                return [self._sum(variants, made, value)]
        raise AssertionError(type_)

    def _checked(self, made: type, value: str) -> str:
        """The value, if it is of exactly this class."""
        name = self.name()
        is_one = f"({name} := {value}).__class__ is {self.constant(made, 'c')}"
        return f"({name} if {is_one} else refuse({name}))"

    def _special(self, type_: AlgebraicType, value: str) -> Number:
        made, primitive = SPECIAL[type_]
        checked = self._checked(made, value)
        if issubclass(made, HexNumber):
            return self._primitive(primitive, f"{checked}.value")
        field = "int" if type_ == UUID else "micros"
        return self._primitive(primitive, f"{checked}.{field}")

    def _primitive(self, primitive: Primitive, value: str) -> Number:
        if primitive is Primitive.BOOL:
            return Number("B", f"BOOLS[{value}]")
        if code := CODES.get(primitive):
            return Number(code, value)
        range_ = INTEGERS[primitive]
        size = range_.bits // 8
        sign = ", signed=True" if range_.signed else ""
        return Number(f"{size}s", f"{value}.to_bytes({size}, 'little'{sign})")

    def _bytes(self, value: str) -> list[Piece]:
        data = self.name()
        return [Number("I", f"len({data} := {self._checked(bytes, value)})"), data]

    def _array(self, element: AlgebraicType, value: str) -> str:
        if isinstance(element, Primitive) and element in CODES and element is not Primitive.BOOL:
            return f"pack_array({CODES[element]!r}, {value})"
        return f"encode_array({self.function(element)}, {value})"

    def _option(self, payload: AlgebraicType, value: str, depth: int) -> str:
        name = self.name()
        inner = name
        if some_of(self._classes.resolved(payload)) is not None:
            inner = f"{self._checked(Some, name)}.value"
        some = self.joined([Number("B", "0"), *self.pieces(payload, inner, depth + 1)])
        return f"(b'\\x01' if ({name} := {value}) is None else {some})"

    def _reference(self, index: int, value: str, depth: int) -> list[Piece]:
        made = self._classes.of(index)
        type_ = self._classes.types[index]
        if made is None:
            return self.pieces(type_, value, depth + 1)
        if isinstance(type_, SumType) and is_plain_enum(type_):
            tags = self.constant({each: tag for tag, each in enumerate(made)}, "e", index)  # type: ignore[var-annotated, arg-type]
            return [Number("B", f"{tags}[{value}]")]
        if depth and not self._classes.is_flat(index):
            return [f"{self.function(Ref(index))}({value})"]
        if isinstance(type_, SumType):
            return [self._sum(type_.variants, variant_classes(made, type_), value)]
        assert isinstance(type_, ProductType)
        return self._product(made, type_.elements, value, depth)

    def _product(
        self, made: Any, elements: tuple[Element, ...], value: str, depth: int
    ) -> list[Piece]:
        name = self.name()
        first = f"({name} := {self._checked(made, value)})"
        pieces: list[Piece] = []
        for field, each in zip(made.__match_args__, elements, strict=True):
            owner = name if pieces else first
            pieces += self.pieces(each.type, f"{owner}.{field}", depth + 1)
        return pieces

    def _tuple(self, elements: tuple[Element, ...], value: str, depth: int) -> list[Piece]:
        name = self.name()
        first = f"({name} := of_length({len(elements)}, {value}))"
        pieces: list[Piece] = []
        for place, each in enumerate(elements):
            owner = name if pieces else first
            pieces += self.pieces(each.type, f"{owner}[{place}]", depth + 1)
        return pieces

    def _sum(self, variants: tuple[Element, ...], made: Sequence[type], value: str) -> str:
        entries: dict[str, str] = {}
        for tag, (element, each) in enumerate(zip(variants, made, strict=True)):
            name = self.name("encode_")
            payload: list[Piece] = []
            if element.type != UNIT or each in (Ok, Err):
                payload = self.pieces(element.type, f"v.{'error' if each is Err else 'value'}", 1)
            self._write(name, [Number("B", str(tag)), *payload])
            entries[self.constant(each, "c")] = name
        table = self.name("SUM")
        self._sums.append((table, entries))
        chosen = self.name()
        return f"{table}[({chosen} := {value}).__class__]({chosen})"
