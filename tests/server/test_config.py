"""One settings table: flags, variables and docs/settings.md follow from it."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from watchglass_server.config import (
    SETTINGS,
    Config,
    SettingError,
    add_flags,
    duration,
    flag,
    read_settings,
    size,
    variable,
)

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


def parse(*arguments: str, **environment: str) -> Config:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    return read_settings(vars(parser.parse_args(arguments)), environment)


def test_every_setting_has_a_flag_a_variable_and_a_row_in_the_docs() -> None:
    for row in SETTINGS:
        assert f"`{flag(row.name)}" in PAGE
        assert f"`{variable(row.name)}`" in PAGE
        assert row.metadata["words"] in PAGE
    assert PAGE.count("\n| `--") == len(SETTINGS)


def test_nothing_given_is_the_default() -> None:
    assert parse() == Config()


def test_a_flag_counts_before_its_variable_and_that_before_the_default() -> None:
    assert parse(WATCHGLASS_PORT="1").port == 1
    assert parse("--port", "2", WATCHGLASS_PORT="1").port == 2


def test_each_kind_of_value_is_read_from_flag_and_variable() -> None:
    config = parse("--allow-origin", "https://a.org", "--allow-origin", "http://b.org:81/")
    assert config.allow_origin == ("https://a.org", "http://b.org:81")
    assert parse(WATCHGLASS_ALLOW_ORIGIN="https://a.org, https://b.org").allow_origin == (
        "https://a.org",
        "https://b.org",
    )
    assert parse("--open").open is True
    assert parse(WATCHGLASS_OPEN="0").open is False
    assert parse("--idle-limit", "30m").idle_limit == 1800
    assert parse("--memory-limit", "1G").memory_limit == 2**30
    assert parse("--wall-limit", "none").wall_limit is None
    assert parse("--data-dir", "~/x").data_dir == Path("~/x").expanduser()


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5m", 90), ("2h", 7200), ("250ms", 0.25)]
)
def test_durations_are_read_with_their_unit(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "count"), [("10", 10), ("1K", 1024), ("2m", 2**21), ("1GiB", 2**30)]
)
def test_sizes_are_read_with_their_unit(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("IDLE_LIMIT", "1y"),
        ("MEMORY_LIMIT", "-5"),
        ("MAX_QUEUE", "many"),
        ("OPEN", "maybe"),
        ("ISOLATION", "none"),
        ("LOG_LEVEL", "loud"),
        ("ALLOW_ORIGIN", "*"),
        ("TOKEN", "short"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_name(name: str, text: str) -> None:
    with pytest.raises(SettingError) as caught:
        read_settings({}, {f"WATCHGLASS_{name}": text})
    assert name in str(caught.value) or name.lower() in str(caught.value)
    assert str(caught.value).endswith(".")


def test_to_resume_from_a_mirror_one_has_to_be_named() -> None:
    with pytest.raises(SettingError, match="--spacetimedb"):
        parse("--resume-from-mirror")
    address = ("--spacetimedb", "http://127.0.0.1:3000/watchglass")
    assert parse("--resume-from-mirror", *address).resume_from_mirror
