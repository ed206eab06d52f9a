"""One row of one table, as a variable follows it: checked against the schema, read, written. Pure.

A picture has the BSATN of each column: equal bytes are equal values, also of NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from spacetimedb_bsatn import ConversionError, Ref
from spacetimedb_bsatn.algebraic import described
from spacetimedb_bsatn.plain import decode_plain, encode_plain, resolved
from spacetimedb_client.bindings import Bindings, TableBinding
from spacetimedb_client.query import Queries, Query, quoted
from spacetimedb_client.sql_text import parameter
from watchglass_sync.bindings import Loose, Picture
from watchglass_sync.errors import BindingRefused, ValueMisfit
from watchglass_sync.row_values import plain_of, python_of
from watchglass_sync.tagged_json import tagged, untagged

REDUCERS: Final = ("{}_update", "update_{}", "{}_upsert", "upsert_{}", "set_{}")
NAMES_TOLD: Final = 20
Bytes = Mapping[str, bytes]
# Whose the database is: SQL writes ours, and nobody but the mirror writes its own.
Owner = Literal["us", "others", "mirror"]


@dataclass(frozen=True, slots=True)
class RowAddress:
    """Which row, and which column of it; None: all. `key`: its primary key as tagged JSON."""

    database: str
    table: str
    key: Any
    column: str | None

    @property
    def source(self) -> str:
        """Where its changes come from, for people: `arena/unit`."""
        return f"{self.database}/{self.table}"

    def __str__(self) -> str:
        row = f"{self.source}[{_shown(self.key)}]"
        return row if self.column is None else f"{row}.{self.column}"


def _shown(key: Any) -> str:
    return repr(key["value"] if isinstance(key, dict) and "value" in key else key)[:80]


class RowForm:
    """What a schema says of a row: its columns and their types, and how it is written."""

    def __init__(self, bindings: Bindings, address: RowAddress, owner: Owner) -> None:
        """Raises BindingRefused, which says what there is instead."""
        self._bindings = bindings
        self.address = address
        self.table = self._table()
        self.elements = {
            each.name or str(at): each.type for at, each in enumerate(self.table.type.elements)
        }
        place = self.table.table.primary_key
        if place is None or self.table.key is None:
            raise BindingRefused(
                "table",
                f"The table '{address.table}' of '{address.database}' has no primary key by which "
                "a row is told from others.",
                "Bind a row of a table that has one.",
            )
        self.key_name = list(self.elements)[place]
        self.key_field = self.table.fields[place]
        self.key_index = next(
            name
            for name, each in self.table.indexes.items()
            if each.is_unique and each.columns == (self.key_field,)
        )
        self.key: Any = self._sdk_key()
        self.columns = (*self.elements,) if address.column is None else (self._column(),)
        self.reducer = self._reducer()
        self.why_read_only = self._why_read_only(owner)

    # --- checked once

    def _table(self) -> TableBinding:
        found = self._bindings.tables.get(self.address.table)
        if found is None:
            raise BindingRefused(
                "table",
                f"The database '{self.address.database}' has no table '{self.address.table}'.",
                f"It has {_listed(self._bindings.tables)}.",
            )
        return found

    def _column(self) -> str:
        column = self.address.column or ""
        if column not in self.elements:
            raise BindingRefused(
                "column",
                f"The table '{self.address.table}' has no column '{column}'.",
                f"It has {_listed(self.elements)}.",
            )
        return column

    def _sdk_key(self) -> Any:
        type_ = self.elements[self.key_name]
        where = f"{self.address.table}.{self.key_name}"
        try:
            data = self._encoded(self.key_name, untagged(self.address.key), where)
            value = self._bindings.codecs.of(type_, where).decode(data)
            self.query_of(value)
        except (ValueMisfit, TypeError) as problem:
            raise BindingRefused(
                "key", f"This is no key: {problem}.", f"`{where}` is {self._described(type_)}."
            ) from None
        return value

    def _described(self, type_: Any) -> str:
        return described(type_, self._bindings.classes.names())

    def _reducer(self) -> str | None:
        """The one that writes whole rows of the table."""
        row = self.table.type
        for pattern in REDUCERS:
            found = self._bindings.reducers.get(pattern.format(self.address.table))
            if found is not None and [*map(self._whole, found.types)] == [row]:
                return found.name
        return None

    def _why_read_only(self, owner: Owner) -> str | None:
        if owner == "mirror":
            return f"the tables of '{self.address.database}' are written by the mirror alone"
        if self.reducer is not None or owner == "us":
            return None
        names = ", ".join(f"`{pattern.format(self.address.table)}`" for pattern in REDUCERS)
        return (
            f"'{self.address.database}' is somebody else's database and has no reducer that takes "
            f"a row of '{self.address.table}': none of {names}"
        )

    def _whole(self, type_: Any) -> Any:
        return resolved(type_, self._bindings.schema.types)

    # --- asked for

    @property
    def signature(self) -> object:
        """Equal for forms of which pictures mean the same."""
        types = self._bindings.schema.types
        return self.columns, [self.elements[name] for name in self.columns], types

    @property
    def query(self) -> Query:
        """This row, and no other."""
        return self.query_of(self.key)

    def query_of(self, key: Any) -> Query:
        """The row with a key. Raises TypeError where no query can name it."""
        tables = self._bindings.table_names
        name = next(safe for safe, table in tables.items() if table == self.address.table)
        table: Query = getattr(Queries(self._bindings), name)
        return table.where(**{self.key_field: key})

    # --- pictures

    def row_picture(self, row: Any) -> Bytes:
        """Every column of a row of the SDK."""
        type_ = Ref(self.table.table.row)
        types = self._bindings.schema.types
        plain = decode_plain(type_, types, self.table.codec.encode(row))
        return {
            name: encode_plain(each, types, plain[name]) for name, each in self.elements.items()
        }

    def followed(self, row: Bytes | None) -> Picture | None:
        """Of a whole row, the columns that the variable has."""
        return None if row is None else {name: row[name] for name in self.columns}

    def variable_picture(self, data: Any) -> Picture | Loose | None:
        """What a variable holds, given as tagged JSON; `Loose` says why it fits no row."""
        try:
            return self._picture(untagged(data))
        except (ValueMisfit, ValueError, RecursionError) as problem:
            return Loose(f"{problem}")

    def _picture(self, value: Any) -> Picture | None:
        if self.address.column is not None:
            column = self.address.column
            return {column: self._encoded(column, value, f"{self.address.table}.{column}")}
        if value is None:
            return None
        self._check_names(value)
        return {
            name: self._encoded(name, value[name], f"{self.address.table}.{name}")
            for name in self.columns
        }

    def _check_names(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise ValueMisfit(f"{value!r:.80} is no dict of the columns {_listed(self.columns)}")
        if missing := [name for name in self.columns if name not in value]:
            raise ValueMisfit(f"the dict lacks {_listed(missing)}")
        if extra := [name for name in value if name not in self.elements]:
            raise ValueMisfit(f"the table has no column {_listed(extra)}")
        key = self._encoded(self.key_name, value[self.key_name], self.key_name)
        if self._bindings.codecs.of(self.elements[self.key_name], "").decode(key) != self.key:
            raise ValueMisfit(f"`{self.key_name}` is the row's key, and stays {self.key!r:.80}")

    def _encoded(self, name: str, value: Any, where: str) -> bytes:
        types, type_ = self._bindings.schema.types, self.elements[name]
        return encode_plain(type_, types, plain_of(type_, types, value, where))

    def variable_json(self, picture: Picture | None) -> Any:
        """The tagged JSON that the variable is set to."""
        if picture is None:
            return None
        parts = self.columns_json(picture)
        return parts if self.address.column is None else parts[self.address.column]

    def columns_json(self, picture: Picture) -> dict[str, Any]:
        """Each of these columns as tagged JSON."""
        types = self._bindings.schema.types
        return {
            name: tagged(
                python_of(self.elements[name], types, _plain(self.elements[name], types, data))
            )
            for name, data in picture.items()
        }

    # --- writing

    @property
    def wanted(self) -> str:
        """What would write everything."""
        reducer = REDUCERS[0].format(self.address.table)
        return f"give the module a reducer `{reducer}` that takes a row"

    def changed_row(self, row: Bytes, columns: Picture) -> Any:
        """A row of the SDK: this one with other values in some columns."""
        merged = {**row, **columns}
        # A product is written as its parts, one behind the other.
        return self.table.codec.decode(b"".join(merged[name] for name in self.elements))  # type: ignore[misc]

    def update_statement(self, columns: Picture) -> str:
        """The same as SQL, whose words for values are few. Raises ValueMisfit."""
        changes = ", ".join(
            f"{quoted(name)} = {self._literal(name, data)}" for name, data in columns.items()
        )
        key = f"{quoted(self.key_name)} = {parameter(self.key)}"
        return f"UPDATE {quoted(self.address.table)} SET {changes} WHERE {key}"

    def _literal(self, name: str, data: Any) -> str:
        type_ = self.elements[name]
        try:
            return parameter(self._bindings.codecs.of(type_, name).decode(data))
        except ConversionError:
            what = f"this value of `{name}`, {self._described(type_)}"
            raise ValueMisfit(f"SQL has no words for {what}: {self.wanted}") from None


def _plain(type_: Any, types: Any, data: Any) -> Any:
    return decode_plain(type_, types, data)


def _listed(names: Any) -> str:
    known = [f"'{name}'" for name in names]
    more = f" and {len(known) - NAMES_TOLD} more" if len(known) > NAMES_TOLD else ""
    return (", ".join(known[:NAMES_TOLD]) or "none") + more
