"""Requests by `fetch`: what is sent, what an answer means, what ends one."""

from __future__ import annotations

import pytest

from spacetimedb_bsatn import DecodeError
from spacetimedb_client import ConnectError, ConnectionLost, ConnectTimeout, HttpError, web
from spacetimedb_client.browser_http import Http
from tests.support.fake_browser import FakeAnswer, FakeBrowser


@pytest.fixture
def browser() -> FakeBrowser:
    return FakeBrowser()


@pytest.fixture
def http(browser: FakeBrowser) -> Http:
    return Http(browser.fetch, "ws://host:3000/", timeout=0.05)


async def test_a_request_has_its_token_type_and_query(browser: FakeBrowser, http: Http) -> None:
    browser.answers["POST /v1/x?a=1&b=%C3%A4+%26"] = FakeAnswer(530, [b"no", b"pe"], {"x": "y"})
    async with http:
        answer = await http.request(
            "POST", "/v1/x", token="t", body="[]", query={"a": "1", "b": "ä &"}, content_type="a/b"
        )
    assert (answer.status, answer.text(), answer.headers) == (530, "nope", {"x": "y"})
    [(_, headers, body)] = browser.asked
    assert headers == {"Authorization": "Bearer t", "Content-Type": "a/b"}
    assert body == "[]"


async def test_no_answer_is_an_error_that_says_who_was_asked(
    browser: FakeBrowser, http: Http
) -> None:
    browser.answers["GET /v1/x"] = ConnectionError("Failed to fetch")
    with pytest.raises(ConnectError, match=r"http://host:3000 cannot be reached: Failed to fetch;"):
        await http.request("GET", "/v1/x")
    browser.is_slow = True
    with pytest.raises(ConnectTimeout, match=r"GET /v1/x within 0\.05 s"):
        await http.request("GET", "/v1/x")
    with pytest.raises(ConnectTimeout, match="GET /v1/x"):
        await http.lines("/v1/x", token=None, query={})


async def test_an_answer_has_a_size(
    browser: FakeBrowser, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MAX_ANSWER_BYTES", 10)
    endless = FakeAnswer(200, [b"123456", b"123456", b"never read"])
    browser.answers["GET /v1/x"] = endless
    with pytest.raises(HttpError, match="ask for less"):
        await http.request("GET", "/v1/x")
    assert endless.is_closed


async def test_a_body_that_breaks_off_is_no_answer(browser: FakeBrowser, http: Http) -> None:
    browser.answers["GET /v1/x"] = FakeAnswer(200, [b"half"], breaks_off=True)
    with pytest.raises(ConnectError, match="network error"):
        await http.request("GET", "/v1/x")


async def test_lines_come_as_they_are_told(browser: FakeBrowser, http: Http) -> None:
    told = FakeAnswer(200, [b"a\nb", b"c\n\nd"])
    browser.answers["GET /v1/logs?follow=true"] = told
    lines = await http.lines("/v1/logs", token="t", query={"follow": "true"})
    assert await lines.refusal() is None
    assert [line async for line in lines] == [b"a", b"bc", b"", b"d"]
    lines.close()
    assert told.is_closed


async def test_lines_end_in_an_error_where_they_break_off_or_never_end(
    browser: FakeBrowser, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MAX_LINE_BYTES", 5)
    browser.answers["GET /broken"] = FakeAnswer(200, [b"a\n"], breaks_off=True)
    browser.answers["GET /long"] = FakeAnswer(200, [b"123", b"456", b"789"])
    with pytest.raises(ConnectionLost, match="in the middle of a log: network error"):
        [line async for line in await http.lines("/broken", token=None, query={})]
    with pytest.raises(DecodeError, match="a line of more than"):
        [line async for line in await http.lines("/long", token=None, query={})]


async def test_a_refusal_has_no_lines(browser: FakeBrowser, http: Http) -> None:
    browser.answers["GET /logs"] = FakeAnswer(401, [b"not yours"])
    refused = await (await http.lines("/logs", token=None, query={})).refusal()
    assert refused is not None
    assert (refused.status, refused.text()) == (401, "not yours")
