"""SATS-JSON ⇄ plain values: the form of schemas, SQL answers and the JSON protocol."""

from collections.abc import Mapping
from typing import Any, Final

from spacetimedb_bsatn.algebraic import (
    BYTES,
    INTEGERS,
    AlgebraicType,
    ArrayType,
    Element,
    Primitive,
    ProductType,
    SumType,
    some_of,
)
from spacetimedb_bsatn.errors import DecodeError, quoted
from spacetimedb_bsatn.plain import Tagged, Types, key_of, resolved

FLOATS: Final = (Primitive.F32, Primitive.F64)
NAMED_FLOATS: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def from_json(type_: AlgebraicType, types: Types, value: Any) -> Any:
    """What `json.loads` gave, as a plain value of a type."""
    match resolved(type_, types):
        case Primitive() as primitive:
            return _primitive(primitive, value)
        case ArrayType() as array:
            return _array(array, types, value)
        case ProductType() as product:
            return _product(product, types, value)
        case SumType() as sum_type:
            return _sum(sum_type, types, value)
    raise AssertionError(type_)


def _refuse(what: str, value: object) -> DecodeError:
    return DecodeError(f"JSON: {quoted(value)} is not {what}")


def _primitive(primitive: Primitive, value: Any) -> Any:
    if primitive in FLOATS:
        return _float(value)
    if primitive is Primitive.STRING or primitive is Primitive.BOOL:
        if not isinstance(value, str if primitive is Primitive.STRING else bool):
            raise _refuse(str(primitive), value)
        return value
    return _integer(primitive, value)


def _float(value: Any) -> float:
    if isinstance(value, str) and value in NAMED_FLOATS:
        return NAMED_FLOATS[value]
    # JSON has no NaN: the server writes null.
    if value is None:
        return NAMED_FLOATS["NaN"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refuse("a number", value)
    return float(value)


def _integer(primitive: Primitive, value: Any) -> int:
    range_ = INTEGERS[primitive]
    if isinstance(value, str) and value.removeprefix("-").startswith("0x"):
        number = _from_hex(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise _refuse(str(primitive), value)
    if not range_.low <= number <= range_.high:
        raise _refuse(str(primitive), value)
    return number


def _from_hex(text: str) -> int:
    """Digits of the number's amount, with a sign in front."""
    try:
        return int(text, 16)
    except ValueError:
        raise _refuse("hexadecimal digits", text) from None


def _array(array: ArrayType, types: Types, value: Any) -> Any:
    if array == BYTES and isinstance(value, str):
        try:
            return bytes.fromhex(value.removeprefix("0x"))
        except ValueError:
            raise _refuse("hexadecimal digits", value) from None
    if not isinstance(value, list):
        raise _refuse("an array", value)
    items = [from_json(array.element, types, item) for item in value]
    return bytes(items) if array == BYTES else items


def _product(product: ProductType, types: Types, value: Any) -> Any:
    keys = [key_of(place, each) for place, each in enumerate(product.elements)]
    if isinstance(value, list) and len(value) == len(keys):
        value = dict(zip(keys, value, strict=True))
    if not isinstance(value, Mapping) or not value.keys() >= set(keys):
        raise _refuse(f"a product of {', '.join(keys) or 'nothing'}", value)
    return {
        key: from_json(each.type, types, value[key])
        for key, each in zip(keys, product.elements, strict=True)
    }


def _sum(sum_type: SumType, types: Types, value: Any) -> Any:
    if value is None and some_of(sum_type) is not None:
        value = [1, []]
    match value:
        case [int(tag), payload] if 0 <= tag < len(sum_type.variants):
            return _variant(sum_type, tag, types, payload)
        case {**only} if len(only) == 1:
            [(name, payload)] = only.items()
            for tag, each in enumerate(sum_type.variants):
                if key_of(tag, each) == name:
                    return _variant(sum_type, tag, types, payload)
    raise _refuse(f"one of {[each.name for each in sum_type.variants]}", value)


def _variant(sum_type: SumType, tag: int, types: Types, payload: Any) -> Tagged:
    chosen: Element = sum_type.variants[tag]
    return Tagged(key_of(tag, chosen), tag, from_json(chosen.type, types, payload))


def to_json(type_: AlgebraicType, types: Types, value: Any) -> Any:
    """A plain value as what `json.dumps` takes; floats that JSON does not know become names."""
    match resolved(type_, types):
        case Primitive() as primitive:
            return _json_primitive(primitive, value)
        case ArrayType() as array:
            if array == BYTES:
                return value.hex()
            return [to_json(array.element, types, item) for item in value]
        case ProductType(elements):
            return [
                to_json(each.type, types, value[key_of(place, each)])
                for place, each in enumerate(elements)
            ]
        case SumType(variants):
            return {value.name: to_json(variants[value.tag].type, types, value.value)}
    raise AssertionError(type_)


def _json_primitive(primitive: Primitive, value: Any) -> Any:
    if primitive in FLOATS:
        finite = value == value and abs(value) != float("inf")
        return value if finite else None if value != value else NAMED_INFINITIES[value > 0]
    if primitive in (Primitive.I256, Primitive.U256):
        return f"{'-' if value < 0 else ''}0x{abs(value):064x}"
    return value


NAMED_INFINITIES: Final = ("-Infinity", "Infinity")
