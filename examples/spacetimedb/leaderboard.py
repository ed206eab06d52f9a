"""A leaderboard that watches itself: python leaderboard.py http://127.0.0.1:3000 scores 20"""

import asyncio
import random
import sys

from spacetimedb_bsatn import u32
from spacetimedb_client import Admin, Connection, Insert, Update, connect
from spacetimedb_client.module import Module

NAMES = ["Ann", "Bo", "Cy", "Di", "Ed"]


def scores_module() -> Module:
    module = Module()
    columns = {"name": str, "score": u32}
    module.mirror(module.table("player", columns, primary_key="name", indexes=["score"]))
    return module


async def play(conn: Connection, rounds: int) -> None:
    for _ in range(rounds):
        name = random.choice(NAMES)
        known = conn.db.player.name.find(name)
        score = known.score if known else 0
        gained = random.randrange(1, 10)
        await conn.reducers.player_upsert({"name": name, "score": score + gained})


async def watch(conn: Connection) -> None:
    async for change in conn.db.player.changes(overflow="coalesce"):
        match change:
            case Insert(row):
                print(f"{row.name} joins")
            case Update(old, new):
                best = list(conn.db.player.score.filter(..., ...))[::-1][:3]
                board = ", ".join(f"{row.name} {row.score}" for row in best)
                print(f"{new.name} +{new.score - old.score}: {board}", flush=True)


async def main(uri: str, database: str, rounds: str) -> None:
    async with Admin(uri) as admin:
        await admin.publish(database, scores_module().build())
    async with connect(uri, database) as conn:
        await conn.subscribe("SELECT * FROM player")
        watching = asyncio.create_task(watch(conn))
        await asyncio.sleep(0)
        await play(conn, int(rounds))
    await watching


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
