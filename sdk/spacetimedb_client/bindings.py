"""A schema with its classes and codecs: what a connection needs to know of a module."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, Final, Generic, TypeVar

from spacetimedb_bsatn import (
    Classes,
    Codecs,
    Ref,
    Schema,
    ValidationError,
    schema_hash,
    schema_of_bytes,
)
from spacetimedb_bsatn.algebraic import (
    BYTES,
    INTEGERS,
    SPECIAL_NAMES,
    AlgebraicType,
    Primitive,
    ProductType,
    SumType,
    is_plain_enum,
)
from spacetimedb_bsatn.codec import Codec
from spacetimedb_bsatn.names import distinct, python_name
from spacetimedb_bsatn.naming import with_names
from spacetimedb_bsatn.schema import IndexKind, Procedure, Reducer, Table

# What a table of a connection has itself, besides its indexes.
TABLE_MEMBERS: Final = frozenset(
    {
        *("changes", "close", "dispatch", "has_room", "has_streams"),
        *("on_delete", "on_insert", "on_update"),
    }
)
TABLES_MEMBERS: Final = frozenset({"close", "dispatch", "has_room"})

ATTRIBUTE: Final = "BINDINGS"  # of a generated module

Key = Callable[[Any], Any]
C = TypeVar("C", covariant=True)


@dataclass(frozen=True, slots=True)
class IndexBinding:
    """An index: by which attribute of a table it is reached, and the key of a row in it."""

    accessor: str
    columns: tuple[str, ...]
    key: Key
    is_unique: bool
    has_order: bool


class TableBinding:
    """A table, or a view: the class of its rows, how they are read, and what tells them apart."""

    def __init__(self, bindings: Bindings, table: Table) -> None:
        self.name: Final = table.name
        self.table: Final = table
        self.is_event: Final = table.is_event
        self._bindings = bindings
        self.type: Final = bindings.schema.row_type(table)

    @cached_property
    def row(self) -> Any:
        """The class of the rows."""
        return self._bindings.classes.of(self.table.row)

    @cached_property
    def codec(self) -> Codec:
        return self._bindings.codecs.of(Ref(self.table.row), self.name)

    @cached_property
    def key(self) -> Key | None:
        """The primary key of a row; None where only all of a row tells it from others."""
        column = self.table.primary_key
        if column is None or not self.has_equality(column):
            return None
        return attrgetter(self.fields[column])

    @cached_property
    def fields(self) -> Sequence[str]:
        names: Sequence[str] = self.row.__match_args__
        return names

    def has_equality(self, column: int) -> bool:
        """Whether Python finds two values of a column equal exactly where the server does."""
        return _is_comparable(self.type.elements[column].type, self._bindings.schema)

    @cached_property
    def indexes(self) -> Mapping[str, IndexBinding]:
        """By accessor: unique ones by the name of their column, others by their own."""
        found: dict[str, IndexBinding] = {}
        uniques = {each.columns for each in self.table.uniques}
        for index in self.table.indexes:
            if not all(self.has_equality(column) for column in index.columns):
                continue
            columns = tuple(self.fields[each] for each in index.columns)
            is_unique = index.columns in uniques
            name = columns[0] if len(columns) == 1 and is_unique else index.accessor
            accessor = python_name(name or "_".join(columns))
            if accessor in TABLE_MEMBERS:
                accessor += "_"
            has_order = index.kind is not IndexKind.HASH
            found[accessor] = IndexBinding(
                accessor, columns, attrgetter(*columns), is_unique, has_order
            )
        return found


@dataclass(frozen=True, slots=True)
class CallBinding:
    """A reducer or procedure: its parameters, and how its answer is read."""

    name: str
    params: tuple[str, ...]
    types: tuple[AlgebraicType, ...]
    codec: Codec
    ok: Codec | None = None
    err: Codec | None = None


class Bindings:
    """All of a module; built from its schema, or from generated classes."""

    def __init__(
        self, schema: Schema, classes: Mapping[str, type] | None = None, module: str = "bindings"
    ) -> None:
        self.schema: Final = with_names(schema)
        self.classes: Final = Classes(self.schema, classes, module)
        self.codecs: Final = Codecs(self.classes)

    @cached_property
    def hash(self) -> str:
        """The same for modules that a client sees alike."""
        return schema_hash(self.schema)

    @cached_property
    def types(self) -> SimpleNamespace:
        """The classes by name: `bindings.types.Player`."""
        return SimpleNamespace(**self.classes.all())

    @cached_property
    def tables(self) -> Mapping[str, TableBinding]:
        """Tables and views, by the server's name."""
        views = (self.schema.view_as_table(each) for each in self.schema.views)
        rows = [*self.schema.tables, *(each for each in views if each)]
        return {each.name: TableBinding(self, each) for each in rows}

    @cached_property
    def reducers(self) -> Mapping[str, CallBinding]:
        """What clients may call, by the server's name."""
        return {
            each.name: self._call(each) for each in self.schema.reducers if each.lifecycle is None
        }

    @cached_property
    def procedures(self) -> Mapping[str, CallBinding]:
        return {each.name: self._call(each) for each in self.schema.procedures}

    @cached_property
    def table_names(self) -> Mapping[str, str]:
        """Python's name of each table, with the server's."""
        names = distinct(self.tables, "tables")
        return swapped(
            {name: f"{safe}_" if safe in TABLES_MEMBERS else safe for name, safe in names.items()}
        )

    @cached_property
    def reducer_names(self) -> Mapping[str, str]:
        return swapped(distinct(self.reducers, "reducers"))

    @cached_property
    def procedure_names(self) -> Mapping[str, str]:
        return swapped(distinct(self.procedures, "procedures"))

    def _call(self, called: Reducer | Procedure) -> CallBinding:
        elements = called.params.elements
        wire = [each.name or f"_{at}" for at, each in enumerate(elements)]
        safe = distinct(wire, f"parameters of {called.name}")
        ok, err = (
            (called.return_type, None)
            if isinstance(called, Procedure)
            else (called.ok_type, called.err_type)
        )
        return CallBinding(
            called.name,
            tuple(safe[each] for each in wire),
            tuple(each.type for each in elements),
            self.codecs.of(called.params, called.name),
            None if ok is None else self.codecs.of(ok, f"{called.name}'s answer"),
            None if err is None else self.codecs.of(err, f"{called.name}'s error"),
        )


class GeneratedBindings(Bindings, Generic[C]):
    """Bindings of a generated file; `C` is what it says a connection has."""

    def __init__(self, described: str, classes: Mapping[str, type], module: str) -> None:
        super().__init__(schema_of_bytes(base64.b85decode(described)), classes, module)


def bindings_of(module: Any) -> Bindings:
    """Of generated bindings, which are a module, or of what `load` returned."""
    if isinstance(module, Bindings):
        return module
    found = getattr(module, ATTRIBUTE, None)
    if not isinstance(found, Bindings):
        raise ValidationError(f"module={module!r} has no bindings: generate them, or leave it out")
    return found


def swapped(names: Mapping[str, str]) -> Mapping[str, str]:
    return {safe: name for name, safe in names.items()}


def _is_comparable(type_: AlgebraicType, schema: Schema) -> bool:
    """Floats are not: NaN is no key, and -0.0 is another value than 0.0 to a codec."""
    if type_ in SPECIAL_NAMES and not isinstance(type_, SumType):
        return True
    if type_ == BYTES or type_ in INTEGERS or type_ in (Primitive.BOOL, Primitive.STRING):
        return True
    if isinstance(type_, Ref):
        return is_plain_enum(schema.types[type_.index])
    return isinstance(type_, ProductType) and not type_.elements
