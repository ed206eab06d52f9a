"""A server whose database is not there: sessions go on, know it, and forget it with the mirror."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import Client
from tests.support.served import http
from tests.support.serving import Serving
from watchglass_server.mirror_news import TELL_AFTER_S, TELL_EVERY_S

pytestmark = pytest.mark.slow


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address at which nobody answers: the port is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/watchglass"


def figures(serving: Serving) -> dict[str, float]:
    """Those of the mirror in /metrics."""
    _, _, body = http(f"{serving.url}/metrics", token=serving.token)
    found = re.findall(r"^watchglass_mirror_(\w+) (\S+)$", body.decode(), re.MULTILINE)
    return {name: float(value) for name, value in found}


async def test_sessions_go_on_and_are_told_how_much_waits(
    nowhere: str, tmp_path: Path, cache_dir: Path
) -> None:
    mirror = ("--spacetimedb", nowhere, "--pool-min-size", "1")
    with Serving(tmp_path, *mirror, cache_dir=cache_dir) as serving:
        async with Client(serving.url, serving.token) as client:
            session = await client.create()
            log = client.log(session)
            await log.event("mirror.state", state="disconnected")
            first = log.seq
            await client.run(session, "for n in range(20): print(n)")
            told = await log.event("mirror.state", after=first, state="disconnected")
            assert told["data"]["behind_by"] == told["seq"], "nothing has rows yet"
            await asyncio.sleep(TELL_EVERY_S + TELL_AFTER_S)
            assert log.seq == told["seq"], "what is told is no reason to tell again"
            async with Client(serving.url, serving.token) as late:
                state = (await late.join(session))["state"]
                assert state["mirror"] == told["data"]
            found = figures(serving)
            assert (found["connected"], found["behind_sessions"]) == (0, 1)
            assert found["behind_events"] >= told["seq"]
            assert found["lag_seconds"] > TELL_EVERY_S
            begun = time.monotonic()
            assert (await client.run(session, "6 * 7")).result == "42"
            assert time.monotonic() - begun < TELL_AFTER_S
    await no_more_with_the_next_start(session, tmp_path, cache_dir)


async def no_more_with_the_next_start(session: str, folder: Path, cache_dir: Path) -> None:
    """Without a mirror, a session of which one was told is told that it is off, and no other."""
    with Serving(folder, "--pool-min-size", "1", cache_dir=cache_dir) as serving:
        async with Client(serving.url, serving.token) as client:
            state = (await client.join(session))["state"]
            assert state["mirror"] is None
            events = (await client.call("session.join", session=session, since=0))["events"]
            told = [each["data"] for each in events if each["type"] == "mirror.state"]
            assert told[-1] == {"state": "off", "behind_by": 0}
            other = await client.create()
            await client.run(other, "x = 1")
            await asyncio.sleep(TELL_AFTER_S)
            kinds = [each["type"] for each in client.log(other).events.values()]
            assert "mirror.state" not in kinds
        assert figures(serving) == {}
