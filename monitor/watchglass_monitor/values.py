"""Exact values ⇄ JSON: what JSON cannot say by itself comes tagged, `{"$type": "tuple", …}`."""

import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable
from json.encoder import encode_basestring_ascii
from math import inf, isfinite, nan
from typing import Any

from .wire import JSON

MAX_BYTES = 8 * 1024
MAX_DEPTH = 64
MAX_NODES = 100_000

# JavaScript's numbers are exact up to here.
_EXACT_IN_JAVASCRIPT = 2**53
# Python refuses decimal text of more than 4,300 digits, and can be told to refuse 641.
_DECIMAL_BITS = 2048
_HEXADECIMAL = re.compile(r"-?0x[0-9a-f]+")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,639})")
_SPECIAL_FLOATS = {"nan": nan, "inf": inf, "-inf": -inf}


class NotExact(Exception):
    """The value has no exact JSON form, or one that is too long: show its preview instead."""


class ValueMistake(ValueError):
    """JSON that stands for no value; `place` names where in it the mistake is."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place


def encode(value: object, max_bytes: int = MAX_BYTES) -> JSON:
    """The exact JSON form of a value of builtin types; raises NotExact."""
    return _Encoder(max_bytes).encode(value, 0)


def decode(data: object, place: str = "value") -> Any:
    """The value that tagged JSON stands for; raises ValueMistake."""
    return _Decoder().decode(data, place, 0)


class _Encoder:
    """One value on its way to JSON, and how many bytes of JSON text are left for it."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._open: set[int] = set()

    def encode(self, value: object, depth: int) -> JSON:
        # `type()` only: an instance of a subclass is more than its builtin part.
        encoder = _ENCODERS.get(id(type(value)))
        if encoder is None or depth > MAX_DEPTH:
            raise NotExact
        return encoder(self, value, depth)

    def spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise NotExact

    def tagged(self, kind: str, value: JSON) -> JSON:
        self.spend(len(kind) + 21)
        return {"$type": kind, "value": value}

    def constant(self, value: Any, depth: int) -> JSON:
        self.spend(5)
        return value  # type: ignore[no-any-return]

    def integer(self, value: int, depth: int) -> JSON:
        bits = value.bit_length()
        self.spend(1 + bits * 3 // 10)
        if -_EXACT_IN_JAVASCRIPT <= value <= _EXACT_IN_JAVASCRIPT:
            return value
        return self.tagged("int", str(value) if bits <= _DECIMAL_BITS else hex(value))

    def floating(self, value: float, depth: int) -> JSON:
        self.spend(len(repr(value)))
        return value if isfinite(value) else self.tagged("float", repr(value))

    def of_complex(self, value: complex, depth: int) -> JSON:
        parts = [self.floating(value.real, depth), self.floating(value.imag, depth)]
        return self.tagged("complex", parts)

    def string(self, value: str, depth: int) -> JSON:
        self.spend(len(value))
        try:
            value.encode()
        except UnicodeEncodeError:
            # JSON libraries disagree about lone surrogates: most refuse them.
            return self.binary_text("str", value.encode("utf-8", "surrogatepass"))
        self.spend(len(encode_basestring_ascii(value)) - len(value))
        return value

    def binary_text(self, kind: str, value: bytes | bytearray) -> JSON:
        self.spend(len(value) * 4 // 3 + 6)
        return self.tagged(kind, b64encode(value).decode("ascii"))

    def binary(self, value: bytes | bytearray, depth: int) -> JSON:
        return self.binary_text("bytes" if type(value) is bytes else "bytearray", value)

    def listed(self, value: Iterable[object], length: int, identity: int, depth: int) -> JSON:
        if identity in self._open:
            raise NotExact
        self.spend(2 + 2 * length)
        self._open.add(identity)
        items = [self.encode(item, depth + 1) for item in value]
        self._open.discard(identity)
        return items

    def of_list(self, value: list[object], depth: int) -> JSON:
        return self.listed(value, len(value), id(value), depth)

    def of_tuple(self, value: tuple[object, ...], depth: int) -> JSON:
        return self.tagged("tuple", self.listed(value, len(value), id(value), depth + 1))

    def of_set(self, value: set[object] | frozenset[object], depth: int) -> JSON:
        kind = "set" if type(value) is set else "frozenset"
        return self.tagged(kind, self.listed(value, len(value), id(value), depth + 1))

    def of_dict(self, value: dict[Any, object], depth: int) -> JSON:
        if id(value) in self._open:
            raise NotExact
        self.spend(2 + 2 * len(value))
        self._open.add(id(value))
        plain = all(type(key) is str and _is_plain_key(key) for key in value)
        encoded = self.plain_dict(value, depth) if plain else self.pairs(value, depth)
        self._open.discard(id(value))
        return encoded

    def plain_dict(self, value: dict[str, object], depth: int) -> JSON:
        encoded: dict[str, JSON] = {}
        for key, item in value.items():
            self.spend(len(encode_basestring_ascii(key)) + 2)
            encoded[key] = self.encode(item, depth + 1)
        return encoded

    def pairs(self, value: dict[object, object], depth: int) -> JSON:
        pairs: list[JSON] = []
        for key, item in value.items():
            self.spend(6)
            pairs.append([self.encode(key, depth + 2), self.encode(item, depth + 2)])
        return self.tagged("dict", pairs)


def _is_plain_key(key: str) -> bool:
    """Whether a JSON object can have this key without being taken for a tag."""
    if key == "$type":
        return False
    return key.isascii() or not any("\ud800" <= character <= "\udfff" for character in key)


# Keyed by the id of the type: looking a type up by itself would call its metaclass's `__hash__`.
_ENCODERS: dict[int, Callable[[_Encoder, Any, int], JSON]] = {
    id(type(None)): _Encoder.constant,
    id(bool): _Encoder.constant,
    id(int): _Encoder.integer,
    id(float): _Encoder.floating,
    id(complex): _Encoder.of_complex,
    id(str): _Encoder.string,
    id(bytes): _Encoder.binary,
    id(bytearray): _Encoder.binary,
    id(list): _Encoder.of_list,
    id(tuple): _Encoder.of_tuple,
    id(set): _Encoder.of_set,
    id(frozenset): _Encoder.of_set,
    id(dict): _Encoder.of_dict,
}


class _Decoder:
    """One JSON text on its way to a value, and how many nodes it may still have."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def decode(self, data: object, place: str, depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            raise ValueMistake(place, f"more than {MAX_NODES:,} values; send an expression instead")
        if depth > MAX_DEPTH:
            raise ValueMistake(place, f"nested deeper than {MAX_DEPTH}; send an expression instead")
        if data is None or type(data) in (bool, int, float, str):
            return data
        if type(data) is list:
            return self.items(data, place, depth)
        if type(data) is dict:
            return (
                self.tagged(data, place, depth)
                if "$type" in data
                else self.to_object(data, place, depth)
            )
        raise ValueMistake(place, f"{type(data).__name__} is not JSON")

    def items(self, data: object, place: str, depth: int) -> list[Any]:
        if type(data) is not list:
            raise ValueMistake(place, f"must be a list, not {_json_name(data)}")
        return [
            self.decode(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(data)
        ]

    def to_object(self, data: dict[Any, Any], place: str, depth: int) -> dict[str, Any]:
        return {key: self.decode(item, _at(place, key), depth + 1) for key, item in data.items()}

    def tagged(self, data: dict[Any, Any], place: str, depth: int) -> Any:
        kind = data["$type"]
        decoder = _DECODERS.get(kind) if type(kind) is str else None
        if decoder is None:
            known = ", ".join(sorted(_DECODERS))
            raise ValueMistake(f"{place}.$type", f"must be one of {known}")
        if data.keys() != {"$type", "value"}:
            raise ValueMistake(place, 'a tagged value has exactly the fields "$type" and "value"')
        return decoder(self, data["value"], f"{place}.value", depth + 1)

    def integer(self, data: object, place: str, depth: int) -> int:
        if type(data) is str and _DECIMAL.fullmatch(data):
            return int(data)
        if type(data) is str and _HEXADECIMAL.fullmatch(data):
            return int(data, 16)
        raise ValueMistake(
            place, "must be the digits of an integer, as a string; beyond 640 digits as 0x…"
        )

    def floating(self, data: object, place: str, depth: int) -> float:
        if type(data) is str and data in _SPECIAL_FLOATS:
            return _SPECIAL_FLOATS[data]
        raise ValueMistake(place, 'must be "nan", "inf" or "-inf"; other numbers need no tag')

    def to_complex(self, data: object, place: str, depth: int) -> complex:
        parts = self.items(data, place, depth)
        if len(parts) != 2 or any(type(part) not in (int, float) for part in parts):
            raise ValueMistake(place, "must be two numbers, [real, imaginary]")
        return complex(*parts)

    def string(self, data: object, place: str, depth: int) -> str:
        try:
            return self.binary(data, place, depth).decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise ValueMistake(place, "must be base64 of UTF-8") from None

    def binary(self, data: object, place: str, depth: int) -> bytes:
        try:
            if type(data) is str:
                return b64decode(data.encode("ascii"), validate=True)
        except (Base64Error, UnicodeEncodeError):
            pass
        raise ValueMistake(place, "must be base64 text")

    def to_bytearray(self, data: object, place: str, depth: int) -> bytearray:
        return bytearray(self.binary(data, place, depth))

    def to_tuple(self, data: object, place: str, depth: int) -> tuple[Any, ...]:
        return tuple(self.items(data, place, depth))

    def to_frozenset(self, data: object, place: str, depth: int) -> frozenset[Any]:
        members: dict[Any, None] = {}
        for index, item in enumerate(self.items(data, place, depth)):
            self.add(members, item, None, f"{place}[{index}]")
        return frozenset(members)

    def to_set(self, data: object, place: str, depth: int) -> set[Any]:
        return set(self.to_frozenset(data, place, depth))

    def to_dict(self, data: object, place: str, depth: int) -> dict[Any, Any]:
        if type(data) is not list:
            raise ValueMistake(
                place, f"must be a list of [key, value] pairs, not {_json_name(data)}"
            )
        decoded: dict[Any, Any] = {}
        for index, pair in enumerate(data):
            where = f"{place}[{index}]"
            if type(pair) is not list or len(pair) != 2:
                raise ValueMistake(where, "must be a [key, value] pair")
            key = self.decode(pair[0], f"{where}[0]", depth + 1)
            self.add(decoded, key, self.decode(pair[1], f"{where}[1]", depth + 1), f"{where}[0]")
        return decoded

    def add(self, members: dict[Any, Any], key: Any, value: Any, place: str) -> None:
        try:
            known = key in members
        except TypeError:
            raise ValueMistake(
                place, f"a {type(key).__name__} cannot be a key or a member"
            ) from None
        if known:
            raise ValueMistake(place, "is there twice")
        members[key] = value


_DECODERS: dict[str, Callable[[_Decoder, object, str, int], Any]] = {
    "int": _Decoder.integer,
    "float": _Decoder.floating,
    "complex": _Decoder.to_complex,
    "str": _Decoder.string,
    "bytes": _Decoder.binary,
    "bytearray": _Decoder.to_bytearray,
    "tuple": _Decoder.to_tuple,
    "set": _Decoder.to_set,
    "frozenset": _Decoder.to_frozenset,
    "dict": _Decoder.to_dict,
}

_JSON_NAMES = {
    type(None): "null", bool: "a boolean", int: "a number", float: "a number",
    str: "a string", list: "a list", dict: "an object",
}  # fmt: skip


def _json_name(data: object) -> str:
    return _JSON_NAMES.get(type(data), "something else")


def _at(place: str, key: str) -> str:
    """Where in the JSON: shortened from the left, so that the mistake itself stays readable."""
    step = f".{key[:40]}" if key.isidentifier() else f"[{encode_basestring_ascii(key[:40])}]"
    return (place + step)[-300:]
