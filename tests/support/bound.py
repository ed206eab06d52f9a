"""A game and its database beside a real server: rows as the game sees and changes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from spacetimedb_bsatn import u8, u32
from spacetimedb_client import Admin, Connection, FileCredentials, connect
from spacetimedb_client.module import Module
from tests.support.client import CallFailed, Client
from tests.support.waiting import until_true
from watchglass_server.mirroring import CREDENTIALS

ASKED_S = 15
UNIT = {"id": u32, "hp": u8, "x": float, "name": str}
ROW = {"id": 3, "hp": 10, "x": 0.0, "name": "Ann"}


def arena(*, reducers: bool = True) -> Module:
    """A module with a table `unit`; without reducers only SQL writes it."""
    module = Module()
    table = module.table("unit", UNIT, primary_key="id")
    if reducers:
        module.mirror(table)
    return module


class Game:
    """Somebody else's connection to the arena."""

    def __init__(self, connection: Connection, admin: Admin, database: str) -> None:
        self.connection = connection
        self._admin = admin
        self._database = database

    def unit(self, key: int = 3) -> Any:
        """The row as this connection sees it."""
        return self.connection.db["unit"].id.find(key)

    async def put(self, **columns: Any) -> None:
        """Insert a unit, or change it."""
        known = self.unit(columns.get("id", 3))
        before: dict[str, Any] = ROW
        if known is not None:
            before = {name: getattr(known, name) for name in UNIT}
        row = {**before, **columns}
        if "unit_upsert" in self.connection.reducers:
            await self.connection.reducers["unit_upsert"](row)
        elif known is None:
            values = f"({row['id']}, {row['hp']}, {row['x']}, '{row['name']}')"
            await self.sql(f"INSERT INTO unit (id, hp, x, name) VALUES {values}")
        else:
            changes = ", ".join(f"{name} = {value!r}" for name, value in columns.items())
            await self.sql(f"UPDATE unit SET {changes} WHERE id = {row['id']}")

    async def sql(self, statement: str) -> Any:
        """As the owner."""
        return await self._admin.sql(self._database, statement)

    async def until(self, holds: Callable[[], object], what: str, timeout: float = 15) -> None:
        """Wait until something is so of its rows."""
        try:
            async with asyncio.timeout(timeout):
                while not holds():  # noqa: ASYNC110 - rows are looked at
                    await asyncio.sleep(0.002)
        except TimeoutError:
            raise AssertionError(f"no {what}: {self.unit()}") from None


@asynccontextmanager
async def game(
    uri: str, *, module: Module | None = None, token: str | None = None, database: str = "arena"
) -> AsyncIterator[Game]:
    """An arena, owned by somebody new or by a token's identity, for as long as it is played."""
    async with Admin(uri, token=token) as admin:
        owner = token or (await admin.create_identity()).token
    async with Admin(uri, token=owner) as admin:
        await admin.publish(database, module or arena())
        try:
            async with connect(uri, database, token=owner) as connection:
                await connection.subscribe("SELECT * FROM unit")
                yield Game(connection, admin, database)
        finally:
            await admin.delete(database)


async def mirror_token(uri: str, data_dir: Path, database: str = "watchglass") -> str:
    """The token by which the server is known to the database, once it has one."""
    kept = FileCredentials(data_dir / CREDENTIALS)

    async def is_there() -> bool:
        return kept.load(uri, database) is not None

    await until_true(is_there, timeout=ASKED_S)
    token = kept.load(uri, database)
    assert token is not None
    return token


async def bind(client: Client, session: str, name: str, **fields: object) -> dict[str, Any]:
    """As soon as the mirror has been at its database: by its identity rows are bound."""
    where = {"table": "arena/unit", "key": 3, **fields}
    answers: list[dict[str, Any]] = []

    async def is_answered() -> bool:
        try:
            answers.append(await client.call("session.bind", session=session, name=name, **where))
        except CallFailed as failed:
            if failed.code != "not_available":
                raise
        return bool(answers)

    await until_true(is_answered, timeout=ASKED_S)
    return answers[0]


async def until_value(client: Client, session: str, name: str, value: object) -> None:
    """Wait until a client was told that a variable has this value."""
    log = client.log(session)
    await log.until(
        lambda: log.variables.get(name, {}).get("value", "?") == value, f"{name} = {value!r}"
    )
