"""HTTP: identities, publishing, SQL, calls, logs, names, against a real server."""

from __future__ import annotations

import pytest

from spacetimedb_client import (
    Admin,
    AuthError,
    DatabaseNotFound,
    HttpError,
    Identity,
    ReducerError,
    ReducerInternalError,
)
from spacetimedb_client.testing import Server
from tests.sdk.conftest import Publish
from tests.support.arena import arena


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


async def test_what_is_no_module_is_refused_with_the_servers_words(
    database_server: Server,
) -> None:
    async with Admin(database_server.uri) as admin:
        with pytest.raises(HttpError, match="WebAssembly"):
            await admin.publish("broken", b"no module")


async def test_sql_selects_and_changes(publish: Publish) -> None:
    database = await publish(arena())
    async with database.admin() as admin:
        await admin.sql(database.name, "INSERT INTO level (player, level) VALUES (1, 5)")
        answer = await admin.sql(database.name, "SELECT * FROM level")
        assert answer.columns == ("player", "level")
        assert answer.rows == ((1, 5),)
        with pytest.raises(HttpError, match="nowhere"):
            await admin.sql(database.name, "SELECT * FROM nowhere")


async def test_reducers_are_called_and_their_errors_told(publish: Publish) -> None:
    database = await publish(arena())
    async with database.admin() as admin:
        await admin.call(database.name, "level_insert", {"player": 1, "level": 2})
        assert (await admin.sql(database.name, "SELECT * FROM level")).rows == ((1, 2),)
        with pytest.raises(ReducerError, match="too short"):
            await admin.call(database.name, "refuse", "too short")
        with pytest.raises(ReducerInternalError, match="fatal"):
            await admin.call(database.name, "crash")
        with pytest.raises(ReducerInternalError, match="no such reducer"):
            await admin.call(database.name, "unheard")
        with pytest.raises(HttpError) as refused:
            await admin.call(database.name, "say", 1)
        assert refused.value.status == 400


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
        with pytest.raises((AuthError, HttpError)):
            async for _ in stranger.logs(database.name):
                pass


async def test_an_identity_that_owns_nothing_has_no_databases(database_server: Server) -> None:
    async with Admin(database_server.uri) as admin:
        assert await admin.databases(Identity(5)) == []
