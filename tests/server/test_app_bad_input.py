"""Malformed calls and requests at a real server: an answer that helps, and nothing lost."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from socketio.exceptions import ConnectionError as SocketConnectionError

from tests.support.served import Wire, error_of, http
from tests.support.serving import Serving
from watchglass_server.socketio_server import HELLO_S

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("bad")
    with Serving(folder, "--pool-min-size", "1", cache_dir=cache_dir) as server:
        yield server


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


MALFORMED: list[tuple[str, Any, str, str]] = [
    ("execute", {}, "bad_request", "code"),
    ("execute", {"code": "1"}, "bad_request", "session"),
    ("execute", {"session": 5, "code": "1"}, "bad_request", "session"),
    ("execute", {"session": "", "code": "1"}, "bad_request", "session"),
    ("execute", {"session": "S"}, "bad_request", "code"),
    ("execute", {"session": "S", "code": None}, "bad_request", "code"),
    ("execute", {"session": "S", "code": 5}, "bad_request", "code"),
    ("execute", {"session": "S", "code": ["1"]}, "bad_request", "code"),
    ("execute", {"session": "S", "code": "1", "execution": "a b"}, "bad_request", "execution"),
    ("execute", {"session": "S", "code": "1", "execution": "x" * 65}, "bad_request", "execution"),
    ("execute", {"session": "S", "code": "1", "cod": "1"}, "bad_request", "cod"),
    ("execute", {"session": "S", "code": "x" * 10_000_000}, "too_large", "code"),
    ("execute", {"session": "S", "code": "é" * 600_000}, "too_large", "code"),
    ("execute", "text", "bad_request", "payload"),
    ("execute", [1, 2], "bad_request", "payload"),
    ("execute", 5, "bad_request", "payload"),
    ("session.create", {"name": "x" * 10_000_000}, "bad_request", "name"),
    ("session.create", {"limits": {"wall_s": -1}}, "bad_request", "limits.wall_s"),
    ("session.create", {"limits": {"wall": 1}}, "bad_request", "limits.wall"),
    ("session.create", {"limits": {"memory_bytes": 2**31}}, "limit_exceeded",
     "limits.memory_bytes"),
    ("session.join", {"session": "S", "since": -1}, "bad_request", "since"),
    ("session.join", {"session": "S", "since": 1.5}, "bad_request", "since"),
    ("session.share", {"session": "S", "role": "king"}, "bad_request", "role"),
    ("session.share", {"session": "S", "role": "viewer", "expires_in_s": 0}, "bad_request",
     "expires_in_s"),
    ("session.revoke", {"session": "S", "share": "none"}, "bad_request", "share"),
    ("participant.remove", {"session": "S", "participant": "none"}, "bad_request", "participant"),
    ("input.reply", {"session": "S", "request": 99, "text": ""}, "bad_request", "request"),
    ("complete", {"session": "S", "code": "x", "cursor": -1}, "bad_request", "cursor"),
    ("variable.get", {"session": "S", "path": []}, "bad_request", "path"),
    ("variable.get", {"session": "S", "path": [{"index": 1}]}, "bad_request", "path"),
    ("variable.get", {"session": "S", "path": ["x", {"index": "1"}]}, "bad_request",
     "path[1].index"),
    ("variable.get", {"session": "S", "path": ["x", {}]}, "bad_request", "path[1]"),
    ("variable.get", {"session": "S", "path": ["x"], "limit": 0}, "bad_request", "limit"),
    ("variable.get", {"session": "S", "path": ["nosuch"]}, "variable_not_found", ""),
    ("variable.set", {"session": "S", "name": "x"}, "bad_request", "value"),
    ("variable.set", {"session": "S", "value": 1}, "bad_request", "name"),
    ("variable.set", {"session": "S", "name": "x", "value": nested(100)}, "bad_request", "value"),
    ("variable.set", {"session": "S", "name": "x", "value": nested(200)}, "bad_request", "value"),
    ("variable.delete", {"session": "S", "name": "nosuch"}, "variable_not_found", ""),
    ("output.read", {"session": "S", "execution": "none", "offset": 0, "limit": 5}, "bad_request",
     "execution"),
    ("no.such.call", {}, "bad_request", "event"),
    ("connect", {"token": "x"}, "bad_request", "event"),
    ("disconnect", {}, "bad_request", "event"),
    ("*", {}, "bad_request", "event"),
]  # fmt: skip


async def test_each_malformed_call_is_answered_with_the_field_that_is_wrong(
    serving: Serving,
) -> None:
    async with await Wire(serving.url).connect(serving.token) as wire:
        made = await wire.call("session.create")
        session = made["session"]
        for event, payload, code, field in MALFORMED:
            if isinstance(payload, dict) and payload.get("session") == "S":
                payload = {**payload, "session": session}
            error = await wire.error(event, payload)
            shown = (event, str(payload)[:100], error)
            assert error["code"] == code, shown
            assert error.get("field", "") == field, shown
            assert len(error["message"]) < 500, shown
        after = await wire.call("session.join", session=session)
        assert after["state"]["seq"] == made["state"]["seq"], "a bad call changed something"
        assert wire.socket.connected


async def raw_socket(serving: Serving) -> tuple[aiohttp.ClientSession, Any]:
    """A WebSocket on which the test writes Socket.IO packets itself, connected and greeted."""
    http_session = aiohttp.ClientSession()
    url = serving.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    socket = await http_session.ws_connect(url, max_msg_size=2**26)
    await socket.receive_str()
    await socket.send_str("40" + json.dumps({"token": serving.token}))
    assert (await socket.receive_str()).startswith("40")
    return http_session, socket


@pytest.mark.parametrize(
    "packet",
    [
        '4217["execute",{"session":',
        '4217["execute",NaN]',
        "4217" + "[" * 100_000,
        "4217{}",
        "4217[]",
        "4217[5]",
        '42/other,17["execute"]',
        '4517-["execute",{"_placeholder":true,"num":0}]',
        '451-17["execute",{"_placeholder":true,"num":0}]',
        '4217["execute",{"session":' + "9" * 10_000 + "}]",
        "49",
        "4",
        "4" + "[" * 100_000,
        "430[]",
        "4317",
    ],
    ids=range(15),
)
async def test_a_packet_that_is_no_event_does_not_drop_the_connection(
    serving: Serving, packet: str
) -> None:
    http_session, socket = await raw_socket(serving)
    try:
        await socket.send_str(packet)
        await socket.send_bytes(b"\x00\xff attachments that nobody asked for")
        await socket.send_str('4218["server.info"]')
        async with asyncio.timeout(10):
            while not (answer := await socket.receive_str()).startswith("4318"):
                assert '"ok":false' in answer, answer
        assert json.loads(answer[4:])[0]["ok"] is True
    finally:
        await http_session.close()
    assert "Traceback" not in serving.words()


@pytest.mark.parametrize("packet", ["x", "", "bno base64", "9", "\x19"])
async def test_what_is_no_packet_of_engine_io_ends_its_connection_and_fills_no_log(
    serving: Serving, packet: str
) -> None:
    http_session, socket = await raw_socket(serving)
    try:
        await socket.send_str(packet)
        async with asyncio.timeout(10):
            while not socket.closed:
                await socket.receive()
    finally:
        await http_session.close()
    assert "Traceback" not in serving.words()


async def test_a_message_above_16_mib_closes_the_connection_and_nothing_else(
    serving: Serving,
) -> None:
    async with await Wire(serving.url).connect(serving.token) as other:
        http_session, socket = await raw_socket(serving)
        try:
            with contextlib.suppress(ConnectionError):  # it may be closed while we still send
                await socket.send_str('4217["execute",{"code":"' + "x" * 17_000_000 + '"}]')
            async with asyncio.timeout(20):
                while (await socket.receive()).type not in (
                    aiohttp.WSMsgType.CLOSE,
                    aiohttp.WSMsgType.CLOSED,
                    aiohttp.WSMsgType.CLOSING,
                    aiohttp.WSMsgType.ERROR,
                ):
                    pass
        finally:
            await http_session.close()
        assert (await other.call("server.info"))["ok"]


@pytest.mark.parametrize(
    "request_text",
    [b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n"],
    ids=["a long header", "TLS"],
)
async def test_what_is_no_http_is_refused_and_does_not_fill_the_log(
    serving: Serving, request_text: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    writer.write(request_text)
    await writer.drain()
    assert b" 400 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    assert "Traceback" not in serving.words()


async def test_who_does_not_say_who_they_are_is_hung_up_on(serving: Serving) -> None:
    hellos = ["", "40", '40{"token":"wrong"}', '40/other,{"token":"x"}']
    await asyncio.gather(*(stay_unknown(serving, hello) for hello in hellos))
    assert "Traceback" not in serving.words()


async def stay_unknown(serving: Serving, hello: str) -> None:
    """Returns when the server has hung up."""
    url = serving.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        if hello:
            await socket.send_str(hello)
        async with asyncio.timeout(HELLO_S + 10):
            while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                assert not message.data.startswith("40"), "it was let in"


async def test_too_many_calls_at_once_are_refused_and_the_rest_answered(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as wire:
        made = await wire.call("session.create")
        session = made["session"]
        await wire.call("execute", session=session, code="import time; time.sleep(1)")
        await wire.until(lambda: bool(wire.heard("execution.started")))
        calls = [wire.call("variable.repr", session=session, path=["time"]) for _ in range(300)]
        answers = await asyncio.gather(*calls)
        codes = [answer.get("error", {}).get("code") for answer in answers]
        assert codes.count("busy") >= 300 - 256
        assert (await wire.call("server.info"))["ok"]


async def test_the_queue_of_a_session_has_an_end(serving: Serving) -> None:
    async with await Wire(serving.url).connect(serving.token) as wire:
        made = await wire.call("session.create")
        session = made["session"]
        await wire.call("execute", session=session, code="input()")
        answers = [await wire.call("execute", session=session, code=str(n)) for n in range(101)]
        assert [a["queued_behind"] for a in answers[:100]] == list(range(1, 101))
        assert answers[100]["error"]["code"] == "busy"
        await wire.call("session.destroy", session=session)


# --- plain HTTP


def test_the_code_exchange_refuses_what_is_no_code(serving: Serving) -> None:
    cases: list[tuple[bytes, int]] = [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b"[" * 60_000, 400),
        (b'{"code": 5}', 400),
        (b'{"code": ""}', 400),
        (b'{"code": "nosuch"}', 401),
        (b'{"code": "' + b"x" * 10_000_000 + b'"}', 413),
    ]
    for body, status in cases:
        found, _, answer = http(f"{serving.url}/api/token", body=body)
        assert found == status, (body[:40], found, answer[:200])
        assert error_of(answer)["hint"]


def test_export_and_metrics_refuse_who_has_no_right_to_them(serving: Serving) -> None:
    for path in ("/metrics", "/api/sessions/nosuch/export"):
        for token in (None, "wrong"):
            status, _, answer = http(serving.url + path, token=token)
            assert (status, error_of(answer)["code"]) == (401, "unauthorized"), path
    status, _, answer = http(f"{serving.url}/api/sessions/nosuch/export", token=serving.token)
    assert (status, error_of(answer)["code"]) == (404, "session_not_found")


def test_an_import_that_is_no_session_says_where_it_is_wrong(serving: Serving) -> None:
    for file_format, body in (("ipynb", b"{"), ("json", b"[]"), ("exe", b"MZ"), ("", b"")):
        status, _, answer = http(
            f"{serving.url}/api/sessions/import?format={file_format}",
            token=serving.token,
            body=body,
        )
        assert (status, error_of(answer)["code"]) == (400, "bad_request"), file_format


def test_a_foreign_name_or_page_gets_nothing(serving: Serving) -> None:
    status, _, _ = http(f"{serving.url}/", headers={"Host": "evil.example"})
    assert status == 403
    status, _, _ = http(
        f"{serving.url}/api/token", body=b"{}", headers={"Origin": "https://evil.example"}
    )
    assert status == 403


async def test_a_foreign_page_may_not_connect(serving: Serving) -> None:
    foreign = {"Origin": "https://evil.example"}
    wire = Wire(serving.url)
    with pytest.raises(SocketConnectionError):
        await wire.connect(serving.token, headers=foreign)
    await wire.close()
    assert {"message": "unauthorized"} in wire.refusals
    own = {"Origin": serving.url}
    async with await Wire(serving.url).connect(serving.token, headers=own) as wire:
        assert (await wire.call("server.info"))["ok"]


def test_a_foreign_page_may_not_connect_by_long_polling_either(serving: Serving) -> None:
    foreign = {"Origin": "https://evil.example"}
    polling = f"{serving.url}/socket.io/?EIO=4&transport=polling"
    _, headers, opened = http(polling, headers=foreign)
    assert "access-control-allow-origin" not in headers
    polling += "&sid=" + json.loads(opened[1:])["sid"]
    hello = "40" + json.dumps({"token": serving.token})
    http(polling, body=hello.encode(), headers=foreign)
    assert http(polling, headers=foreign)[2] == b'44{"message":"unauthorized"}'


def test_paths_outside_of_the_page_are_not_found(serving: Serving) -> None:
    for path in ("/nosuch", "/../config.py", "/%2e%2e/%2e%2e/etc/passwd", "/api/nosuch"):
        status, _, _ = http(serving.url + path)
        assert status == 404, path
