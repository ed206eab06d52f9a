"""SATS, the types of SpacetimeDB: primitives, arrays, products, sums, references."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


class Primitive(enum.Enum):
    """Types without parts; the value is the tag in an encoded schema."""

    STRING = 4
    BOOL = 5
    I8 = 6
    U8 = 7
    I16 = 8
    U16 = 9
    I32 = 10
    U32 = 11
    I64 = 12
    U64 = 13
    I128 = 14
    U128 = 15
    I256 = 16
    U256 = 17
    F32 = 18
    F64 = 19

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Ref:
    """A type by its place in the module's list of types."""

    index: int


@dataclass(frozen=True, slots=True)
class ArrayType:
    element: "AlgebraicType"


@dataclass(frozen=True, slots=True)
class Element:
    """A field of a product, or a variant of a sum."""

    name: str | None
    type: "AlgebraicType"


@dataclass(frozen=True, slots=True)
class ProductType:
    elements: tuple[Element, ...] = ()


@dataclass(frozen=True, slots=True)
class SumType:
    variants: tuple[Element, ...]


AlgebraicType = Primitive | Ref | ArrayType | ProductType | SumType


@dataclass(frozen=True, slots=True)
class IntegerRange:
    """What an integer type holds."""

    bits: int
    signed: bool

    @property
    def low(self) -> int:
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        return (1 << (self.bits - self.signed)) - 1


INTEGERS: Final = {
    primitive: IntegerRange(int(primitive.name[1:]), primitive.name[0] == "I")
    for primitive in Primitive
    if primitive.name[0] in "IU"
}


def product(*elements: tuple[str | None, AlgebraicType]) -> ProductType:
    return ProductType(tuple(Element(name, type_) for name, type_ in elements))


def sum_of(*variants: tuple[str | None, AlgebraicType]) -> SumType:
    return SumType(tuple(Element(name, type_) for name, type_ in variants))


def option(of: AlgebraicType) -> SumType:
    return sum_of(("some", of), ("none", UNIT))


def result(ok: AlgebraicType, err: AlgebraicType) -> SumType:
    return sum_of(("ok", ok), ("err", err))


UNIT: Final = ProductType()
BYTES: Final = ArrayType(Primitive.U8)

# Types that the server knows by the names of their fields.
IDENTITY: Final = product(("__identity__", Primitive.U256))
CONNECTION_ID: Final = product(("__connection_id__", Primitive.U128))
TIMESTAMP: Final = product(("__timestamp_micros_since_unix_epoch__", Primitive.I64))
TIME_DURATION: Final = product(("__time_duration_micros__", Primitive.I64))
UUID: Final = product(("__uuid__", Primitive.U128))
SCHEDULE_AT: Final = sum_of(("Interval", TIME_DURATION), ("Time", TIMESTAMP))

SPECIAL_NAMES: Final[dict[AlgebraicType, str]] = {
    IDENTITY: "Identity",
    CONNECTION_ID: "ConnectionId",
    TIMESTAMP: "Timestamp",
    TIME_DURATION: "TimeDuration",
    UUID: "Uuid",
    SCHEDULE_AT: "ScheduleAt",
}


def some_of(type_: AlgebraicType) -> AlgebraicType | None:
    """What an option holds; None for all that is no option."""
    match type_:
        case SumType((Element("some", payload), Element("none", ProductType(())))):
            return payload
    return None


def result_of(type_: AlgebraicType) -> tuple[AlgebraicType, AlgebraicType] | None:
    """Both sides of a Result; None for all that is none."""
    match type_:
        case SumType((Element("ok", ok), Element("err", err))):
            return ok, err
    return None


def is_plain_enum(type_: AlgebraicType) -> bool:
    """Whether no variant of this sum has a payload."""
    return isinstance(type_, SumType) and all(each.type == UNIT for each in type_.variants)


def described(type_: AlgebraicType, names: Sequence[str] = ()) -> str:
    """A type as people write it; `names` has those of the references."""
    if name := SPECIAL_NAMES.get(type_):
        return name
    if (payload := some_of(type_)) is not None:
        return f"option of {described(payload, names)}"
    match type_:
        case Primitive():
            return str(type_)
        case Ref(index):
            return names[index] if index < len(names) else f"type {index}"
        case ArrayType(element):
            return f"array of {described(element, names)}"
        case ProductType(parts):
            return "(" + ", ".join(described(each.type, names) for each in parts) + ")"
        case SumType(parts):
            return " or ".join(each.name or "?" for each in parts)
