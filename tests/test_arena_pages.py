"""The page of examples/arena, without a database: who may open it, and what it says to whom."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from examples.arena.pages import Pages
from examples.arena.rows import Rows


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    pages = Pages(Rows(), {"width": 100}, {})
    async with pages.serve():
        yield pages


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def parts(pages: Pages) -> tuple[str, str]:
    """Where it is, and the token."""
    origin, _, token = pages.address.partition("/#")
    return origin, token


async def test_the_page_and_its_files_are_there_and_nothing_beside_them(
    pages: Pages, http: aiohttp.ClientSession
) -> None:
    origin, _ = parts(pages)
    for path, status in {
        "/": 200,
        "/main.js": 200,
        "/style.css": 200,
        "/nothing.js": 404,
        "/%2e%2e%2frules.py": 404,
        "/..%2frules.py": 404,
        "/open/": 404,
        "/open/nothing": 404,
    }.items():
        async with http.get(origin + path) as answer:
            assert answer.status == status, path
            if status == 200:
                assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


async def test_other_pages_of_the_browser_and_those_without_the_token_are_refused(
    pages: Pages, http: aiohttp.ClientSession
) -> None:
    origin, token = parts(pages)
    for query, from_where in (
        (f"?token={token}", "http://example.org"),
        (f"?token={token}", None),
        (f"?token={token[::-1]}", origin),
        ("?token=%ff", origin),
        ("", origin),
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{origin}/rows{query}", origin=from_where)
        assert refused.value.status == 403


@pytest.mark.parametrize("said", ["", "[]", "nonsense", '{"unit": "Ann", "code": "1", "key": "k"}'])
async def test_what_is_not_understood_is_answered_and_ends_nothing(
    pages: Pages, http: aiohttp.ClientSession, said: str
) -> None:
    origin, token = parts(pages)
    async with http.ws_connect(f"{origin}/rows?token={token}", origin=origin) as socket:
        assert await heard(socket) == {"greeting": {"width": 100}}
        for _ in range(2):
            await socket.send_str(said)
            assert (await heard(socket))["problem"]


async def test_the_address_for_the_browser_leads_to_the_page_once(
    pages: Pages, http: aiohttp.ClientSession
) -> None:
    address = pages.opening()
    assert parts(pages)[1] not in address
    async with http.get(address, allow_redirects=False) as answer:
        assert answer.headers["Location"] == pages.address.removeprefix(parts(pages)[0])
    async with http.get(address) as answer:
        assert answer.status == 404


async def heard(socket: aiohttp.ClientWebSocketResponse) -> Any:
    return json.loads(await socket.receive_str(timeout=5))
