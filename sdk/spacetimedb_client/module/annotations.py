"""Python's annotations → types: `str`, `u8`, `list[Identity]`, `f64 | None`."""

from __future__ import annotations

import types
from typing import Annotated, Any, Final, Union, get_args, get_origin

from spacetimedb_bsatn import (
    ConnectionId,
    Identity,
    ScheduleAt,
    TimeDuration,
    Timestamp,
    Uuid,
    ValidationError,
)
from spacetimedb_bsatn import algebraic as sats
from spacetimedb_bsatn.algebraic import (
    AlgebraicType,
    ArrayType,
    Primitive,
    ProductType,
    Ref,
    SumType,
    option,
)

PLAIN: Final[dict[Any, AlgebraicType]] = {
    bool: Primitive.BOOL,
    int: Primitive.I64,
    float: Primitive.F64,
    str: Primitive.STRING,
    bytes: sats.BYTES,
    None: sats.UNIT,
    type(None): sats.UNIT,
    Identity: sats.IDENTITY,
    ConnectionId: sats.CONNECTION_ID,
    Timestamp: sats.TIMESTAMP,
    TimeDuration: sats.TIME_DURATION,
    ScheduleAt: sats.SCHEDULE_AT,
    Uuid: sats.UUID,
}


def type_of(annotation: Any, where: str) -> AlgebraicType:
    """The type that an annotation names; types themselves pass."""
    if isinstance(annotation, Primitive | Ref | ArrayType | ProductType | SumType):
        return annotation
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated and isinstance(arguments[1], Primitive):
        return arguments[1]
    if origin is list or (origin is tuple and arguments[1:] == (...,)):
        return ArrayType(type_of(arguments[0], where))
    if origin in (Union, types.UnionType):
        return _optional(arguments, annotation, where)
    try:
        return PLAIN[annotation]
    except (KeyError, TypeError):
        raise ValidationError(
            f"{where}: {annotation!r} is no type; take bool, int, float, str, bytes, "
            "u8 … i256, f32, list[…], … | None, Identity, Timestamp and their like, or what "
            "module.enum, module.product and module.sum return"
        ) from None


def _optional(arguments: tuple[Any, ...], annotation: Any, where: str) -> AlgebraicType:
    payload = [each for each in arguments if each is not type(None)]
    if len(payload) == 1 and len(arguments) == 2:
        return option(type_of(payload[0], where))
    raise ValidationError(f"{where}: {annotation!r}; only … | None can be written so: module.sum")
