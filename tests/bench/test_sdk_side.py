"""The same rows and the same module for every database client that is measured."""

from __future__ import annotations

import hashlib
import json
import struct
import sys
from itertools import accumulate
from pathlib import Path

import pytest

from bench import sdk_python
from bench.samples import Samples
from bench.sdk import add_rates, told, write_rows
from bench.sdk_install import NODE_SIDE, PEERS, newest_of_each, told_versions
from bench.sdk_module import ITEM, PLAYER, ROWS, bench_module, codec_of, encoded_rows, filling
from spacetimedb_client.bindings import Bindings


@pytest.mark.parametrize("table", [PLAYER, ITEM])
async def test_our_side_reads_and_writes_the_rows_as_they_are(table: str, tmp_path: Path) -> None:
    rows = encoded_rows(table, 100)
    file = tmp_path / "rows"
    write_rows(file, rows)
    answer = await told(sys.executable, "-m", "bench.sdk_python", "codec", table, str(file), "3")
    assert answer["rows"] == 100
    assert answer["digest"] == hashlib.sha256(b"".join(rows)).hexdigest()
    assert len(answer["decode"]) == len(answer["encode"]) == 3


def test_rows_are_the_same_in_every_run_and_have_all_kinds_of_values() -> None:
    rows = encoded_rows(PLAYER, 6)
    assert rows == encoded_rows(PLAYER, 6)
    players = codec_of(PLAYER).decode_rows(
        b"".join(rows), [*accumulate(map(len, rows[:-1]), initial=0)]
    )
    assert {player.level is None for player in players} == {True, False}
    assert {player.online for player in players} == {True, False}
    assert len({player.owner for player in players}) == 6


def test_the_database_is_filled_with_exactly_these_rows() -> None:
    rows = encoded_rows(ITEM, 3)
    [steps] = filling(ITEM, rows)
    first = struct.pack("<BHI", 1, 1, len(rows[0])) + rows[0]
    assert steps.startswith(first)
    assert len(steps) == sum(7 + len(row) for row in rows)


def test_the_committed_bindings_are_those_of_the_module() -> None:
    told_hash = (NODE_SIDE / "bindings/ORIGIN.md").read_text().split()[-1]
    assert told_hash == Bindings(bench_module().schema).hash


def test_the_peers_are_pinned_and_named_without_addresses() -> None:
    lock = json.loads((NODE_SIDE / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    for peer in PEERS:
        wanted = lock["packages"][""]["dependencies"][peer]
        assert packages[f"node_modules/{peer}"]["version"] == wanted
    assert not any("resolved" in each for each in packages.values())
    assert all("integrity" in each for each in packages.values())


def test_warm_is_the_median_of_the_second_half_and_first_the_first_pass() -> None:
    first, warm = Samples("M rows/s"), Samples("M rows/s")
    add_rates(first, warm, "one", [ROWS / 1e6, 9.0, ROWS / 4e6, ROWS / 2e6])
    assert first.of == {"one": [1.0]}
    assert warm.of == {"one": [pytest.approx(8 / 3)]}


def test_of_each_python_the_newest_that_runs_is_taken(tmp_path: Path) -> None:
    for name, told_words in {
        "a": "CPython 3.12.1",
        "b": "CPython 3.12.10",
        "c": "PyPy 3.14.0",
        "d": "CPython 3.15.0a1",
    }.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {told_words}\n")
        program.chmod(0o755)
    broken = tmp_path / "e"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    found = newest_of_each(told_versions(str(tmp_path / name) for name in "abcde"))
    assert found == {(3, 12, 10): str(tmp_path / "b")}


def test_a_pass_is_timed_as_often_as_it_is_asked_for() -> None:
    made = []
    assert len(sdk_python.timed(lambda: made.append(1), 4)) == len(made) == 4
