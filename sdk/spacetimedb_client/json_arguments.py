"""Arguments of a call in Python's values → the JSON that servers take over HTTP. No I/O here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from spacetimedb_bsatn import ConversionError
from spacetimedb_bsatn.plain import decode_plain, encode_plain
from spacetimedb_bsatn.sats_json import from_json, to_json
from spacetimedb_client.arguments import encoded_arguments
from spacetimedb_client.bindings import Bindings, CallBinding


def json_arguments(
    bindings: Bindings, call: CallBinding, args: tuple[Any, ...], named: Mapping[str, Any]
) -> Any:
    """One item for each parameter; raises before anything is sent."""
    types = bindings.schema.types
    encoded = encoded_arguments(bindings, call, args, named)
    plain = decode_plain(call.codec.type, types, encoded)
    if not is_finite(plain):
        hint = "JSON has none: call it over a connection, connect(…)"
        raise ConversionError(call.name, plain, "without NaN and infinity", hint)
    return to_json(call.codec.type, types, plain)


def json_value(bindings: Bindings, call: CallBinding, answer: Any) -> Any:
    """What a procedure returned."""
    if call.ok is None:
        return None
    types = bindings.schema.types
    return call.ok.decode(encode_plain(call.ok.type, types, from_json(call.ok.type, types, answer)))


def is_finite(plain: Any) -> bool:
    """Whether there is neither NaN nor infinity in a plain value."""
    match plain:
        case float():
            return math.isfinite(plain)
        case dict():
            return all(map(is_finite, plain.values()))
        case list() | tuple():
            return all(map(is_finite, plain))
    return True
