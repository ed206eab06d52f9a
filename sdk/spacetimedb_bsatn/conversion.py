"""A Python value → the value that an encoder takes, or an error that says what does not fit."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from spacetimedb_bsatn.algebraic import (
    BYTES,
    INTEGERS,
    SCHEDULE_AT,
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
from spacetimedb_bsatn.classes import Classes, variant_classes
from spacetimedb_bsatn.decoder_source import SPECIAL
from spacetimedb_bsatn.errors import ConversionError, kind
from spacetimedb_bsatn.identity import HexNumber
from spacetimedb_bsatn.names import python_name
from spacetimedb_bsatn.times import Interval, Time, TimeDuration, Timestamp
from spacetimedb_bsatn.values import Err, Ok, Some

LARGEST_F32: Final = 3.4028235677973362e38  # rounds to infinity from here on


class Converter:
    """Converts values of the types of one schema."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes

    def convert(self, type_: AlgebraicType, value: Any, field: str) -> Any:
        """The value as the encoder takes it; `field` says where it is."""
        if type_ in SPECIAL:
            return _special(type_, value, field)
        match type_:
            case Primitive():
                return _primitive(type_, value, field)
            case Ref(index):
                return self._reference(index, value, field)
            case ArrayType(element):
                return self._array(element, value, field)
            case ProductType():
                return self._tuple(type_, value, field)
            case SumType():
                return self._sum(type_, value, field)
        raise AssertionError(type_)

    def _reference(self, index: int, value: Any, field: str) -> Any:
        made = self._classes.of(index)
        type_ = self._classes.types[index]
        if made is None:
            return self.convert(type_, value, field)
        if isinstance(type_, ProductType):
            return self._product(made, type_, value, field)
        assert isinstance(type_, SumType)
        if is_plain_enum(type_):
            return _member(made, value, field)
        return self._variant(made, type_, value, field)

    def _array(self, element: AlgebraicType, value: Any, field: str) -> Any:
        if element == BYTES.element:
            return _bytes(value, field)
        is_listlike = hasattr(value, "__len__") and hasattr(value, "__getitem__")
        if not is_listlike or isinstance(value, str | bytes | bytearray | Mapping):
            hint = "pass [value] for an array of one" if isinstance(value, str) else "pass list(…)"
            raise ConversionError(field, value, "a list or tuple", hint)
        return [self.convert(element, each, f"{field}[{at}]") for at, each in enumerate(value)]

    def _product(self, made: Any, type_: ProductType, value: Any, field: str) -> Any:
        if isinstance(value, Mapping):
            values = self._values_of_mapping(made, value, field)
        elif isinstance(value, made):
            values = [getattr(value, each) for each in made.__match_args__]
        else:
            hint = stranger(made, value) or f"pass {made.__name__}(…) or a dict of its fields"
            raise ConversionError(field, value, f"a {made.__name__}", hint)
        return made(
            *(
                self.convert(each.type, one, f"{field}.{name}" if field else name)
                for name, each, one in zip(made.__match_args__, type_.elements, values, strict=True)
            )
        )

    def _values_of_mapping(self, made: Any, value: Mapping[Any, Any], field: str) -> list[Any]:
        given = {python_name(str(key)): each for key, each in value.items()}
        fields: Sequence[str] = made.__match_args__
        if missing := [each for each in fields if each not in given]:
            raise ConversionError(
                field, value, f"a {made.__name__}", f"missing: {', '.join(missing)}"
            )
        if extra := [each for each in given if each not in fields]:
            expected = f"a {made.__name__} with only {', '.join(fields)}"
            raise ConversionError(field, value, expected, f"not a field: {', '.join(extra)}")
        return [given[each] for each in fields]

    def _tuple(self, type_: ProductType, value: Any, field: str) -> Any:
        count = len(type_.elements)
        if not isinstance(value, tuple | list) or len(value) != count:
            raise ConversionError(field, value, f"a tuple of {count}")
        prefix = f"{field}." if field else ""
        return tuple(
            self.convert(each.type, one, f"{prefix}{each.name or at}")
            for at, (each, one) in enumerate(zip(type_.elements, value, strict=True))
        )

    def _sum(self, type_: SumType, value: Any, field: str) -> Any:
        if (payload := some_of(type_)) is not None:
            return self._option(payload, value, field)
        if sides := result_of(type_):
            if isinstance(value, Ok):
                return Ok(self.convert(sides[0], value.value, field))
            if isinstance(value, Err):
                return Err(self.convert(sides[1], value.error, field))
            raise ConversionError(field, value, "a Result", "pass Ok(…) or Err(…)")
        if type_ == SCHEDULE_AT:
            return _schedule_at(value, field)
        raise ConversionError(
            field, value, "of a type that has a name", "name the sum in the module"
        )

    def _option(self, payload: AlgebraicType, value: Any, field: str) -> Any:
        if value is None:
            return None
        if some_of(self._classes.resolved(payload)) is None:
            return self.convert(payload, value, field)
        if not isinstance(value, Some):
            expected = "None or Some(…), as the option holds another option"
            raise ConversionError(field, value, expected, "pass Some(value)")
        return Some(self.convert(payload, value.value, field))

    def _variant(self, made: type, type_: SumType, value: Any, field: str) -> Any:
        classes: list[Any] = variant_classes(made, type_)
        for each, element in zip(classes, type_.variants, strict=True):
            if isinstance(value, each):
                if element.type == UNIT:
                    return value
                inside = self.convert(element.type, value.value, f"{field}.{each.__name__}")
                return each(inside)
        hint = f"pass one of {', '.join(each.__qualname__ for each in classes)}"
        for each in classes:
            if value is each:
                hint = f"write {each.__qualname__}({'…' if each.__match_args__ else ''})"
            hint = stranger(each, value) or hint
        raise ConversionError(field, value, f"a {made.__name__}", hint)


def stranger(made: type, value: object) -> str:
    """What to do where a value is of a class with the same name, of bindings made elsewhere."""
    if type(value).__qualname__ != made.__qualname__:
        return ""
    return "it is of other bindings: take the class of those that are used here, bindings.types"


def _primitive(primitive: Primitive, value: Any, field: str) -> Any:
    match primitive:
        case Primitive.BOOL:
            if not isinstance(value, bool):
                raise ConversionError(field, value, "a bool", "pass True or False, or bool(…)")
            return value
        case Primitive.STRING:
            return _string(value, field)
        case Primitive.F32 | Primitive.F64:
            return _float(primitive, value, field)
    return _integer(primitive, value, field)


def _integer(primitive: Primitive, value: Any, field: str) -> int:
    range_ = INTEGERS[primitive]
    expected = f"{primitive}, a whole number from {range_.low} to {range_.high}"
    try:
        number = operator.index(value)
    except TypeError:
        raise ConversionError(field, value, expected, _whole(value)) from None
    if not range_.low <= number <= range_.high:
        raise ConversionError(field, value, expected, _wider(number))
    return number


def _whole(value: Any) -> str:
    if isinstance(value, float | str):
        return "pass int(…)"
    return f"a {kind(value)} is no number"


def _wider(number: int) -> str:
    for each, range_ in INTEGERS.items():
        if range_.low <= number <= range_.high:
            return f"it fits {each}: change the type in the module, or the value"
    return "no integer type holds it: send it as a string or as bytes"


def _float(primitive: Primitive, value: Any, field: str) -> float:
    if isinstance(value, str | bytes) or not hasattr(value, "__float__"):
        raise ConversionError(field, value, f"{primitive}, a number", "pass float(…)")
    try:
        number = float(value)
    except (OverflowError, ValueError, TypeError):
        raise ConversionError(
            field, value, f"{primitive}, a number", "too large for any float"
        ) from None
    is_finite = number - number == 0
    if primitive is Primitive.F32 and is_finite and abs(number) >= LARGEST_F32:
        expected = "f32, a number up to 3.4028235e+38"
        raise ConversionError(field, value, expected, "it fits f64: change the type in the module")
    return number


def _string(value: Any, field: str) -> str:
    if not isinstance(value, str):
        hint = "pass bytes.decode()" if isinstance(value, bytes) else "pass str(…)"
        raise ConversionError(field, value, "a str", hint)
    try:
        value.encode()
    except UnicodeEncodeError:
        hint = "a lone surrogate cannot be encoded: send such text as bytes"
        raise ConversionError(field, value, "a str that UTF-8 can encode", hint) from None
    return str(value)


def _bytes(value: Any, field: str) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return bytes(
            _integer(Primitive.U8, each, f"{field}[{at}]") for at, each in enumerate(value)
        )
    hint = "pass str.encode()" if isinstance(value, str) else "pass bytes(…)"
    raise ConversionError(field, value, "bytes", hint)


def _special(type_: AlgebraicType, value: Any, field: str) -> Any:
    made, _ = SPECIAL[type_]
    if isinstance(value, made):
        return value
    if made is Timestamp and isinstance(value, datetime):
        return Timestamp.from_datetime(value)
    if made is TimeDuration and isinstance(value, timedelta):
        return TimeDuration.from_timedelta(value)
    hint = f"pass {made.__name__}(…)"
    if issubclass(made, HexNumber) and isinstance(value, str):
        hint = f"pass {made.__name__}.from_hex(…)"
    raise ConversionError(field, value, f"a {made.__name__}", hint)


def _schedule_at(value: Any, field: str) -> Any:
    match value:
        case Interval(TimeDuration()) | Time(Timestamp()):
            return value
        case TimeDuration() | timedelta():
            from_delta = (
                value if isinstance(value, TimeDuration) else TimeDuration.from_timedelta(value)
            )
            return Interval(from_delta)
        case Timestamp():
            return Time(value)
    hint = "pass ScheduleAt.Interval(TimeDuration) or ScheduleAt.Time(Timestamp)"
    raise ConversionError(field, value, "a ScheduleAt", hint)


def _member(made: Any, value: Any, field: str) -> Any:
    try:
        return made(value)
    except ValueError:
        names = ", ".join(f"{made.__name__}.{each.name}" for each in made)
        raise ConversionError(field, value, f"a {made.__name__}", f"one of {names}") from None
