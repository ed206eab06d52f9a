"""A value for every field of every message, with one text wherever a text may be."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect as types

MIME_TYPES = (
    "text/html", "image/svg+xml", "image/png", "image/jpeg", "image/gif", "image/webp",
    "text/markdown", "application/json", "text/latex", "text/plain",
)  # fmt: skip


def sample(kind: Any, text: str, **fixed: Any) -> dict[str, Any]:
    """The message as JSON; `fixed` are the fields whose value matters, at every depth."""
    made = _value(types.type_info(kind), text, fixed, "", 0)
    assert isinstance(made, dict)
    return made


def _value(info: types.Type, text: str, fixed: dict[str, Any], name: str, depth: int) -> Any:
    if name in fixed:
        return fixed[name]
    match info:
        case types.Metadata(type=inner):
            return _value(inner, text, fixed, name, depth)
        case types.UnionType(types=members):
            real = [one for one in members if not isinstance(one, types.NoneType)]
            return _value(real[0], text, fixed, name, depth)
        case types.StructType(fields=fields):
            made = {
                field.encode_name: _value(field.type, text, fixed, field.encode_name, depth + 1)
                for field in fields
                if depth < 8 or field.required
            }
            if info.tag is not None and info.tag_field is not None:
                made[info.tag_field] = info.tag
            return made
        case types.ListType(item_type=item):
            return [_value(item, text, fixed, "", depth + 1)]
        case types.DictType() if name == "bundle":
            return dict.fromkeys(MIME_TYPES, text)
        case types.DictType():
            return {text: text}
        case types.LiteralType(values=values):
            return values[0]
        case types.BoolType():
            return True
        case types.IntType() | types.FloatType():
            return 1
        case types.NoneType():
            return None
    return text


def json_of(message: dict[str, Any]) -> str:
    return msgspec.json.encode(message).decode()
