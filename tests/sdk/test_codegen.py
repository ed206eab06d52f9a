"""Generated bindings: current, equal to those made at run time, typed as they are used here."""

from __future__ import annotations

import ast
import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

import tests.support.arena_bindings as arena_module
from hatch_build import find_node
from spacetimedb_bsatn import Identity, Schema, ValidationError, u32, u64
from spacetimedb_bsatn.algebraic import UNIT, Primitive, option, product, sum_of
from spacetimedb_bsatn.schema import Procedure, Table, TypeName
from spacetimedb_client import cli, connect
from spacetimedb_client.bindings import TABLE_MEMBERS, TABLES_MEMBERS, Bindings
from spacetimedb_client.codegen import generate
from spacetimedb_client.module import Module
from spacetimedb_client.tables import TableHandle, Tables
from tests.sdk.conftest import Publish
from tests.support.arena import arena
from tests.support.arena_bindings import Happening, Phase, Player, Spot

FILE = Path(__file__).parents[1] / "support" / "arena_bindings.py"


async def test_the_file_is_what_the_command_writes(publish: Publish, tmp_path: Path) -> None:
    database = await publish(arena())
    async with database.admin() as admin:
        schema = await admin.schema(database.name)
    assert generate(schema, "arena") == FILE.read_text()
    written = tmp_path / "arena.py"
    command = ["generate", "--uri", database.uri, "--database", database.name, "-o", str(written)]
    assert await asyncio.to_thread(cli.main, command) == 0
    assert ast.dump(ast.parse(written.read_text()).body[-2]) == ast.dump(
        ast.parse(FILE.read_text()).body[-2]
    )


async def test_a_connection_has_the_types_of_the_file(publish: Publish) -> None:
    database = await publish(arena())
    async with connect(*database.address, module=arena_module, check_schema="error") as conn:
        await conn.subscribe(arena_module.tables.player.where(name="Ann"), "SELECT * FROM event")
        ann = Player(0, "Ann", 5, Phase.Lobby, Spot(1.0, 2.0), ("axe",))
        await conn.reducers.player_insert(ann)
        found: Player | None = conn.db.player.name.find("Ann")
        assert found == ann.replace(id=1)
        scores: list[int] = [row.score for row in conn.db.player.score.filter(5)]
        assert scores == [5]
        for row in conn.db.player:
            assert row.spot.x == 1.0
        caller: Identity = conn.identity
        assert caller


def heard(happening: Happening.Joined | Happening.Moved | Happening.Left) -> str:
    """A type checker knows that these are all."""
    match happening:
        case Happening.Joined(name):
            return name
        case Happening.Moved(spot):
            return f"to {spot.x}"
        case Happening.Left():
            return "left"


def test_variants_are_matched_to_the_end() -> None:
    told = [heard(Happening.Joined("Ann")), heard(Happening.Moved(Spot(1.0, 2.0)))]
    assert [*told, heard(Happening.Left())] == ["Ann", "to 1.0", "left"]


def test_types_of_all_kinds_can_be_written_and_run() -> None:
    names = [TypeName("class", 0), TypeName("odd_sum", 1), TypeName("nothing", 2)]
    schema = Schema(
        (
            product(("from", option(option(Primitive.U8))), ("b", option(Primitive.F32))),
            sum_of(("None", UNIT), ("Some", product(("x", Primitive.U8)))),
            product(),
        ),
        tuple(names),
        (Table("class", 0, is_event=True),),
        procedures=(Procedure("roll", product(("n", Primitive.U8)), Primitive.U256),),
    )
    space: dict[str, object] = {"__name__": "written"}
    exec(compile(generate(schema, "odd"), "written.py", "exec"), space)
    made = space["BINDINGS"]
    assert isinstance(made, Bindings)
    assert made.tables["class"].row is space["Class"]
    assert made.tables["class"].is_event
    assert made.schema.procedures == schema.procedures


def test_names_that_collide_are_an_error_that_says_both() -> None:
    schema = Schema((product(("a_b", Primitive.U8), ("a-b", Primitive.U8)),), (TypeName("T", 0),))
    with pytest.raises(ValidationError, match="'a_b' and 'a-b'"):
        generate(schema, "colliding")


def test_a_column_that_is_called_like_a_method_of_tables_gets_an_underscore() -> None:
    public = {name for name in dir(TableHandle) if not name.startswith("_")}
    assert public == TABLE_MEMBERS
    module = Module()
    module.table("t", {"changes": u32, "close": u32}, primary_key="changes", unique=["close"])
    indexes = Bindings(module.schema).tables["t"].indexes
    assert set(indexes) == {"changes_", "close_"}


def test_a_table_that_is_called_like_a_method_of_all_tables_gets_an_underscore() -> None:
    public = {name for name in dir(Tables) if not name.startswith("_")}
    assert public == TABLES_MEMBERS
    module = Module()
    module.table("close", {"a": u32})
    assert Bindings(module.schema).table_names == {"close_": "close"}


def test_private_tables_are_left_out_unless_asked_for() -> None:
    schema = arena().schema
    assert "SecretTable" not in generate(schema, "arena")
    assert "SecretTable" in generate(schema, "arena", private=True)


USE = """
from spacetimedb_client import connect
import things


async def main() -> list[str]:
    async with connect("http://127.0.0.1:3000", "things", module=things) as conn:
        thing = things.Thing(1, b"", "a", ("b",), 1.5, things.Spot(1.0), None)
        await conn.reducers.thing_insert(row=thing)
        conn.reducers.thing_delete.nowait(1)
        found = conn.db.thing.str.find("a")
        return [] if found is None else [found.str, *found.tuple]
"""
WRONG = """

async def wrong() -> None:
    async with connect("http://127.0.0.1:3000", "things", module=things) as conn:
        await conn.reducers.thing_delete("1")
"""
STRICT = {"typeCheckingMode": "strict", "venvPath": str(FILE.parents[2]), "venv": ".venv"}


def things() -> Module:
    """Columns with the names of types, which hide them from the annotations beside."""
    module = Module()
    spot = module.product("Spot", x=float)
    columns = {
        "u64": u64,
        "bytes": bytes,
        "str": str,
        "tuple": list[str],
        "float": float,
        "Spot": spot,
        "Identity": Identity | None,
    }
    module.mirror(module.table("thing", columns, primary_key="u64", unique=["str"]))
    return module


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_file_passes_both_type_checkers_in_strict_mode(tmp_path: Path) -> None:
    (tmp_path / "things.py").write_text(generate(things().schema, "things"))
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(STRICT))
    pyright = FILE.parents[2] / "node_host/node_modules/pyright/index.js"
    node = find_node()[0]
    for command in (
        [sys.executable, "-m", "mypy", "--strict", "use.py", "things.py"],
        [str(node), str(pyright), "-p", "."],
    ):
        for text, is_right in ((USE, True), (USE + WRONG, False)):
            (tmp_path / "use.py").write_text(text)
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
            assert (done.returncode == 0) == is_right, done.stdout + done.stderr
            assert done.stdout.count("error: ") == (0 if is_right else 1), done.stdout
