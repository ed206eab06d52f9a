"""Requests that no browser sends, at a real server: refused, bounded in time, and not logged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.raw_socket import RawSocket
from tests.support.served import error_of, http
from tests.support.serving import Serving
from watchglass_server.http_connections import FIRST_REQUEST_S
from watchglass_server.http_guard import BODY_S
from watchglass_server.socketio_server import UNKNOWN_BYTES, UNKNOWN_MOST_OF_ADDRESS

pytestmark = pytest.mark.slow

HOST = b"Host: localhost\r\n"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("oddities")
    allowed = ("--allow-origin", "https://notes.example")
    with Serving(folder, "--pool-min-size", "1", *allowed, cache_dir=cache_dir) as server:
        yield server


async def answers(serving: Serving, request: bytes, *, within: float = 10) -> bytes:
    """All that comes back until the server closes, or nothing more comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    received = b""
    try:
        writer.write(request)
        await writer.drain()
        while part := await asyncio.wait_for(reader.read(65536), within if not received else 1):
            received += part
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return received


ODD = {
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "no host in HTTP/1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\n" + HOST + b"Host: evil.example\r\n\r\n",
    "a host twice": b"GET /healthz HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "a foreign host": b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "a host with a dot": b"GET /healthz HTTP/1.1\r\nHost: localhost.\r\n\r\n",
    "a host with a user": b"GET /healthz HTTP/1.1\r\nHost: localhost@evil.example\r\n\r\n",
    "half an address": b"GET /healthz HTTP/1.1\r\nHost: [::1\r\n\r\n",
    "a forwarded host": b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n"
    b"X-Forwarded-Host: localhost\r\nForwarded: host=localhost\r\n\r\n",
    "a whole address": b"GET http://localhost/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a foreign address": b"GET http://evil.example/healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "two lengths": b"POST /api/token HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": b"POST /api/token HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"POST /api/token HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a length with a sign": b"POST /api/token HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: +2\r\n\r\n{}",
    "a folded header": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n",
    "a space before the colon": b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "a bare line feed": b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
    "a NUL": b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: a\x00b\r\n\r\n",
    "two origins": b"POST /api/token HTTP/1.1\r\n"
    + HOST
    + b"Origin: http://localhost\r\nOrigin: https://evil.example\r\nContent-Length: 2\r\n\r\n{}",
    "origin null": b"POST /api/token HTTP/1.1\r\n"
    + HOST
    + b"Origin: null\r\nContent-Length: 2\r\n\r\n{}",
    "half an origin": b"POST /api/token HTTP/1.1\r\n"
    + HOST
    + b"Origin: http://[\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 5000 + b"\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_request_is_refused_once_and_without_a_trace(
    serving: Serving, name: str
) -> None:
    received = await answers(serving, ODD[name])
    status = received.split(b" ", 2)[1:2]
    assert status in ([b"400"], [b"403"]), (name, received[:300])
    assert received.count(b"HTTP/1.") == 1, (name, received)
    assert b"X-Content-Type-Options: nosniff" in received, name
    assert b"aiohttp" not in received
    assert "Traceback" not in serving.words()


async def test_what_follows_an_upgrade_is_no_second_request(serving: Serving) -> None:
    second = b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n"
    for upgrade in (b"h2c", b"websocket"):
        head = b"GET /healthz HTTP/1.1\r\n" + HOST
        head += b"Connection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n\r\n"
        received = await answers(serving, head + second)
        assert b"101 Switching" not in received
        assert b"watchglass_sessions" not in received


def test_names_of_proxies_are_not_believed(serving: Serving) -> None:
    for name in ("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host"):
        status, _, _ = http(f"{serving.url}/metrics", headers={name: "127.0.0.1"})
        assert status == 401


async def test_a_link_names_the_server_as_it_was_reached_whatever_a_header_says(
    serving: Serving,
) -> None:
    forged = {"X-Forwarded-Proto": "javascript", "X-Forwarded-Host": "evil.example"}
    for headers in (forged, forged | {"Origin": "https://notes.example"}):
        async with RawSocket(serving.url, headers=headers) as socket:
            await socket.begin()
            await socket.send("40" + json.dumps({"token": serving.token}))
            assert (await socket.receive()).startswith("40")
            session = (await socket.call("session.create", {}))["session"]
            share = await socket.call("session.share", {"session": session, "role": "viewer"})
            assert share["link"].startswith(f"{serving.url}/#code=")
            await socket.call("session.destroy", {"session": session})


def test_an_allowed_page_and_no_other_is_answered_across_origins(serving: Serving) -> None:
    preflight = {"Access-Control-Request-Method": "POST"}
    for origin, status in (("https://notes.example", 204), ("https://evil.example", 405)):
        found, headers, _ = http(
            f"{serving.url}/api/token", method="OPTIONS", headers=preflight | {"Origin": origin}
        )
        assert found == status
        allowed = headers.get("access-control-allow-origin")
        assert allowed == (origin if status == 204 else None)
        assert "access-control-allow-credentials" not in headers
        found, headers, _ = http(f"{serving.url}/metrics", headers={"Origin": origin})
        assert headers.get("access-control-allow-origin") == allowed


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_asks_for_a_foreign_page_is_refused(serving: Serving, site: str) -> None:
    for path in ("/healthz", "/metrics", "/socket.io/?EIO=4&transport=polling"):
        status, _, _ = http(serving.url + path, headers={"Sec-Fetch-Site": site})
        assert status == 403
    # A link to the page is no harm: it comes without the other page's rights.
    assert http(serving.url + "/", headers={"Sec-Fetch-Site": site})[0] == 200


# --- who takes their time


async def test_a_connection_that_sends_no_whole_request_is_ended(serving: Serving) -> None:
    beginnings = [b"", b"GET ", b"GET / HTTP/1.1\r\nX: a"]
    await asyncio.gather(*(ended(serving, each, FIRST_REQUEST_S + 5) for each in beginnings))


async def test_a_body_may_come_in_parts(serving: Serving) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    head = b"POST /api/token HTTP/1.1\r\n" + HOST + b"Content-Length: 17\r\n\r\n"
    for part in (head, b'{"code"', b":", b'"nosuch"', b""):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.1)
    writer.write(b"}")
    assert b" 401 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


async def test_a_body_that_does_not_come_is_not_waited_for(serving: Serving) -> None:
    head = b"POST /api/token HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n{"
    received = await answers(serving, head, within=BODY_S["/api/token"] + 5)
    assert b" 408 " in received.splitlines()[0]


async def ended(serving: Serving, beginning: bytes, within: float) -> None:
    """Send a letter every second, until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    writer.write(beginning)
    reading = asyncio.create_task(reader.read())
    started = time.monotonic()
    try:
        while not reading.done() and time.monotonic() - started < within:
            if beginning:
                writer.write(b"a")
            await asyncio.wait({reading}, timeout=1)
        assert reading.done(), f"still there after {within} s"
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.close()


# --- who has no token


async def test_without_a_token_little_can_be_sent(serving: Serving) -> None:
    polling = f"{serving.url}/socket.io/?EIO=4&transport=polling"
    sid = json.loads(http(polling)[2][1:])["sid"]
    status, _, body = http(f"{polling}&sid={sid}", body=b"4" * (UNKNOWN_BYTES + 1))
    assert (status, error_of(body)["code"]) == (413, "too_large")
    async with RawSocket(serving.url) as socket:
        await socket.begin()
        try:
            await socket.send("4" * (UNKNOWN_BYTES + 1000))
            assert await socket.receive() == ""
        except ConnectionError:
            pass
    async with await RawSocket.open(serving.url, serving.token) as socket:
        await socket.send("4" * (UNKNOWN_BYTES + 1000))
        assert (await socket.call("server.info", {}))["ok"]


async def test_garbage_on_a_connection_without_a_token_leaves_nothing_in_the_log(
    serving: Serving,
) -> None:
    before = serving.log.stat().st_size
    polling = f"{serving.url}/socket.io/?EIO=4&transport=polling"
    for body in (b"\xff\xfe", b"9", b"x", b"4\x1e" * 100, b"bAAAA", b"b!", b"", b"6", b"1"):
        sid = json.loads(http(polling)[2][1:])["sid"]
        head = f"POST /socket.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\n".encode()
        head += HOST + f"Content-Length: {len(body)}\r\n\r\n".encode()
        await answers(serving, head + body, within=1)
    http(f"{polling}&sid=nosuch")
    for packet in ("x", "9", "", "b", "bAAA", "1", "0", "45", "46-[", "4" + "[" * 10_000):
        async with RawSocket(serving.url) as socket:
            await socket.begin()
            await socket.send(packet)
            await socket.silence(0.1)
    assert http(f"{serving.url}/healthz")[0] == 200
    assert serving.log.stat().st_size == before, serving.words()


async def test_those_who_say_nothing_are_bounded_and_others_come_in_again(
    serving: Serving,
) -> None:
    polling = f"{serving.url}/socket.io/?EIO=4&transport=polling"
    opened = [http(polling)[0] for _ in range(UNKNOWN_MOST_OF_ADDRESS + 10)]
    assert set(opened) == {200, 401}
    assert opened[-1] == 401
    async with await _let_in(serving) as socket:
        assert (await socket.call("server.info", {}))["ok"]


async def test_who_has_said_goodbye_takes_nobodys_place(serving: Serving) -> None:
    polling = f"{serving.url}/socket.io/?EIO=4&transport=polling"
    hello = "40" + json.dumps({"token": serving.token})
    async with aiohttp.ClientSession() as web:
        for _ in range(UNKNOWN_MOST_OF_ADDRESS + 10):
            async with web.get(polling) as opened:
                sid = json.loads((await opened.text())[1:])["sid"]
            for said in (hello, "1"):
                # The goodbye is answered when its last words are fetched, which nobody does.
                with contextlib.suppress(TimeoutError):
                    limit = aiohttp.ClientTimeout(total=0.05 if said == "1" else 10)
                    async with web.post(f"{polling}&sid={sid}", data=said, timeout=limit):
                        pass


async def _let_in(serving: Serving) -> RawSocket:
    """A connection as soon as there is room for one."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await RawSocket.open(serving.url, serving.token)
            except aiohttp.WSServerHandshakeError as refused:
                if refused.status != 401:
                    raise
            await asyncio.sleep(0.5)
