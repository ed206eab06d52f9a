"""A process that says without end what its host would have held back ends; the others go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.support.client import Client
from tests.support.node_host import Conversation, node_config
from tests.support.open_server import command
from tests.support.serving import Serving
from watchglass_server import allowance
from watchglass_server.allowance import RATES, Rate
from watchglass_server.process import PyodideProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

MIB = 2**20
ANSWER_S = 1.0
FLOODED_S = 6.0
# Of the server, by one session: what is being read, decoded and stored.
GROWTH_BYTES = 512 * MIB
# What is written before it ends, or is cut: what its allowance has at once.
STORED_BYTES = 512 * MIB

FORGING = """
import json
from pyodide.code import run_js

def frame(message):
    body = b"J" + json.dumps(message).encode()
    return len(body).to_bytes(4, "little") + body

def chunk(size):
    body = b"B" + b"\\xff" * 4 + bytes(size)
    return len(body).to_bytes(4, "little") + body

flood = run_js('''(bytes) => {
  const frames = bytes.toJs();
  const fs = process.getBuiltinModule("fs");
  const isSocket = (number) => {
    try {
      return fs.fstatSync(number).isSocket();
    } catch {}
  };
  const [socket] = [...Array(64).keys()].filter((number) => number > 2 && isSocket(number));
  for (;;)
    for (let sent = 0; sent < frames.length; )
      try {
        sent += fs.writeSync(socket, frames, sent);
      } catch {}
}''')
"""
CHANGE = {"op": "delete", "name": "x" * 1000, "line": 1, "request_id": 0}
VARIABLE = {
    "name": "x", "type": "int", "module": None, "length": None, "size_bytes": None, "shape": None,
    "dtype": None, "expandable": False, "settable": False, "version": 1, "value": None,
}  # fmt: skip
LARGE = {
    **CHANGE, "op": "set", "name": "x",
    "variable": {**VARIABLE, "preview": "x", "value": "x" * 15_000},
}  # fmt: skip
VARIABLES = {"type": "variables", "request_id": 1, "running": True}


@dataclass(frozen=True)
class Flood:
    """What is said again and again, as Python code, and the words of the end; None: it is cut."""

    frames: str
    words: str | None

    @property
    def code(self) -> str:
        return f"{FORGING}\nflood({self.frames})"


def said(type_: str, **fields: Any) -> str:
    return f"frame({ ({'type': type_, **fields})!r})"


def watch(preview: str) -> str:
    variable = {**VARIABLE, "preview": preview}
    value = {"watch": "WATCH", "variable": variable, "error": None}
    values = [{**value, "met": None, "condition_error": None}]
    return said("watches", request_id=1, line=None, watches=values)


INPUT = said("input_request", request_id=1, request=7, prompt="?" * 100, password=False)
FLOODS = {
    "output": Flood(
        said("stream", request_id=1, name="stdout", text="x" * 60_000), "a flood of output"
    ),
    "output of nobody": Flood(
        said("stream", request_id=0, name="stderr", text="x" * 60_000), "a flood of output"
    ),
    "output in pieces": Flood(
        said("stream", request_id=1, name="stdout", text="x") + " * 1000", None
    ),
    "what was dropped": Flood(
        said("stream_dropped", request_id=1, dropped_bytes=5) + " * 1000",
        "a flood of stream_dropped",
    ),
    "displays": Flood(
        said("display_data", request_id=1, display_id=None, bundle={"text/plain": "x" * 10**6}),
        None,
    ),
    "displays of nobody": Flood(
        said("display_data", request_id=0, display_id=None, bundle={"text/plain": "x" * 10**6}),
        None,
    ),
    "exceptions": Flood(
        said("error", request_id=1, name="E", message="m", traceback=["x" * 10**5], line=None),
        None,
    ),
    "many changes": Flood(
        said("variables", request_id=1, running=True, changes=[CHANGE] * 500),
        "a flood of variables",
    ),
    "changes of much": Flood(
        f"frame({VARIABLES!r} | {{'changes': [{LARGE!r}] * 500}})",
        "a flood of variables",
    ),
    "changes of little": Flood(
        said("variables", request_id=1, running=True, changes=[{**CHANGE, "name": "x"}]) + " * 999",
        "a flood of variables",
    ),
    "pictures": Flood(
        said("live", changes=[], windows=[], line=None) + " * 1000", "a flood of live"
    ),
    "watches": Flood(f"{watch('1')} + {watch('2')}", "a flood of watches"),
    "questions": Flood(
        f"({INPUT} + {said('input_cancelled', request_id=1, request=7)}) * 100",
        "a flood of input_",
    ),
    "dumps": Flood(
        "chunk(2 ** 20) * 8 + "
        + said("dumped", number=1, request_id=1, bytes=8 * MIB, variables=[]),
        None,  # each is stored in the place of the last, as fast as the disk takes it
    ),
    "small dumps": Flood(
        said("dumped", number=1, request_id=1, bytes=0, variables=[]) + " * 100",
        "a flood of dumped",
    ),
    "a dump without end": Flood("chunk(2 ** 20)", "a dump of more than"),
    "chunks of nothing": Flood("chunk(0) * 1000", "a chunk that holds nothing"),
}


@pytest.fixture
def serving(tmp_path: Path, cache_dir: Path) -> Iterator[Serving]:
    arguments = ("--isolation", "process", "--pool-min-size", "1")
    with Serving(tmp_path, *arguments, cache_dir=cache_dir, command=command(tmp_path)) as server:
        yield server


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def stored_bytes(serving: Serving) -> int:
    return sum(file.stat().st_size for file in serving.data_dir.glob("journal*"))


@pytest.mark.parametrize("name", FLOODS)
async def test_what_is_forged_without_end_is_bounded(serving: Serving, name: str) -> None:
    flood = FLOODS[name]
    before = resident_bytes(serving.pid)
    took, largest = [], 0
    async with (
        Client(serving.url, serving.token) as forger,
        Client(serving.url, serving.token) as client,
    ):
        session, other = await forger.create(), await client.create()
        added = await forger.call("watch.add", session=session, expression="x")
        await forger.submit(session, flood.code.replace("WATCH", added["watch"]))
        end = time.monotonic() + FLOODED_S
        while time.monotonic() < end:
            begun = time.monotonic()
            assert (await client.run(other, "1 + 1")).result == "2"
            took.append(time.monotonic() - begun)
            largest = max(largest, resident_bytes(serving.pid))
            await asyncio.sleep(0.05)
        log = forger.log(session)
        if flood.words is not None:
            ended = await log.event("process.state", state="dead")
            assert ended["data"]["exit"]["cause"] == "protocol"
            assert flood.words in ended["data"]["exit"]["message"]
        assert median(took) < ANSWER_S, took
        assert largest - before < GROWTH_BYTES
        assert stored_bytes(serving) < STORED_BYTES


HONEST = {
    "lines": "for i in range(10**6): print(i)",
    "two streams by turns": """
import sys
for i in range(20_000):
    sys.stdout.write("a"), sys.stderr.write("b")
""",
    "100,000 variables": "for i in range(100_000): globals()[f'v{i}'] = i",
    "a storm of variables": """
import time
n, end = 0, time.time() + 2
while time.time() < end:
    n += 1
    globals()[f"v{n % 20_000}"] = "x" * 10_000 + str(n)
""",
    "displays": "for i in range(20_000): display(i)",
    "exceptions of tasks": """
import asyncio
async def bad(): 1 / 0
for i in range(5000): asyncio.ensure_future(bad())
await asyncio.sleep(1)
""",
    "a task that goes on": """
import asyncio
large = bytes(10 * 2**20)
async def count():
    global n
    for n in range(2000): await asyncio.sleep(0.001)
counting = asyncio.ensure_future(count())
""",
    "after it": "await counting",
}
WATCHES = [{"watch": f"w{i}", "expression": f"v{i}", "condition": None} for i in range(50)]
LOOKING = {"on": True, "windows": []}


async def test_honest_code_at_its_worst_needs_less_than_a_tenth(
    cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tenth(rate: Rate) -> Rate:
        return Rate(rate.most // 10, rate.per_s // 10, rate.per_execution // 10)

    less = {
        kind: replace(kind, messages=tenth(kind.messages), size=tenth(kind.size))
        for kind in RATES.values()
    }
    monkeypatch.setattr(allowance, "RATES", {name: less[kind] for name, kind in RATES.items()})
    async with PyodideProcess(await node_config(cache_dir)) as process:
        talk = Conversation(process)
        await process.query("watches", {"watches": WATCHES}, timeout=20)
        await process.query("view", LOOKING, timeout=20)
        for name, code in HONEST.items():
            ended = await talk.execute(code, timeout=60)
            assert ended.status == "ok", name
        for number in range(500):
            await talk.execute(f"x = {number}")
        assert process.exit is None
        await talk.close()
