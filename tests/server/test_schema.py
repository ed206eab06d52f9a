"""The generated files are current, and say what the server does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from watchglass_server import schema
from watchglass_server.messages import CALLS, EVENTS

ROOT = Path(__file__).parents[2]


def read(name: str) -> Any:
    return json.loads((ROOT / "docs" / "schemas" / name).read_text(encoding="utf-8"))


def test_every_generated_file_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert schema.main(["--check"]) == 0, capsys.readouterr().err


def test_check_names_a_file_that_is_not_current(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "server" / "watchglass_server"
    package.mkdir(parents=True)
    monkeypatch.setattr(schema, "__file__", str(package / "schema.py"))
    assert schema.main(["--check"]) == 1
    assert "docs/protocol.md is not current" in capsys.readouterr().err
    assert schema.main([]) == 0
    assert schema.main(["--check"]) == 0


def test_the_schemas_are_schemas() -> None:
    calls, events = read("calls.json"), read("events.json")
    jsonschema.Draft202012Validator.check_schema(events)
    assert calls["calls"].keys() == CALLS.keys()
    parts = [
        call[part] for call in calls["calls"].values() for part in ("command", "acknowledgement")
    ]
    jsonschema.Draft202012Validator.check_schema({"anyOf": parts, "$defs": calls["$defs"]})


def test_the_event_schema_refuses_data_of_another_type() -> None:
    event = {"session": "s", "seq": 1, "time": "t", "type": "session.renamed"}
    validator = jsonschema.Draft202012Validator(read("events.json"))
    assert validator.is_valid({**event, "data": {"name": "x"}})
    assert not validator.is_valid({**event, "data": {"nam": "x"}})
    assert not validator.is_valid({**event, "type": "no.such", "data": {"name": "x"}})


def test_the_page_has_a_section_for_every_call_and_event() -> None:
    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    for name in (*CALLS, *EVENTS):
        assert f"### `{name}`" in page


def test_what_stands_around_the_generated_part_is_kept() -> None:
    once = schema.with_tables("# Title\n\nText.\n")
    assert once.startswith("# Title\n\nText.\n")
    moved = once.replace("# Title", "# Other") + "\nAfter.\n"
    assert schema.with_tables(moved) == moved
