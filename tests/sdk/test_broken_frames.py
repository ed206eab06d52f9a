"""Every frame cut at every offset, and with a bit flipped at every offset.

What comes of it is an error that a connection expects, or another message that is one: nobody can
notice a flip inside of a text or a number. The cache is as it was, to the last count.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from spacetimedb_client import Connection
from spacetimedb_client.errors import ProtocolError
from spacetimedb_client.link import Link
from spacetimedb_client.options import Options
from spacetimedb_client.protocol.conversation import Conversation
from tests.support.fake_socket import FakeSocket
from tests.support.recorded import (
    BINDINGS,
    DIALECTS,
    RECORDED,
    Client,
    Recorded,
    ask,
    cut,
    flipped,
)
from tests.support.waiting import until
from tests.support.written_frames import WRITTEN

ALL = [*RECORDED, *WRITTEN]
JSON = [each for each in RECORDED if isinstance(each.frame, str)]
UNASKED = "subscribed as long ago"  # only clients of long ago ask so: no answer of ours


def test_each_kind_of_frame_is_there() -> None:
    kinds = {(each.protocol.partition(".")[0], each.event) for each in ALL}
    events = {
        *("Connected", "SubscribeApplied", "TransactionUpdate", "QueryResult"),
        *("UnsubscribeApplied", "SubscriptionFailed"),
    }
    for protocol in ("v1", "v2", "v3"):
        assert {event for own, event in kinds if own == protocol} >= events
    tags = {each.frame[:1] for each in RECORDED if isinstance(each.frame, bytes)}
    assert tags == {b"\0", b"\1", b"\2"}  # nothing, brotli, gzip


@pytest.mark.parametrize("recorded", ALL, ids=str)
def test_each_frame_is_read_as_what_it_is(recorded: Recorded) -> None:
    [event, *_] = DIALECTS[recorded.protocol].decode(recorded.frame)
    assert type(event).__name__ == recorded.event
    assert Client(recorded).is_refused(recorded.frame) == (recorded.what == UNASKED)


@pytest.mark.parametrize("recorded", ALL, ids=str)
def test_each_frame_cut_at_every_offset_is_an_error(recorded: Recorded) -> None:
    client = Client(recorded)
    before = client.contents()
    for at, broken in enumerate(cut(recorded.frame)):
        assert client.is_refused(broken) == (at not in recorded.ends), at
    assert client.contents() == before


@pytest.mark.parametrize("recorded", ALL, ids=str)
def test_each_frame_with_a_flipped_bit_is_an_error_or_another_message(
    recorded: Recorded, soak: bool
) -> None:
    client = Client(recorded)
    before = client.contents()
    refused = [client.is_refused(broken) for broken in flipped(recorded.frame, soak)]
    assert any(refused)
    assert client.contents() == before


def variations(value: Any) -> Iterator[Any]:
    """A value of JSON with each part of it in turn replaced by something of another kind."""
    yield from (None, True, -1, 1e999, 10**40, "", "x", [], [1], [0, 0], {}, {"x": 1})
    if isinstance(value, str) and value[:1] in ("[", "{"):  # rows are JSON in JSON
        yield from map(json.dumps, variations(json.loads(value)))
    if not isinstance(value, dict | list):
        return
    for key in value if isinstance(value, dict) else range(len(value)):
        for other in variations(value[key]):
            changed = value.copy()
            changed[key] = other
            yield changed


@pytest.mark.parametrize("recorded", JSON, ids=str)
def test_each_part_of_a_json_frame_may_be_anything(recorded: Recorded) -> None:
    client = Client(recorded)
    before = client.contents()
    for broken in variations(json.loads(recorded.frame)):
        client.is_refused(json.dumps(broken))
    assert client.contents() == before


def test_after_a_broken_frame_nothing_more_is_taken() -> None:
    for recorded in (RECORDED[0], JSON[0]):
        talk = Conversation(DIALECTS[recorded.protocol])
        with pytest.raises(ProtocolError, match="cannot be read"):
            talk.receive_data(recorded.frame[:-1])
        with pytest.raises(RuntimeError, match="broken"):
            talk.receive_data(recorded.frame)


BINARY = [each for each in RECORDED if isinstance(each.frame, bytes) and each.before]


@pytest.mark.parametrize("recorded", BINARY, ids=str)
async def test_a_connection_ends_at_a_broken_frame_with_its_rows_as_they_were(
    recorded: Recorded,
) -> None:
    socket = FakeSocket()
    told: list[object] = []
    first, *earlier = [bytes.fromhex(each["frame"]) for each in recorded.before if "frame" in each]
    socket.say(first)
    link = Link(socket, Conversation(DIALECTS[recorded.protocol]))
    connected = await link.start()
    conn = Connection(Options("http://test", "test", reconnect=False), BINDINGS, link, connected)
    for step in recorded.before[1:]:
        if "ask" in step:
            ask(link.talk, step)
    socket.say(*earlier)
    await until(lambda: conn.frames_handled == len(earlier))
    before = {name: list(conn.db[name]) for name in ("item", "seen")}
    for name in before:
        for register in (conn.db[name].on_insert, conn.db[name].on_delete):
            register(lambda *rows: told.append(rows))
    whole = recorded.frame
    assert isinstance(whole, bytes)
    half = whole[: len(whole) // 2]
    socket.say(half, whole)
    with pytest.raises(ProtocolError, match="cannot be read"):
        await conn.wait_closed()
    assert {name: list(conn.db[name]) for name in before} == before
    assert told == []
    await conn.close()
