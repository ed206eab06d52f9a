"""What another module changes, as a value that can be shown before it is published."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from spacetimedb_bsatn import AlgebraicType, ProductType, Schema, SumType
from spacetimedb_bsatn.algebraic import described
from spacetimedb_bsatn.schema import Lifecycle, Procedure, Reducer, Table, View
from spacetimedb_client.module import refused_changes

# Servers from 2.0 on describe their modules in this form, and take more changes than older ones.
FORM_OF_2: Final = 10


class Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


class ChangeKind(enum.Enum):
    """The value is how it is printed."""

    ADDED = "+"
    REMOVED = "-"
    CHANGED = "~"


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One thing that is another than before; `details` has a few words for each part of it."""

    kind: ChangeKind
    what: str
    name: str
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = f"{self.kind.value} {self.what} {self.name}"
        return f"{head}: {'; '.join(self.details)}" if self.details else head


@dataclass(frozen=True, slots=True)
class SchemaDifference:
    """From the module that is there to another one.

    `refused` has a sentence for each change that this server refuses, or breaks at.
    """

    changes: tuple[SchemaChange, ...]
    refused: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.changes)) or "nothing changes that clients see"


def difference(old: Schema, new: Schema) -> SchemaDifference:
    """From `old`, which a server told, to `new`."""
    changes = (
        *_each("type", _other_types(old), _other_types(new), _type_details(old, new)),
        *_each("table", old.tables, new.tables, lambda a, b: _table_details(old, a, new, b)),
        *_each("view", old.views, new.views, lambda a, b: _call_details(old, a, new, b)),
        *_each("reducer", old.reducers, new.reducers, lambda a, b: _call_details(old, a, new, b)),
        *_each(
            "procedure", old.procedures, new.procedures, lambda a, b: _call_details(old, a, new, b)
        ),
        *_rules(old, new),
    )
    refused = () if old.version >= FORM_OF_2 else tuple(refused_changes(old, new))
    return SchemaDifference(changes, refused)


def _each(
    what: str,
    old: Sequence[N],
    new: Sequence[N],
    details: Callable[[N, N], Iterable[str]],
) -> Iterator[SchemaChange]:
    before, after = ({each.name: each for each in some} for some in (old, new))
    for name, each in after.items():
        if name not in before:
            yield SchemaChange(ChangeKind.ADDED, what, name)
        elif found := tuple(details(before[name], each)):
            yield SchemaChange(ChangeKind.CHANGED, what, name, found)
    for name in before.keys() - after.keys():
        yield SchemaChange(ChangeKind.REMOVED, what, name)


@dataclass(frozen=True, slots=True)
class NamedType:
    name: str
    type: AlgebraicType


def _other_types(schema: Schema) -> list[NamedType]:
    """All that are no row of a table: those change with their table."""
    rows = {each.row for each in schema.tables}
    return [
        NamedType(schema.name_of(each.ref) or each.name, schema.types[each.ref])
        for each in schema.type_names
        if each.ref not in rows
    ]


def _words(type_: AlgebraicType, schema: Schema) -> str:
    names = [schema.name_of(ref) or f"type {ref}" for ref in range(len(schema.types))]
    return described(type_, names)


def _parts(type_: AlgebraicType, schema: Schema) -> dict[str, str]:
    """Columns, fields or variants, each with its type in words."""
    match type_:
        case ProductType(parts) | SumType(parts):
            return {e.name or str(at): _words(e.type, schema) for at, e in enumerate(parts)}
    return {"": _words(type_, schema)}


def _type_details(old: Schema, new: Schema) -> Callable[[NamedType, NamedType], Iterator[str]]:
    def details(before: NamedType, after: NamedType) -> Iterator[str]:
        word = "variant" if isinstance(after.type, SumType) else "field"
        yield from _part_details(word, _parts(before.type, old), _parts(after.type, new))

    return details


def _part_details(word: str, before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    for name in after:
        if name not in before:
            yield f"{word} {name} added"
        elif before[name] != after[name]:
            yield f"{word} {name} from {before[name]} to {after[name]}"
    yield from (f"{word} {name} removed" for name in before if name not in after)
    kept = [name for name in before if name in after]
    if kept != [name for name in after if name in before]:
        yield f"the order of {word}s changes"


def _table_details(old: Schema, before: Table, new: Schema, after: Table) -> Iterator[str]:
    columns = _parts(old.row_type(before), old), _parts(new.row_type(after), new)
    yield from _part_details("column", *columns)
    facts = _facts(old, before), _facts(new, after)
    for word, was in facts[0].items():
        now = facts[1][word]
        yield from (f"{word} {each} removed" for each in was if each not in now)
        yield from (f"{word} {each} added" for each in now if each not in was)
    if before.is_public != after.is_public:
        yield "becomes public" if after.is_public else "becomes private"
    if before.is_event != after.is_event:
        yield "becomes an event table" if after.is_event else "is no event table any more"


def _facts(schema: Schema, table: Table) -> dict[str, list[str]]:
    columns = schema.columns(table)

    def names(places: Iterable[int]) -> str:
        return "(" + ", ".join(columns[each] for each in places) + ")"

    schedule = table.schedule
    return {
        "primary key": [] if table.primary_key is None else [names([table.primary_key])],
        "unique": [names(each.columns) for each in table.uniques],
        "auto_inc": [names([each.column]) for each in table.sequences],
        "index": [f"{each.kind.value} {names(each.columns)}" for each in table.indexes],
        "schedule": [] if schedule is None else [f"of {schedule.reducer}"],
    }


def _call_details(
    old: Schema, before: Reducer | Procedure | View, new: Schema, after: Any
) -> Iterator[str]:
    params = _parts(before.params, old), _parts(after.params, new)
    yield from _part_details("parameter", *params)
    lifecycles: list[Lifecycle | None] = [
        getattr(each, "lifecycle", None) for each in (before, after)
    ]
    if lifecycles[0] is not lifecycles[1]:
        yield f"runs at {lifecycles[1].value if lifecycles[1] else 'calls only'}"


def _rules(old: Schema, new: Schema) -> Iterator[SchemaChange]:
    """Row-level security; servers tell the rules in any order."""
    before, after = set(old.row_level_security), set(new.row_level_security)
    for sql in sorted(after - before):
        yield SchemaChange(ChangeKind.ADDED, "rule", sql)
    for sql in sorted(before - after):
        yield SchemaChange(ChangeKind.REMOVED, "rule", sql)
