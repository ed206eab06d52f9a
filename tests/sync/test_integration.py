"""The journal into a real database, where the rows of one session are refused every time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import pytest

from spacetimedb_client import Admin, ConnectionLost, FileCredentials, ReducerError
from spacetimedb_client.module import BatchStep
from spacetimedb_client.testing import Server
from tests.sdk.conftest import server_program
from tests.support.waiting import until, until_true
from watchglass_sync.inbox import CommandInbox
from watchglass_sync.integration import SpacetimeDBIntegration
from watchglass_sync.journal import Journal
from watchglass_sync.mirror_address import MirrorAddress
from watchglass_sync.mirror_database import MirrorDatabase
from watchglass_sync.mirror_listener import MirrorListener
from watchglass_sync.records import EventRecord, SessionRecord
from watchglass_sync.remote_commands import CommandOutcome, RemoteCommand

__all__ = ["server_program"]

pytestmark = pytest.mark.slow
TIME = "2026-01-31T12:00:00.000000Z"
FIELDS = {"name": "n", "created_at": TIME, "last_active_at": TIME, "executions": 0}
POISON = b"poison"


class Heard:
    """What a mirror has told, by the names of its listener's methods."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: self.told.append(name)


Rows = Callable[[str], Awaitable[list[str]]]


@pytest.fixture
def _refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that never takes rows in which there is poison."""
    apply = MirrorDatabase.apply

    async def refuse(self: MirrorDatabase, *groups: Sequence[BatchStep]) -> None:
        if any(POISON in step.data for steps in groups for step in steps):
            raise ReducerError("it is poison", "apply")
        await apply(self, *groups)

    monkeypatch.setattr(MirrorDatabase, "apply", refuse)


@pytest.mark.usefixtures("_refusing")
@pytest.mark.parametrize("is_public", [False, True])
async def test_rows_that_are_refused_hold_up_no_other_session(
    server_program: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, is_public: bool
) -> None:
    with Server(tmp_path / "db", binary=server_program) as server:
        async with mirrored(server, tmp_path, public=is_public) as (journal, mirror, rows):
            for session in ("a", "bad", "z"):
                text = "poison" if session == "bad" else "fine"
                data = {"execution": None, "name": "stdout", "text": text}
                await journal.append(
                    session, [SessionRecord(FIELDS), EventRecord(1, TIME, "stream", data)]
                )
                mirror.notify(session)
            await until_told(rows, "session", ["a", "z"])
            assert await mirror.caught_up(20)
            await journal.append("z", [EventRecord(2, TIME, "stream", data)])
            mirror.notify("z")
            await until_told(rows, "output", ["a", "z", "z"])
    assert caplog.text.count("please report this") == 1
    assert "session bad: " in caplog.text


async def test_it_ends_also_when_something_fails_meanwhile(
    server_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(*_: object) -> None:
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            raise ConnectionLost("at the worst moment") from None

    monkeypatch.setattr(CommandInbox, "run", run)
    with Server(tmp_path / "db", binary=server_program) as server:
        async with asyncio.timeout(20), mirrored(server, tmp_path, public=False) as (_, mirror, _):
            assert await mirror.caught_up(10)
            began = time.monotonic()
            await mirror.stop(grace=10)
            assert time.monotonic() - began < 5


async def until_told(rows: Rows, table: str, due: list[str]) -> None:
    async def are_there() -> bool:
        return await rows(table) == due

    await until_true(are_there)


@asynccontextmanager
async def mirrored(
    server: Server, folder: Path, *, public: bool
) -> AsyncIterator[tuple[Journal, SpacetimeDBIntegration, Rows]]:
    credentials = FileCredentials(folder / "credentials")
    address = MirrorAddress(server.uri, "watchglass")

    async def perform(command: RemoteCommand) -> CommandOutcome:
        raise AssertionError(command)

    async def rows(table: str) -> list[str]:
        """The sessions of its rows; none while there is no table."""
        token = credentials.load(address.uri, address.database)
        async with Admin(server.uri, token=token) as admin:
            found = await admin.sql(address.database, f"SELECT session FROM {table}")
            return sorted(row.session for row in found)

    async with await Journal.open(folder / "data") as journal:
        mirror = SpacetimeDBIntegration(
            journal,
            address,
            credentials,
            origin="here",
            ended_at={},
            perform=perform,
            listener=cast("MirrorListener", Heard()),
            public=public,
        )
        mirror.start()
        try:
            await until(lambda: mirror.status.state != "disconnected")
            yield journal, mirror, rows
        finally:
            await mirror.stop()
