"""Types → the annotations that their values have in Python."""

from __future__ import annotations

from collections.abc import Container
from typing import Final

from spacetimedb_bsatn import Classes
from spacetimedb_bsatn.algebraic import (
    BYTES,
    INTEGERS,
    SPECIAL_NAMES,
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
    **{each: str(each) for each in INTEGERS},
}


class Annotations:
    """Writes annotations, and remembers what they need to be imported.

    A field, `bytes`, hides a type of its name from the annotations beside it: `hidden` names go
    by another one, `_bytes`.
    """

    def __init__(self, classes: Classes, hidden: Container[str] = ()) -> None:
        self._classes = classes
        self._hidden = hidden
        self.imported: Final[set[str]] = set()
        self.builtins: Final[set[str]] = set()
        self.renamed: Final[set[str]] = set()

    def of(self, type_: AlgebraicType, *, is_argument: bool = False) -> str:
        """Arguments may be any sequence, where rows have tuples."""
        if name := SPECIAL_NAMES.get(type_):
            return self._import(name)
        if name := PRIMITIVES.get(type_):
            is_ours = type_ in INTEGERS or name == "f32"
            return self._import(name) if is_ours else self._builtin(name)
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
                return f"Sequence[{inner}]" if is_argument else f"{self.tuple}[{inner}, ...]"
            case ProductType(elements):
                parts = (self.of(each.type, is_argument=is_argument) for each in elements)
                return f"{self.tuple}[{', '.join(parts) or '()'}]"
        return self._builtin("object")

    @property
    def tuple(self) -> str:
        return self._builtin("tuple")

    def _import(self, name: str) -> str:
        return self._noted(name, self.imported)

    def _builtin(self, name: str) -> str:
        """Python's own are imported only to get another name."""
        return self._noted(name, self.builtins) if name in self._hidden else name

    def _noted(self, name: str, imports: set[str]) -> str:
        is_hidden = name in self._hidden
        imports.add(f"{name} as _{name}" if is_hidden else name)
        return f"_{name}" if is_hidden else name

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
        if isinstance(type_, SumType) and not is_plain_enum(type_):
            name += "Value"
        if name in self._hidden:
            self.renamed.add(name)
            return f"_{name}"
        return name
