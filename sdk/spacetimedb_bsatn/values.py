"""Values that Python has no class for: `Some`, `Ok`, `Err`, variants of sums, sized integers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Annotated, ClassVar, Generic, TypeVar

from spacetimedb_bsatn.algebraic import Primitive

T = TypeVar("T")
E = TypeVar("E")

Uuid = uuid.UUID

# An annotation with one of these is an `int` to type checkers, and says its type on the wire.
i8 = Annotated[int, Primitive.I8]
u8 = Annotated[int, Primitive.U8]
i16 = Annotated[int, Primitive.I16]
u16 = Annotated[int, Primitive.U16]
i32 = Annotated[int, Primitive.I32]
u32 = Annotated[int, Primitive.U32]
i64 = Annotated[int, Primitive.I64]
u64 = Annotated[int, Primitive.U64]
i128 = Annotated[int, Primitive.I128]
u128 = Annotated[int, Primitive.U128]
i256 = Annotated[int, Primitive.I256]
u256 = Annotated[int, Primitive.U256]
f32 = Annotated[float, Primitive.F32]
f64 = Annotated[float, Primitive.F64]


@dataclass(frozen=True, slots=True)
class Some(Generic[T]):
    """A value in an option of an option, where None alone could mean either."""

    value: T


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """The good side of a Result."""

    value: T


@dataclass(frozen=True, slots=True)
class Err(Generic[E]):
    """The other side of a Result."""

    error: E


Result = Ok[T] | Err[E]


class Variant:
    """A value of a sum; its class says which one: `match shape: case Shape.Circle(radius): …`."""

    __slots__ = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    tag: ClassVar[int]  # its number on the wire


class Payload(Variant, Generic[T]):
    """A variant that carries a value."""

    __slots__ = ("value",)
    __match_args__ = ("value",)
    value: T

    def __init__(self, value: T) -> None:
        object.__setattr__(self, "value", value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__qualname__} cannot be changed: make a new one")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, self.__class__) and self.value == other.value

    def __hash__(self) -> int:
        return hash((self.__class__, self.value))

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({self.value!r})"

    def __reduce__(self) -> tuple[type, tuple[object]]:
        return type(self), (self.value,)


class Bare(Variant):
    """A variant that carries nothing."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other.__class__ is self.__class__

    def __hash__(self) -> int:
        return hash(self.__class__)

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}()"
