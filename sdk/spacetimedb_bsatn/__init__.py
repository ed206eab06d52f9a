"""BSATN: the types and values of SpacetimeDB. Needs the standard library only."""

from spacetimedb_bsatn.algebraic import (
    AlgebraicType,
    ArrayType,
    Element,
    Primitive,
    ProductType,
    Ref,
    SumType,
)
from spacetimedb_bsatn.classes import Classes
from spacetimedb_bsatn.codec import Codec, Codecs
from spacetimedb_bsatn.errors import (
    ConversionError,
    DecodeError,
    SpacetimeDBError,
    ValidationError,
)
from spacetimedb_bsatn.identity import ConnectionId, Identity
from spacetimedb_bsatn.rows import Row
from spacetimedb_bsatn.schema import Schema
from spacetimedb_bsatn.schema_reading import schema_of_bytes, schema_of_json
from spacetimedb_bsatn.schema_writing import schema_hash, schema_to_bytes
from spacetimedb_bsatn.times import ScheduleAt, TimeDuration, Timestamp
from spacetimedb_bsatn.values import (
    Err,
    Ok,
    Result,
    Some,
    Uuid,
    f32,
    f64,
    i8,
    i16,
    i32,
    i64,
    i128,
    i256,
    u8,
    u16,
    u32,
    u64,
    u128,
    u256,
)

__all__ = [
    "AlgebraicType",
    "ArrayType",
    "Classes",
    "Codec",
    "Codecs",
    "ConnectionId",
    "ConversionError",
    "DecodeError",
    "Element",
    "Err",
    "Identity",
    "Ok",
    "Primitive",
    "ProductType",
    "Ref",
    "Result",
    "Row",
    "ScheduleAt",
    "Schema",
    "Some",
    "SpacetimeDBError",
    "SumType",
    "TimeDuration",
    "Timestamp",
    "Uuid",
    "ValidationError",
    "f32",
    "f64",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "i256",
    "schema_hash",
    "schema_of_bytes",
    "schema_of_json",
    "schema_to_bytes",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "u256",
]
