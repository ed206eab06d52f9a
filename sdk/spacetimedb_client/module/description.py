"""Tables and reducers, described in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spacetimedb_bsatn import (
    ConnectionId,
    Identity,
    Schema,
    Timestamp,
    ValidationError,
    u32,
    u64,
)
from spacetimedb_bsatn.algebraic import (
    IDENTITY,
    SCHEDULE_AT,
    UNIT,
    AlgebraicType,
    ArrayType,
    Element,
    Primitive,
    ProductType,
    Ref,
    SumType,
)
from spacetimedb_bsatn.names import class_name
from spacetimedb_bsatn.schema import (
    Index,
    IndexKind,
    Lifecycle,
    Reducer,
    Schedule,
    Sequencer,
    Table,
    TypeName,
    Unique,
)
from spacetimedb_client.module.annotations import type_of
from spacetimedb_client.module.assembly import assembled
from spacetimedb_client.module.checks import problems_of
from spacetimedb_client.module.operations import Action, Operation

Columns = str | Sequence[str]
Fields = Mapping[str, Any] | Sequence[tuple[str, Any]]

CALLS: Final = {
    "id": u64,
    "reducer": u32,
    "caller": Identity,
    "connection": ConnectionId,
    "at": Timestamp,
    "args": bytes,
}
CALLER: Final = {"id": u64, "caller": Identity, "connection": ConnectionId, "at": Timestamp}
CLIENTS: Final = {"connection": ConnectionId, "identity": Identity, "since": Timestamp}


@dataclass(frozen=True, slots=True)
class TableHandle:
    """A table of a module that is being described."""

    name: str
    place: int
    row: Ref
    key: AlgebraicType | None


class Module:
    """What a module's tables are, and which of the known operations its reducers do."""

    def __init__(self, *, owner_only: bool = False) -> None:
        self._owner_only = owner_only
        self._types: list[AlgebraicType] = []
        self._names: list[TypeName] = []
        self._tables: list[Table] = []
        self._reducers: list[Reducer] = []
        self._actions: list[Action] = []
        self._filters: list[str] = []

    @property
    def schema(self) -> Schema:
        """What the module tells of itself."""
        return Schema(
            tuple(self._types),
            tuple(self._names),
            tuple(self._tables),
            tuple(self._reducers),
            row_level_security=tuple(self._filters),
        )

    def build(self, owner: Identity | None = None) -> bytes:
        """The WebAssembly module; with `owner`, the one whom owner-only reducers obey."""
        if problems := problems_of(self.schema):
            raise ValidationError(*problems)
        if owner is None and any(each.is_owner_only for each in self._actions):
            raise ValidationError("some reducers are for the owner only: say who, build(owner=…)")
        return assembled(self.schema, self._actions, owner or Identity(0))

    def product(self, name: str, /, **fields: Any) -> Ref:
        """A named type of fields."""
        return self._named(name, self._product(name, fields))

    def enum(self, name: str, *variants: str) -> Ref:
        """A named type of one of these words."""
        return self._named(name, SumType(tuple(Element(each, UNIT) for each in variants)))

    def sum(self, name: str, /, **variants: Any) -> Ref:
        """A named type of one of these, each with a payload, or None."""
        parts = (
            Element(variant, type_of(each, f"{name}.{variant}"))
            for variant, each in variants.items()
        )
        return self._named(name, SumType(tuple(parts)))

    def table(
        self,
        name: str,
        columns: Fields,
        *,
        primary_key: str | None = None,
        unique: Sequence[Columns] = (),
        indexes: Sequence[Columns] = (),
        direct: Sequence[str] = (),
        auto_inc: Sequence[str] = (),
        public: bool = True,
        scheduled: str | None = None,
        row_type: str | None = None,
    ) -> TableHandle:
        """A table; a primary key and what is unique have an index without being listed.

        The type of its rows has the table's name, or `row_type`.
        """
        given = pairs_of(columns)
        names = [each for each, _ in given]
        row = self._named(row_type or class_name(name), self._product(name, given))
        uniques = [places(each, names, name) for each in unique]
        key = None if primary_key is None else places(primary_key, names, name)
        if key is not None and key not in uniques:
            uniques.insert(0, key)
        wanted = [*uniques, *(places(each, names, name) for each in indexes)]
        directs = [places(each, names, name) for each in direct]
        wanted += [each for each in directs if each not in wanted]
        self._tables.append(
            Table(
                name,
                row.index,
                None if key is None else key[0],
                tuple(index_of(name, each, names, directs) for each in dict.fromkeys(wanted)),
                tuple(Unique(each) for each in uniques),
                tuple(Sequencer(places(each, names, name)[0]) for each in auto_inc),
                self._schedule(scheduled, given),
                public,
            )
        )
        key_type = None if key is None else type_of(given[key[0]][1], f"{name}.{primary_key}")
        return TableHandle(name, len(self._tables) - 1, row, key_type)

    def _schedule(self, reducer: str | None, given: Sequence[tuple[str, Any]]) -> Schedule | None:
        if reducer is None:
            return None
        from_name = [at for at, (_, type_) in enumerate(given) if is_schedule_at(type_)]
        # Without such a column the check of the schema says so.
        return Schedule(reducer, from_name[0] if from_name else 0)

    def reducer(
        self,
        name: str,
        operation: Operation,
        table: TableHandle | None = None,
        *,
        params: Mapping[str, Any] | None = None,
        lifecycle: Lifecycle | None = None,
        owner_only: bool | None = None,
        text: str = "",
        only_in: TableHandle | None = None,
    ) -> None:
        """One reducer; without `params`, those that its operation takes.

        `only_in`: a table whose primary key is an identity; who has no row in it is refused, with
        `text`.
        """
        elements = self._params(operation, table) if params is None else self._product(name, params)
        guarded = self._owner_only if owner_only is None else owner_only
        place = table.place if table else 0
        self._reducers.append(Reducer(name, elements, lifecycle))
        # A lifecycle reducer has another caller, and tools run `init` as nobody.
        is_guarded = guarded and lifecycle is None
        if only_in is None:
            self._actions.append(Action(operation, place, is_guarded, text))
            return
        if only_in.key != IDENTITY:
            raise ValidationError(f"reducer {name!r}: the key of {only_in.name!r} is no identity")
        refusal = text or f"only identities in {only_in.name} may call this"
        self._actions.append(Action(operation, place, is_guarded, refusal, only_in.place))

    def mirror(self, table: TableHandle) -> None:
        """The usual reducers of a table: `item_insert`, `item_update` and so on."""
        name = table.name
        self.reducer(f"{name}_insert", Operation.INSERT, table)
        self.reducer(f"{name}_delete_rows", Operation.DELETE_ROWS, table)
        if table.key is not None:
            self.reducer(f"{name}_delete", Operation.DELETE_KEY, table)
            self.reducer(f"{name}_update", Operation.UPDATE, table)
            self.reducer(f"{name}_upsert", Operation.UPSERT, table)
        if self._tables[table.place].indexes:
            self.reducer(f"{name}_clear", Operation.CLEAR, table)

    def calls_table(self, name: str = "call", *, public: bool = False) -> TableHandle:
        """A table for reducers with `Operation.NOTE_CALL`: who called which, when, with what."""
        return self.table(name, CALLS, primary_key="id", auto_inc=["id"], public=public)

    def inbox(
        self,
        name: str,
        params: Mapping[str, Any],
        *,
        indexes: Sequence[Columns] = (),
        only_in: TableHandle | None = None,
        refusal: str = "",
    ) -> TableHandle:
        """A table and the reducer of its name, whose every call is a row.

        The row: `id`, `caller`, `connection` and `at`, then the arguments. Others than the owner
        see their own calls. `only_in`: a table of the identities that may call; others are refused
        with `refusal`.
        """
        columns = {**CALLER, **params}
        table = self.table(
            name,
            columns,
            primary_key="id",
            auto_inc=["id"],
            indexes=["caller", *indexes],
            # Generated TypeScript has the reducer's arguments under the name of the table.
            row_type=f"{class_name(name)}Call",
        )
        self.reducer(
            name,
            Operation.INSERT_CALL,
            table,
            params=params,
            owner_only=False,
            text=refusal,
            only_in=only_in,
        )
        self.visibility_filter(f"SELECT * FROM {name} WHERE caller = :sender")
        return table

    def clients_table(self, name: str = "client") -> TableHandle:
        """A table of who is connected, kept by the lifecycle reducers."""
        table = self.table(name, CLIENTS, primary_key="connection")
        up, down = Lifecycle.CLIENT_CONNECTED, Lifecycle.CLIENT_DISCONNECTED
        self.reducer("client_connected", Operation.NOTE_CLIENT, table, params={}, lifecycle=up)
        self.reducer(
            "client_disconnected", Operation.FORGET_CLIENT, table, params={}, lifecycle=down
        )
        return table

    def visibility_filter(self, sql: str) -> None:
        """Row-level security: others than the owner see only what this selects."""
        self._filters.append(sql)

    def _named(self, name: str, type_: AlgebraicType) -> Ref:
        self._types.append(type_)
        self._names.append(TypeName(name, len(self._types) - 1))
        return Ref(len(self._types) - 1)

    @staticmethod
    def _product(name: str, fields: Fields) -> ProductType:
        return ProductType(
            tuple(
                Element(field, type_of(each, f"{name}.{field}")) for field, each in pairs_of(fields)
            )
        )

    @staticmethod
    def _params(operation: Operation, table: TableHandle | None) -> ProductType:
        match operation:
            case Operation.BATCH:
                return ProductType((Element("steps", ArrayType(Primitive.U8)),))
            case Operation.FAIL:
                return ProductType((Element("text", Primitive.STRING),))
            case Operation.NOTHING | Operation.CRASH | Operation.CLEAR:
                return ProductType()
        if table is None:
            raise ValidationError(f"{operation.name} needs a table")
        if operation is Operation.DELETE_ROWS:
            return ProductType((Element("rows", ArrayType(table.row)),))
        if operation is Operation.DELETE_KEY:
            if table.key is None:
                raise ValidationError(f"{operation.name}: table {table.name!r} has no primary key")
            return ProductType((Element("key", table.key),))
        return ProductType((Element("row", table.row),))


def pairs_of(fields: Fields) -> list[tuple[str, Any]]:
    """Names with their types; only pairs can have a name twice, which the checks find."""
    return list(fields.items()) if isinstance(fields, Mapping) else list(fields)


def is_schedule_at(annotation: Any) -> bool:
    return type_of(annotation, "a column") == SCHEDULE_AT


def places(columns: Columns, names: Sequence[str], table: str) -> tuple[int, ...]:
    """Columns by their place."""
    wanted = (columns,) if isinstance(columns, str) else tuple(columns)
    if missing := [each for each in wanted if each not in names]:
        raise ValidationError(f"table {table!r}: no column {missing[0]!r}, only {', '.join(names)}")
    return tuple(names.index(each) for each in wanted)


def index_of(
    table: str, columns: tuple[int, ...], names: Sequence[str], directs: Sequence[tuple[int, ...]]
) -> Index:
    kind = IndexKind.DIRECT if columns in directs else IndexKind.BTREE
    return Index(columns, kind, "_".join(names[each] for each in columns))
