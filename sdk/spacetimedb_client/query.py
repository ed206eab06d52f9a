"""Queries written in Python: checked against the schema, and written as SQL. No I/O here.

t = bindings.queries
t.player.where(lambda p: (p.score >= 10) & ~p.banned)
t.player.semijoin(t.level, on=lambda p, l: p.id == l.player)
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from spacetimedb_bsatn import ConnectionId, Identity, Timestamp, Uuid
from spacetimedb_bsatn.algebraic import AlgebraicType, Primitive, described
from spacetimedb_client.bindings import Bindings, TableBinding

WHOLE: Final = 1e16  # from here on a float has no digits behind the point, and an exponent
OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
OPPOSITE: Final = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class Condition:
    """What rows have to fulfil; combined with `&`, `|` and `~`."""

    def __and__(self, other: Condition) -> Condition:
        return Both(self, condition_of(other), "AND")

    def __or__(self, other: Condition) -> Condition:
        return Both(self, condition_of(other), "OR")

    def __invert__(self) -> Condition:
        return self.opposite()

    def __bool__(self) -> bool:
        raise TypeError("write & | ~ for and, or, not, with each comparison in parentheses")

    def sql(self) -> str:
        raise NotImplementedError

    def opposite(self) -> Condition:
        """SQL of the server has no NOT: it is moved into the comparisons."""
        raise NotImplementedError

    def matches(self, row: Any) -> bool:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Condition):
    """A column and a value."""

    column: Column
    operator: str
    value: Any

    def sql(self) -> str:
        return f"{self.column.sql()} {self.operator} {literal(self.value)}"

    def opposite(self) -> Condition:
        return replace(self, operator=OPPOSITE[self.operator])

    def matches(self, row: Any) -> bool:
        return OPERATORS[self.operator](getattr(row, self.column.field), self.value)


@dataclass(frozen=True, slots=True, eq=False)
class Both(Condition):
    """Two conditions, joined by AND or OR."""

    left: Condition
    right: Condition
    word: str

    def sql(self) -> str:
        return f"({self.left.sql()} {self.word} {self.right.sql()})"

    def opposite(self) -> Condition:
        word = "OR" if self.word == "AND" else "AND"
        return Both(self.left.opposite(), self.right.opposite(), word)

    def matches(self, row: Any) -> bool:
        if self.word == "AND":
            return self.left.matches(row) and self.right.matches(row)
        return self.left.matches(row) or self.right.matches(row)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnsEqual(Condition):
    """What two tables are joined on."""

    left: Column
    right: Column

    def sql(self) -> str:
        return f"{self.left.sql()} = {self.right.sql()}"

    def opposite(self) -> Condition:
        raise TypeError("tables are joined where columns are equal, and not otherwise")

    def matches(self, row: Any) -> bool:
        raise TypeError("a join is matched by the server: it has both tables")


class Column(Condition):
    """A column of a table; compared with a value it is a condition, and so is a bool column."""

    __slots__ = ("_bindings", "_table", "field", "name", "type")

    def __init__(self, bindings: Bindings, table: TableBinding, place: int) -> None:
        element = table.type.elements[place]
        self._bindings = bindings
        self._table = table
        self.field: Final = table.fields[place]
        self.name: Final = element.name or self.field
        self.type: Final[AlgebraicType] = element.type

    def sql(self) -> str:
        return f"{quoted(self._table.name)}.{quoted(self.name)}"

    def compared(self, word: str, value: Any) -> Condition:
        """Raises where the column cannot have such a value."""
        if isinstance(value, Column):
            return self._equal(word, value)
        where = f"{self._table.name}.{self.name}"
        codec = self._bindings.codecs.of(self.type, where)
        exact = codec.decode(codec.encode(value))
        literal(exact)
        return Comparison(self, word, exact)

    def _equal(self, word: str, other: Column) -> Condition:
        if word != "=":
            raise TypeError("columns are compared with == only, to join two tables")
        if self.type != other.type:
            names = self._bindings.classes.names()
            mine, yours = described(self.type, names), described(other.type, names)
            raise TypeError(f"{self.sql()} is {mine}, and {other.sql()} is {yours}")
        return ColumnsEqual(self, other)

    def __eq__(self, value: object) -> Condition:  # type: ignore[override]
        return self.compared("=", value)

    def __ne__(self, value: object) -> Condition:  # type: ignore[override]
        return self.compared("<>", value)

    def __lt__(self, value: Any) -> Condition:
        return self.compared("<", value)

    def __le__(self, value: Any) -> Condition:
        return self.compared("<=", value)

    def __gt__(self, value: Any) -> Condition:
        return self.compared(">", value)

    def __ge__(self, value: Any) -> Condition:
        return self.compared(">=", value)

    __hash__ = None  # type: ignore[assignment]

    def _is_true(self) -> Condition:
        if self.type is not Primitive.BOOL:
            raise TypeError(f"{self.sql()} is no bool: compare it with a value")
        return self.compared("=", True)

    def __and__(self, other: Condition) -> Condition:
        return self._is_true() & other

    def __or__(self, other: Condition) -> Condition:
        return self._is_true() | other

    def opposite(self) -> Condition:
        return self._is_true().opposite()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"{self.sql()}: columns inside of a column cannot be asked for")


def condition_of(value: object) -> Condition:
    """A bool column stands for itself."""
    if isinstance(value, Column):
        return value._is_true()
    if isinstance(value, Condition):
        return value
    raise TypeError(f"{value!r} is no condition: compare a column with a value")


class Columns:
    """`p` in `lambda p: p.score > 10`."""

    def __init__(self, bindings: Bindings, table: TableBinding) -> None:
        self._table = table
        self._columns = {
            field: Column(bindings, table, place) for place, field in enumerate(table.fields)
        }

    def __getattr__(self, name: str) -> Column:
        if name not in self._columns:
            known = ", ".join(self._columns)
            raise AttributeError(f"table {self._table.name!r} has no column {name!r}, only {known}")
        return self._columns[name]


@dataclass(frozen=True, slots=True)
class Query:
    """The rows of one table that fulfil a condition; never changed, only made narrower."""

    bindings: Bindings
    table: TableBinding
    condition: Condition | None = None
    join: tuple[TableBinding, ColumnsEqual] | None = None

    def where(self, test: Callable[[Any], object] | None = None, **equal: Any) -> Query:
        """Rows for which the function's condition holds, and which have these values."""
        columns = Columns(self.bindings, self.table)
        found = [getattr(columns, name) == value for name, value in equal.items()]
        if test is not None:
            found.insert(0, condition_of(test(columns)))
        query = self
        for each in found:
            joined = each if query.condition is None else query.condition & each
            query = replace(query, condition=joined)
        return query

    def semijoin(self, other: Query, on: Callable[[Any, Any], object]) -> Query:
        """Rows of this table that have a partner in another."""
        return self._joined(self, other, on(self._columns(), other._columns()))

    def right_semijoin(self, other: Query, on: Callable[[Any, Any], object]) -> Query:
        """Rows of the other table that have a partner in this one."""
        return self._joined(other, self, on(self._columns(), other._columns()))

    @staticmethod
    def _joined(kept: Query, partner: Query, on: object) -> Query:
        if not isinstance(on, ColumnsEqual):
            raise TypeError("on= compares a column of each table: lambda a, b: a.id == b.owner")
        if kept.join or partner.join:
            raise TypeError("two tables can be joined, and no more")
        condition = kept.condition
        if partner.condition is not None:
            condition = partner.condition if condition is None else condition & partner.condition
        return replace(kept, condition=condition, join=(partner.table, on))

    def _columns(self) -> Columns:
        return Columns(self.bindings, self.table)

    def __str__(self) -> str:
        name = quoted(self.table.name)
        text = f"SELECT {name}.* FROM {name}"
        if self.join is not None:
            other, on = self.join
            text += f" JOIN {quoted(other.name)} ON {on.sql()}"
        return text if self.condition is None else f"{text} WHERE {self.condition.sql()}"

    def matches(self, row: Any) -> bool:
        """Whether a row of this table is one that the server would send."""
        if self.join is not None:
            raise TypeError("a join is matched by the server: it has both tables")
        return self.condition is None or self.condition.matches(row)


class Queries:
    """`bindings.queries`: each table, as the query for all of its rows."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings

    def __getattr__(self, name: str) -> Query:
        names = self._bindings.table_names
        if name not in names:
            raise AttributeError(f"no table {name!r}; there is {', '.join(names)}")
        return Query(self._bindings, self._bindings.tables[names[name]])


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """As SQL has it; raises for what SQL of the server has no words for."""
    match value:
        case bool():
            return "true" if value else "false"
        case float() if abs(value) >= WHOLE:
            return f"{value:.0f}"  # servers misread 1e+200, and find nothing: digits they read
        case int() | float() if type(value) in (int, float):
            return repr(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case Identity() | ConnectionId():
            return f"0x{value}"
        case bytes():
            return f"0x{value.hex()}"
        case Timestamp():
            return f"'{value}'"
        case Uuid():
            return f"'{value}'"
    raise TypeError(f"a query cannot compare with {value!r}: only with what is not made of parts")
