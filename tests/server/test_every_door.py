"""Every route × every method, and every call, refused to whoever has no token or a weak one.

What is tried is read from the router and from the table of calls: a new one is tried by itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.raw_socket import RawSocket
from watchglass_server import PyodideServer, login_limits
from watchglass_server.config import Config
from watchglass_server.messages import CALLS
from watchglass_server.roles import LEAST_FOR_PATH, LEAST_ROLE
from watchglass_server.web_files import SECURITY_HEADERS

pytestmark = pytest.mark.slow

METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
    "REPORT",
]
# Open to all: adding one here is a decision.
FOR_ANYONE = {"/healthz", "/{path}", "/api/token", "/socket.io/"}
RANK = {"viewer": 1, "editor": 2, "owner": 3, "server": 4}
SESSIONLESS = {"server.info", "session.list", "session.create"}


class Doors:
    """A running server, one session of it, and tokens of every kind."""

    def __init__(self, server: PyodideServer, web: aiohttp.ClientSession) -> None:
        self.server = server
        self.web = web
        self.session = ""
        self.tokens: dict[str, str] = {}

    async def prepare(self) -> None:
        async with await RawSocket.open(self.server.url, self.server.token) as owner:
            made = await owner.call("session.create", {})
            self.session, self.tokens = made["session"], dict(made["tokens"])
            expired = await self.share(owner, expires_in_s=0.1)
            revoked = await self.share(owner)
            await owner.call("session.revoke", {"session": self.session, "share": revoked["share"]})
            other = (await owner.call("session.create", {}))["tokens"]["owner"]
        await asyncio.sleep(0.2)
        self.tokens |= {
            "wrong": "wrong" * 8,
            "expired": expired["token"],
            "revoked": revoked["token"],
            "of another session": other,
        }

    async def share(self, owner: RawSocket, role: str = "owner", **fields: Any) -> dict[str, Any]:
        return await owner.call("session.share", {"session": self.session, "role": role, **fields})

    async def ask(self, method: str, path: str, token: str | None) -> aiohttp.ClientResponse:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        url = self.server.url + path.replace("{session}", self.session).replace("{path}", "")
        async with self.web.request(method, url, headers=headers, data=b"") as answer:
            await answer.read()
            return answer


@pytest.fixture
async def doors(
    tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Doors]:
    monkeypatch.setattr(login_limits, "ADDRESS_TRIES", 10**6)  # these are many wrong ones
    monkeypatch.setattr(login_limits, "ALL_TRIES", 10**6)
    config = Config(port=0, data_dir=tmp_path, cache_dir=cache_dir / "watchglass", pool_min_size=1)
    async with PyodideServer(config) as server, aiohttp.ClientSession() as web:
        made = Doors(server, web)
        await made.prepare()
        yield made


def paths_of(server: PyodideServer) -> dict[str, set[str]]:
    """Every path that the router knows, with its methods."""
    found: dict[str, set[str]] = {}
    for route in server.application.router.routes():
        assert route.resource is not None
        found.setdefault(route.resource.canonical, set()).add(route.method)
    return found


async def test_every_route_is_in_the_table_and_only_these_are_for_anyone(doors: Doors) -> None:
    assert paths_of(doors.server).keys() == LEAST_FOR_PATH.keys()
    open_to_all = {path for path, least in LEAST_FOR_PATH.items() if least == "anyone"}
    assert open_to_all == FOR_ANYONE


async def test_every_route_is_refused_without_a_token_that_opens_it(doors: Doors) -> None:
    for path, methods in paths_of(doors.server).items():
        least = LEAST_FOR_PATH[path]
        for method in methods if least != "anyone" else ():
            for kind in (None, "", "wrong", "expired", "revoked", "of another session"):
                token = doors.tokens.get(kind, kind) if kind is not None else None
                answer = await doors.ask(method, path, token)
                wanted = 403 if least == "server" and kind == "of another session" else 401
                assert answer.status == wanted, (method, path, kind)
            for role in ("viewer", "editor", "owner"):
                answer = await doors.ask(method, path, doors.tokens[role])
                is_weak = RANK[role] < RANK[least]
                assert (answer.status == 403) is is_weak, (method, path, role, answer.status)


async def test_every_method_that_no_route_names_is_refused_everywhere(doors: Doors) -> None:
    for path, methods in paths_of(doors.server).items():
        for method in METHODS:
            if method not in methods:
                answer = await doors.ask(method, path, doors.server.token)
                assert answer.status in (404, 405), (method, path, answer.status)
                assert_safe(answer)


async def test_every_answer_has_the_headers_that_keep_a_page_safe(doors: Doors) -> None:
    for path, methods in paths_of(doors.server).items():
        for method in methods:
            for token in (None, doors.server.token):
                assert_safe(await doors.ask(method, path, token))
    for path in ("/nosuch", "/api/nosuch", "/socket.io/?EIO=4&transport=polling&sid=nosuch"):
        assert_safe(await doors.ask("GET", path, None))


def assert_safe(answer: aiohttp.ClientResponse) -> None:
    for name in SECURITY_HEADERS:
        assert answer.headers.getall(name) == [SECURITY_HEADERS[name]], (answer.url, name)
    assert "Set-Cookie" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]


# --- Socket.IO


def test_every_call_has_a_least_role() -> None:
    assert LEAST_ROLE.keys() == CALLS.keys()


async def test_no_call_is_answered_before_a_token_came_in(doors: Doors) -> None:
    for hello in (None, "40", *(hello_with(doors, kind) for kind in ("wrong", "revoked"))):
        async with RawSocket(doors.server.url) as socket:
            await socket.begin()
            if hello is not None:
                await socket.send(hello)
                assert (await socket.receive()) == '44{"message":"unauthorized"}'
            for number, event in enumerate(CALLS):
                await socket.send(f"42{number}" + json.dumps([event, {"session": doors.session}]))
            assert await socket.silence(), (hello, "a call was answered")


def hello_with(doors: Doors, kind: str) -> str:
    return "40" + json.dumps({"token": doors.tokens[kind]})


@pytest.mark.parametrize("role", ["viewer", "editor", "owner"])
async def test_every_call_is_refused_to_a_role_that_is_too_weak(doors: Doors, role: str) -> None:
    async with await RawSocket.open(doors.server.url, doors.tokens[role]) as socket:
        for event, least in LEAST_ROLE.items():
            if least != "token" and RANK[role] < RANK[least]:
                error = await socket.error(event, {"session": doors.session})
                assert error["code"] == "forbidden", (event, error)
            if event not in SESSIONLESS:
                for session in (doors.session[::-1], "nosuch"):
                    error = await socket.error(event, {"session": session})
                    assert error["code"] == "unauthorized", (event, error)


@pytest.mark.parametrize("how", ["revoked", "expired"])
async def test_every_call_is_refused_once_the_token_is_over(doors: Doors, how: str) -> None:
    async with await RawSocket.open(doors.server.url, doors.server.token) as owner:
        fields: dict[str, Any] = {"expires_in_s": 1.0} if how == "expired" else {}
        share = await doors.share(owner, **fields)
        async with await RawSocket.open(doors.server.url, share["token"]) as socket:
            joined = await socket.call("session.join", {"session": doors.session})
            assert joined["role"] == "owner"
            if how == "revoked":
                fields = {"session": doors.session, "share": share["share"]}
                await owner.call("session.revoke", fields)
            assert await socket.until("41", 1.5), "the connection was not dropped"
            for number, event in enumerate(CALLS):
                await socket.send(f"42{number}" + json.dumps([event, {"session": doors.session}]))
            assert await socket.silence(), "a call was answered"


@asynccontextmanager
async def polling(doors: Doors, token: str) -> AsyncIterator[str]:
    """A connection by long polling; gives its address with the `sid`."""
    address = f"{doors.server.url}/socket.io/?EIO=4&transport=polling"
    async with doors.web.get(address) as opened:
        address += "&sid=" + json.loads((await opened.text())[1:])["sid"]
    async with doors.web.post(address, data="40" + json.dumps({"token": token})):
        pass
    async with doors.web.get(address) as hello:
        assert (await hello.text()).startswith("40")
    yield address


async def test_who_polls_is_dropped_at_once_too(doors: Doors) -> None:
    async with await RawSocket.open(doors.server.url, doors.server.token) as owner:
        share = await doors.share(owner)
        async with polling(doors, share["token"]) as address:
            poll = asyncio.create_task(doors.web.get(address))
            await asyncio.sleep(0.1)
            fields = {"session": doors.session, "share": share["share"]}
            await owner.call("session.revoke", fields)
            async with asyncio.timeout(1), await poll as answer:
                assert await answer.text() == "41"
            call = "420" + json.dumps(["server.info", {}])
            async with doors.web.post(address, data=call) as posted:
                await posted.read()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5), doors.web.get(address) as answer:
                    raise AssertionError(await answer.text())


async def test_who_joined_by_a_token_that_is_revoked_is_dropped(doors: Doors) -> None:
    async with await RawSocket.open(doors.server.url, doors.server.token) as owner:
        share = await doors.share(owner)
        by = doors.tokens["of another session"]
        async with await RawSocket.open(doors.server.url, by) as guest:
            fields = {"session": doors.session, "token": share["token"]}
            assert (await guest.call("session.join", fields))["role"] == "owner"
            fields = {"session": doors.session, "share": share["share"]}
            await owner.call("session.revoke", fields)
            assert await guest.until("41", 1.0)


async def test_a_call_that_is_under_way_when_the_share_is_revoked_gives_nothing(
    doors: Doors,
) -> None:
    async with await RawSocket.open(doors.server.url, doors.server.token) as owner:
        share = await doors.share(owner)
        async with await RawSocket.open(doors.server.url, share["token"]) as guest:
            code = "import time\nclass Slow:\n    def __repr__(self):\n        time.sleep(2)\n"
            code += "        return 'secret'\nslow = Slow()"
            await owner.call("execute", {"session": doors.session, "code": code})
            asked = ["variable.repr", {"session": doors.session, "path": ["slow"]}]
            await asyncio.sleep(0.5)
            await guest.send("427" + json.dumps(asked))
            await asyncio.sleep(0.3)
            fields = {"session": doors.session, "share": share["share"]}
            await owner.call("session.revoke", fields)
            heard = await guest.everything(3)
            assert "41" in heard
            assert not [packet for packet in heard if "secret" in packet], heard


# --- a connection belongs to who began it


async def test_a_stolen_sid_serves_no_other_page(doors: Doors) -> None:
    async with polling(doors, doors.server.token) as address:
        call = "420" + json.dumps(["server.info", {}])
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
            headers = {"Origin": origin}
            async with doors.web.post(address, data=call, headers=headers) as answer:
                assert answer.status == 403
            async with doors.web.get(address, headers=headers) as answer:
                assert answer.status == 403
        headers = {"Origin": doors.server.url}
        async with doors.web.post(address, data=call, headers=headers) as answer:
            assert answer.status == 200
        async with doors.web.get(address) as answer:
            assert (await answer.text()).startswith("430")


async def test_a_connection_does_not_change_its_token(doors: Doors) -> None:
    async with await RawSocket.open(doors.server.url, doors.tokens["viewer"]) as viewer:
        await viewer.send("40" + json.dumps({"token": doors.tokens["owner"]}))
        assert (await viewer.receive()).startswith("44")
        error = await viewer.error("restart", {"session": doors.session})
        assert error["code"] == "forbidden"


async def test_scripts_of_foreign_pages_open_no_connection(doors: Doors) -> None:
    address = f"{doors.server.url}/socket.io/?EIO=4&transport=polling"
    async with doors.web.get(address + "&j=0") as answer:
        assert answer.status == 400
    for site in ("cross-site", "same-site"):
        async with doors.web.get(address, headers={"Sec-Fetch-Site": site}) as answer:
            assert answer.status == 403
