"""`spacetimedb-py` against a real server: what it prints, asks, refuses and returns."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spacetimedb_bsatn import Identity, ScheduleAt, Some, TimeDuration, Timestamp
from spacetimedb_client import cli
from spacetimedb_client.printing import json_of, printable, shown
from spacetimedb_client.subcommands import SUBCOMMANDS
from spacetimedb_client.testing import Server
from tests.sdk.conftest import Database, Publish
from tests.support.arena import arena
from tests.support.arena_bindings import Happening, Phase, Spot
from tests.test_docs import commands_of

MODULE = """
from spacetimedb_bsatn import u32
from spacetimedb_client.module import Module

module = Module()
module.mirror(module.table("thing", {"id": u32}, primary_key="id"))
"""
LARGER = MODULE + 'module.mirror(module.table("other", {"id": u32}, primary_key="id"))\n'
OTHER_COLUMNS = MODULE.replace('{"id": u32}', '{"id": u32, "name": str}')
ANN = '{"id": 0, "name": "Ann", "score": 5, "phase": {"Running": []}, "spot": [1, 2], "bag": []}'


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


Run = Callable[..., Awaitable[Said]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "200")

    async def command(*arguments: str) -> Said:
        capsys.readouterr()
        status = await asyncio.to_thread(cli.main, arguments)
        told = capsys.readouterr()
        return Said(status, told.out, told.err)

    return command


@pytest.fixture
async def database(publish: Publish, monkeypatch: pytest.MonkeyPatch) -> Database:
    made = await publish(arena())
    monkeypatch.setenv("SPACETIMEDB_URI", made.uri)
    monkeypatch.setenv("SPACETIMEDB_TOKEN", made.owner.token)
    return made


async def test_an_identity_is_made_and_shown(
    run: Run, database_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPACETIMEDB_URI", database_server.uri)
    monkeypatch.delenv("SPACETIMEDB_TOKEN", raising=False)
    nobody = await run("identity")
    assert nobody.status == 1
    assert "--new" in nobody.err
    made = (await run("identity", "--new", "--json")).json()
    monkeypatch.setenv("SPACETIMEDB_TOKEN", made["token"])
    shown = await run("identity")
    assert made["identity"] in shown.out
    assert made["token"] not in shown.out + shown.err
    assert (await run("identity", "--json")).json() == {
        "identity": made["identity"],
        "databases": [],
    }


async def test_a_module_is_published_with_its_difference_and_deleted(
    run: Run, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "module.py"
    file.write_text(MODULE)
    made = (await run("publish", str(file), "-d", "things", "--json")).json()
    assert (made["operation"], made["changes"]) == ("created", [])
    file.write_text(LARGER)
    unasked = await run("publish", str(file), "-d", "things")
    assert unasked.status == 1
    assert "+ table other" in unasked.out
    assert "--yes" in unasked.err
    updated = await run("publish", str(file), "-d", "things", "--yes")
    assert "updated things" in updated.out
    file.write_text(OTHER_COLUMNS)
    refused = await run("publish", str(file), "-d", "things", "--yes", "--json")
    assert refused.status == 1
    told = json.loads(refused.err)["error"]
    assert told["type"] == "MigrationRefused"
    assert "publish with --clear," in str(told)
    cleared = (await run("publish", str(file), "-d", "things", "--clear", "--yes", "--json")).json()
    assert "~ table thing: column name added" in cleared["changes"]
    kept = await run("delete", "-d", "things")
    assert kept.status == 1
    assert "--yes" in kept.err
    assert "deleted things" in (await run("delete", "-d", "things", "--yes")).out


async def test_what_has_no_module_is_not_published(
    run: Run, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "empty.py"
    file.write_text("x = 1\n")
    said = await run("publish", str(file), "-d", "things", "--yes")
    assert said.status == 1
    assert "0 modules" in said.err
    said = await run("publish", str(tmp_path / "nowhere.wasm"), "-d", "things", "--yes")
    assert said.status == 1
    assert "nowhere.wasm" in said.err


async def test_reducers_are_called_with_what_is_typed(run: Run, database: Database) -> None:
    name = database.name
    assert (await run("call", "-d", name, "player_insert", ANN, "--json")).json()["value"] is None
    assert (await run("call", "-d", name, "say", "hello there", "3")).status == 0
    for arguments, told in (
        (["say", "hello"], "takes 2 arguments"),
        (["say", "hello", "300"], "u8"),
        (["unheard"], "no such reducer"),
        (["refuse", "not \x1b[31mtoday"], "not \\x1b[31mtoday"),
    ):
        said = await run("call", "-d", name, *arguments)
        assert said.status == 1
        assert told in said.err


async def test_sql_is_a_table_or_json(run: Run, database: Database) -> None:
    await run("call", "-d", database.name, "player_insert", ANN)
    query = "SELECT * FROM player WHERE name = ?"
    table = await run("sql", "-d", database.name, query, "Ann")
    assert "Running" in table.out
    assert "│ 1  │ Ann" in table.out
    (row,) = (await run("sql", "-d", database.name, query, "Ann", "--json")).json()["rows"]
    assert row["phase"] == "Running"
    assert row["spot"] == {"x": 1.0, "y": 2.0}
    deleted = await run("sql", "-d", database.name, "DELETE FROM player")
    assert "1 deleted" in deleted.err
    assert (await run("sql", "-d", database.name, "SELECT * FRM x")).status == 1


async def test_a_database_is_described(run: Run, database: Database) -> None:
    said = await run("describe", "-d", database.name)
    assert "player (public)" in said.out
    assert "secret (private)" in said.out
    assert "text: string, loudness: u8" in said.out
    described = (await run("describe", "-d", database.name, "--json")).json()
    assert "player" in [each["name"] for each in described["tables"]]


async def test_logs_are_shown(run: Run, database: Database) -> None:
    said = await run("logs", "-d", database.name)
    assert "INFO  spacetimedb: Creating table `player`" in said.out
    lines = (await run("logs", "-d", database.name, "-n", "2", "--json")).out.splitlines()
    assert {json.loads(line)["level"] for line in lines} == {"Info"}


async def test_bindings_are_written(run: Run, database: Database, tmp_path: Path) -> None:
    file = tmp_path / "arena.py"
    said = await run("generate", "-d", database.name, "-o", str(file), "--json")
    assert said.json()["file"] == str(file)
    assert said.json()["schema_hash"] in file.read_text()
    assert "class Player" in (await run("generate", "-d", database.name)).out


async def test_rows_are_shown_as_they_come(run: Run, database: Database) -> None:
    await run("call", "-d", database.name, "player_insert", ANN)
    query = "SELECT * FROM player"
    said = await run("subscribe", "-d", database.name, query, "--count", "1", "--json")
    assert said.json()["change"] == "insert"
    assert said.json()["row"]["name"] == "Ann"
    said = await run("subscribe", "-d", database.name, query, "--count", "1")
    assert "+ player id: 1, name: Ann" in said.out


LEADERBOARD = """
from spacetimedb_bsatn import u32, u64
from spacetimedb_client.module import Module

module = Module()
columns = {"id": u64, "name": str, "points": u32}
module.mirror(module.table("score", columns, primary_key="id", auto_inc=["id"]))
"""


async def test_the_tour_of_the_document_can_be_taken_from_start_to_end(
    run: Run, database_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPACETIMEDB_URI", database_server.uri)
    monkeypatch.delenv("SPACETIMEDB_TOKEN", raising=False)
    (tmp_path / "leaderboard.py").write_text(LEADERBOARD)
    told: dict[str, str] = {}
    for command in commands_of("docs/spacetimedb.md"):
        match shlex.split(command):
            case ["spacetimedb-py", name, *arguments]:
                said = await run(name, *arguments)
                assert said.status == 0, (command, said.err)
                told[name] = said.out
                if "--new" in arguments:
                    token = said.out.split()[-1]
                    monkeypatch.setenv("SPACETIMEDB_TOKEN", token)
    assert told.keys() == {module.NAME for module in SUBCOMMANDS}
    assert "Ann" in told["sql"]
    assert "+ score id: 1, name: Ann" in told["subscribe"]
    assert "class Score" in (tmp_path / "arena.py").read_text()


def test_nothing_listens_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["describe", "-d", "any", "--uri", "http://127.0.0.1:1"]) == 1
    assert "cannot be reached" in capsys.readouterr().err


def test_both_ways_to_the_command_are_there() -> None:
    installed = str(Path(sys.executable).with_name("spacetimedb-py"))
    for command in ([installed], [sys.executable, "-m", "spacetimedb_client"]):
        environment = {**os.environ, "SPACETIMEDB_TOKEN": "secret-token"}
        done = subprocess.run(
            [*command, "sql", "--help"], env=environment, capture_output=True, text=True, check=True
        )
        assert "usage: spacetimedb-py sql" in done.stdout
        assert "secret-token" not in done.stdout


def test_values_have_a_form_for_programs_and_one_for_people() -> None:
    schedule = ScheduleAt.Interval(TimeDuration(1_500_000))
    assert json_of([Phase.Lobby, b"\x01", Some(None), schedule]) == [
        "Lobby",
        "01",
        {"some": None},
        {"Interval": 1.5},
    ]
    assert json_of((float("inf"), Identity(1), Timestamp(0))) == [
        "inf",
        f"{1:064x}",
        "1970-01-01T00:00:00+00:00",
    ]
    assert json_of(Happening.Moved(Spot(1.0, 2.0))) == {"Moved": {"x": 1.0, "y": 2.0}}
    assert json_of(Happening.Left()) == "Left"
    assert shown(Happening.Moved(Spot(1.0, 2.0))) == "Moved: x: 1.0, y: 2.0"
    assert shown((None, True)) == "[none, true]"
    assert len(shown("x" * 500)) == 200
    assert printable("a\x1b]0;b\x07\tc\u202e") == "a\\x1b]0;b\\x07    c\\u202e"
