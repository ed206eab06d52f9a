"""What a module has: types, tables, reducers, procedures, views. One model for V9 and V10."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from spacetimedb_bsatn.algebraic import AlgebraicType, ArrayType, ProductType, Ref, some_of
from spacetimedb_bsatn.errors import ValidationError
from spacetimedb_bsatn.plain import resolved


class IndexKind(enum.Enum):
    BTREE = "BTree"
    HASH = "Hash"
    DIRECT = "Direct"


class Lifecycle(enum.Enum):
    INIT = "Init"
    CLIENT_CONNECTED = "OnConnect"
    CLIENT_DISCONNECTED = "OnDisconnect"


@dataclass(frozen=True, slots=True)
class TypeName:
    """The name of the type at one place of the module's list."""

    name: str
    ref: int
    scope: tuple[str, ...] = ()
    custom_ordering: bool = True


@dataclass(frozen=True, slots=True)
class Index:
    columns: tuple[int, ...]
    kind: IndexKind = IndexKind.BTREE
    accessor: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Unique:
    columns: tuple[int, ...]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Sequencer:
    """Fills a column that is inserted as 0 with the next number."""

    column: int
    increment: int = 1
    start: int | None = None
    low: int | None = None
    high: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """The rows of a table are calls of a reducer, at the time in one column."""

    reducer: str
    column: int
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    row: int
    primary_key: int | None = None
    indexes: tuple[Index, ...] = ()
    uniques: tuple[Unique, ...] = ()
    sequences: tuple[Sequencer, ...] = ()
    schedule: Schedule | None = None
    is_public: bool = True
    is_event: bool = False
    is_system: bool = False
    defaults: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Reducer:
    name: str
    params: ProductType
    lifecycle: Lifecycle | None = None
    is_public: bool = True
    ok_type: AlgebraicType | None = None
    err_type: AlgebraicType | None = None


@dataclass(frozen=True, slots=True)
class Procedure:
    name: str
    params: ProductType
    return_type: AlgebraicType
    is_public: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """A query of the module's own, subscribed to like a table."""

    name: str
    params: ProductType
    return_type: AlgebraicType
    is_public: bool = True
    is_anonymous: bool = False
    primary_key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """All that a module tells about itself."""

    types: tuple[AlgebraicType, ...] = ()
    type_names: tuple[TypeName, ...] = ()
    tables: tuple[Table, ...] = ()
    reducers: tuple[Reducer, ...] = ()
    procedures: tuple[Procedure, ...] = ()
    views: tuple[View, ...] = ()
    row_level_security: tuple[str, ...] = ()
    version: int = 9

    def table(self, name: str) -> Table:
        for each in self.tables:
            if each.name == name:
                return each
        raise ValidationError(f"no table {name!r}: there are {[each.name for each in self.tables]}")

    def row_type(self, table: Table) -> ProductType:
        row = resolved(Ref(table.row), self.types)
        if not isinstance(row, ProductType):
            raise ValidationError(f"table {table.name!r}: its row is no product")
        return row

    def columns(self, table: Table) -> Sequence[str]:
        return [each.name or str(at) for at, each in enumerate(self.row_type(table).elements)]

    def of_public(self) -> Schema:
        """What clients may use; types stay, as all refer to them by place."""
        return replace(
            self,
            tables=tuple(each for each in self.tables if each.is_public),
            reducers=tuple(each for each in self.reducers if each.is_public),
            procedures=tuple(each for each in self.procedures if each.is_public),
            views=tuple(each for each in self.views if each.is_public),
        )

    def name_of(self, ref: int) -> str | None:
        """What a type is called, with its scope: `game.Player`."""
        for each in self.type_names:
            if each.ref == ref:
                return ".".join((*each.scope, each.name))
        return None

    def view_as_table(self, view: View) -> Table | None:
        """What a view's rows are cached as; None for one that returns no rows of a named type."""
        match view.return_type:
            case ArrayType(Ref(row)):
                pass
            case other:
                match some_of(other):
                    case Ref(row):
                        pass
                    case _:
                        return None
        names = [each.name for each in self.row_type(Table(view.name, row)).elements]
        key = names.index(view.primary_key[0]) if len(view.primary_key) == 1 else None
        return Table(view.name, row, key, is_public=view.is_public)
