"""Changes of a module that a 1.2.0 server refuses when it is published again, or breaks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spacetimedb_bsatn import Schema
from spacetimedb_bsatn.algebraic import (
    SPECIAL_NAMES,
    AlgebraicType,
    ArrayType,
    ProductType,
    Ref,
    SumType,
)
from spacetimedb_bsatn.schema import Table
from spacetimedb_client.errors import MigrationRefused


def check_migration(old: Schema, new: Schema) -> None:
    """Raises with one sentence for each change that cannot be published over the old module."""
    if problems := list(refused_changes(old, new)):
        raise migration_refused(problems)


def migration_refused(problems: Iterable[str], clearing: str = "clear=True") -> MigrationRefused:
    """The changes, and what to do; `clearing` is how the caller says that rows may go."""
    remedy = f"publish with {clearing}, which drops all rows, or give the new form a new table"
    return MigrationRefused(*problems, remedy)


def refused_changes(old: Schema, new: Schema) -> Iterator[str]:
    """One sentence for each."""
    kept = {each.name: each for each in new.tables}
    for table in old.tables:
        if successor := kept.get(table.name):
            yield from (
                f"table {table.name!r}: {problem}"
                for problem in _changes(old, table, new, successor)
            )
        else:
            yield f"table {table.name!r} is removed, which the server refuses"


def _changes(old: Schema, before: Table, new: Schema, after: Table) -> Iterator[str]:
    columns = old.columns(before)
    if (was := _form(old, before)) != (now := _form(new, after)):
        yield f"its columns change from {was} to {now}, which the server refuses"
        return
    for unique in {each.columns for each in after.uniques} - {
        each.columns for each in before.uniques
    }:
        names = ", ".join(columns[each] for each in unique)
        yield f"{names} becomes unique, which the server refuses"
    if before.primary_key is not None and after.primary_key is None:
        yield "its primary key is removed: the server takes that once, and refuses all later ones"
    elif before.primary_key != after.primary_key:
        yield "its primary key changes, which the server refuses"
    for column in {each.column for each in after.sequences} - {
        each.column for each in before.sequences
    }:
        yield f"{columns[column]} becomes auto_inc: on an indexed column that ends the server"
    if (before.schedule is None) != (after.schedule is None):
        yield "its schedule is added or removed, which the server refuses"


def _form(schema: Schema, table: Table) -> str:
    """Columns with their types, down to the variants of enums."""
    return _described(schema, Ref(table.row), ())


def _described(schema: Schema, type_: AlgebraicType, seen: tuple[int, ...]) -> str:
    if name := SPECIAL_NAMES.get(type_):
        return name
    match type_:
        case Ref(index):
            again = "itself" if index in seen else ""
            return again or _described(schema, schema.types[index], (*seen, index))
        case ArrayType(element):
            return f"array of {_described(schema, element, seen)}"
        case ProductType(parts) | SumType(parts):
            between = ", " if isinstance(type_, ProductType) else " | "
            each = (f"{part.name}: {_described(schema, part.type, seen)}" for part in parts)
            return f"({between.join(each)})"
    return str(type_)
