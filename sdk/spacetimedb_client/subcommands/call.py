"""`spacetimedb-py call`: a reducer, or a procedure, with arguments as they are typed."""

from __future__ import annotations

import argparse
import contextlib
import json
from typing import Any, Final

from spacetimedb_bsatn import (
    AlgebraicType,
    ConversionError,
    DecodeError,
    Primitive,
    Schema,
    ValidationError,
)
from spacetimedb_bsatn.algebraic import CONNECTION_ID, IDENTITY, described, some_of
from spacetimedb_bsatn.plain import encode_plain
from spacetimedb_bsatn.sats_json import from_json, to_json
from spacetimedb_client.arguments import signature
from spacetimedb_client.bindings import Bindings, CallBinding
from spacetimedb_client.printing import json_of, shown
from spacetimedb_client.subcommands.asking import add_database, admin_of
from spacetimedb_client.terminal import Terminal

NAME: Final = "call"
HELP: Final = "call a reducer, or a procedure of a server from 2.0 on"


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("reducer")
    command.add_argument(
        "arguments",
        nargs="*",
        help='JSON, as 5, true, [1, 2], {"id": 7}, null; texts and identities need no quotes',
    )
    add_database(command)


async def run(options: argparse.Namespace, terminal: Terminal) -> None:
    async with admin_of(options) as admin:
        bindings = await admin.bindings(options.database)
        call = bindings.reducers.get(options.reducer) or bindings.procedures.get(options.reducer)
        # Without one, the call itself says which there are.
        arguments = typed(bindings, call, options.arguments) if call else []
        with terminal.progress(f"calling {options.reducer}"):
            result = await admin.call(options.database, options.reducer, *arguments)
    micros = result.duration.micros if result.duration else None
    if terminal.is_json:
        value = json_of(result.value)
        told = {"value": value, "energy": result.energy, "duration_micros": micros}
        terminal.json(told)
    elif result.value is not None:
        terminal.say(shown(result.value))
    took = "" if micros is None else f", {micros / 1000:g} ms"
    terminal.note(f"{options.reducer}: done{took}")


def typed(bindings: Bindings, call: CallBinding, texts: list[str]) -> list[Any]:
    """Values of the parameters' types."""
    if len(texts) != len(call.params):
        counts = f"{len(call.params)} arguments, not {len(texts)}"
        raise ValidationError(f"{signature(call)} takes {counts}")
    return [
        value_of(bindings, type_, text, f"{call.name}.{name}")
        for type_, text, name in zip(call.types, texts, call.params, strict=True)
    ]


def value_of(bindings: Bindings, type_: AlgebraicType, text: str, where: str) -> Any:
    """A Python value of what was typed."""
    plain = plain_of(type_, bindings.schema, text)
    if plain is None:
        expected = described(type_, bindings.classes.names())
        hint = "write it as JSON, in the quotes of your shell"
        raise ConversionError(where, text, expected, hint)
    codec = bindings.codecs.of(type_, where)
    return codec.decode(encode_plain(type_, bindings.schema.types, plain[0]))


def plain_of(type_: AlgebraicType, schema: Schema, text: str) -> tuple[Any] | None:
    """The first reading of a text that is a value of the type."""
    for reading in readings(type_, text):
        try:
            return (from_json(type_, schema.types, reading),)
        except DecodeError:
            continue
    payload = some_of(type_)
    if payload is not None and (inner := plain_of(payload, schema, text)):
        return (from_some(type_, schema, inner[0], payload),)
    return None


def from_some(type_: AlgebraicType, schema: Schema, plain: Any, payload: AlgebraicType) -> Any:
    """An option that holds a plain value."""
    from_plain = to_json(payload, schema.types, plain)
    return from_json(type_, schema.types, {"some": from_plain})


def readings(type_: AlgebraicType, text: str) -> list[Any]:
    """As JSON, and as what needs no quotes."""
    found: list[Any] = []
    with contextlib.suppress(ValueError):
        found.append(json.loads(text))
    if type_ in (IDENTITY, CONNECTION_ID):
        found.append([f"0x{text.removeprefix('0x')}"])
    if type_ is Primitive.STRING:
        found.append(text)
    return found
