"""messages.py → what others build on: docs/protocol.md's tables, JSON Schemas, TypeScript.

`python -m watchglass_server.schema` writes; with `--check` it only compares and exits 1 when a
file is not current.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from watchglass_server import settings_page
from watchglass_server.messages import CALLS, EVENTS, NOT_AVAILABLE
from watchglass_server.notifications import LiveMessage
from watchglass_server.protocol_tables import call_tables, event_tables, live_table
from watchglass_server.replies import Event, WireError
from watchglass_server.roles import LEAST_ROLE
from watchglass_server.typescript import typescript

COMMAND = "python -m watchglass_server.schema"
_BEGIN = "<!-- generated from watchglass_server/messages.py by `" + COMMAND + "` -->"
_END = "<!-- end of the generated part -->"


def main(arguments: list[str]) -> int:
    """Write the generated files, or say which are not current."""
    root = Path(__file__).resolve().parents[2]
    stale = [(path, text) for path, text in generated(root) if _read(path) != text]
    if "--check" in arguments:
        for path, _ in stale:
            print(f"{path.relative_to(root)} is not current: run `{COMMAND}`", file=sys.stderr)
        return 1 if stale else 0
    for path, text in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(root)}")
    return 0


def generated(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield every generated file with the text it should have."""
    schemas = root / "docs" / "schemas"
    yield schemas / "calls.json", _json(_calls_schema())
    yield schemas / "events.json", _json(_events_schema())
    yield schemas / "live.json", _json(_live_schema())
    yield root / "web" / "src" / "messages.ts", typescript(COMMAND)
    yield root / "docs" / "settings.md", settings_page.settings_page(COMMAND)
    page = root / "docs" / "protocol.md"
    yield page, with_tables(_read(page) or "")


def with_tables(page: str) -> str:
    """Return the page with the part between its two marks replaced."""
    before, found, rest = page.partition(_BEGIN)
    _, closed, after = rest.partition(_END)
    if not found or not closed:
        before, after = f"{page.rstrip()}\n\n", "\n"
    tables = "\n\n".join([call_tables(), live_table(), event_tables()])
    return f"{before}{_BEGIN}\n\n{tables}\n\n{_END}{after}"


def _calls_schema() -> dict[str, Any]:
    """`calls` maps each call to what it takes, what acknowledges it, and who may call it."""
    types: list[type[Struct]] = [WireError]
    for call in CALLS.values():
        types += [call.command, call.reply]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    _mark_acknowledgements(components)
    calls = {
        name: {
            "role": LEAST_ROLE[name],
            "not_available": NOT_AVAILABLE.get(name),
            "command": schemas[1 + 2 * place],
            "acknowledgement": {"anyOf": [schemas[2 + 2 * place], {"$ref": "#/$defs/Refusal"}]},
        }
        for place, name in enumerate(CALLS)
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The calls of Watchglass: validate with #/calls/<name>/command",
        "calls": calls,
        "$defs": components,
    }


def _mark_acknowledgements(components: dict[str, Any]) -> None:
    """Put `ok` into every reply: it is added when the acknowledgement is sent."""
    for name, component in components.items():
        if name.endswith("Reply"):
            component["properties"] = {"ok": {"const": True}, **component["properties"]}
            component["required"] = ["ok", *component.get("required", [])]
    components["Refusal"] = {
        "title": "Refusal",
        "type": "object",
        "properties": {"ok": {"const": False}, "error": {"$ref": "#/$defs/WireError"}},
        "required": ["ok", "error"],
    }


def _events_schema() -> dict[str, Any]:
    """One entry of a session's record: the envelope, and the data by its `type`."""
    types: list[type[Struct]] = [Event, *EVENTS.values()]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    rules = [
        {
            "if": {"properties": {"type": {"const": name}}},
            "then": {"properties": {"data": schema}},
        }
        for name, schema in zip(EVENTS, schemas[1:], strict=True)
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One `event` of Watchglass",
        **schemas[0],
        "properties": {"type": {"enum": list(EVENTS)}},
        "allOf": rules,
        "$defs": components,
    }


def _live_schema() -> dict[str, Any]:
    """What `live` carries."""
    (schema,), components = msgspec.json.schema_components(
        [LiveMessage], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "One `live` of Watchglass",
        **schema,
        "$defs": components,
    }


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
