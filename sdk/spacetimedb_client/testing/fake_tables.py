"""The tables of a fake server: rows, transactions over them, and simple queries. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from spacetimedb_bsatn import ConnectionId, Identity, ValidationError
from spacetimedb_bsatn.algebraic import (
    BYTES,
    CONNECTION_ID,
    IDENTITY,
    INTEGERS,
    AlgebraicType,
    Primitive,
)
from spacetimedb_client.bindings import Bindings, TableBinding
from spacetimedb_client.errors import QueryError

SELECT: Final = re.compile(
    r"""\s*SELECT\s+\*\s+FROM\s+"?(?P<table>\w+)"?
    (?:\s+WHERE\s+\(?\s*(?:"?\w+"?\.)?"?(?P<column>\w+)"?\s*=\s*
    (?P<literal>'(?:[^']|'')*'|[\w.+-]+)\s*\)?)?\s*;?\s*""",
    re.IGNORECASE | re.VERBOSE,
)
Rows = dict[bytes, Any]  # a row by its bytes: a table has no row twice


@dataclass(frozen=True, slots=True)
class Selection:
    """`SELECT * FROM table`, or only those where a column has a value."""

    table: str
    field: str | None = None
    value: Any = None

    def takes(self, row: Any) -> bool:
        return self.field is None or getattr(row, self.field) == self.value


def selection(bindings: Bindings, query: str) -> Selection:
    """What a query selects; says what a fake server does not understand."""
    found = SELECT.fullmatch(query)
    if found is None:
        raise QueryError(
            f"{query!r}: a fake server knows SELECT * FROM table [WHERE column = literal]; "
            "use a real one for more"
        )
    table = bindings.tables.get(found["table"])
    if table is None or not table.table.is_public:
        raise QueryError(f"no such table: `{found['table']}`. If it exists, it may be private.")
    if found["column"] is None:
        return Selection(table.name)
    names = [each.name for each in table.type.elements]
    if found["column"] not in names:
        raise QueryError(f"`{found['column']}` is no column of `{table.name}`")
    place = names.index(found["column"])
    value = literal(found["literal"], table.type.elements[place].type)
    return Selection(table.name, table.fields[place], value)


def literal(text: str, type_: AlgebraicType) -> Any:
    """A value of a column's type."""
    try:
        if type_ == Primitive.STRING and text.startswith("'"):
            return text[1:-1].replace("''", "'")
        if type_ == Primitive.BOOL:
            return {"true": True, "false": False}[text.lower()]
        if type_ in INTEGERS:
            return int(text)
        if type_ in (Primitive.F32, Primitive.F64):
            return float(text)
        if type_ == BYTES:
            return bytes.fromhex(text.removeprefix("0x"))
        if type_ in (IDENTITY, CONNECTION_ID):
            return (Identity if type_ == IDENTITY else ConnectionId).from_hex(text)
    except (KeyError, ValueError):
        pass
    raise QueryError(f"{text} is no literal of the column's type")


class Tables:
    """What is committed."""

    def __init__(self, bindings: Bindings) -> None:
        self.bindings: Final = bindings
        self.rows: Final[Mapping[str, Rows]] = {name: {} for name in bindings.tables}
        self._last: dict[tuple[str, int], int] = {}

    def selected(self, chosen: Selection) -> tuple[bytes, ...]:
        rows = self.rows[chosen.table].items()
        return tuple(data for data, row in rows if chosen.takes(row))

    def next_number(self, table: str, column: int) -> int:
        """Of a sequence: like the server's, none comes twice, also after a failure."""
        self._last[table, column] = number = self._last.get((table, column), 0) + 1
        return number


class Transaction:
    """Changes that become one update, or none; reads see them at once."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.inserted: Final[dict[str, Rows]] = {}
        self.deleted: Final[dict[str, Rows]] = {}

    def rows(self, table: str) -> list[Any]:
        return list(dict(self._items(self._binding(table).name)).values())

    def insert(self, table: str, row: Any) -> Any:
        """The row as it is stored: columns that count by themselves are filled."""
        binding = self._binding(table)
        stored = self._numbered(binding, binding.codec.decode(binding.codec.encode(row)))
        data = binding.codec.encode(stored)
        if data in dict(self._items(table)):
            return stored
        self._check(binding, stored)
        if self.deleted.get(table, {}).pop(data, None) is None:
            self.inserted.setdefault(table, {})[data] = stored
        return stored

    def delete(self, table: str, row: Any) -> None:
        """The whole row must be there; `ValidationError` where it is not."""
        data = self._binding(table).codec.encode(row)
        if self.inserted.get(table, {}).pop(data, None) is not None:
            return
        known = self._tables.rows[table].get(data)
        if known is None or data in self.deleted.get(table, {}):
            raise ValidationError(f"table {table!r} has no row {row!r}: see server.rows({table!r})")
        self.deleted.setdefault(table, {})[data] = known

    def update(self, table: str, row: Any) -> Any:
        """Replaces the row with the same primary key."""
        binding = self._binding(table)
        key = binding.key
        if key is None:
            raise ValidationError(f"table {table!r} has no primary key: delete and insert the row")
        stored = binding.codec.decode(binding.codec.encode(row))
        for old in self.rows(table):
            if key(old) == key(stored):
                self.delete(table, old)
                return self.insert(table, stored)
        raise ValidationError(f"table {table!r} has no row with key {key(stored)!r}: insert it")

    def commit(self) -> None:
        """All at once, or `ValidationError` where another one was faster."""
        for table, rows in self.inserted.items():
            for row in rows.values():
                self._check(self._binding(table), row)
        for table, rows in self.deleted.items():
            for data in rows:
                self._tables.rows[table].pop(data, None)
        for table, rows in self.inserted.items():
            self._tables.rows[table].update(rows)

    def _binding(self, table: str) -> TableBinding:
        known = self._tables.bindings.tables
        if table not in known:
            raise ValidationError(f"no table {table!r}: there are {', '.join(known)}")
        return known[table]

    def _items(self, table: str) -> Iterator[tuple[bytes, Any]]:
        deleted = self.deleted.get(table, {})
        for data, row in self._tables.rows[table].items():
            if data not in deleted:
                yield data, row
        yield from self.inserted.get(table, {}).items()

    def _numbered(self, binding: TableBinding, row: Any) -> Any:
        for sequence in binding.table.sequences:
            field = binding.fields[sequence.column]
            if getattr(row, field) == 0:
                number = self._tables.next_number(binding.name, sequence.column)
                row = row.replace(**{field: number})
        return row

    def _check(self, binding: TableBinding, row: Any) -> None:
        for index in binding.indexes.values():
            if not index.is_unique:
                continue
            for other in dict(self._items(binding.name)).values():
                if other != row and index.key(other) == index.key(row):
                    raise ValidationError(
                        f"table {binding.name!r} already has a row with "
                        f"{', '.join(index.columns)} = {index.key(row)!r}: update or delete it"
                    )
