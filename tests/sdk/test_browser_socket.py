"""The browser's WebSocket: how it is opened, how much may wait on either side, how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from spacetimedb_bsatn import Schema
from spacetimedb_bsatn.algebraic import Primitive, product
from spacetimedb_bsatn.schema import Table
from spacetimedb_client import (
    AuthError,
    ConnectError,
    Connection,
    ConnectionLost,
    ConnectTimeout,
    DatabaseNotFound,
    browser_socket,
)
from spacetimedb_client.bindings import Bindings
from spacetimedb_client.browser_socket import WebSocket
from spacetimedb_client.link import Link
from spacetimedb_client.options import Options
from tests.support.fake_browser import FakeAnswer, FakeBrowser, FakeChannel, json_answer
from tests.support.frames import identity_token, subscribe_applied
from tests.support.waiting import until

V1 = "v1.bsatn.spacetimedb"
MINUTE_TOKEN = "POST /v1/identity/websocket-token"
WHICH = "GET /v1/database/arena/identity"
BINDINGS = Bindings(Schema((product(("id", Primitive.U8)),), (), (Table("thing", 0),), ()))


@pytest.fixture
def browser() -> FakeBrowser:
    return FakeBrowser()


def opening(
    browser: FakeBrowser, *, token: str | None = None, timeout: float = 5.0
) -> Coroutine[Any, Any, WebSocket]:
    return browser_socket.open_socket(
        browser.fetch, browser.new_channel, "https://host:3000", "arena",
        token=token, subprotocols=[V1, "other"], query={"compression": "None"}, timeout=timeout,
    )  # fmt: skip


async def opened(browser: FakeBrowser) -> tuple[WebSocket, FakeChannel]:
    asked = asyncio.create_task(opening(browser))
    channel = await browser.channel()
    channel.listener.opened(V1)
    return await asked, channel


async def refused(browser: FakeBrowser, **options: Any) -> None:
    """As every refusal looks like to a page."""
    asked = asyncio.create_task(opening(browser, **options))
    channel = await browser.channel()
    channel.listener.closed(1006, "")
    try:
        await asked
    finally:
        assert channel.is_released


async def test_all_protocols_are_offered_at_once(browser: FakeBrowser) -> None:
    socket, channel = await opened(browser)
    assert channel.address == "wss://host:3000/v1/database/arena/subscribe?compression=None"
    assert channel.subprotocols == [V1, "other"]
    assert socket.subprotocol == V1
    assert browser.asked == []
    await socket.close()
    assert channel.is_released


async def test_a_token_becomes_one_for_the_address(browser: FakeBrowser) -> None:
    browser.answers[MINUTE_TOKEN] = json_answer({"token": "for a minute"})
    asked = asyncio.create_task(opening(browser, token="lasting"))
    channel = await browser.channel()
    query = parse_qs(urlsplit(channel.address).query)
    assert query == {"compression": ["None"], "token": ["for a minute"]}
    [(_, headers, _)] = browser.asked
    assert headers == {"Authorization": "Bearer lasting"}
    channel.listener.opened("")
    assert (await asked).subprotocol is None


@pytest.mark.parametrize(
    ("status", "error"), [(401, AuthError), (404, DatabaseNotFound), (503, ConnectError)]
)
async def test_a_refusal_is_asked_for_its_reason(
    browser: FakeBrowser, status: int, error: type[Exception]
) -> None:
    browser.answers[WHICH] = FakeAnswer(status)
    with pytest.raises(error):
        await refused(browser)


async def test_a_refused_handshake_of_a_server_that_is_well_says_what_to_look_at(
    browser: FakeBrowser,
) -> None:
    browser.answers[WHICH] = FakeAnswer(200)
    with pytest.raises(ConnectError, match=r"has 'arena', and refuses a WebSocket .*in between"):
        await refused(browser)
    browser.answers[WHICH] = ConnectionError("Failed to fetch")
    with pytest.raises(ConnectError, match="https://host:3000 cannot be reached"):
        await refused(browser)


async def test_a_token_that_is_not_accepted_opens_nothing(browser: FakeBrowser) -> None:
    browser.answers[MINUTE_TOKEN] = FakeAnswer(401, [b"TokenError"])
    with pytest.raises(AuthError, match="does not accept the token"):
        await opening(browser, token="bad")
    assert browser.channels == []


async def test_a_page_that_may_not_open_one_hears_why(browser: FakeBrowser) -> None:
    def not_here(*_: object) -> FakeChannel:
        raise ConnectionError("an insecure WebSocket from a secure page")

    asked = browser_socket.open_socket(
        browser.fetch, not_here, "http://host", "arena",
        token=None, subprotocols=[V1], query={}, timeout=5,
    )  # fmt: skip
    with pytest.raises(ConnectError, match="cannot be reached: an insecure WebSocket"):
        await asked


async def test_a_handshake_without_an_answer_ends(browser: FakeBrowser) -> None:
    with pytest.raises(ConnectTimeout, match=r"within 0\.05 s"):
        await opening(browser, timeout=0.05)
    assert (await browser.channel()).is_released


async def test_frames_that_came_before_the_end_are_read_before_it(browser: FakeBrowser) -> None:
    socket, channel = await opened(browser)
    channel.listener.received(b"one")
    channel.listener.received("two")
    channel.listener.closed(1008, "too slow")
    channel.listener.received(b"never")
    assert [await socket.receive(), await socket.receive()] == [b"one", "two"]
    for _ in range(2):
        with pytest.raises(ConnectionLost, match="with 1008: too slow"):
            await socket.receive()


@pytest.mark.parametrize(
    ("code", "words"),
    [(1000, "the server closed the connection"), (1006, "the connection broke off")],
)
async def test_an_end_without_a_reason_has_words_too(
    browser: FakeBrowser, code: int, words: str
) -> None:
    socket, channel = await opened(browser)
    waiting = asyncio.create_task(socket.receive())
    await asyncio.sleep(0)
    channel.listener.closed(code, "")
    with pytest.raises(ConnectionLost, match=f"^{words}$"):
        await waiting


async def test_sending_waits_until_the_browser_has_sent(
    browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_socket, "MAX_UNSENT_BYTES", 10)
    socket, channel = await opened(browser)
    sending = asyncio.create_task(socket.send([b"123456", b"123456", b"123"]))
    await until(lambda: len(channel.sent) == 2)
    await asyncio.sleep(3 * browser_socket.DRAIN_SECONDS)
    assert len(channel.sent) == 2
    channel.unsent_bytes = 10
    await until(lambda: len(channel.sent) == 3)
    assert not sending.done()
    channel.unsent_bytes = 0
    await sending


async def test_what_waits_to_be_sent_is_lost_with_the_connection(
    browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_socket, "MAX_UNSENT_BYTES", 10)
    socket, channel = await opened(browser)
    sending = asyncio.create_task(socket.send([b"12345678901", b"next"]))
    await until(lambda: bool(channel.sent))
    channel.listener.closed(1006, "")
    with pytest.raises(ConnectionLost, match="is gone: the connection broke off"):
        await sending
    with pytest.raises(ConnectionLost):
        await socket.send([b"more"])
    assert channel.sent == [b"12345678901"]


async def test_what_nobody_reads_has_a_limit_and_one_frame_has_none(
    browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_socket, "MAX_UNREAD_BYTES", 10)
    socket, channel = await opened(browser)
    channel.listener.received(b"a table of any size")
    assert await socket.receive() == b"a table of any size"
    for frame in (b"123456", b"1234", b"1"):
        assert not channel.is_closed
        channel.listener.received(frame)
    assert channel.is_closed
    assert [await socket.receive(), await socket.receive()] == [b"123456", b"1234"]
    with pytest.raises(ConnectionLost, match="wait to be read: subscribe to less"):
        await socket.receive()


async def test_a_server_that_never_says_goodbye_is_left(
    browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_socket, "CLOSE_SECONDS", 0.05)
    socket, channel = await opened(browser)
    channel.says_goodbye = False
    waiting = asyncio.create_task(socket.receive())
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await socket.close()
    assert channel.is_released
    with pytest.raises(ConnectionLost, match="the connection was closed"):
        await waiting


async def test_a_connection_over_it_has_rows_and_keeps_the_lasting_token(
    browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.answers[MINUTE_TOKEN] = json_answer({"token": "for a minute"})
    through = partial(browser_socket.open_socket, browser.fetch, browser.new_channel)
    monkeypatch.setattr("spacetimedb_client.link.open_socket", through)
    options = Options("http://host", "arena", reconnect=False)
    asked = asyncio.create_task(Link.open(options, "lasting", BINDINGS))
    channel = await browser.channel()
    channel.listener.opened(V1)
    channel.listener.received(identity_token())
    conn = Connection(options, BINDINGS, *await asked)
    assert conn.token == "lasting"
    subscribing = asyncio.create_task(conn.subscribe("SELECT * FROM thing"))
    await until(lambda: bool(channel.sent))
    channel.listener.received(subscribe_applied(1, [("thing", [], [b"\x05", b"\x07"])]))
    await subscribing
    assert sorted(row.id for row in conn.db.thing) == [5, 7]
    channel.listener.closed(1011, "a restart")
    with pytest.raises(ConnectionLost, match="with 1011: a restart"):
        await conn.wait_closed()
    await conn.close()
