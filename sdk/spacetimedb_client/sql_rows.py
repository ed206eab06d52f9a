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
    Element,
    ProductType,
    Ref,
    Schema,
    SumType,
    TimeDuration,
)
from spacetimedb_bsatn.algebraic import SPECIAL_NAMES, UNIT, result_of, some_of
from spacetimedb_bsatn.codec import Codec
from spacetimedb_bsatn.names import class_name
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


class Naming:
    """Gives the enums and products inside of an answer names, as their classes need some."""

    def __init__(self) -> None:
        self._types: list[AlgebraicType] = []
        self._names: list[str] = []

    def schema(self) -> Schema:
        names = tuple(TypeName(name, at) for at, name in enumerate(self._names))
        return Schema(tuple(self._types), names)

    def named(self, type_: AlgebraicType, path: str) -> AlgebraicType:
        """The same type, with references in the place of what has a class."""
        if type_ in SPECIAL_NAMES or type_ == UNIT:
            return type_
        match type_:
            case ArrayType(element):
                return ArrayType(self.named(element, path))
            case ProductType(parts):
                return self.add(ProductType(self._parts(parts, path)), path)
            case SumType(parts) if some_of(type_) is not None or result_of(type_):
                return SumType(tuple(replace(e, type=self.named(e.type, path)) for e in parts))
            case SumType(parts):
                return self.add(SumType(self._parts(parts, path)), path)
        return type_

    def _parts(self, parts: tuple[Element, ...], path: str) -> tuple[Element, ...]:
        return tuple(
            replace(each, type=self.named(each.type, f"{path}_{each.name or at}"))
            for at, each in enumerate(parts)
        )

    def add(self, type_: AlgebraicType, name: str) -> Ref:
        taken = {class_name(each) for each in self._names}
        while class_name(name) in taken:
            name += "_2"
        self._types.append(type_)
        self._names.append(name)
        return Ref(len(self._types) - 1)


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
    """One that makes rows of a class with these columns."""
    naming = Naming()
    parts = (replace(each, type=naming.named(each.type, each.name or "")) for each in row.elements)
    place = naming.add(ProductType(tuple(parts)), ROW)
    return Codecs(Classes(naming.schema(), module="sql")).of(place, ROW)


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
