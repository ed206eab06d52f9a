"""Classes for the named types of a schema: rows, enums, and sums for `match`."""

import enum
from collections.abc import Mapping, Sequence
from typing import Any

from spacetimedb_bsatn.algebraic import (
    SPECIAL_NAMES,
    UNIT,
    AlgebraicType,
    ArrayType,
    ProductType,
    Ref,
    SumType,
    is_plain_enum,
    result_of,
    some_of,
)
from spacetimedb_bsatn.names import distinct
from spacetimedb_bsatn.plain import resolved
from spacetimedb_bsatn.rows import row_class
from spacetimedb_bsatn.schema import Schema
from spacetimedb_bsatn.values import Bare, Payload, Variant


class Sum:
    """The class of a sum: its variants are classes inside of it."""

    __slots__ = ()


class Classes:
    """One class for each product and sum that has a name; generated bindings give their own."""

    def __init__(
        self, schema: Schema, given: Mapping[str, type] | None = None, module: str = "bindings"
    ) -> None:
        self.types = schema.types
        self._names = self._named(schema)
        self._given = given or {}
        self._module = module
        self._made: dict[int, type] = {}

    @staticmethod
    def _named(schema: Schema) -> dict[int, str]:
        """Each type's class name; a type without a name has one by its place."""
        told = {each.ref: ".".join((*each.scope, each.name)) for each in schema.type_names}
        names = {ref: told.get(ref, f"Type{ref}") for ref in range(len(schema.types))}
        safe = distinct(names.values(), "types", "class")
        return {ref: safe[name] for ref, name in names.items()}

    def name_of(self, ref: int) -> str:
        return self._names[ref]

    def names(self) -> list[str]:
        """Of all places, for the text of errors."""
        return [self._names[ref] for ref in range(len(self.types))]

    def all(self) -> dict[str, type]:
        """Each class by its name."""
        found = {self._names[ref]: self.of(ref) for ref in range(len(self.types))}
        return {name: each for name, each in found.items() if each is not None}

    def resolved(self, type_: AlgebraicType) -> AlgebraicType:
        return resolved(type_, self.types)

    def is_flat(self, ref: int) -> bool:
        """Whether code for a type may stand where it is used: it refers to enums at most."""
        return all(is_plain_enum(self.types[each]) for each in references(self.types[ref]))

    def of(self, ref: int) -> type | None:
        """The class of a type; None where Python's own serve: numbers, tuples, options."""
        if ref in self._made:
            return self._made[ref]
        type_ = self.types[ref]
        if not has_class(type_):
            return None
        name = self._names[ref]
        self._made[ref] = made = self._given.get(name) or self._make(name, type_)
        return made

    def _make(self, name: str, type_: AlgebraicType) -> type:
        match type_:
            case ProductType(elements):
                fields = [each.name or f"_{at}" for at, each in enumerate(elements)]
                safe = distinct(fields, f"fields of {name}")
                return row_class(name, [safe[each] for each in fields], self._module)
            case SumType() if is_plain_enum(type_):
                members = variant_names(name, type_)
                return enum_class(name, members, self._module)
            case SumType():
                return sum_class(name, type_, self._module)
        raise AssertionError(type_)


def enum_class(name: str, members: Sequence[str], module: str) -> type:
    """An IntEnum whose numbers are the tags of the wire."""
    make: Any = enum.IntEnum
    made: type = make(name, {each: tag for tag, each in enumerate(members)}, module=module)
    return made


def has_class(type_: AlgebraicType) -> bool:
    """Whether values of this type have a class of their own."""
    if type_ in SPECIAL_NAMES or some_of(type_) is not None or result_of(type_):
        return False
    return isinstance(type_, ProductType | SumType)


def references(type_: AlgebraicType) -> list[int]:
    """The types that one refers to directly."""
    match type_:
        case Ref(index):
            return [index]
        case ArrayType(element):
            return references(element)
        case ProductType(parts) | SumType(parts):
            return [found for part in parts for found in references(part.type)]
    return []


def variant_names(name: str, type_: SumType) -> list[str]:
    """As Python has them, in the order of their tags."""
    wire = [each.name or f"_{tag}" for tag, each in enumerate(type_.variants)]
    safe = distinct(wire, f"variants of {name}")
    return [safe[each] for each in wire]


def sum_class(name: str, type_: SumType, module: str) -> type:
    """`Shape`, with `Shape.Circle` and so on, each a subclass of it."""
    base = type(name, (Sum,), {"__slots__": (), "__module__": module})
    names = variant_names(name, type_)
    for tag, (each, element) in enumerate(zip(names, type_.variants, strict=True)):
        kind: type[Variant] = Bare if element.type == UNIT else Payload
        content = {
            "__slots__": (),
            "__module__": module,
            "__qualname__": f"{name}.{each}",
            "__match_args__": kind.__match_args__,
            "tag": tag,
        }
        setattr(base, each, type(each, (base, kind), content))
    return base


def variant_classes(sum_type: type, type_: SumType) -> list[type]:
    """The classes of all variants, in the order of their tags."""
    names = variant_names(sum_type.__name__, type_)
    return [getattr(sum_type, each) for each in names]
