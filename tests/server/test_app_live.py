"""`view.set`, `live` and `frames` through a real server: what is seen while code runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.support.client import Client, Json
from tests.support.served import refused
from tests.support.serving import Serving

pytestmark = pytest.mark.slow

LIVE_SCHEMA: Json = json.loads((Path(__file__).parents[2] / "docs/schemas/live.json").read_text())
BUSY = """\
import time
end = time.monotonic() + 3
def step(x):
    return x + 1
x = 0
while time.monotonic() < end:
    x = step(x)
"""


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("live")
    with Serving(folder, "--pool-min-size", "1", cache_dir=cache_dir) as server:
        yield server


@pytest.fixture
async def client(serving: Serving) -> Any:
    async with Client(serving.url, serving.token) as client:
        yield client


def values(client: Client, name: str) -> list[Any]:
    return [
        change["variable"]["value"]
        for picture in client.live
        for change in picture["changes"]
        if change["name"] == name
    ]


async def look(client: Client, session: str, names: list[str] | None, *windows: Json) -> None:
    await client.call("view.set", session=session, names=names, windows=list(windows))


def rows_of(client: Client, path: list[Any]) -> list[str] | None:
    """The previews in a window, by all the patches so far."""
    rows: list[str] = []
    gone = False
    for picture in client.live:
        for patch in picture["patches"]:
            if patch["path"] != path:
                continue
            gone = patch["total"] is None
            rows = rows[: patch["length"]] + [""] * (patch["length"] - len(rows))
            for row in patch["rows"]:
                rows[row["row"]] = row["child"]["variable"]["preview"]
    return None if gone else rows


async def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    for _ in range(round(seconds / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


async def test_a_busy_loop_is_seen_many_times_a_second(client: Client) -> None:
    session = await client.create()
    await look(client, session, None)
    await client.run(session, BUSY)
    seen = values(client, "x")
    assert len(set(seen)) >= 20
    assert seen == sorted(seen)
    for picture in client.live:
        jsonschema.validate(picture, LIVE_SCHEMA)
    lines = [picture["line"] for picture in client.live if picture["line"]]
    assert {line["number"] for line in lines} == {1}
    assert {line["line"] for line in lines} & {4, 6, 7}
    assert {line["calls"] for line in lines if line["function"] == "step"} <= {7}
    assert client.log(session).variables["x"]["value"] >= max(seen), "the record has the last one"


async def test_only_what_is_in_view_is_shown_and_nothing_to_who_does_not_look(
    client: Client, serving: Serving
) -> None:
    session = await client.create()
    async with Client(serving.url, serving.token) as other:
        await other.join(session)
        await look(client, session, ["x"])
        await client.run(session, BUSY.replace("x = step(x)", "x = step(x); y = x"))
        assert len(values(client, "x")) > 10
        assert values(client, "y") == []
        assert other.live == []
        await look(client, session, [])
        client.live.clear()
        await client.run(session, BUSY)
        assert client.live == []


async def test_an_open_window_is_kept_up_to_date_by_patches(client: Client) -> None:
    session = await client.create()
    await client.run(session, "units = {'a': list(range(50)), 'b': 0}")
    path = ["units", {"key": "a"}]
    await look(client, session, [], {"path": path, "offset": 10, "limit": 20})
    await until(lambda: rows_of(client, path) == [str(n) for n in range(10, 30)])
    code = "import time\nfor n in range(100): units['a'][15] = n; time.sleep(0.01)"
    await client.run(session, code)
    await until(lambda: (rows_of(client, path) or [])[5:6] == ["99"])
    sent = [row["row"] for picture in client.live for p in picture["patches"] for row in p["rows"]]
    assert sent.count(0) == 1, "only the rows that changed are sent again"
    assert sent.count(5) >= 4
    assert values(client, "units") == []
    await client.run(session, "del units['a']")
    await until(lambda: rows_of(client, path) is None)


async def test_a_second_viewer_of_the_same_window_is_shown_it_whole(
    client: Client, serving: Serving
) -> None:
    session = await client.create()
    await client.run(session, "units = [1, 2, 3]")
    window = {"path": ["units"], "offset": 0, "limit": 100}
    await look(client, session, [], window)
    await until(lambda: rows_of(client, ["units"]) == ["1", "2", "3"])
    async with Client(serving.url, serving.token) as other:
        await other.join(session)
        await look(other, session, [], window)
        await until(lambda: rows_of(other, ["units"]) == ["1", "2", "3"])


async def test_looking_goes_on_in_the_next_process(client: Client) -> None:
    session = await client.create()
    await look(client, session, None)
    await client.execute(session, "import os; os.abort()")
    await client.run(session, BUSY)
    assert len(set(values(client, "x"))) >= 20


async def test_a_slow_client_gets_fewer_pictures_and_the_right_last_values(
    serving: Serving,
) -> None:
    code = """\
import time
end = time.monotonic() + 3
names = [f"v{n}" for n in range(1000)]
count = 0
while time.monotonic() < end:
    count += 1
    for name in names: globals()[name] = count
"""
    async with (
        Client(serving.url, serving.token) as fast,
        Client(serving.url, serving.token, live_s=0.5) as slow,
    ):
        session = await fast.create()
        await slow.join(session)
        for client in (fast, slow):
            await look(client, session, None)
        await fast.run(session, code)
        assert 1 <= len(slow.live) <= 3 / 0.5 + 2
        assert len(fast.live) > len(slow.live)
        for client in (fast, slow):
            log = client.log(session)
            await log.event("execution.finished")
            last = log.variables["count"]["value"]
            assert {log.variables[f"v{n}"]["value"] for n in range(1000)} == {last}


async def test_the_frames_of_running_code_and_their_locals(client: Client) -> None:
    session = await client.create()
    assert (await client.call("frames", session=session))["frames"] == []
    code = """\
import time
def inner(depth):
    words = ["a", "b"]
    while True: time.sleep(0.01)
def outer():
    inner(depth=3)
outer()
"""
    running = await client.submit(session, code)
    await client.log(session).event("execution.started", execution=running)
    frames: list[Json] = []
    for _ in range(200):
        frames = (await client.call("frames", session=session))["frames"]
        if len(frames) >= 3:
            break
    users = [frame for frame in frames if frame["number"] == 1]
    assert [frame["name"] for frame in users] == ["<module>", "outer", "inner"]
    assert {each["name"]: each["value"] for each in users[-1]["locals"]} == {
        "depth": 3, "words": ["a", "b"],
    }  # fmt: skip
    assert users[0]["execution"] == running
    await client.call("interrupt", session=session)
    await client.log(session).event("execution.finished", execution=running)


async def test_who_has_not_joined_is_refused(client: Client, serving: Serving) -> None:
    session = await client.create()
    async with Client(serving.url, serving.token) as other:
        error = await refused(other, "view.set", session=session, names=None)
        assert (error["code"], error["field"]) == ("bad_request", "session")
    windows = [{"path": [{"index": 1}]}]
    error = await refused(client, "view.set", session=session, names=None, windows=windows)
    assert error["code"] == "bad_request"
