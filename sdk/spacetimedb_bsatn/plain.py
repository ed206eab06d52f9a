"""Plain values, products as dicts and sums as `Tagged`: for schemas, JSON and rare messages."""

import struct
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from spacetimedb_bsatn.algebraic import (
    BYTES,
    INTEGERS,
    AlgebraicType,
    ArrayType,
    Element,
    Primitive,
    ProductType,
    Ref,
    SumType,
)
from spacetimedb_bsatn.errors import DecodeError
from spacetimedb_bsatn.reader import Reader
from spacetimedb_bsatn.writer import Writer

FLOATS: Final = {Primitive.F32: struct.Struct("<f"), Primitive.F64: struct.Struct("<d")}
Types = Sequence[AlgebraicType]


class Tagged(NamedTuple):
    """One variant of a sum, with its payload."""

    name: str
    tag: int
    value: Any


def key_of(place: int, element: Element) -> str:
    """What a field or variant is called: its name, or its place."""
    return str(place) if element.name is None else element.name


def resolved(type_: AlgebraicType, types: Types) -> AlgebraicType:
    """The type itself, where a reference is given."""
    seen = 0
    while isinstance(type_, Ref):
        if type_.index >= len(types) or seen > len(types):
            raise DecodeError(f"the schema refers to type {type_.index}, which is no type of it")
        type_ = types[type_.index]
        seen += 1
    return type_


def read_plain(type_: AlgebraicType, types: Types, reader: Reader) -> Any:
    """One value of a type."""
    match resolved(type_, types):
        case Primitive() as primitive:
            return _read_primitive(primitive, reader)
        case ArrayType() as array:
            if array == BYTES:
                return reader.bytes_()
            return [read_plain(array.element, types, reader) for _ in range(reader.count())]
        case ProductType(elements):
            return {
                key_of(place, each): read_plain(each.type, types, reader)
                for place, each in enumerate(elements)
            }
        case SumType(variants):
            tag = reader.tag(len(variants))
            chosen = variants[tag]
            return Tagged(key_of(tag, chosen), tag, read_plain(chosen.type, types, reader))
    raise AssertionError(type_)


def _read_primitive(primitive: Primitive, reader: Reader) -> Any:
    if primitive is Primitive.STRING:
        return reader.string()
    if primitive is Primitive.BOOL:
        return bool(reader.tag(2))
    if form := FLOATS.get(primitive):
        return form.unpack(reader.take(form.size))[0]
    range_ = INTEGERS[primitive]
    size = range_.bits // 8
    return reader.signed(size) if range_.signed else reader.unsigned(size)


def write_plain(type_: AlgebraicType, types: Types, value: Any, writer: Writer) -> None:
    """The inverse of `read_plain`; the value is one that it could have returned."""
    match resolved(type_, types):
        case Primitive() as primitive:
            _write_primitive(primitive, value, writer)
        case ArrayType() as array:
            if array == BYTES:
                writer.bytes_(value)
            else:
                writer.many(value, lambda item: write_plain(array.element, types, item, writer))
        case ProductType(elements):
            for place, each in enumerate(elements):
                write_plain(each.type, types, value[key_of(place, each)], writer)
        case SumType(variants):
            writer.u8(value.tag)
            write_plain(variants[value.tag].type, types, value.value, writer)


def _write_primitive(primitive: Primitive, value: Any, writer: Writer) -> None:
    if primitive is Primitive.STRING:
        writer.string(value)
    elif primitive is Primitive.BOOL:
        writer.u8(bool(value))
    elif form := FLOATS.get(primitive):
        writer.raw(form.pack(value))
    else:
        range_ = INTEGERS[primitive]
        size = range_.bits // 8
        writer.raw(value.to_bytes(size, "little", signed=range_.signed))


def decode_plain(type_: AlgebraicType, types: Types, data: bytes) -> Any:
    """The one value that these bytes are."""
    reader = Reader(data)
    try:
        value = read_plain(type_, types, reader)
    except RecursionError:
        raise DecodeError("a value nested deeper than Python's stack allows") from None
    reader.end()
    return value


def encode_plain(type_: AlgebraicType, types: Types, value: Any) -> bytes:
    """The inverse of `decode_plain`."""
    writer = Writer()
    write_plain(type_, types, value, writer)
    return bytes(writer)


def variant(type_: SumType, name: str, value: Any = None) -> Tagged:
    """A plain value of a sum, by the name of its variant."""
    for tag, each in enumerate(type_.variants):
        if key_of(tag, each) == name:
            return Tagged(name, tag, {} if value is None else value)
    raise DecodeError(f"no variant {name!r}: there are {[each.name for each in type_.variants]}")
