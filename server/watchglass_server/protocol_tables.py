"""messages.py → the field tables of docs/protocol.md."""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec import Struct, UnsetType
from msgspec import inspect as types

from watchglass_server.messages import CALLS, EVENTS, NOT_AVAILABLE
from watchglass_server.notifications import LiveMessage
from watchglass_server.roles import LEAST_ROLE

_ROLE_WORDS = {"token": "any valid token", "server": "the server token"}


def call_tables() -> str:
    """One section a call: who may, its fields, and its acknowledgement's."""
    parts = ["## Every call, field by field"]
    for name, call in CALLS.items():
        least = LEAST_ROLE[name]
        role = _ROLE_WORDS.get(least, f"role {least} or more")
        words = [f"### `{name}`", f"{_sentence(call.command)} Needs: {role}."]
        if name in NOT_AVAILABLE:
            words.append(f"Answers `not_available` in this version: {NOT_AVAILABLE[name]}.")
        words.append(_table("Takes", call.command))
        if name not in NOT_AVAILABLE:
            words.append(_table("Acknowledged with", call.reply))
        parts += words
    return "\n\n".join(parts)


def live_table() -> str:
    """What `live` carries."""
    title = "## What `live` carries, field by field"
    return "\n\n".join([title, _sentence(LiveMessage), _table("Fields", LiveMessage)])


def event_tables() -> str:
    """One section an event type, and one a type that they and the calls are made of."""
    parts = ["## Every event's data, field by field"]
    for name, notification in EVENTS.items():
        parts += [f"### `{name}`", _sentence(notification), _table("Data", notification)]
    parts.append("## The types that these are made of")
    for struct in _shared():
        parts += [f"### {struct.__name__}", _sentence(struct), _table("Fields", struct)]
    return "\n\n".join(parts)


def _shared() -> list[type[Struct]]:
    roots: list[type[Struct]] = [call.command for call in CALLS.values()]
    roots += [call.reply for name, call in CALLS.items() if name not in NOT_AVAILABLE]
    roots += [LiveMessage, *EVENTS.values()]
    found: dict[str, type[Struct]] = {}
    for root in roots:
        for struct in _inside(types.type_info(root)):
            if struct not in roots:
                found.setdefault(struct.__name__, struct)
    return [found[name] for name in sorted(found)]


def _inside(info: types.Type) -> Iterator[type[Struct]]:
    match info:
        case types.Metadata(type=inner) | types.ListType(item_type=inner):
            yield from _inside(inner)
        case types.UnionType(types=members):
            for member in members:
                yield from _inside(member)
        case types.StructType(cls=cls):
            yield cls
            for field in info.fields:
                yield from _inside(field.type)
        case _:
            pass


def _sentence(struct: type[Struct]) -> str:
    return " ".join((struct.__doc__ or "").split())


def _table(title: str, struct: type[Struct]) -> str:
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)
    rows = []
    if info.tag is not None:
        rows.append(f'| `{info.tag_field}` | `"{info.tag}"` | always this |')
    for field in sorted(info.fields, key=lambda field: field.name != "session"):
        kind, limits, words = _describe(field.type)
        if not field.required:
            limits = [_default(field), *limits]
        note = " ".join([*(f"{limit};" for limit in limits if limit), words]).rstrip("; ")
        rows.append(f"| `{field.encode_name}` | {kind} | {note} |")
    if not rows:
        return f"{title}: no fields." if title == "Takes" else f"{title}: nothing but `ok`."
    return "\n".join([f"| {title} | type | |", "| --- | --- | --- |", *rows])


def _default(field: types.Field) -> str:
    if isinstance(field.default, UnsetType):
        return "optional"
    try:
        return f"optional, {json.dumps(field.default)}" if field.default is not None else "optional"
    except TypeError:  # it has no default, or one that is made anew each time
        return "optional"


def _describe(info: types.Type) -> tuple[str, list[str], str]:
    """The type in words, its limits, and its description."""
    words = ""
    if isinstance(info, types.Metadata):
        words = str((info.extra_json_schema or {}).get("description", ""))
        info = info.type
    return _kind(info), _limits(info), words


def _kind(info: types.Type) -> str:
    match info:
        case types.Metadata(type=inner):
            return _kind(inner)
        case types.StrType():
            return "string"
        case types.IntType():
            return "integer"
        case types.FloatType():
            return "number"
        case types.BoolType():
            return "boolean"
        case types.NoneType():
            return "null"
        case types.LiteralType(values=values):
            return ", ".join(f"`{value}`" for value in values)
        case types.ListType(item_type=item):
            return f"list of {_kind(item)}"
        case types.DictType():
            return "object"
        case types.StructType(cls=cls):
            return cls.__name__
        case types.UnionType(types=members):
            return " or ".join(dict.fromkeys(_kind(member) for member in members))
        case _:
            return "any JSON"


def _limits(info: types.Type) -> list[str]:
    """The bounds that a value is checked against."""
    if isinstance(info, types.Metadata):
        return _limits(info.type)
    if isinstance(info, types.UnionType):
        return [limit for member in info.types for limit in _limits(member)]
    bounds = []
    for attribute, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<")):
        if (bound := getattr(info, attribute, None)) is not None:
            bounds.append(f"{sign} {bound:,}")
    if (longest := getattr(info, "max_length", None)) is not None:
        bounds.append(f"length ≤ {longest:,}")
    if (pattern := getattr(info, "pattern", None)) is not None:
        bounds.append(f"matches `{pattern}`")
    return bounds
