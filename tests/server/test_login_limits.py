"""Guessing is slowed by address and in all, and shuts nobody else out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from http import client as http_client
from pathlib import Path

import pytest

from tests.support.raw_socket import RawSocket
from tests.support.served import error_of, http
from tests.support.serving import Serving
from watchglass_server.login_limits import (
    ADDRESS_TRIES,
    ADDRESS_TRY_EVERY_S,
    ADDRESSES_KEPT,
    ALL_TRIES,
    LoginLimits,
)


class Hand:
    """The hand of a clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_an_address_has_its_tries_and_then_one_now_and_then() -> None:
    hand = Hand()
    limits = LoginLimits(hand)
    for _ in range(ADDRESS_TRIES):
        assert limits.wait_s("192.0.2.1") == 0
        limits.failed("192.0.2.1")
    assert limits.wait_s("192.0.2.1") == pytest.approx(ADDRESS_TRY_EVERY_S)
    assert limits.wait_s("192.0.2.2") == 0
    hand.now_s += ADDRESS_TRY_EVERY_S
    assert limits.wait_s("192.0.2.1") == 0
    limits.failed("192.0.2.1")
    assert limits.wait_s("192.0.2.1") > 0
    hand.now_s += ADDRESS_TRIES * ADDRESS_TRY_EVERY_S
    assert limits.wait_s("192.0.2.1") == 0


def test_many_addresses_have_one_try_each_once_the_tries_of_all_are_used_up() -> None:
    limits = LoginLimits(Hand())
    for n in range(ALL_TRIES):
        limits.failed(f"10.0.{n // 250}.{n % 250}")
    assert limits.wait_s("10.0.0.1") > 0
    assert limits.wait_s("203.0.113.7") == 0, "the right token from elsewhere is locked out"
    limits.failed("203.0.113.7")
    assert limits.wait_s("203.0.113.7") > 0


def test_addresses_of_one_network_count_as_one() -> None:
    limits = LoginLimits(Hand())
    for n in range(ADDRESS_TRIES):
        limits.failed(f"2001:db8::{n:x}")
    assert limits.wait_s("2001:db8::ffff:1") > 0
    assert limits.wait_s("2001:db8:0:1::1") == 0
    assert len(limits) == 1
    for _ in range(ADDRESS_TRIES):
        limits.failed("::ffff:192.0.2.9")
    assert limits.wait_s("192.0.2.9") > 0


def test_what_is_remembered_has_an_end() -> None:
    limits = LoginLimits(Hand())
    for n in range(ADDRESSES_KEPT + 5000):
        limits.failed(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
    limits.failed(None)
    limits.failed("no address")
    assert len(limits) == ADDRESSES_KEPT


def test_a_clock_that_is_set_back_gives_nothing_away() -> None:
    hand = Hand()
    limits = LoginLimits(hand)
    for _ in range(ADDRESS_TRIES):
        limits.failed("192.0.2.1")
    hand.now_s -= 500
    assert limits.wait_s("192.0.2.1") > 0


# --- at a real server


@pytest.fixture
def serving(tmp_path: Path, cache_dir: Path) -> Iterator[Serving]:
    with Serving(tmp_path, "--pool-min-size", "1", cache_dir=cache_dir) as server:
        yield server


@pytest.mark.slow
async def test_guessing_is_slowed_at_every_door_and_elsewhere_is_open(serving: Serving) -> None:
    async with await RawSocket.open(serving.url, serving.token) as owner:
        made = await owner.call("session.create", {})
        async with await RawSocket.open(serving.url, made["tokens"]["viewer"]) as guest:
            join = {"session": made["session"], "token": "wrong"}
            for n in range(ADDRESS_TRIES):
                match n % 3:
                    case 0:
                        assert http(f"{serving.url}/metrics", token=f"wrong{n}")[0] == 401
                    case 1:
                        code = json.dumps({"code": f"wrong{n}"}).encode()
                        assert http(f"{serving.url}/api/token", body=code)[0] == 401
                    case _:
                        assert (await guest.error("session.join", join))["code"] == "unauthorized"
            error = await guest.error("session.join", join)
            assert error["code"] == "rate_limited"
            assert 0 < error["retry_after_s"] <= ADDRESS_TRY_EVERY_S
            # Who is in stays in.
            assert (await guest.call("session.join", {"session": made["session"]}))["role"]
    for path, body in (("/metrics", None), ("/api/token", b'{"code": "x"}')):
        status, headers, answer = http(serving.url + path, token=serving.token, body=body)
        assert (status, error_of(answer)["code"]) == (429, "rate_limited"), path
        assert 0 < int(headers["retry-after"]) <= ADDRESS_TRY_EVERY_S
    async with RawSocket(serving.url) as socket:
        await socket.begin()
        await socket.send("40" + json.dumps({"token": serving.token}))
        refusal = json.loads((await socket.receive())[2:])
        assert refusal["message"] == "rate_limited"
        assert refusal["data"]["retry_after_s"] > 0
    connection = http_client.HTTPConnection(
        "127.0.0.1", serving.port, timeout=10, source_address=("127.0.0.2", 0)
    )
    connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {serving.token}"})
    assert connection.getresponse().status == 200
    connection.close()
    await asyncio.sleep(ADDRESS_TRY_EVERY_S + 0.5)
    assert http(f"{serving.url}/metrics", token=serving.token)[0] == 200


@pytest.mark.slow
def test_a_foreign_page_cannot_use_up_the_tries_of_its_visitor(serving: Serving) -> None:
    foreign = {"Origin": "https://evil.example"}
    for n in range(ADDRESS_TRIES + 5):
        code = json.dumps({"code": f"wrong{n}"}).encode()
        assert http(f"{serving.url}/api/token", body=code, headers=foreign)[0] == 403
        polling = f"{serving.url}/socket.io/?EIO=4&transport=polling"
        _, _, opened = http(polling, headers=foreign)
        polling += "&sid=" + json.loads(opened[1:])["sid"]
        http(polling, body=b'40{"token":"wrong"}', headers=foreign)
    assert http(f"{serving.url}/metrics", token=serving.token)[0] == 200
