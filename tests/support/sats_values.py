"""Random types of SATS, and random values of them, for property tests."""

from __future__ import annotations

import functools
import uuid
from typing import Any

from hypothesis import strategies as st

from spacetimedb_bsatn import (
    ConnectionId,
    Err,
    Identity,
    Ok,
    ScheduleAt,
    Schema,
    Some,
    TimeDuration,
    Timestamp,
)
from spacetimedb_bsatn.algebraic import (
    BYTES,
    CONNECTION_ID,
    IDENTITY,
    INTEGERS,
    SCHEDULE_AT,
    TIME_DURATION,
    TIMESTAMP,
    UNIT,
    UUID,
    AlgebraicType,
    ArrayType,
    Primitive,
    ProductType,
    Ref,
    SumType,
    is_plain_enum,
    option,
    product,
    result,
    result_of,
    some_of,
    sum_of,
)
from spacetimedb_bsatn.classes import Classes, variant_classes
from spacetimedb_bsatn.schema import TypeName

DEEPEST = 3  # a value of a type that holds itself ends here

# Named types that random types refer to: flat, nested, without payload, holding themselves.
POINT, TREE, COLOUR, SHAPE, NOTHING, DEEP = (Ref(place) for place in range(6))
NAMED: tuple[AlgebraicType, ...] = (
    product(("x", Primitive.F64), ("y", Primitive.F32), ("class", COLOUR)),
    product(("name", Primitive.STRING), ("children", ArrayType(TREE))),
    sum_of(("Red", UNIT), ("Green", UNIT), ("None", UNIT)),
    sum_of(("Circle", Primitive.F64), ("Path", ArrayType(POINT)), ("Empty", UNIT), ("Of", TREE)),
    ProductType(),
    product(("shape", SHAPE), ("again", option(DEEP)), ("flags", ArrayType(Primitive.BOOL))),
)
NAMES = ("Point", "Tree", "Colour", "Shape", "Nothing", "Deep")
SCHEMA = Schema(NAMED, tuple(TypeName(name, ref) for ref, name in enumerate(NAMES)))

SPECIAL: dict[AlgebraicType, st.SearchStrategy[Any]] = {
    IDENTITY: st.integers(0, 2**256 - 1).map(Identity),
    CONNECTION_ID: st.integers(0, 2**128 - 1).map(ConnectionId),
    TIMESTAMP: st.integers(-(2**63), 2**63 - 1).map(Timestamp),
    TIME_DURATION: st.integers(-(2**63), 2**63 - 1).map(TimeDuration),
    UUID: st.integers(0, 2**128 - 1).map(lambda number: uuid.UUID(int=number)),
    SCHEDULE_AT: st.one_of(
        st.integers(0, 2**62).map(lambda n: ScheduleAt.Interval(TimeDuration(n))),
        st.integers(0, 2**62).map(lambda n: ScheduleAt.Time(Timestamp(n))),
    ),
}
PRIMITIVES: dict[Primitive, st.SearchStrategy[Any]] = {
    Primitive.BOOL: st.booleans(),
    Primitive.STRING: st.text(max_size=20),
    Primitive.F32: st.floats(width=32, allow_nan=False),
    Primitive.F64: st.floats(allow_nan=False),
} | {each: st.integers(range_.low, range_.high) for each, range_ in INTEGERS.items()}

LEAVES = st.sampled_from([*Primitive, *SPECIAL, UNIT, BYTES, *(Ref(n) for n in range(len(NAMED)))])


def composites(inner: st.SearchStrategy[AlgebraicType]) -> st.SearchStrategy[AlgebraicType]:
    return st.one_of(
        inner.map(ArrayType),
        inner.map(option),
        st.tuples(inner, inner).map(lambda both: result(*both)),
        st.lists(inner, max_size=4).map(
            lambda parts: product(*((f"field{n}", each) for n, each in enumerate(parts)))
        ),
    )


TYPES: st.SearchStrategy[AlgebraicType] = st.recursive(LEAVES, composites, max_leaves=8)


@functools.cache
def values(type_: AlgebraicType, classes: Classes, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of a type, as a decoder makes them."""
    if type_ in SPECIAL:
        return SPECIAL[type_]
    match type_:
        case Primitive():
            return PRIMITIVES[type_]
        case Ref(index):
            return named_values(index, classes, depth)
        case ArrayType(element) if type_ == BYTES:
            return st.binary(max_size=20)
        case ArrayType(element):
            if depth > DEEPEST:
                return st.just(())
            return st.lists(values(element, classes, depth + 1), max_size=4).map(tuple)
        case ProductType(parts):
            return st.tuples(*(values(each.type, classes, depth + 1) for each in parts))
        case SumType():
            return sum_values(type_, classes, depth)


def sum_values(type_: SumType, classes: Classes, depth: int) -> st.SearchStrategy[Any]:
    if (payload := some_of(type_)) is not None:
        if depth > DEEPEST:
            return st.none()
        inner = values(payload, classes, depth + 1)
        is_nested = some_of(classes.resolved(payload)) is not None
        return st.none() | (inner.map(Some) if is_nested else inner)
    sides = result_of(type_)
    assert sides is not None
    ok, err = (values(side, classes, depth + 1) for side in sides)
    return ok.map(Ok) | err.map(Err)


def named_values(index: int, classes: Classes, depth: int) -> st.SearchStrategy[Any]:
    made: Any = classes.of(index)
    type_ = classes.types[index]
    if isinstance(type_, SumType) and is_plain_enum(type_):
        return st.sampled_from(list(made))
    if isinstance(type_, SumType):
        return variant_values(made, type_, classes, depth)
    assert isinstance(type_, ProductType)
    parts = [values(each.type, classes, depth + 1) for each in type_.elements]
    return st.tuples(*parts).map(lambda fields: made(*fields))


def variant_values(
    made: type, type_: SumType, classes: Classes, depth: int
) -> st.SearchStrategy[Any]:
    choices: list[st.SearchStrategy[Any]] = []
    for each, element in zip(variant_classes(made, type_), type_.variants, strict=True):
        if element.type == UNIT:
            choices.append(st.builds(each))
        elif depth <= DEEPEST:
            choices.append(values(element.type, classes, depth + 1).map(each))
    return st.one_of(choices)
