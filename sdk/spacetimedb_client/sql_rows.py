"""The answer to a SQL statement → rows, of classes made of the schema that came with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from spacetimedb_bsatn import (
    AlgebraicType,
    ArrayType,
    Classes,
    Codecs,
    DecodeError,
    ProductType,
    Ref,
    Schema,
    SumType,
    TimeDuration,
)
from spacetimedb_bsatn.codec import Codec
from spacetimedb_bsatn.naming import with_names
from spacetimedb_bsatn.plain import encode_plain, resolved
from spacetimedb_bsatn.raw_module import RAW_ALGEBRAIC_TYPE, RAW_TYPES
from spacetimedb_bsatn.sats_json import from_json
from spacetimedb_bsatn.schema import TypeName
from spacetimedb_bsatn.schema_reading import type_of_plain
from spacetimedb_client.bindings import Bindings
from spacetimedb_client.errors import QueryError

R = TypeVar("R")
ROW: Final = "Row"


@dataclass(frozen=True, slots=True)
class SqlResult(Generic[R]):
    """Rows of a statement, and what it did."""

    columns: tuple[str, ...]
    rows: tuple[R, ...]
    duration: TimeDuration
    inserted: int = 0
    deleted: int = 0
    updated: int = 0

    def __iter__(self) -> Iterator[R]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def sql_result(answer: Any, into: tuple[Bindings, type] | None = None) -> SqlResult[Any]:
    """The one result of an answer; with `into`, its rows as a class of these bindings."""
    match answer:
        case [{"schema": dict() as raw, "rows": list(rows)} as told]:
            pass
        case _:
            raise DecodeError("the answer to a statement has another form than known")
    row = _with_names(row_type(raw))
    codec = codec_of(row) if into is None else codec_into(row, *into)
    stats = told.get("stats") or {}
    return SqlResult(
        tuple(each.name or "" for each in row.elements),
        tuple(codec.decode(encode_plain(row, (), from_json(row, (), each))) for each in rows),
        TimeDuration(told.get("total_duration_micros", 0)),
        stats.get("rows_inserted", 0),
        stats.get("rows_deleted", 0),
        stats.get("rows_updated", 0),
    )


def row_type(raw: Mapping[str, Any]) -> ProductType:
    described = type_of_plain(from_json(RAW_ALGEBRAIC_TYPE, RAW_TYPES, {"Product": raw}))
    assert isinstance(described, ProductType)
    return described


def _with_names(row: ProductType) -> ProductType:
    """Columns that a statement gave none have one by their place."""
    parts = (replace(e, name=e.name or f"column_{at}") for at, e in enumerate(row.elements))
    return ProductType(tuple(parts))


def codec_of(row: ProductType) -> Codec:
    """One that makes rows of a class with these columns; what is inside of them gets names."""
    schema = with_names(Schema((row,), (TypeName(ROW, 0),)))
    return Codecs(Classes(schema, module="sql")).of(Ref(0), ROW)


def codec_into(row: ProductType, bindings: Bindings, into: type) -> Codec:
    """One that makes rows of a class that is there."""
    for place, type_ in enumerate(bindings.schema.types):
        if isinstance(type_, ProductType) and bindings.classes.of(place) is into:
            if expanded(type_, bindings.schema) != row:
                told = ", ".join(each.name or "" for each in row.elements)
                raise QueryError(f"the rows ({told}) are no {into.__name__}: SELECT * of its table")
            return bindings.codecs.of(Ref(place), into.__name__)
    raise QueryError(f"into={into.__name__} is no class of the bindings")


def expanded(type_: AlgebraicType, schema: Schema) -> AlgebraicType:
    """A type without references, as answers describe theirs."""
    match resolved(type_, schema.types):
        case ArrayType(element):
            return ArrayType(expanded(element, schema))
        case ProductType(parts):
            return ProductType(tuple(replace(e, type=expanded(e.type, schema)) for e in parts))
        case SumType(parts):
            return SumType(tuple(replace(e, type=expanded(e.type, schema)) for e in parts))
        case plain:
            return plain
