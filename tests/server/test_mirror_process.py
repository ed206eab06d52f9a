"""The process of the mirror, where it does not do what it should: nobody waits for it for ever."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from spacetimedb_client import FileCredentials, connect
from spacetimedb_client.testing import Server
from tests.sdk.conftest import server_program
from tests.support.serving import mirrors_of
from tests.support.waiting import until
from watchglass_server.mirror_process import Mirrored, MirrorProcess
from watchglass_sync.granting import Granting
from watchglass_sync.journal import Journal
from watchglass_sync.mirror_address import MirrorAddress
from watchglass_sync.permissions import Permission
from watchglass_sync.remote_commands import CommandOutcome, RemoteCommand

__all__ = ["server_program"]

NOWHERE = MirrorAddress("http://127.0.0.1:1", "watchglass")


async def perform(command: RemoteCommand) -> CommandOutcome:
    raise AssertionError(command)


@pytest.fixture
async def mirror(tmp_path: Path) -> AsyncIterator[MirrorProcess]:
    """One whose database is not there."""
    async with await Journal.open(tmp_path / "data") as journal:
        mirrored = Mirrored(NOWHERE, journal.path, tmp_path / "kept", "here", public=False)
        process = MirrorProcess(journal, mirrored, perform)
        await process.start()
        yield process
        await process.stop(grace=0.2)
        assert pids() == []


def pids() -> list[int]:
    """Those of mirrors that this process has started."""
    return mirrors_of(os.getpid())


async def test_it_says_that_the_database_is_not_there(mirror: MirrorProcess) -> None:
    assert await mirror.has_looked(20)
    assert mirror.status.state == "disconnected"
    assert "127.0.0.1:1" in (mirror.status.problem or "")
    assert not await mirror.caught_up(0.2)


async def test_one_that_answers_nothing_is_waited_for_no_longer_than_was_said_and_ended(
    mirror: MirrorProcess,
) -> None:
    await until(lambda: len(pids()) == 1)
    os.kill(pids()[0], signal.SIGSTOP)
    began = time.monotonic()
    assert not await mirror.has_looked(0.2)
    assert not await mirror.caught_up(0.2)
    assert time.monotonic() - began < 10


async def test_one_that_dies_is_told_of_and_replaced(mirror: MirrorProcess) -> None:
    assert await mirror.has_looked(20)
    (first,) = pids()
    errors = mirror.status.errors
    os.kill(first, signal.SIGKILL)
    await until(lambda: "its process ended (-9)" in (mirror.status.problem or ""))
    assert mirror.status.errors > errors
    await until(lambda: pids() not in ([], [first]))
    await until(lambda: "127.0.0.1:1" in (mirror.status.problem or ""))


async def test_a_command_is_performed_once_though_the_process_dies_over_it(
    server_program: Path, tmp_path: Path
) -> None:
    performed: list[RemoteCommand] = []
    may_go_on = asyncio.Event()

    async def slowly(command: RemoteCommand) -> CommandOutcome:
        performed.append(command)
        await may_go_on.wait()
        return CommandOutcome(session="made")

    with Server(tmp_path / "db", binary=server_program) as database:
        address = MirrorAddress(database.uri, "watchglass")
        kept = FileCredentials(tmp_path / "kept")
        async with await Journal.open(tmp_path / "data") as journal:
            mirrored = Mirrored(address, journal.path, tmp_path / "kept", "here", public=False)
            mirror = MirrorProcess(journal, mirrored, slowly)
            await mirror.start()
            assert await mirror.has_looked(20)
            async with connect(database.uri, address.database) as somebody:
                await somebody.subscribe("SELECT * FROM command_result")
                async with Granting.opened(address, kept) as granting:
                    await granting.grant(Permission(str(somebody.identity), None, "owner"))
                actions = somebody.bindings.types
                action = actions.Action.CreateSession(actions.CreateSession("mine"))
                await somebody.reducers.command("1", "", action)
                await until(lambda: len(performed) == 1)
                os.kill(pids()[0], signal.SIGKILL)
                await until(lambda: mirror.status.state == "disconnected")
                await until(lambda: mirror.status.state == "connected")
                may_go_on.set()
                await until(lambda: len(somebody.db.command_result) == 1)
                (answer,) = somebody.db.command_result
                assert (answer.ok, answer.session) == (True, "made")
            assert len(performed) == 1
            await mirror.stop()


async def test_ending_it_at_once_is_no_fault(mirror: MirrorProcess) -> None:
    await asyncio.sleep(0)
    await mirror.stop(grace=0.2)
    assert pids() == []
