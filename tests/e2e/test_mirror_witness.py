"""A client that this project did not write sees a session as rows, and acts on it by a reducer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from spacetimedb_bsatn import Identity
from spacetimedb_client.bindings import Bindings
from spacetimedb_client.testing import Server
from tests.sdk.conftest import server_program
from tests.support.client import Client
from tests.support.commands import Commands
from tests.support.mirror_client import mirror_command
from tests.support.mirror_witness import FOLDER, Witness, install
from tests.support.serving import Serving
from tests.support.waiting import until
from watchglass_sync.mirror_tables import MirrorTables

__all__ = ["server_program"]

DATABASE = "watchglass"
SDK = "@clockworklabs/spacetimedb-sdk"


@pytest.fixture(scope="module")
def _installed() -> None:
    install()


@pytest.fixture
def database(server_program: Path, tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "db", binary=server_program) as database:
        yield database


@pytest.fixture
def serving(database: Server, tmp_path: Path, cache_dir: Path) -> Iterator[Serving]:
    mirror = ("--spacetimedb", f"{database.uri}/{DATABASE}", "--pool-min-size", "1")
    with Serving(tmp_path, *mirror, cache_dir=cache_dir) as serving:
        yield serving


@pytest.mark.slow
@pytest.mark.usefixtures("_installed")
async def test_npms_sdk_sees_code_run_and_runs_code(database: Server, serving: Serving) -> None:
    async with Client(serving.url, serving.token) as owner:
        session = await owner.create(name="arena")
        await owner.run(session, "units = 1")
        async with (
            Witness.opened(database.uri, DATABASE, session) as witness,
            Witness.opened(database.uri, DATABASE, session) as stranger,
        ):
            assert witness.tables() == set()
            granted = ("grant", witness.identity, "editor", session, "--name", "a game")
            assert (await mirror_command(serving.data_dir, *granted))[0] == 0
            await until(lambda: witness.came("variable", name="units"))
            (row,) = witness.came("session")
            assert (row["session"], row["name"]) == (session, "arena")

            await owner.run(session, "units += 1\nprint('two of them')")
            await until(lambda: witness.came("execution", number=2, status="ok"))
            assert witness.came("execution", number=2)[-1]["code"].startswith("units += 1")
            await until(lambda: witness.came("output", kind="stream", text="two of them\n"))
            await until(lambda: witness.came("variable", name="units", preview="2"))
            (seen,) = witness.came("variable", name="units", preview="2")
            assert seen["value"] == {"tag": "Int", "value": 2}
            assert witness.came("process", state="idle")

            answer = await witness.command(
                session, {"tag": "Execute", "value": {"code": "units *= 21\nprint('many')"}}
            )
            assert (answer["ok"], answer["session"]) == (True, session)
            ran = answer["execution"]
            await until(lambda: witness.came("execution", execution=ran, status="ok"))
            assert witness.came("execution", execution=ran)[-1]["author"] == "a game"
            await until(lambda: witness.came("variable", name="units", preview="42"))
            await until(lambda: witness.came("output", execution=ran, text="many\n"))
            await owner.log(session).event("execution.finished", execution=ran)
            assert await owner.value(session, "units") == 42

            set_it = {"tag": "SetVariable", "value": {"name": "units", "json": "[7]"}}
            assert (await witness.command(session, set_it))["ok"]
            await until(lambda: witness.came("variable", name="units", json="[7]"))
            assert await owner.value(session, "units") == [7]

            zero = {"tag": "Execute", "value": {"code": "units = 0"}}
            _, refused = await stranger.call(session, zero)
            assert refused["tag"] == "Failed"
            assert "watchglass mirror grant" in refused["value"]
            assert stranger.tables() == set()
            assert await owner.value(session, "units") == [7]


def test_the_module_is_written_for_programs_that_generate_bindings(
    tmp_path: Path, cache_dir: Path
) -> None:
    commands = Commands(tmp_path, cache_dir)
    done = commands.run("mirror", "module", "mirror.wasm")
    assert (done.status, done.stdout[:12]) == (0, "mirror.wasm "), done.stderr
    module = MirrorTables(public=False).build(Identity(0))
    assert (tmp_path / "mirror.wasm").read_bytes() == module
    failed = commands.run("mirror", "module", "nowhere/mirror.wasm")
    assert (failed.status, "nowhere/mirror.wasm cannot be written" in failed.stderr) == (1, True)


def test_the_committed_bindings_are_those_of_the_module() -> None:
    told_hash = (FOLDER / "bindings/ORIGIN.md").read_text().split()[-1]
    assert told_hash == Bindings(MirrorTables(public=False).module.schema).hash


def test_npms_sdk_is_pinned_and_named_without_an_address() -> None:
    lock = json.loads((FOLDER / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages[f"node_modules/{SDK}"]["version"] == lock["packages"][""]["dependencies"][SDK]
    assert not any("resolved" in each for each in packages.values())
    assert all("integrity" in each for each in packages.values())
