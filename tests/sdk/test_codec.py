"""The generated codec: what it writes it reads, and what is no value is refused."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spacetimedb_bsatn import Classes, Codecs, DecodeError, Identity, Ref, Schema
from spacetimedb_bsatn.algebraic import (
    IDENTITY,
    AlgebraicType,
    ArrayType,
    Primitive,
    ProductType,
    option,
    product,
)
from spacetimedb_bsatn.codec import Codec
from spacetimedb_bsatn.plain import decode_plain, encode_plain
from tests.support.sats_values import NAMED, SCHEMA, SHAPE, TYPES, values

CODECS = Codecs(Classes(SCHEMA))


@st.composite
def typed_values(draw: st.DrawFn, most: int = 1) -> tuple[AlgebraicType, list[Any]]:
    type_ = draw(TYPES)
    one = values(type_, CODECS.classes)
    return type_, draw(st.lists(one, min_size=1, max_size=most))


def is_lossless(type_: AlgebraicType) -> bool:
    """Whether equal bytes are read from any bytes: a signalling NaN becomes a quiet one."""
    return "F32" not in repr(type_) and "Ref" not in repr(type_)


@given(typed_values())
def test_what_is_encoded_is_decoded(typed: tuple[AlgebraicType, list[Any]]) -> None:
    type_, [value] = typed
    codec = CODECS.of(type_)
    assert codec.decode(codec.encode(value)) == value


@given(typed_values())
def test_the_bytes_are_those_of_the_codec_that_walks(
    typed: tuple[AlgebraicType, list[Any]],
) -> None:
    type_, [value] = typed
    data = CODECS.of(type_).encode(value)
    assert encode_plain(type_, NAMED, decode_plain(type_, NAMED, data)) == data


@given(typed_values(most=6))
def test_rows_are_read_where_they_start(typed: tuple[AlgebraicType, list[Any]]) -> None:
    type_, rows = typed
    codec = CODECS.of(type_)
    parts = [codec.encode(row) for row in rows]
    starts = [sum(map(len, parts[:at])) for at in range(len(parts))]
    assert codec.decode_rows(b"".join(parts), starts) == rows
    if (size := len(parts[0])) and len({*map(len, parts)}) == 1:
        assert codec.decode_fixed_rows(b"".join(parts), size) == rows


@given(typed_values(), st.integers(0, 2**32))
def test_a_value_cut_short_is_an_error(typed: tuple[AlgebraicType, list[Any]], length: int) -> None:
    type_, [value] = typed
    codec = CODECS.of(type_)
    data = codec.encode(value)
    if data:
        with pytest.raises(DecodeError):
            codec.decode(data[: length % len(data)])


@given(typed_values(), st.binary(min_size=1, max_size=9))
def test_bytes_behind_a_value_are_an_error(
    typed: tuple[AlgebraicType, list[Any]], more: bytes
) -> None:
    type_, [value] = typed
    codec = CODECS.of(type_)
    with pytest.raises(DecodeError):
        codec.decode(codec.encode(value) + more)


@given(typed_values(), st.integers(0, 2**32), st.integers(0, 7))
def test_a_flipped_bit_is_an_error_or_exactly_what_the_bytes_then_say(
    typed: tuple[AlgebraicType, list[Any]], place: int, bit: int
) -> None:
    type_, [value] = typed
    codec = CODECS.of(type_)
    data = bytearray(codec.encode(value))
    if not data:
        return
    data[place % len(data)] ^= 1 << bit
    try:
        read = codec.decode(bytes(data))
    except DecodeError:
        return
    again = codec.encode(read)
    assert again == bytes(data) or not is_lossless(type_)
    assert len(again) == len(data)


@given(TYPES, st.binary(max_size=60))
@settings(max_examples=300)
def test_any_bytes_are_a_value_or_an_error(type_: AlgebraicType, data: bytes) -> None:
    codec = CODECS.of(type_)
    try:
        value = codec.decode(data)
    except DecodeError:
        return
    assert len(codec.encode(value)) == len(data)


def codec_of(type_: AlgebraicType) -> Codec:
    return Codecs(Classes(Schema((type_,)))).of(type_, "thing")


def test_an_array_that_tells_more_items_than_there_are_is_refused_at_once() -> None:
    for element in (Primitive.U32, Primitive.STRING, product(("a", Primitive.U8))):
        with pytest.raises(DecodeError):
            codec_of(ArrayType(element)).decode(b"\xff\xff\xff\xff" + b"\0" * 8)


def test_items_without_bytes_are_bounded() -> None:
    with pytest.raises(DecodeError, match="no bytes"):
        codec_of(ArrayType(ProductType())).decode(b"\xff\xff\xff\xff")


def test_a_value_nested_without_end_is_an_error_and_not_the_end_of_the_process() -> None:
    lists: AlgebraicType = ArrayType(Ref(0))
    codec = Codecs(Classes(Schema((lists,)))).of(lists)
    with pytest.raises(DecodeError):
        codec.decode(b"\x01\0\0\0" * 100_000 + b"\0\0\0\0")


def test_a_row_that_starts_elsewhere_than_told_is_an_error() -> None:
    codec = codec_of(product(("a", Primitive.STRING), ("b", Primitive.U8)))
    data = b"".join(codec.encode(each) for each in (("x", 1), ("yy", 2)))
    assert codec.decode_rows(data, [0, 6]) == [("x", 1), ("yy", 2)]
    for starts in ([0], [0, 5], [1, 6], [0, 6, 13], []):
        with pytest.raises(DecodeError):
            codec.decode_rows(data, starts)


def test_rows_told_to_be_of_another_size_are_an_error() -> None:
    codec = codec_of(product(("a", Primitive.U32)))
    assert codec.decode_fixed_rows(b"\x01\0\0\0\x02\0\0\0", 4) == [(1,), (2,)]
    for size in (0, 1, 2, 3, 8):
        with pytest.raises(DecodeError):
            codec.decode_fixed_rows(b"\x01\0\0\0\x02\0\0\0", size)


def test_a_bool_of_two_is_no_bool() -> None:
    with pytest.raises(DecodeError, match="thing"):
        codec_of(Primitive.BOOL).decode(b"\x02")


def test_an_option_has_two_tags_only() -> None:
    with pytest.raises(DecodeError, match="tag 2"):
        codec_of(option(Primitive.U8)).decode(b"\x02")


def test_options_of_numbers_among_numbers_are_read_with_them() -> None:
    type_ = product(
        *(("a", Primitive.U16), ("b", option(Primitive.U32)), ("c", Primitive.BOOL)),
        *(("d", option(IDENTITY)), ("e", option(Primitive.BOOL)), ("f", Primitive.I64)),
    )
    codec = codec_of(type_)
    rows = [
        (1, each, True, who, flag, -2)
        for each in (None, 7)
        for who in (None, Identity(1 << 255))
        for flag in (None, False, True)
    ]
    for row in rows:
        data = codec.encode(row)
        assert codec.decode(data) == row
        for length in range(len(data)):
            with pytest.raises(DecodeError):
                codec.decode(data[:length])
    assert codec.encode(rows[0]) == b"\x01\0\x01\x01\x01\x01" + b"\xfe" + 7 * b"\xff"
    with pytest.raises(DecodeError, match="tag 2 means nothing in an option"):
        codec.decode(b"\x01\0\x02\x01\x01\x01" + b"\xfe" + 7 * b"\xff")


def test_a_variant_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(DecodeError, match="Circle/Path/Empty/Of"):
        CODECS.of(SHAPE).decode(b"\x09")


def test_nan_and_infinities_pass() -> None:
    for code, type_ in (("f", Primitive.F32), ("d", Primitive.F64)):
        codec = codec_of(type_)
        for value in (math.inf, -math.inf, -0.0):
            assert codec.encode(value) == struct.pack(f"<{code}", value)
        assert math.isnan(codec.decode(codec.encode(math.nan)))


def test_an_unknown_reference_is_an_error_that_says_so() -> None:
    with pytest.raises(DecodeError, match="refers to type 7"):
        decode_plain(Ref(7), NAMED, b"")
