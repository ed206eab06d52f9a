"""Types without a name get one, so that their values have classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from spacetimedb_bsatn.algebraic import (
    SPECIAL_NAMES,
    UNIT,
    AlgebraicType,
    ArrayType,
    Element,
    ProductType,
    Ref,
    SumType,
    result,
    result_of,
    some_of,
)
from spacetimedb_bsatn.algebraic import option as option_of
from spacetimedb_bsatn.names import class_name
from spacetimedb_bsatn.schema import Procedure, Reducer, Schema, TypeName

C = TypeVar("C", Reducer, Procedure)


class Naming:
    """Moves types that stand inside of others to the end of the list, named by their place."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._types: list[AlgebraicType] = list(schema.types)
        self._names = list(schema.type_names)
        self._made: dict[AlgebraicType, Ref] = {}

    def named(self) -> Schema:
        """The schema with a name for every product and sum."""
        for ref in range(len(self._schema.types)):
            name = (self._schema.name_of(ref) or f"Type{ref}").rpartition(".")[2]
            self._types[ref] = self._inside(self._types[ref], name)
        reducers = tuple(self._call(each) for each in self._schema.reducers)
        procedures = tuple(self._call(each) for each in self._schema.procedures)
        return replace(
            self._schema,
            reducers=reducers,
            procedures=procedures,
            types=tuple(self._types),
            type_names=tuple(self._names),
        )

    def _call(self, call: C) -> C:
        params = self._inside(call.params, call.name)
        assert isinstance(params, ProductType)
        return replace(call, params=params)

    def _inside(self, type_: AlgebraicType, name: str) -> AlgebraicType:
        """This type itself keeps its place; those in it do not."""
        match type_:
            case ProductType(parts) if type_ not in SPECIAL_NAMES:
                return ProductType(self._parts(parts, name))
            case SumType(parts) if not self._is_known(type_):
                return SumType(self._parts(parts, name))
        return self._moved(type_, name)

    def _parts(self, parts: tuple[Element, ...], name: str) -> tuple[Element, ...]:
        return tuple(
            Element(each.name, self._moved(each.type, f"{name}_{each.name or at}"))
            for at, each in enumerate(parts)
        )

    @staticmethod
    def _is_known(type_: AlgebraicType) -> bool:
        """Whether Python has a class for it without a name."""
        is_builtin = some_of(type_) is not None or result_of(type_) is not None
        return type_ in SPECIAL_NAMES or type_ == UNIT or is_builtin

    def _moved(self, type_: AlgebraicType, name: str) -> AlgebraicType:
        if type_ in SPECIAL_NAMES or type_ == UNIT:
            return type_
        if (payload := some_of(type_)) is not None:
            return option_of(self._moved(payload, name))
        if sides := result_of(type_):
            return result(self._moved(sides[0], f"{name}_ok"), self._moved(sides[1], f"{name}_err"))
        match type_:
            case ArrayType(element):
                return ArrayType(self._moved(element, name))
            case ProductType() if all(each.name is None for each in type_.elements):
                return ProductType(self._parts(type_.elements, name))  # a tuple
            case ProductType() | SumType():
                return self._ref(type_, name)
        return type_

    def _ref(self, type_: ProductType | SumType, name: str) -> Ref:
        """Equal types share a name."""
        if type_ not in self._made:
            self._made[type_] = ref = Ref(len(self._types))
            self._types.append(type_)
            self._names.append(TypeName(class_name(name), ref.index))
            self._types[ref.index] = self._inside(type_, name)
        return self._made[type_]


def with_names(schema: Schema) -> Schema:
    """The same schema, if all its types have names already."""
    return Naming(schema).named()
