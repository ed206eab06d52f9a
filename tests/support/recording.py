"""Records frames of a real server: python -m tests.support.recording, with SPACETIMEDB_BIN set.

A session is what the client asked and what the server said, in order: `tests/support/recorded.py`
plays it again up to any frame.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from spacetimedb_bsatn import Classes, Codecs, Identity, Timestamp, u64
from spacetimedb_bsatn.algebraic import Primitive, option
from spacetimedb_bsatn.writer import Writer
from spacetimedb_client.aiohttp_transport import WebSocket
from spacetimedb_client.errors import ProtocolError
from spacetimedb_client.http import Admin
from spacetimedb_client.module import Module, Operation
from spacetimedb_client.protocol.conversation import Conversation
from spacetimedb_client.protocol.dialect import Dialect, Frame
from spacetimedb_client.protocol.v1 import V1
from spacetimedb_client.protocol.v1_json import V1Json
from spacetimedb_client.testing import Server
from spacetimedb_client.transport import open_socket

VECTORS = Path(__file__).parents[1] / "vectors" / "server_frames_v1.json"
LONG = "x" * 1500  # the server compresses what is longer than 1024 bytes
ANSWER_SECONDS = 5
SUBSCRIBE, SUBSCRIBE_SINGLE, UNSUBSCRIBE = 1, 3, 5

Steps = list[dict[str, Any]]


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


SCHEMA = module().schema
CODECS = Codecs(Classes(SCHEMA))
Item = CODECS.classes.all()["Item"]


def row(number: int, name: str, score: int | None = None, phase: int = 0) -> bytes:
    """The arguments of `item_insert` and `item_update`."""
    return CODECS.of(SCHEMA.reducers[0].params).encode(
        (Item(number, name, score, Timestamp(5), phase),)
    )


class Recorder:
    """One connection: each question with its answer becomes two steps."""

    def __init__(self, socket: WebSocket, dialect: Dialect) -> None:
        self._socket = socket
        self._dialect = dialect
        self.talk = Conversation(dialect)
        self.steps: Steps = []

    async def hear(self, what: str) -> None:
        """The next frame of the server."""
        async with asyncio.timeout(ANSWER_SECONDS):
            frame = await self._socket.receive()
        try:
            [event] = self.talk.receive_data(frame)
        except ProtocolError:
            [event] = self._dialect.decode(frame)  # an answer to what only others ask
        text = frame.hex() if isinstance(frame, bytes) else frame
        self.steps.append({"what": what, "event": type(event).__name__, "frame": text})

    async def ask(self, what: str, question: str, *arguments: Any, raw: bytes = b"") -> int:
        """Asks, and hears the answer; `raw` is sent instead of what our client would send."""
        number = asked(self.talk, question, arguments)
        told = [each.hex() if isinstance(each, bytes) else each for each in arguments]
        self.steps.append({"ask": question, "arguments": told})
        frames: list[Frame] = self.talk.data_to_send()
        await self._socket.send([raw] if raw else frames)
        await self.hear(what)
        return number


def asked(talk: Conversation, question: str, arguments: Any) -> int:
    """One question, by the name of the method that asks it."""
    method: Callable[..., int] = getattr(talk, question)
    return method(*arguments)


@asynccontextmanager
async def recorder(
    uri: str, database: str, dialect: Dialect, compression: str = "None", light: bool = False
) -> AsyncIterator[Recorder]:
    query = {"compression": compression, "light": "true" if light else "false"}
    socket = await open_socket(
        uri, database, token=None, subprotocols=[dialect.subprotocol], query=query, timeout=10
    )
    recording = Recorder(socket, dialect)
    await recording.hear("identity")
    yield recording
    await socket.close()


async def usual(uri: str, database: str, dialect: Dialect) -> Steps:
    """All that a connection hears."""
    async with recorder(uri, database, dialect) as talk:
        both = ["SELECT * FROM item", "SELECT * FROM item WHERE id = 1"]
        query = await talk.ask("subscribed", "subscribe", both)
        for name, score in (("Ann", None), ("Bo", -5)):
            await talk.ask(f"inserted {name}", "call_reducer", "item_insert", row(0, name, score))
        changed = "updated twice, as two queries match"
        await talk.ask(changed, "call_reducer", "item_update", row(1, "Anna", 7, phase=1))
        for name, args in (("refuse", b"\x02\0\0\0no"), ("crash", b"")):
            await talk.ask(f"failed {name}", "call_reducer", name, args)
        if isinstance(dialect, V1):  # JSON does not even let us ask this
            for name, args in (("refuse", b"x"), ("unheard", b"")):
                await talk.ask(f"failed {name} {len(args)}", "call_reducer", name, args)
        await talk.ask("query", "one_off_query", "SELECT * FROM item")
        await talk.ask("query that is none", "one_off_query", "nonsense")
        await talk.ask("subscribed with rows", "subscribe", ["SELECT * FROM item WHERE id = 2"])
        await talk.ask("deleted", "call_reducer", "item_delete", b"\x02" + bytes(7))
        await talk.ask("unsubscribed", "unsubscribe", query)
        await talk.ask("subscription refused", "subscribe", ["SELECT * FROM nowhere"])
        await talk.ask("subscribed to a fixed size", "subscribe", ["SELECT * FROM seen"])
        return talk.steps


async def light(uri: str, database: str, dialect: Dialect) -> Steps:
    """What a bystander hears who asked for less."""
    async with (
        recorder(uri, database, dialect) as caller,
        recorder(uri, database, dialect, light=True) as talk,
    ):
        await talk.ask("subscribed", "subscribe", ["SELECT * FROM item"])
        await caller.ask("inserted", "call_reducer", "item_insert", row(0, "Cy", 1))
        await talk.hear("another's insert, light")
        return talk.steps


async def others(uri: str, database: str) -> Steps:
    """Answers to what older clients ask: our own never does, and reads them all the same."""
    async with recorder(uri, database, V1()) as talk:
        text = "SELECT * FROM item"
        single = bytes(Writer().u8(SUBSCRIBE_SINGLE).string(text).u32(1).u32(1))
        query = await talk.ask("subscribed to one", "subscribe", [text], raw=single)
        ended = bytes(Writer().u8(UNSUBSCRIBE).u32(2).u32(query))
        await talk.ask("unsubscribed from one", "unsubscribe", query, raw=ended)
        writer = Writer().u8(SUBSCRIBE)
        legacy = bytes(writer.many([text], writer.string).u32(3))
        await talk.ask("subscribed as long ago", "subscribe", [text], raw=legacy)
        return talk.steps


async def compressed(uri: str, database: str, compression: str) -> Steps:
    """Whatever is long."""
    async with recorder(uri, database, V1(), compression) as talk:
        await talk.ask("subscribed", "subscribe", ["SELECT * FROM item"])
        await talk.ask("inserted", "call_reducer", "item_insert", row(0, LONG, 3))
        await talk.ask("query", "one_off_query", "SELECT * FROM item")
        again = ["SELECT * FROM item WHERE id = 1", "SELECT * FROM item WHERE id > 0"]
        query = await talk.ask("subscribed with rows", "subscribe", again)
        await talk.ask("unsubscribed", "unsubscribe", query)
        await talk.ask("failed", "call_reducer", "refuse", bytes(Writer().string(LONG)))
        await talk.ask("query that is none", "one_off_query", "SELECT * FROM " + LONG)
        await talk.ask("subscription refused", "subscribe", ["SELECT * FROM " + LONG])
        return talk.steps


async def record(uri: str) -> list[dict[str, Any]]:
    json_dialect = V1Json(SCHEMA)
    sessions: dict[str, tuple[Dialect, Callable[[str], Any]]] = {
        "usual": (V1(), lambda name: usual(uri, name, V1())),
        "light": (V1(), lambda name: light(uri, name, V1())),
        "others": (V1(), lambda name: others(uri, name)),
        "gzip": (V1(), lambda name: compressed(uri, name, "Gzip")),
        "brotli": (V1(), lambda name: compressed(uri, name, "Brotli")),
        "usual-json": (json_dialect, lambda name: usual(uri, name, json_dialect)),
        "light-json": (json_dialect, lambda name: light(uri, name, json_dialect)),
    }
    recorded = []
    async with Admin(uri) as admin:
        for name, (dialect, run) in sessions.items():
            await admin.publish(name, module().build())
            steps = await run(name)
            recorded.append({"session": name, "protocol": dialect.subprotocol, "steps": steps})
    return recorded


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        sessions = asyncio.run(record(server.uri))
    VECTORS.write_text(json.dumps(sessions, indent=1) + "\n")


if __name__ == "__main__":
    main()
