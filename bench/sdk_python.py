"""Bench ⇄ our client in one Python: the twin of sdk_node/codec.mjs and sdk_node/client.mjs.

python -m bench.sdk_python codec TABLE ROWS_FILE PASSES
python -m bench.sdk_python subscribe URI DATABASE TIMES
python -m bench.sdk_python calls URI DATABASE REDUCER WARM_UP COUNT WINDOW
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.sdk_module import codec_of
from spacetimedb_client import Connection, connect


def codec(table: str, file: str, passes: str) -> dict[str, Any]:
    """Each pass as the client reads a message: of the rows, and of where each one starts."""
    data = Path(file).read_bytes()
    starts = [int(start) for start in Path(f"{file}.starts").read_text().split()]
    of_rows = codec_of(table)
    rows: list[Any] = []
    encoded = b""

    def decode() -> None:
        nonlocal rows
        rows = []
        rows = of_rows.decode_rows(data, starts)

    def encode() -> None:
        nonlocal encoded
        encoded = of_rows.encode_many(rows)

    return {
        "decode": timed(decode, int(passes)),
        "encode": timed(encode, int(passes)),
        "rows": len(rows),
        "digest": hashlib.sha256(encoded).hexdigest(),
    }


def timed(one_pass: Callable[[], None], count: int) -> list[float]:
    """The seconds of each pass."""
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        one_pass()
        taken.append(time.perf_counter() - began)
    return taken


async def subscribe(uri: str, database: str, times: str) -> dict[str, Any]:
    seconds = []
    rows = 0
    for _ in range(int(times)):
        async with connect(uri, database) as conn:
            began = time.perf_counter()
            await conn.subscribe("SELECT * FROM player")
            seconds.append(time.perf_counter() - began)
            rows = len(conn.db.player)
    return {"seconds": seconds, "rows": rows}


async def calls(uri: str, database: str, reducer: str, *numbers: str) -> dict[str, Any]:
    warm_up, count, window = map(int, numbers)
    async with connect(uri, database) as conn:
        await conn.subscribe("SELECT * FROM spot")
        await called(conn, reducer, warm_up, window)
        began = time.perf_counter()
        await called(conn, reducer, count, window)
        seconds = time.perf_counter() - began
        return {"seconds": [seconds], "rows": len(conn.db.spot)}


async def called(conn: Connection, reducer: str, count: int, window: int) -> None:
    """As many calls, of which so many wait for their commit at a time."""
    numbers = iter(range(count))
    nothing, move_spot = conn.reducers.nothing, conn.reducers.move_spot
    spot = conn.bindings.tables["spot"].row

    async def one_after_another() -> None:
        for number in numbers:
            if reducer == "nothing":
                await nothing()
            else:
                await move_spot(spot(number % window, float(number), -float(number)))

    async with asyncio.TaskGroup() as tasks:
        for _ in range(window):
            tasks.create_task(one_after_another())


def main(what: str, *arguments: str) -> None:
    gc.collect()  # what importing left behind
    match what:
        case "codec":
            answer = codec(*arguments)
        case "subscribe":
            answer = asyncio.run(subscribe(*arguments))
        case _:
            answer = asyncio.run(calls(*arguments))
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
