"""The arguments of a call: by position, by name, or as one dict of names. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spacetimedb_bsatn.algebraic import ProductType, Ref
from spacetimedb_client.bindings import Bindings, CallBinding


def encoded_arguments(
    bindings: Bindings, call: CallBinding, args: tuple[Any, ...], named: Mapping[str, Any]
) -> bytes:
    """As the server takes them; raises before anything is sent."""
    return call.codec.encode(bound(bindings, call, args, named))


def bound(
    bindings: Bindings, call: CallBinding, given: Sequence[Any], named: Mapping[str, Any]
) -> tuple[Any, ...]:
    """One value for each parameter, in order."""
    args = list(given)
    if not named and len(args) == 1 and _is_names(bindings, call, args[0]):
        named = args.pop()
    if len(args) > len(call.params):
        raise TypeError(f"{signature(call)} takes {len(call.params)} arguments, not {len(args)}")
    values = dict(zip(call.params, args, strict=False))
    for name, value in named.items():
        if name not in call.params:
            raise TypeError(f"{signature(call)} has no parameter {name!r}")
        if name in values:
            raise TypeError(f"{signature(call)} got {name!r} twice")
        values[name] = value
    if missing := [name for name in call.params if name not in values]:
        raise TypeError(f"{signature(call)} needs {', '.join(missing)}")
    return tuple(values[name] for name in call.params)


def signature(call: CallBinding) -> str:
    return f"{call.name}({', '.join(call.params)})"


def _is_names(bindings: Bindings, call: CallBinding, value: object) -> bool:
    """Whether a lone dict has the arguments, rather than being the only one."""
    if not isinstance(value, Mapping) or not value.keys() <= set(call.params):
        return False
    if len(call.types) != 1:
        return True
    only = call.types[0]
    if isinstance(only, Ref):
        only = bindings.schema.types[only.index]
    return not isinstance(only, ProductType)
