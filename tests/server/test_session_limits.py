"""What a session may use: asked for, allowed, stored, and written down."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from watchglass_server import pictures
from watchglass_server.commands import Limits
from watchglass_server.config import SETTINGS, Config, SettingError, flag, read_settings
from watchglass_server.refusals import Refused
from watchglass_server.session_limits import (
    hour_stored,
    limits_asked,
    limits_stored,
    server_limits,
    shown_limits,
)
from watchglass_sync.records import SessionRow

CONFIG = replace(Config(), cpu_limit=10.0, cpu_hour_limit=100.0)
PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()


def row(**fields: object) -> SessionRow:
    return SessionRow("s", fields, 0)


def asking(field: str, value: Any) -> Limits:
    return Limits(**{field: value})


def test_who_asks_for_nothing_gets_what_the_server_allows() -> None:
    assert limits_asked(CONFIG, None) == server_limits(CONFIG)


@pytest.mark.parametrize("field", Limits.__struct_fields__)
def test_less_is_given_more_is_refused_and_both_are_named(field: str) -> None:
    most = getattr(shown_limits(server_limits(CONFIG)), field)
    if most is None:
        asked = limits_asked(CONFIG, asking(field, 5.0))
        assert getattr(shown_limits(asked), field) == 5.0
        return
    asked = limits_asked(CONFIG, asking(field, most - 1))
    assert getattr(shown_limits(asked), field) == most - 1
    with pytest.raises(Refused, match="limit_exceeded") as caught:
        limits_asked(CONFIG, asking(field, most + 1))
    assert caught.value.error.field == f"limits.{field}"


def test_what_was_stored_counts_as_far_as_the_server_still_allows_it() -> None:
    own = limits_asked(CONFIG, Limits(cpu_s=5.0, variables=500, queue=7))
    stored = row(limits=msgspec.to_builtins(shown_limits(own)))
    assert limits_stored(CONFIG, stored) == own
    stricter = replace(CONFIG, variables_limit=100, cpu_limit=2.0)
    assert limits_stored(stricter, stored) == replace(own, variables=100, cpu_s=2.0)


def test_a_session_of_an_older_version_gets_what_the_server_allows() -> None:
    older = {"memory_bytes": 2**28, "output_bytes": 2**20, "wall_s": None, "cpu_s": None}
    found = limits_stored(CONFIG, row(limits=older))
    assert found == replace(server_limits(CONFIG), memory_bytes=2**28, output_bytes=2**20)
    assert limits_stored(CONFIG, row()) == server_limits(CONFIG)
    assert hour_stored(row()).minutes == ()


def test_what_can_be_asked_for_is_what_is_shown() -> None:
    assert set(Limits.__struct_fields__) == set(pictures.Limits.__struct_fields__)


def test_the_page_names_every_limit_and_only_flags_that_there_are() -> None:
    table = PAGE[PAGE.index("## The limits") : PAGE.index("## What has no limit")]
    named = set(re.findall(r"^\| `(\w+)`:", table, re.MULTILINE))
    assert named == set(Limits.__struct_fields__)
    flags = {flag(setting.name) for setting in SETTINGS}
    assert set(re.findall(r"--[a-z][a-z-]+", PAGE)) <= flags


@pytest.mark.parametrize(
    ("setting", "text", "words"),
    [
        ("max_rate", "0", "no rate"),
        ("max_rate", "fast", "no rate"),
        ("code_limit", "2M", "lower it"),
        ("max_sessions", "-1", "no count"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(setting: str, text: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        read_settings({setting: text}, {})


def test_no_rate_is_no_limit() -> None:
    assert read_settings({"max_rate": "none"}, {}).max_rate is None
    assert read_settings({"max_rate": "2.5"}, {}).max_rate == 2.5
