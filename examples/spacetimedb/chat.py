"""A chat: python chat.py http://127.0.0.1:3000 chat Ann — write lines, and read those of others."""

import asyncio
import sys

from spacetimedb_bsatn import Identity, Timestamp, u64
from spacetimedb_client import Admin, DatabaseNotFound, FileCredentials, connect
from spacetimedb_client.module import Module


def chat_module() -> Module:
    module = Module()
    columns = {"id": u64, "at": Timestamp, "who": Identity, "name": str, "text": str}
    module.mirror(module.table("message", columns, primary_key="id", auto_inc=["id"]))
    return module


async def publish_once(uri: str, database: str) -> None:
    async with Admin(uri) as admin:
        try:
            await admin.schema(database)
        except DatabaseNotFound:
            await admin.publish(database, chat_module().build())


async def main(uri: str, database: str, name: str) -> None:
    await publish_once(uri, database)
    async with connect(uri, database, token=FileCredentials()) as conn:
        conn.db.message.on_insert(lambda _, row: print(f"{row.name}: {row.text}", flush=True))
        await conn.subscribe("SELECT * FROM message")
        while line := await asyncio.to_thread(sys.stdin.readline):
            row = {"id": 0, "at": Timestamp.now(), "who": conn.identity, "name": name}
            await conn.reducers.message_insert(row | {"text": line.strip()})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
