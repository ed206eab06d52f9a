"""A loop that draws frames: python frames.py http://127.0.0.1:3000 field 100"""

import asyncio
import sys
import time

from spacetimedb_bsatn import f64, u64
from spacetimedb_client import Admin
from spacetimedb_client.game_loop import GameConnection, connect
from spacetimedb_client.module import Module

FRAME_SECONDS = 1 / 60


def field_module() -> Module:
    module = Module()
    module.mirror(module.table("dot", {"id": u64, "x": f64, "y": f64}, primary_key="id"))
    return module


async def publish(uri: str, database: str) -> None:
    async with Admin(uri) as admin:
        await admin.publish(database, field_module().build())


def draw(conn: GameConnection, frame: int) -> None:
    line = ["."] * 40
    for dot in conn.db.dot:
        line[int(dot.x) % 40] = "o"
    print(f"{frame:4} {''.join(line)}", flush=True)


def main(uri: str, database: str, frames: str) -> None:
    asyncio.run(publish(uri, database))
    with connect(uri, database) as conn:
        conn.wait(conn.conn.subscribe("SELECT * FROM dot"))
        me = conn.conn.connection_id.value % 2**64
        for frame in range(int(frames)):
            start = time.perf_counter()
            conn.frame_tick(max_ms=4)
            draw(conn, frame)
            conn.reducers.dot_upsert.nowait({"id": me, "x": frame * 0.5, "y": 0.0})
            time.sleep(max(0, FRAME_SECONDS - (time.perf_counter() - start)))


if __name__ == "__main__":
    main(*sys.argv[1:])
