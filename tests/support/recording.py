"""Records frames of a real server: python -m tests.support.recording, with SPACETIMEDB_BIN set."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path

from spacetimedb_bsatn import Classes, Codecs, Identity, Timestamp, u64
from spacetimedb_bsatn.algebraic import Primitive, option
from spacetimedb_client.http import Admin
from spacetimedb_client.module import Module, Operation
from spacetimedb_client.protocol.conversation import Conversation
from spacetimedb_client.protocol.v1 import V1
from spacetimedb_client.testing import Server
from spacetimedb_client.transport import open_socket

VECTORS = Path(__file__).parents[1] / "vectors" / "server_frames_v1.json"
DATABASE = "recorded"


def module() -> Module:
    """One table, and a reducer for each way to end."""
    described = Module()
    phase = described.enum("Phase", "Lobby", "Running")
    score = option(Primitive.I32)
    columns = {"id": u64, "name": str, "score": score, "at": Timestamp, "phase": phase}
    item = described.table("item", columns, primary_key="id", auto_inc=["id"], indexes=["name"])
    described.mirror(item)
    described.table("seen", {"who": Identity, "at": Timestamp}, primary_key="who")
    described.reducer("refuse", Operation.FAIL)
    described.reducer("crash", Operation.CRASH)
    return described


async def record(uri: str) -> list[dict[str, str]]:
    async with Admin(uri) as admin:
        await admin.publish(DATABASE, module().build())
    socket = await open_socket(
        uri, DATABASE, token=None, subprotocols=["v1.bsatn.spacetimedb"],
        query={"compression": "None"}, timeout=10,
    )  # fmt: skip
    talk, frames = Conversation(V1()), []

    async def next_frame(what: str) -> None:
        await socket.send(talk.data_to_send())
        data = await socket.receive()
        assert isinstance(data, bytes)
        [event] = talk.receive_data(data)
        frames.append({"what": what, "event": type(event).__name__, "frame": data.hex()})

    await next_frame("identity")
    schema = module().schema
    codecs = Codecs(Classes(schema))
    row = codecs.of(schema.reducers[0].params)
    made = codecs.classes.all()["Item"]

    query = talk.subscribe(["SELECT * FROM item", "SELECT * FROM item WHERE id = 1"])
    await next_frame("subscribed")
    for name, score in (("Ann", None), ("Bo", -5)):
        talk.call_reducer("item_insert", row.encode((made(0, name, score, Timestamp(5), 1),)))
        await next_frame(f"inserted {name}")
    talk.call_reducer("item_update", row.encode((made(1, "Anna", 7, Timestamp(6), 0),)))
    await next_frame("updated twice, as two queries match")
    calls = [("refuse", b"\x02\0\0\0no"), ("crash", b""), ("refuse", b"x"), ("unheard", b"")]
    for name, args in calls:
        talk.call_reducer(name, args)
        await next_frame(f"failed {name} {len(args)}")
    talk.one_off_query("SELECT * FROM item")
    await next_frame("query")
    talk.one_off_query("nonsense")
    await next_frame("query that is none")
    talk.unsubscribe(query)
    await next_frame("unsubscribed")
    talk.subscribe(["SELECT * FROM nowhere"])
    await next_frame("subscription refused")
    talk.subscribe(["SELECT * FROM seen"])
    await next_frame("subscribed to nothing of a fixed size")
    await socket.close()
    return frames


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        frames = asyncio.run(record(server.uri))
    VECTORS.write_text(json.dumps(frames, indent=1) + "\n")


if __name__ == "__main__":
    main()
