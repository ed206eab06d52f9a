"""Types → the annotations that their values have in Python."""

from __future__ import annotations

from typing import Final

from spacetimedb_bsatn import Classes
from spacetimedb_bsatn.algebraic import (
    BYTES,
    INTEGERS,
    SPECIAL_NAMES,
    UNIT,
    AlgebraicType,
    ArrayType,
    Primitive,
    ProductType,
    Ref,
    SumType,
    is_plain_enum,
    result_of,
    some_of,
)

PRIMITIVES: Final[dict[AlgebraicType, str]] = {
    Primitive.BOOL: "bool",
    Primitive.STRING: "str",
    Primitive.F32: "f32",
    Primitive.F64: "float",
    BYTES: "bytes",
    UNIT: "tuple[()]",
    **{each: str(each) for each in INTEGERS},
}


class Annotations:
    """Writes annotations, and remembers what they need to be imported."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self.imported: Final[set[str]] = set()

    def of(self, type_: AlgebraicType, *, is_argument: bool = False) -> str:
        """Arguments may be any sequence, where rows have tuples."""
        if name := SPECIAL_NAMES.get(type_):
            return self._import(name)
        if name := PRIMITIVES.get(type_):
            return self._import(name) if type_ in INTEGERS or name == "f32" else name
        if (payload := some_of(type_)) is not None:
            return self._option(payload, is_argument)
        if sides := result_of(type_):
            ok, err = (self.of(side, is_argument=is_argument) for side in sides)
            return f"{self._import('Ok')}[{ok}] | {self._import('Err')}[{err}]"
        match type_:
            case Ref(index):
                return self._reference(index, is_argument)
            case ArrayType(element):
                inner = self.of(element, is_argument=is_argument)
                return f"Sequence[{inner}]" if is_argument else f"tuple[{inner}, ...]"
            case ProductType(elements):
                parts = (self.of(each.type, is_argument=is_argument) for each in elements)
                return f"tuple[{', '.join(parts)}]"
        return "object"

    def _import(self, name: str) -> str:
        self.imported.add(name)
        return name

    def _option(self, payload: AlgebraicType, is_argument: bool) -> str:
        inner = self.of(payload, is_argument=is_argument)
        if some_of(self._classes.resolved(payload)) is not None:
            inner = f"{self._import('Some')}[{inner}]"
        return f"{inner} | None"

    def _reference(self, index: int, is_argument: bool) -> str:
        type_ = self._classes.types[index]
        if self._classes.of(index) is None:
            return self.of(type_, is_argument=is_argument)
        name = self._classes.name_of(index)
        return f"{name}Value" if isinstance(type_, SumType) and not is_plain_enum(type_) else name
