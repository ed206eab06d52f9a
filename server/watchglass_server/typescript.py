"""messages.py → web/src/messages.ts: the wire's types for the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
from msgspec import Struct
from msgspec import inspect as types

from watchglass_server import fields, pictures, replies
from watchglass_server.messages import CALLS, EVENTS
from watchglass_server.notifications import LiveMessage, VariableChange

# Named unions of the page, in the order in which they are printed.
_ALIASES: dict[str, Any] = {
    "Role": fields.Role,
    "StreamName": fields.StreamName,
    "Verdict": fields.Verdict,
    "ExecutionStatus": fields.ExecutionStatus,
    "ProcessStatus": fields.ProcessStatus,
    "ResetReason": fields.ResetReason,
    "Completeness": fields.Completeness,
    "MirrorStatus": fields.MirrorStatus,
    "ScriptKind": fields.ScriptKind,
    "ReloadMode": fields.ReloadMode,
    "ErrorCode": fields.ErrorCode,
}


def typescript(command: str) -> str:
    """Return the whole file."""
    structs = _all_structs()
    parts = [
        f"// Generated from watchglass_server/messages.py by `{command}`. Do not edit.\n"
        "// Browser ⇄ server: the types of docs/protocol.md.",
        *(f"export type {name} ={_literal(alias)};" for name, alias in _ALIASES.items()),
        "export type MimeBundle = Record<string, unknown>;",
        "export type PathElement = string | { index: number } | { attr: string }"
        " | { key: unknown };",
        "export type Path = PathElement[];",
        "export type Output =\n  | "
        + "\n  | ".join(struct.__name__ for struct in get_args(pictures.Output))
        + ";",
        *(_interface(struct) for struct in structs),
        _calls(),
        _events(),
        _LAST,
    ]
    return "\n\n".join(parts) + "\n"


_LAST = """\
export type EventType = keyof EventData;

/** One entry of a session's record, as `event` carries it. */
export type SessionEvent = {
  [Type in EventType]: {
    session: string;
    seq: number;
    time: string;
    type: Type;
    data: EventData[Type];
  };
}[EventType];

/** What a call is acknowledged with. */
export type Acknowledgement<Reply> = ({ ok: true } & Reply) | { ok: false; error: WireError };"""


def _all_structs() -> list[type[Struct]]:
    """Every struct that the wire reaches, the ones with names for the page first."""
    found: dict[str, type[Struct]] = {}
    roots: list[Any] = [pictures.SessionState, replies.WireError, VariableChange, LiveMessage]
    for call in CALLS.values():
        roots += [call.command, call.reply]
    roots += list(EVENTS.values())
    for root in roots:
        for struct in _reachable(types.type_info(root)):
            if struct is not fields.PathStep and struct is not replies.Event:
                found.setdefault(struct.__name__, struct)
    return list(found.values())


def _reachable(info: types.Type) -> Iterator[type[Struct]]:
    match info:
        case types.Metadata(type=inner):
            yield from _reachable(inner)
        case types.StructType(cls=cls):
            for field in info.fields:
                yield from _reachable(field.type)
            yield cls
        case types.UnionType(types=members):
            for member in members:
                yield from _reachable(member)
        case types.ListType(item_type=item) | types.VarTupleType(item_type=item):
            yield from _reachable(item)
        case types.DictType(value_type=value):
            yield from _reachable(value)
        case _:
            pass


def _interface(struct: type[Struct]) -> str:
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)
    doc = (struct.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ")
    is_command = struct.__name__.endswith("Command") or struct in _SENT
    lines = [f"/** {doc} */", f"export interface {struct.__name__} {{"]
    if info.tag is not None:
        lines.append(f"  {info.tag_field}: {json.dumps(info.tag)};")
    for field in sorted(info.fields, key=lambda field: field.name != "session"):
        optional = not field.required and (is_command or _may_be_absent(struct, field))
        mark = "?" if optional else ""
        lines.append(f"  {field.encode_name}{mark}: {_type(field.type)};")
    return "\n".join([*lines, "}"])


_SENT: frozenset[type[Struct]] = frozenset(
    struct
    for call in CALLS.values()
    for struct in _reachable(types.type_info(call.command))
    if struct is not fields.PathStep
)


def _may_be_absent(struct: type[Struct], field: types.Field) -> bool:
    nothing = (msgspec.NODEFAULT, msgspec.NODEFAULT)  # though it has one: its default is UNSET
    unset = (field.default, field.default_factory) == nothing
    return unset or bool(struct.__struct_config__.omit_defaults)


def _type(info: types.Type) -> str:
    for name, alias in _ALIASES.items():
        if isinstance(info, types.LiteralType) and set(info.values) == set(get_args(alias)):
            return name
    match info:
        case types.Metadata(type=inner):
            return _type(inner)
        case types.StructType(cls=cls):
            return "SessionEvent" if cls is replies.Event else cls.__name__
        case types.LiteralType(values=values):
            return " | ".join(json.dumps(value) for value in values)
        case types.UnionType():
            return _union(info)
        case types.ListType(item_type=item):
            words = _type(item)
            return f"({words})[]" if " | " in words else f"{words}[]"
        case types.DictType():
            return "MimeBundle"
        case types.StrType():
            return "string"
        case types.IntType() | types.FloatType():
            return "number"
        case types.BoolType():
            return "boolean"
        case types.NoneType():
            return "null"
        case types.AnyType():
            return "unknown"
        case _:
            raise TypeError(f"no TypeScript for {info}: add a case to typescript.py")


def _union(info: types.UnionType) -> str:
    members = info.types
    structs = {member.cls for member in members if isinstance(member, types.StructType)}
    if structs == set(get_args(pictures.Output)):
        return "Output"
    if fields.PathStep in structs:
        return "PathElement"
    return " | ".join(dict.fromkeys(_type(member) for member in members))


def _literal(alias: Any) -> str:
    values = [json.dumps(value) for value in get_args(alias)]
    line = " " + " | ".join(values)
    return line if len(line) < 80 else "\n    " + "\n    | ".join(values)


def _calls() -> str:
    lines = ["/** Each call: what it takes, and what it is acknowledged with beside `ok`. */"]
    lines.append("export interface Calls {")
    for name, call in CALLS.items():
        command, reply = call.command.__name__, call.reply.__name__
        lines.append(f'  "{name}": {{ args: {command}; reply: {reply} }};')
    return "\n".join([*lines, "}"])


def _events() -> str:
    lines = ["/** The data of each event, by its `type`. */", "export interface EventData {"]
    for name, notification in EVENTS.items():
        lines.append(f'  "{name}": {notification.__name__};')
    return "\n".join([*lines, "}"])
