"""One WebSocket with its conversation, where the network is slower than we are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from spacetimedb_client.link import Link
from spacetimedb_client.protocol.conversation import Conversation
from spacetimedb_client.protocol.dialect import Frame
from spacetimedb_client.protocol.v2 import V2
from tests.support.fake_socket import FakeSocket
from tests.support.frames import initial_connection
from tests.support.waiting import until


class SlowSocket(FakeSocket):
    """Takes nothing until the test says that the network has room."""

    def __init__(self) -> None:
        super().__init__()
        self.has_room = asyncio.Event()
        self.batches: list[int] = []

    async def send(self, frames: Sequence[Frame]) -> None:
        self.batches.append(len(frames))
        await self.has_room.wait()
        await super().send(frames)


async def test_what_is_asked_while_another_one_sends_is_sent_after_it() -> None:
    server = SlowSocket()
    link = Link(server, Conversation(V2()))
    server.say(initial_connection())
    await link.start()
    link.talk.call_reducer("first", b"", is_awaited=False)
    first = asyncio.create_task(link.flush())
    await until(lambda: server.batches == [1])
    link.talk.call_reducer("second", b"", is_awaited=False)
    link.flush_soon(1)
    link.talk.call_reducer("third", b"", is_awaited=False)
    await link.flush()
    await asyncio.sleep(0.01)  # the loop still turns
    assert server.batches == [1]
    server.has_room.set()
    await until(lambda: server.batches == [1, 2])
    await first
    await link.close()
