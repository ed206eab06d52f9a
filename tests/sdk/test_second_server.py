"""A server from 2.0 on, where SPACETIMEDB_2X_BIN names one: the same tests run against it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.sdk.conftest import SECOND_VARIABLE

ROOT = Path(__file__).parents[2]
CASE = "tests/sdk/test_client.py::test_queries_asked_once"


def collected(second: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", CASE]
    environment = os.environ | {SECOND_VARIABLE: second}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_tests_with_a_server_run_against_the_second_one_too() -> None:
    lines = collected("/a/server")
    assert [f"{CASE}[{name}]" in lines for name in ("1.2.0", "2.x")] == [True, True]


def test_without_one_that_is_said_and_nothing_is_skipped() -> None:
    lines = collected("")
    assert CASE in lines
    assert f"no 2.x server: {SECOND_VARIABLE} names none" in lines
