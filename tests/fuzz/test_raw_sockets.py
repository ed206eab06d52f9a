"""Bytes that are nearly Socket.IO at a real server: it answers others, and forgets the senders."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

import aiohttp
import pytest

from tests.support.hostile_client import call_packet, payload
from tests.support.mutation import Mutation
from tests.support.served import Wire
from tests.support.serving import Serving
from watchglass_server.socketio_server import HELLO_S

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

CONNECTIONS = 4
WAIT = aiohttp.ClientTimeout(total=0.5)
GROWTH_BYTES = 48 * 2**20


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("raw")
    with Serving(folder, "--pool-min-size", "1", cache_dir=cache_dir) as server:
        yield server


async def send_packets(serving: Serving, seeds: range, session: str) -> None:
    """Packets over WebSockets, a new one whenever the server has had enough."""
    waiting = iter(seeds)
    async with aiohttp.ClientSession() as http:
        while (seed := next(waiting, None)) is not None:
            url = serving.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
            async with http.ws_connect(url, max_msg_size=2**26) as socket:
                await socket.receive_str()
                await socket.send_str("40" + json.dumps({"token": serving.token}))
                await socket.receive_str()
                with contextlib.suppress(ConnectionError):
                    while seed is not None and not socket.closed:
                        await _send(socket, Random(seed), session)
                        seed = next(waiting, None)


async def _send(socket: aiohttp.ClientWebSocketResponse, random: Random, session: str) -> None:
    chance = random.random()
    said = call_packet(random, session)
    if '"session.create"' in said:  # each would start a process
        return
    if chance < 0.9:
        await socket.send_str("4" + said)
    elif chance < 0.95:
        await socket.send_bytes(Mutation(random).damaged(said.encode()))
    else:
        damaged = Mutation(random).damaged(("4" + said).encode())
        await socket.send_str(damaged.decode("utf-8", "replace"))
    with contextlib.suppress(TimeoutError):
        await socket.receive(timeout=0.002)  # what is answered is read now and then


async def post_payloads(serving: Serving, seeds: range, session: str) -> None:
    """Payloads over long polling, each in a connection of its own."""
    url = serving.url + "/socket.io/?EIO=4&transport=polling"
    async with aiohttp.ClientSession() as http:
        for seed in seeds:
            sid = await _begun(http, url)
            async with http.post(
                f"{url}&sid={sid}", data="40" + json.dumps({"token": serving.token})
            ):
                pass
            sent = payload(Random(seed), session)
            if b'"session.create"' in sent:
                continue
            # One that says goodbye waits until its answers are fetched, which nobody does here.
            with contextlib.suppress(TimeoutError):
                async with http.post(f"{url}&sid={sid}", data=sent, timeout=WAIT) as said:
                    assert said.status in (200, 400), await said.text()


async def _begun(http: aiohttp.ClientSession, url: str) -> str:
    """A connection, as soon as there is room beside those that have not said who they are."""
    async with asyncio.timeout(HELLO_S * 2):
        while True:
            async with http.get(url) as opened:
                text = await opened.text()
            if text != '"busy"':
                return str(json.loads(text[1:])["sid"])
            await asyncio.sleep(0.2)


def has_result(wire: Wire, number: int) -> bool:
    return bool(wire.heard("execute_result", number=number))


def resident_bytes(serving: Serving) -> int:
    status = Path(f"/proc/{serving.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


async def test_hostile_clients_disturb_nobody_and_are_forgotten(
    serving: Serving, soak: bool
) -> None:
    async with await Wire(serving.url).connect(serving.token) as owner:
        session = (await owner.call("session.create"))["session"]
        held = []
        for round_ in range(3):
            size = 20_000 if soak else 400
            first = round_ * size
            seeds = [range(first + at, first + size, CONNECTIONS) for at in range(CONNECTIONS)]
            await asyncio.gather(*(send_packets(serving, each, session) for each in seeds))
            await post_payloads(serving, range(first, first + size // 50), session)
            answer = await owner.call("execute", session=session, code="1 + 1")
            assert answer["ok"] is True, answer
            await owner.until(partial(has_result, owner, answer["number"]))
            held.append(resident_bytes(serving))
    assert held[-1] - held[0] < GROWTH_BYTES, held
    assert "Traceback" not in serving.words(), serving.words()
