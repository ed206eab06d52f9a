"""Python's values ⇄ values of columns, by their types: exact both ways, or refused. Pure.

A product is a dict, a sum `{"Variant": payload}`, one without any payload the variant's name, an
option its value or None; identities are hexadecimal text, times and durations microseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from spacetimedb_bsatn import ConnectionId, ConversionError, Identity
from spacetimedb_bsatn.algebraic import (
    BYTES,
    CONNECTION_ID,
    IDENTITY,
    TIME_DURATION,
    TIMESTAMP,
    UNIT,
    AlgebraicType,
    ArrayType,
    Element,
    Primitive,
    ProductType,
    SumType,
    is_plain_enum,
    some_of,
)
from spacetimedb_bsatn.algebraic import (
    UUID as UUID_TYPE,
)
from spacetimedb_bsatn.classes import Classes
from spacetimedb_bsatn.conversion import Converter
from spacetimedb_bsatn.plain import Tagged, Types, key_of, resolved
from spacetimedb_bsatn.schema import Schema
from watchglass_sync.errors import ValueMisfit

MICROSECONDS: Final = (TIMESTAMP, TIME_DURATION)
_NUMBERS: Final[dict[ProductType, Callable[[str], int]]] = {
    IDENTITY: lambda text: Identity.from_hex(text).value,
    CONNECTION_ID: lambda text: ConnectionId.from_hex(text).value,
    UUID_TYPE: lambda text: UUID(text).int,
}
_CHECKS: Final = Converter(Classes(Schema()))


def plain_of(type_: AlgebraicType, types: Types, value: Any, where: str) -> Any:
    """The plain value of a type that a Python value stands for. Raises ValueMisfit."""
    whole = resolved(type_, types)
    if isinstance(whole, ProductType) and len(whole.elements) == 1:
        special = _special_plain(whole, value, where)
        if special is not None:
            return special
    match whole:
        case Primitive():
            return _checked(whole, value, where)
        case ArrayType(element):
            return _array(whole, element, types, value, where)
        case ProductType():
            return _product(whole, types, value, where)
        case SumType():
            return _sum(whole, types, value, where)
    raise AssertionError(whole)


def _checked(type_: AlgebraicType, value: Any, where: str) -> Any:
    try:
        return _CHECKS.convert(type_, value, where)
    except ConversionError as problem:
        raise ValueMisfit(str(problem)) from None


def _special_plain(whole: ProductType, value: Any, where: str) -> Any:
    """Of a type that the server knows by the name of its field; None: it is none of these."""
    name = whole.elements[0].name or ""
    if whole in MICROSECONDS:
        return {name: _checked(Primitive.I64, value, where)}
    reader = _NUMBERS.get(whole)
    if reader is None:
        return None
    try:
        return {name: reader(value)}
    except (ValueError, TypeError, AttributeError):
        raise ValueMisfit(f"{where}: {value!r:.80} is not what names one, as text") from None


def _array(
    whole: ArrayType, element: AlgebraicType, types: Types, value: Any, where: str
) -> bytes | list[Any]:
    if whole == BYTES:
        checked: bytes = _checked(whole, value, where)
        return checked
    if not isinstance(value, list):
        raise ValueMisfit(f"{where}: {value!r:.80} is not a list or tuple")
    return [plain_of(element, types, each, f"{where}[{at}]") for at, each in enumerate(value)]


def _product(whole: ProductType, types: Types, value: Any, where: str) -> dict[str, Any]:
    names = [key_of(place, each) for place, each in enumerate(whole.elements)]
    if names and all(each.name is None for each in whole.elements) and isinstance(value, list):
        value = dict(zip(names, value, strict=False))
    if not isinstance(value, dict) or value.keys() != set(names):
        raise ValueMisfit(f"{where}: {value!r:.80} is not a dict of {', '.join(names)}")
    return {
        name: plain_of(each.type, types, value[name], f"{where}.{name}")
        for name, each in zip(names, whole.elements, strict=True)
    }


def _sum(whole: SumType, types: Types, value: Any, where: str) -> Tagged:
    payload = some_of(whole)
    if payload is not None and not _is_option(payload, types):
        if value is None:
            return Tagged("none", 1, {})
        return Tagged("some", 0, plain_of(payload, types, value, where))
    names = [key_of(tag, each) for tag, each in enumerate(whole.variants)]
    only = {value: None} if isinstance(value, str) else value
    if not isinstance(only, dict) or len(only) != 1 or next(iter(only)) not in names:
        raise ValueMisfit(f"{where}: {value!r:.80} is not one of {', '.join(names)}")
    [(name, inside)] = only.items()
    tag = names.index(name)
    type_ = whole.variants[tag].type
    if resolved(type_, types) == UNIT and inside in (None, {}):
        return Tagged(name, tag, {})
    return Tagged(name, tag, plain_of(type_, types, inside, f"{where}.{name}"))


def _is_option(type_: AlgebraicType, types: Types) -> bool:
    whole = resolved(type_, types)
    return some_of(whole) is not None


def python_of(type_: AlgebraicType, types: Types, plain: Any) -> Any:
    """A plain value as Python has it in a session."""
    match resolved(type_, types):
        case ArrayType(element) as whole if whole != BYTES:
            return [python_of(element, types, each) for each in plain]
        case ProductType() as whole:
            return _python_product(whole, types, plain)
        case SumType() as whole:
            return _python_sum(whole, types, plain)
    return plain


def _python_product(whole: ProductType, types: Types, plain: Any) -> Any:
    if whole in MICROSECONDS:
        return plain[whole.elements[0].name]
    if whole == IDENTITY:
        return str(Identity(plain["__identity__"]))
    if whole == CONNECTION_ID:
        return str(ConnectionId(plain["__connection_id__"]))
    if whole == UUID_TYPE:
        return str(UUID(int=plain["__uuid__"]))
    parts = {
        key_of(place, each): python_of(each.type, types, plain[key_of(place, each)])
        for place, each in enumerate(whole.elements)
    }
    is_tuple = parts and all(each.name is None for each in whole.elements)
    return list(parts.values()) if is_tuple else parts


def _python_sum(whole: SumType, types: Types, plain: Tagged) -> Any:
    payload = some_of(whole)
    variant: Element = whole.variants[plain.tag]
    if payload is not None and not _is_option(payload, types):
        return None if plain.tag else python_of(payload, types, plain.value)
    if is_plain_enum(whole):
        return plain.name
    is_bare = resolved(variant.type, types) == UNIT
    return {plain.name: None if is_bare else python_of(variant.type, types, plain.value)}
