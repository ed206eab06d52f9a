"""Server and Node processes killed at random moments under two clients that look on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import socketio.exceptions

from tests.support import cgroups
from tests.support.client import Client, Json, SessionLog
from tests.support.serving import Serving, children_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PRINTING = """
import time
for i in range(300):
    print({round}, i)
    latest = ({round}, i)
    if i % 20 == 0: time.sleep(0.05)
"""


@pytest.fixture
async def witness_and_owner(
    tmp_path: Path, cache_dir: Path
) -> AsyncIterator[tuple[Serving, Client, Client]]:
    options = ("--pool-min-size", "1", "--token", "the-same-after-a-restart")
    with Serving(tmp_path, *options, cache_dir=cache_dir) as serving:
        async with (
            Client(serving.url, serving.token, name="owner") as owner,
            Client(serving.url, serving.token, name="witness") as witness,
        ):
            yield serving, owner, witness


async def test_nothing_that_was_seen_is_lost_and_nothing_comes_twice(
    witness_and_owner: tuple[Serving, Client, Client], soak: bool
) -> None:
    serving, owner, witness = witness_and_owner
    chance = random.Random(os.environ.get("SEED", "watchglass"))
    session = await owner.create(name="under fire")
    await witness.join(session)
    executions: list[str] = []
    for number in range(50 if soak else 10):
        execution = f"round-{number}"
        executions.append(execution)
        code = PRINTING.format(round=number)
        sent = asyncio.create_task(owner.submit(session, code, execution))
        await asyncio.sleep(chance.random() * 0.7)
        if chance.random() < 0.5:
            await kill_server(serving, owner, witness)
        else:
            kill_a_process(serving, chance)
        with contextlib.suppress(socketio.exceptions.SocketIOError, ConnectionError):
            await sent
        # Whether it had arrived is not known: by its own id it is executed once at most.
        await owner.submit(session, code, execution)
        for client in (owner, witness):
            await client.log(session).event("execution.finished", execution=execution)
        await owner.run(session, f"survived = {number}")
        assert await owner.value(session, "survived") == number
    everything = await whole_record(serving, session)
    for client in (owner, witness):
        assert_all_of_it_is_in(everything, client.log(session))
    assert_printed_once(everything, executions)


@pytest.mark.parametrize("with_zygote", [False, True], ids=["alone", "with its zygote"])
async def test_a_killed_server_leaves_no_control_groups(
    tmp_path: Path, cache_dir: Path, with_zygote: bool
) -> None:
    with Serving(tmp_path, "--pool-min-size", "1", cache_dir=cache_dir) as serving:
        says_so = "cgroups (" in serving.words()
        (zygote,) = children_of(serving.pid)
        assert bool(cgroups.groups_of(zygote)) == says_so == cgroups.can_be_had()
        if with_zygote:
            os.kill(zygote, signal.SIGSTOP)  # it must not clean up after the server
            serving.kill()
            os.kill(zygote, signal.SIGKILL)
            serving.start()
        else:
            serving.kill()
        async with asyncio.timeout(20):
            while cgroups.groups_of(zygote):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.05)


async def kill_server(serving: Serving, *clients: Client) -> None:
    port = serving.port
    serving.kill()
    serving.start(port=port)
    for client in clients:
        await client.reconnect(serving.url)


def kill_a_process(serving: Serving, chance: random.Random) -> None:
    """The session's own or one that waits in the pool: it must not matter."""
    if children := serving.children():
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(children), signal.SIGKILL)


async def whole_record(serving: Serving, session: str) -> SessionLog:
    async with Client(serving.url, serving.token, name="auditor") as auditor:
        log = auditor.log(session)
        more = True
        while more:
            answer = await auditor.call("session.join", session=session, since=log.seq)
            for event in answer["events"]:
                log.receive(event)
            more = bool(answer.get("more"))
        return log


def assert_all_of_it_is_in(everything: SessionLog, seen: SessionLog) -> None:
    assert seen.events, "the client saw something"
    for seq, event in seen.events.items():
        assert everything.events[seq] == event


def assert_printed_once(everything: SessionLog, executions: list[str]) -> None:
    queued = Counter(of_type(everything, "execution.queued"))
    finished = Counter(of_type(everything, "execution.finished"))
    for number, execution in enumerate(executions):
        assert queued[execution] == 1
        assert finished[execution] == 1
        whole = "".join(f"{number} {i}\n" for i in range(300))
        printed = everything.ran(execution).stdout
        assert whole.startswith(printed), f"{execution} printed something twice or out of order"


def of_type(log: SessionLog, kind: str) -> list[str]:
    events: list[Json] = [e for e in log.events.values() if e["type"] == kind]
    return [event["data"]["execution"] for event in events]
