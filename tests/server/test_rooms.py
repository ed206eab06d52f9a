"""Who gets which event: in order, none twice, none while a client catches up by pages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from watchglass_server.live_sender import LiveSender
from watchglass_server.notifications import LiveMessage
from watchglass_server.outbox import MAX_WAITING_CHARACTERS, Outbox
from watchglass_server.rooms import Client, Membership, Rooms
from watchglass_server.shares import Grant


class Peer:
    """The far end of an outbox: takes packets, or lets them wait."""

    def __init__(self) -> None:
        self.packets: list[str] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.overflows = 0
        self.outbox = Outbox(self.send, self.taken, self.overflowed)

    async def send(self, packet: str) -> None:
        self.packets.append(packet)

    async def taken(self) -> None:
        await self.reads.wait()

    async def show(self, picture: LiveMessage, taken: Callable[[], None]) -> None:
        taken()

    def overflowed(self) -> None:
        self.overflows += 1

    def seqs(self) -> list[int]:
        return [json.loads(packet[1:])[1]["seq"] for packet in self.packets]


def event(seq: int) -> dict[str, Any]:
    return {"session": "s", "seq": seq, "time": "t", "type": "stream", "data": {}}


def connection(peer: Peer, grant: Grant | None) -> Client:
    return Client(
        client="c",
        grant=grant,
        outbox=peer.outbox,
        live=LiveSender(peer.show),
        origin="http://x",
        is_open=lambda _: True,
    )


def joined(rooms: Rooms, peer: Peer, grant: Grant | None = None) -> Client:
    client = connection(peer, grant)
    rooms.enter(client, "s", Membership("p", "viewer", "share"))
    return client


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_events_are_kept_until_the_acknowledgement_and_then_sent_in_order() -> None:
    rooms, peer = Rooms(), Peer()
    client = joined(rooms, peer)
    rooms.publish("s", [event(1)])
    rooms.promise(client, "s", after=2)
    rooms.publish("s", [event(2), event(3)])
    await settled()
    assert peer.packets == []
    rooms.release(client, "s")
    rooms.publish("s", [event(4)])
    await settled()
    assert peer.seqs() == [3, 4]
    peer.outbox.close()


async def test_a_client_that_pages_gets_no_events_before_it_has_caught_up() -> None:
    rooms, peer = Rooms(), Peer()
    client = joined(rooms, peer)
    rooms.promise(client, "s", after=0)
    rooms.withhold(client, "s")
    rooms.release(client, "s")
    rooms.publish("s", [event(1)])
    rooms.promise(client, "s", after=1)
    rooms.release(client, "s")
    rooms.publish("s", [event(2)])
    await settled()
    assert peer.seqs() == [2]
    peer.outbox.close()


async def test_who_has_left_gets_nothing() -> None:
    rooms, peer = Rooms(), Peer()
    client = joined(rooms, peer)
    rooms.promise(client, "s", after=0)
    rooms.release(client, "s")
    assert rooms.leave(client, "s") is not None
    assert rooms.leave(client, "s") is None
    rooms.publish("s", [event(1)])
    await settled()
    assert peer.packets == []
    assert rooms.members("s") == []
    peer.outbox.close()


async def test_a_client_that_does_not_read_is_dropped_and_holds_up_nobody() -> None:
    rooms, slow, quick = Rooms(), Peer(), Peer()
    slow.reads.clear()
    for peer in (slow, quick):
        client = joined(rooms, peer)
        rooms.promise(client, "s", after=0)
        rooms.release(client, "s")
    large = "x" * (MAX_WAITING_CHARACTERS // 16)
    for seq in range(1, 40):
        rooms.publish("s", [event(seq) | {"data": {"text": large}}])
        await settled()
    assert quick.seqs() == list(range(1, 40))
    assert slow.overflows == 1
    assert len(slow.packets) < 5
    assert slow.outbox.is_empty
    quick.outbox.close()


async def test_one_packet_larger_than_the_limit_is_still_sent() -> None:
    peer = Peer()
    peer.outbox.put("x" * (MAX_WAITING_CHARACTERS + 1))
    await settled()
    assert len(peer.packets) == 1
    peer.outbox.close()


@pytest.mark.parametrize("grant", [None, Grant("s", "editor", "by"), Grant("t", "owner", "by")])
async def test_the_role_is_the_one_of_the_session_that_is_asked_for(grant: Grant | None) -> None:
    peer = Peer()
    client = connection(peer, grant)
    assert client.role_in("s") == (
        "owner" if grant is None else "editor" if grant.session == "s" else None
    )
    Rooms().enter(client, "s", Membership("p", "viewer", "share"))
    assert client.role_in("s") == ("owner" if grant is None else "viewer")
    assert client.came_by("share")
    assert client.came_by("by") is (grant is not None)
    assert not client.came_by("other")
    peer.outbox.close()
