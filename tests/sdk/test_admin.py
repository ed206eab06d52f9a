"""HTTP: identities, publishing, SQL, calls, logs, names, against a real server."""

from __future__ import annotations

import math

import pytest

from spacetimedb_bsatn import u32
from spacetimedb_client import (
    Admin,
    AuthError,
    ChangeKind,
    ConversionError,
    DatabaseNotFound,
    HttpError,
    Identity,
    MigrationRefused,
    PermissionDenied,
    QueryError,
    ReducerError,
    ReducerInternalError,
    SchemaChange,
    ValidationError,
)
from spacetimedb_client.module import Module
from spacetimedb_client.sql_text import filled
from spacetimedb_client.testing import Server
from tests.sdk.conftest import Publish
from tests.support import arena_bindings
from tests.support.arena import arena
from tests.support.arena_bindings import Phase, Player, Spot


async def test_identities_are_made_and_verified(database_server: Server) -> None:
    async with Admin(database_server.uri) as admin:
        await admin.ping()
        made = await admin.create_identity()
        assert made.token not in repr(made)
        assert "BEGIN PUBLIC KEY" in await admin.public_key()
    async with Admin(database_server.uri, token=made.token) as mine:
        assert await mine.verify(made.identity)
        assert await mine.databases(made.identity) == []
        assert (await mine.websocket_token()) != made.token
    async with Admin(database_server.uri, token="nonsense") as nobody:
        with pytest.raises(AuthError):
            await nobody.websocket_token()


async def test_a_database_is_created_updated_described_and_deleted(
    database_server: Server,
) -> None:
    async with Admin(database_server.uri) as anyone:
        owner = await anyone.create_identity()
    async with Admin(database_server.uri, token=owner.token) as admin:
        created = await admin.publish("shop", arena().build())
        updated = await admin.publish("shop", arena().build())
        assert (created.operation, updated.operation) == ("created", "updated")
        assert created.database_identity == await admin.database_identity("shop")
        assert await admin.databases(owner.identity) == [created.database_identity]
        assert "shop" in await admin.names("shop")
        assert "host_type" in await admin.describe("shop")
        schema = await admin.schema("shop")
        assert {"player", "event", "level"} <= {each.name for each in schema.tables}
        await admin.delete("shop")
        with pytest.raises(DatabaseNotFound):
            await admin.schema("shop")


async def test_what_is_no_module_is_refused_before_it_is_sent(database_server: Server) -> None:
    async with Admin(database_server.uri) as admin:
        with pytest.raises(ValidationError, match="no WebAssembly"):
            await admin.publish("broken", b"no module")
        with pytest.raises(HttpError, match=r"/v1/database/broken.*WebAssembly"):
            await admin.publish("broken", b"\0asm and nothing of it", check=False)


async def test_a_database_is_changed_by_its_owner_only(publish: Publish) -> None:
    database = await publish(arena())
    async with Admin(database.uri) as anyone:
        stranger = await anyone.create_identity()
        with pytest.raises(PermissionDenied, match="token of the database's owner"):
            await anyone.delete(database.name)
    async with Admin(database.uri, token=stranger.token) as admin:
        assert stranger.token not in repr(admin)
        for attempt in (
            admin.delete(database.name),
            admin.publish(database.name, arena()),
            admin.sql(database.name, "DELETE FROM level"),
        ):
            with pytest.raises(PermissionDenied):
                await attempt


async def test_whoever_publishes_without_a_token_is_told_whom_the_server_made(
    database_server: Server,
) -> None:
    async with Admin(database_server.uri) as nobody:
        made = (await nobody.publish("found", arena())).owner
    assert made is not None
    async with Admin(database_server.uri, token=made.token) as owner:
        assert await owner.verify(made.identity)
        await owner.delete("found")


@pytest.mark.parametrize("is_compiled", [False, True])
async def test_the_difference_is_shown_before_it_is_published(
    publish: Publish, is_compiled: bool
) -> None:
    before, after = Module(), Module()
    for module, columns in ((before, {"id": u32}), (after, {"id": u32, "name": str})):
        module.mirror(module.table("thing", columns, primary_key="id"))
    after.table("other", {"id": u32}, primary_key="id")
    database = await publish(before)
    new = after.build() if is_compiled else after
    async with database.admin() as admin:
        found = await admin.difference(database.name, new)
        assert found is not None
        assert SchemaChange(ChangeKind.ADDED, "table", "other") in found.changes
        assert "~ table thing: column name added" in str(found)
        assert [each for each in found.refused if "columns change" in each]
        owned = await admin.databases(database.owner.identity)
        with pytest.raises(MigrationRefused, match="clear=True"):
            await admin.publish(database.name, new)
        assert (await admin.publish(database.name, new, clear=True)).difference == found
        assert not await admin.difference(database.name, new)
        # The copy that was looked at is gone.
        assert await admin.databases(database.owner.identity) == owned
        assert await admin.difference("nowhere", new) is None


async def test_what_a_module_guards_obeys_the_one_who_publishes_it(
    database_server: Server,
) -> None:
    async with Admin(database_server.uri) as anyone:
        owner = await anyone.create_identity()
        async with Admin(database_server.uri, token=owner.token) as admin:
            await admin.publish("guarded", arena(owner_only=True))
            await admin.call("guarded", "nothing")
            with pytest.raises(ReducerError):
                await anyone.call("guarded", "nothing")
            await admin.delete("guarded")


async def test_sql_has_rows_of_its_own_classes(publish: Publish) -> None:
    database = await publish(arena())
    async with database.admin() as admin:
        spot = {"x": 1.0, "y": 2.0}
        row = {"id": 0, "name": "O'Hara", "score": -5, "phase": 1, "spot": spot, "bag": ["a"]}
        await admin.call(database.name, "player_insert", row=row)
        answer = await admin.sql(database.name, "SELECT * FROM player WHERE name = ?", "O'Hara")
        (player,) = answer
        assert (player.id, player.name, player.phase.name) == (1, "O'Hara", "Running")
        assert (player.spot.y, player.bag) == (2.0, ("a",))
        assert answer.columns == ("id", "name", "score", "phase", "spot", "bag")
        typed = await admin.sql(
            database.name, "SELECT * FROM player", into=Player, module=arena_bindings
        )
        assert typed.rows == (Player(1, "O'Hara", -5, Phase.Running, Spot(1.0, 2.0), ("a",)),)
        count = await admin.sql(database.name, "SELECT COUNT(*) AS n FROM player")
        assert [each.n for each in count] == [1]


async def test_sql_changes_rows_and_says_what_is_wrong(publish: Publish) -> None:
    database = await publish(arena())
    async with database.admin() as admin:
        inserted = await admin.sql(
            database.name, "INSERT INTO level (player, level) VALUES (?, ?)", 1, 5
        )
        assert (inserted.inserted, len(inserted)) == (1, 0)
        with pytest.raises(QueryError, match="nowhere"):
            await admin.sql(database.name, "SELECT * FROM nowhere")
        query = "SELECT level FROM level"
        with pytest.raises(QueryError, match=r"SELECT \* of its table"):
            await admin.sql(database.name, query, into=Player, module=arena_bindings)


def test_parameters_of_sql_stay_values() -> None:
    assert filled("a = ? AND b = '?' -- ?", ["x' OR 'x' = 'x"]) == (
        "a = 'x'' OR ''x'' = ''x' AND b = '?' -- ?"
    )
    assert filled('"?" = ?', [b"\1"]) == '"?" = 0x01'
    assert filled("? ?", [True, Identity(255)]) == f"true 0x{255:064x}"
    assert filled("what?", []) == "what?"
    with pytest.raises(ValidationError, match="more"):
        filled("? ?", [1])
    with pytest.raises(ValidationError, match="fewer"):
        filled("?", [1, 2])
    for value in (math.nan, math.inf, None, [1]):
        with pytest.raises(ConversionError):
            filled("?", [value])


async def test_reducers_are_called_and_their_errors_told(publish: Publish) -> None:
    database = await publish(arena())
    async with database.admin() as admin:
        result = await admin.call(database.name, "level_insert", {"player": 1, "level": 2})
        assert result.duration is not None
        assert result.energy is not None
        (level,) = await admin.sql(database.name, "SELECT * FROM level")
        assert (level.player, level.level) == (1, 2)
        with pytest.raises(ReducerError, match="too short"):
            await admin.call(database.name, "refuse", "too short")
        with pytest.raises(ReducerInternalError, match="fatal"):
            await admin.call(database.name, "crash")
        with pytest.raises(ReducerInternalError, match="no such reducer; there is player_insert"):
            await admin.call(database.name, "unheard")
        with pytest.raises(ConversionError, match="loudness"):
            await admin.call(database.name, "say", "hello", loudness=256)
        with pytest.raises(DatabaseNotFound, match="publish it first"):
            await admin.call("nowhere", "say")


async def test_what_json_cannot_say_is_not_sent(publish: Publish) -> None:
    database = await publish(arena())
    spot = {"x": math.nan, "y": math.inf}
    row = {"id": 0, "name": "", "score": 0, "phase": 0, "spot": spot, "bag": []}
    async with database.admin() as admin:
        with pytest.raises(ConversionError, match="over a connection"):
            await admin.call(database.name, "player_insert", row)


async def test_logs_are_read_and_followed(publish: Publish) -> None:
    database = await publish(arena())
    async with database.admin() as admin:
        lines = [line async for line in admin.logs(database.name, lines=50)]
        assert any("Creating table" in line.message for line in lines)
        assert {line.level for line in lines} <= {
            "Info",
            "Warn",
            "Error",
            "Debug",
            "Trace",
            "Panic",
        }
        async for line in admin.logs(database.name, follow=True, lines=1):
            assert line.at.micros > 0
            break
    async with Admin(database.uri) as stranger:
        with pytest.raises(PermissionDenied):
            async for _ in stranger.logs(database.name):
                pass


async def test_an_identity_that_owns_nothing_has_no_databases(database_server: Server) -> None:
    async with Admin(database_server.uri) as admin:
        assert await admin.databases(Identity(5)) == []
