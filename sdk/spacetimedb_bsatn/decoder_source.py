"""Writes decoders: adjacent numbers are read by one struct call, the rest by slices.

A slice beyond the end is short without an error, and the place moves on all the same: so each
read of numbers fails there, and whoever calls compares the last place with the length.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from spacetimedb_bsatn.algebraic import (
    BYTES,
    CONNECTION_ID,
    IDENTITY,
    INTEGERS,
    SCHEDULE_AT,
    TIME_DURATION,
    TIMESTAMP,
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
    result_of,
    some_of,
)
from spacetimedb_bsatn.classes import Classes, variant_classes
from spacetimedb_bsatn.errors import DecodeError
from spacetimedb_bsatn.identity import ConnectionId, Identity
from spacetimedb_bsatn.named_numbers import unchecked
from spacetimedb_bsatn.reader import MOST_EMPTY
from spacetimedb_bsatn.source import CODES, Source
from spacetimedb_bsatn.times import Interval, Time, TimeDuration, Timestamp
from spacetimedb_bsatn.values import Err, Ok, Some, Uuid

DEEPEST: Final = 4  # of nested types written into one function; deeper ones get their own
BOOLS: Final = (False, True)
SPECIAL: Final[dict[AlgebraicType, tuple[type, Primitive]]] = {
    IDENTITY: (Identity, Primitive.U256),
    CONNECTION_ID: (ConnectionId, Primitive.U128),
    TIMESTAMP: (Timestamp, Primitive.I64),
    TIME_DURATION: (TimeDuration, Primitive.I64),
    UUID: (Uuid, Primitive.U128),
}


class Fork(NamedTuple):
    """An option of numbers among those that are due: both its forms are read by one call each."""

    tag: int
    """Its place among what is due; the payload lies behind it."""
    end: int
    name: str
    payload: str


def bad_tag(tag: int, name: str) -> DecodeError:
    return DecodeError(f"tag {tag} means nothing in {name}")


def too_many_empty(count: int) -> DecodeError:
    return DecodeError(f"{count} items that take no bytes: more than {MOST_EMPTY}")


class DecoderSource(Source):
    """Functions `f(b, o)`: bytes and a place → a value and the next place."""

    PREFIX = "decode_"

    def __init__(self, classes: Classes) -> None:
        super().__init__(classes)
        self._pending: list[tuple[str, str]] = []
        self._fork: Fork | None = None
        self.constants |= {
            "BOOLS": BOOLS,
            "bad_tag": bad_tag,
            "too_many_empty": too_many_empty,
            "wide": int.from_bytes,
            "unpack_array": unpack_array,
        }

    def write_function(self, type_: AlgebraicType, name: str) -> None:
        with self.block(f"def {name}(b, o):"):
            value = self.value(type_, 0)
            self.flush()
            self.line(f"return {value}, o")

    def read(self, codes: str) -> list[str]:
        """Names for numbers that the next flush reads."""
        names = [self.name() for _ in codes.replace("32s", "s")]
        self._pending += zip(["32s"] if codes == "32s" else codes, names, strict=True)
        return names

    def flush(self) -> None:
        """One call for all numbers that are due."""
        pending, self._pending = self._pending, []
        fork, self._fork = self._fork, None
        if fork is None:
            self._unpack(pending)
            return
        tag = self.name()
        self.line(f"{tag} = b[o + {self.struct(codes_of(pending[: fork.tag])).size}]")
        with self.block(f"if {tag} == 0:"):
            self._unpack(pending)
            self.line(f"{fork.name} = {fork.payload}")
        with self.block(f"elif {tag} == 1:"):
            self._unpack([*pending[: fork.tag + 1], *pending[fork.end :]])
            self.line(f"{fork.name} = None")
        self.line(f"else: raise bad_tag({tag}, 'an option')")

    def _unpack(self, pending: Sequence[tuple[str, str]]) -> None:
        codes = codes_of(pending)
        names = [name for _, name in pending if name]
        size = self.struct(codes).size
        if not names:
            if size:
                self.line(f"o += {size}")
        elif codes == "B":
            self.line(f"{names[0]} = b[o]; o += 1")
        else:
            unpack = self.constant(self.struct(codes).unpack_from, "s", codes)
            self.line(f"{', '.join(names)}, = {unpack}(b, o); o += {size}")

    def value(self, type_: AlgebraicType, depth: int) -> str:
        """An expression, valid after the next flush."""
        if special := SPECIAL.get(type_):
            made, primitive = special
            number = self._primitive(primitive)
            if made is Uuid:
                return f"{self.constant(made, 'c')}(int={number})"
            # What so many bytes are, always fits.
            return f"{self.constant(unchecked(made), 'c', made)}({number})"
        match type_:
            case Primitive.STRING:
                return self._string()
            case Primitive():
                return self._primitive(type_)
            case Ref(index):
                return self._reference(index, depth)
        if depth > DEEPEST:
            return self._call(self.function(type_))
        return self._composite(type_, depth)

    def _composite(self, type_: AlgebraicType, depth: int) -> str:
        if (payload := some_of(type_)) is not None:
            return self._option(payload, depth)
        match type_:
            case ArrayType(element):
                return self._bytes() if type_ == BYTES else self._array(element, depth)
            case ProductType(elements):
                return self._tuple(elements, depth)
            case SumType(variants):
                return self._sum(type_, variants, self._builtin_variants(type_), depth)
        raise AssertionError(type_)

    def _builtin_variants(self, type_: SumType) -> list[type]:
        if type_ == SCHEDULE_AT:
            return [Interval, Time]
        if result_of(type_):
            return [Ok, Err]
        raise DecodeError("a sum without a name: give it one in the module's types")

    def _primitive(self, primitive: Primitive) -> str:
        if primitive is Primitive.BOOL:
            return f"BOOLS[{self.read('B')[0]}]"
        if code := CODES.get(primitive):
            return self.read(code)[0]
        range_ = INTEGERS[primitive]
        if range_.bits == 128:
            low, high = self.read("Qq" if range_.signed else "QQ")
            return f"({low} | {high} << 64)"
        sign = ", signed=True" if range_.signed else ""
        return f"wide({self.read('32s')[0]}, 'little'{sign})"

    def _string(self) -> str:
        (size,) = self.read("I")
        self.flush()
        value = self.name()
        self.line(f"e = o + {size}; {value} = b[o:e].decode(); o = e")
        return value

    def _bytes(self) -> str:
        (size,) = self.read("I")
        self.flush()
        value = self.name()
        self.line(f"e = o + {size}; {value} = b[o:e]; o = e")
        return value

    def _call(self, function: str) -> str:
        self.flush()
        value = self.name()
        self.line(f"{value}, o = {function}(b, o)")
        return value

    def _reference(self, index: int, depth: int) -> str:
        made = self._classes.of(index)
        type_ = self._classes.types[index]
        if made is None:
            return self.value(type_, depth + 1)
        if isinstance(type_, SumType) and is_plain_enum(type_):
            members = self.constant(tuple(made), "e", index)  # type: ignore[arg-type]
            return f"{members}[{self.read('B')[0]}]"
        if depth and not self._classes.is_flat(index):
            return self._call(self.function(Ref(index)))
        if isinstance(type_, SumType):
            return self._sum(type_, type_.variants, variant_classes(made, type_), depth)
        assert isinstance(type_, ProductType)
        return self._product(made, type_.elements, depth)

    def _product(self, made: type, elements: tuple[Element, ...], depth: int) -> str:
        values = [self.value(each.type, depth + 1) for each in elements]
        return f"{self.constant(made, 'c')}({', '.join(values)})"

    def _tuple(self, elements: tuple[Element, ...], depth: int) -> str:
        values = [self.value(each.type, depth + 1) for each in elements]
        return f"({''.join(value + ', ' for value in values)})"

    def _is_number(self, type_: AlgebraicType) -> bool:
        """Whether values are read by one struct call, whatever they are."""
        if type_ in SPECIAL:
            return True
        match type_:
            case Primitive():
                return type_ is not Primitive.STRING
            case Ref(index) if self._classes.of(index) is None:
                return self._is_number(self._classes.types[index])
            case Ref(index):
                enum = self._classes.types[index]
                return isinstance(enum, SumType) and is_plain_enum(enum)
        return False

    def _option_of_number(self, payload: AlgebraicType, depth: int) -> str:
        if self._fork is not None:
            self.flush()
        tag = len(self._pending)
        self._pending.append(("x", ""))  # skipped: whoever flushes looks at it first
        value = self.value(payload, depth + 1)
        name = self.name()
        self._fork = Fork(tag, len(self._pending), name, value)
        return name

    def _option(self, payload: AlgebraicType, depth: int) -> str:
        if self._is_number(payload):
            return self._option_of_number(payload, depth)
        (tag,) = self.read("B")
        self.flush()
        value = self.name()
        with self.block(f"if {tag} == 0:"):
            inner = self.value(payload, depth + 1)
            self.flush()
            if some_of(self._classes.resolved(payload)) is not None:
                inner = f"{self.constant(Some, 'c')}({inner})"
            self.line(f"{value} = {inner}")
        self.line(f"elif {tag} == 1: {value} = None")
        self.line(f"else: raise bad_tag({tag}, 'an option')")
        return value

    def _sum(
        self, type_: SumType, variants: tuple[Element, ...], made: list[type], depth: int
    ) -> str:
        (tag,) = self.read("B")
        self.flush()
        value = self.name()
        for number, (element, each) in enumerate(zip(variants, made, strict=True)):
            with self.block(f"{'el' if number else ''}if {tag} == {number}:"):
                name = self.constant(each, "c")
                inner = (
                    ""
                    if element.type == UNIT and not result_of(type_)
                    else (self.value(element.type, depth + 1))
                )
                self.flush()
                self.line(f"{value} = {name}({inner})")
        names = "/".join(each.name or "?" for each in variants)
        self.line(f"else: raise bad_tag({tag}, {names!r})")
        return value

    def _array(self, element: AlgebraicType, depth: int) -> str:
        (size,) = self.read("I")
        self.flush()
        value = self.name()
        if isinstance(element, Primitive) and element in CODES and element is not Primitive.BOOL:
            form = self.struct(CODES[element])
            self.line(f"{value}, o = unpack_array({CODES[element]!r}, {form.size}, {size}, b, o)")
            return value
        before = self.name("o")
        self.line(f"{value} = []; {before} = o")
        with self.block(f"for n in range({size}):"):
            item = self.value(element, depth + 1)
            self.flush()
            self.line(f"{value}.append({item})")
            self.line(f"if o == {before} and n > {MOST_EMPTY}: raise too_many_empty({size})")
        return f"tuple({value})"

    def write_rows(self, type_: AlgebraicType) -> None:
        """`rows(b, starts)`: many values, each where it is said to start."""
        with self.block("def rows(b, starts):"):
            self.line("out = []; append = out.append; o = 0")
            with self.block("for start in starts:"):
                self.line("if o != start: break")
                value = self.value(type_, 0)
                self.flush()
                self.line(f"append({value})")
            self.line("return out, o")

    def write_fixed_rows(self, type_: AlgebraicType) -> int | None:
        """`fixed_rows(b)`, where all values have one size: that size. None where they have not."""
        before = len(self._lines)
        value = self.value(type_, 0)
        pending, self._pending = self._pending, []
        fork, self._fork = self._fork, None
        if len(self._lines) != before or fork or not pending:
            del self._lines[before:]
            return None
        form = self.struct("".join(code for code, _ in pending))
        names = "".join(f"{name}, " for _, name in pending)
        each = self.constant(form.iter_unpack, "s", ("rows", form.format))
        with self.block("def fixed_rows(b):"):
            self.line(f"return [{value} for {names} in {each}(b)]")
        return form.size


def codes_of(pending: Sequence[tuple[str, str]]) -> str:
    return "".join(code for code, _ in pending)


def unpack_array(code: str, size: int, count: int, b: bytes, o: int) -> tuple[Any, int]:
    """Many numbers of one kind at once."""
    end = o + size * count
    if end > len(b):
        raise DecodeError(
            f"an array of {count} items at byte {o}, more than the bytes that are left"
        )
    return struct.unpack_from(f"<{count}{code}", b, o), end
