"""What is wrong with a module's description: also what a server takes without a word."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from spacetimedb_bsatn import Schema
from spacetimedb_bsatn.algebraic import (
    INTEGERS,
    SCHEDULE_AT,
    SPECIAL_NAMES,
    UNIT,
    AlgebraicType,
    ArrayType,
    Primitive,
    ProductType,
    Ref,
    SumType,
    result_of,
    some_of,
)
from spacetimedb_bsatn.schema import Table

RESERVED: Final = "st_"


def problems_of(schema: Schema) -> list[str]:
    """One sentence for each mistake."""
    return [
        *_names(schema),
        *_twice("table", (each.name for each in schema.tables)),
        *_twice("reducer", (each.name for each in schema.reducers)),
        *_twice("type", (each.name for each in schema.type_names)),
        *_lifecycles(schema),
        *(problem for each in schema.tables for problem in _table(schema, each)),
        *_inline(schema),
        *_schedules(schema),
    ]


def is_identifier(name: str) -> bool:
    return name.isidentifier() and unicodedata.is_normalized("NFC", name)


def _names(schema: Schema) -> Iterator[str]:
    """Python's identifiers are made of the same characters as the server's."""
    named = {
        "table": [each.name for each in schema.tables],
        "reducer": [each.name for each in schema.reducers],
        "type": [each.name for each in schema.type_names],
    }
    for what, names in named.items():
        for name in names:
            if not is_identifier(name):
                yield f"{what} {name!r}: a name has letters, digits and _, and begins with no digit"
            elif name.startswith(RESERVED):
                yield f"{what} {name!r}: names with {RESERVED} are the server's own"
    for product in schema.types:
        if isinstance(product, ProductType | SumType):
            parts = product.elements if isinstance(product, ProductType) else product.variants
            for part in parts:
                if part.name is not None and not is_identifier(part.name):
                    yield f"{part.name!r}: a name has letters, digits and _, and no digit first"


def _twice(what: str, names: Iterable[str]) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{what} {name!r} is there {count} times"


def _lifecycles(schema: Schema) -> Iterator[str]:
    events = [each.lifecycle for each in schema.reducers if each.lifecycle]
    for lifecycle, count in Counter(events).items():
        if count > 1:
            yield f"{count} reducers for {lifecycle.value}: there can be one"


def _table(schema: Schema, table: Table) -> Iterator[str]:
    columns = schema.row_type(table).elements
    yield from (
        f"table {table.name!r}: {problem}"
        for problem in _twice("column", (each.name or "" for each in columns))
    )
    for sequence in table.sequences:
        column = columns[sequence.column]
        if column.type not in INTEGERS:
            yield f"table {table.name!r}: auto_inc column {column.name!r} is no integer"
    for index in table.indexes:
        if len(set(index.columns)) < len(index.columns):
            yield f"table {table.name!r}: an index has a column twice"


def _inline(schema: Schema) -> Iterator[str]:
    """The server refuses them with words about its own insides."""
    for ref, type_ in enumerate(schema.types):
        for part in _parts(type_):
            if _is_inline(part):
                name = schema.name_of(ref)
                yield f"type {name!r}: an enum or product inside of it has no name of its own"
    for reducer in schema.reducers:
        for param in reducer.params.elements:
            if _is_inline(param.type):
                yield f"reducer {reducer.name!r}: the type of {param.name!r} has no name"


def _parts(type_: AlgebraicType) -> list[AlgebraicType]:
    match type_:
        case ProductType(elements) | SumType(elements):
            return [each.type for each in elements]
    return []


def _is_inline(type_: AlgebraicType) -> bool:
    if type_ in SPECIAL_NAMES or type_ == UNIT:
        return False
    if (payload := some_of(type_)) is not None:
        return _is_inline(payload)
    if sides := result_of(type_):
        return any(_is_inline(side) for side in sides)
    match type_:
        case ArrayType(element):
            return _is_inline(element)
        case ProductType() | SumType():
            return True
    return False


def _schedules(schema: Schema) -> Iterator[str]:
    reducers = {each.name: each for each in schema.reducers}
    for table in schema.tables:
        if table.schedule is None:
            continue
        columns = schema.row_type(table).elements
        where = f"scheduled table {table.name!r}"
        if columns[table.schedule.column].type != SCHEDULE_AT:
            yield f"{where}: no column of ScheduleAt"
        key = table.primary_key
        if key is None or columns[key].type is not Primitive.U64:
            yield f"{where}: its primary key has to be a u64"
        elif key not in [each.column for each in table.sequences]:
            yield f"{where}: its primary key has to be auto_inc"
        reducer = reducers.get(table.schedule.reducer)
        if reducer is None:
            yield f"{where}: no reducer {table.schedule.reducer!r}"
        elif [each.type for each in reducer.params.elements] != [Ref(table.row)]:
            yield f"{where}: {reducer.name!r} has to take one row of it, and nothing else"
