"""Markup in every field of every event and answer: the page shows it, and makes nothing of it.

The server is played here, so that no check of the real one stands before the page.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, WebSocketRoute, expect

from tests.support.samples import json_of, sample
from tests.support.serving import Serving
from watchglass_server.messages import CALLS, EVENTS, NOT_AVAILABLE
from watchglass_server.notifications import LiveMessage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SESSION = "s1"
HOSTILE = (
    "<img src=x onerror='window.pwned=1'><script>window.pwned=2</script><x-probe>shown</x-probe>",
    "\"><svg onload=window.pwned=3><x-probe>'-window.pwned=4-'",
    "javascript:window.pwned=5//http://x.example/\"onclick=\"window.pwned=6",
    "[a](javascript:window.pwned=7) ![b](x onerror=window.pwned=8) <a href=javascript:1>c</a>",
    "\x1b]8;;javascript:window.pwned=9\x07link\x1b]8;;\x07\x1b[31m<x-probe>\x1b[0m",
    "data:text/html,<script>parent.pwned=10</script>",
    "</pre></script></style></textarea></title><x-probe></x-probe>{{constructor}}${pwned=11}",
    "__proto__",
)  # fmt: skip
FOUND = """() => ({
  pwned: window.pwned ?? null,
  polluted: Object.keys(Object.prototype),
  probes: document.querySelectorAll("x-probe, script:not([src])").length,
  handlers: [...document.querySelectorAll("*")].filter((element) =>
    [...element.attributes].some(({ name }) => name.startsWith("on"))).length,
  addresses: [...document.querySelectorAll("[href], [src], [action], [data], [formaction]")]
    .flatMap((element) => ["href", "src", "action", "data", "formaction"]
      .map((name) => element.getAttribute(name)).filter(Boolean)),
  sandboxes: [...document.querySelectorAll("iframe")].map((frame) => frame.getAttribute("sandbox")),
})"""
HARMLESS = re.compile(
    r"#|https?://|output\.html$|(?:\./)?main-\w+\.(?:js|css)$"
    r"|data:image/(?:png|jpeg|gif|webp);base64,|data:image/svg\+xml"
)


class FakeServer:
    """Answers every call with a full answer, and tells what the test wants told."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.calls: set[str] = set()
        self.socket: WebSocketRoute | None = None
        self._seq = itertools.count(2)

    def fixed(self) -> dict[str, Any]:
        return {"session": SESSION, "role": "owner", "more": False, "events": None, "ok": True}

    def opened(self, socket: WebSocketRoute) -> None:
        self.socket = socket
        socket.on_message(self.heard)
        hello = {"sid": "a", "upgrades": [], "pingInterval": 25000, "pingTimeout": 20000}
        socket.send("0" + json.dumps({**hello, "maxPayload": 1_000_000}))

    def heard(self, packet: str | bytes) -> None:
        assert isinstance(packet, str)
        assert self.socket is not None
        if packet.startswith("40"):
            self.socket.send('40{"sid":"b"}')
        elif found := re.match(r"42(\d+)(\[.*)", packet, re.DOTALL):
            name = json.loads(found[2])[0]
            self.calls.add(name)
            fixed = self.fixed() | ({"seq": 1} if name == "session.join" else {})
            reply = {"ok": True, **sample(CALLS[name].reply, self.text, **fixed)}
            self.socket.send(f"43{found[1]}[{json_of(reply)}]")

    def tell(self, kind: str) -> None:
        assert self.socket is not None
        event = {"session": SESSION, "seq": next(self._seq), "time": self.text, "type": kind}
        data = sample(EVENTS[kind], self.text, **self.fixed())
        self.socket.send(f'42["event",{json_of(event | {"data": data})}]')

    def picture(self) -> None:
        assert self.socket is not None
        self.socket.send(f'42["live",{json_of(sample(LiveMessage, self.text, **self.fixed()))}]')


async def assert_clean(page: Page, when: str) -> None:
    found = await page.evaluate(FOUND)
    assert found["pwned"] is None, (when, found)
    assert found["polluted"] == [], (when, found)
    assert found["probes"] == found["handlers"] == 0, (when, found)
    assert [one for one in found["addresses"] if not HARMLESS.match(one)] == [], when
    assert set(found["sandboxes"]) <= {"allow-scripts"}, when


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_markup_in_any_field_stays_text(browser: Browser, server: Serving, text: str) -> None:
    fake = FakeServer(text)
    page = await browser.new_page()
    page.set_default_timeout(15_000)
    await page.route_web_socket(re.compile(r"/socket\.io/"), fake.opened)
    await page.goto(f"{server.url}/#token=x")
    await asyncio.sleep(0.5)
    await assert_clean(page, "the list of sessions")
    await page.goto(f"{server.url}/#/s/{SESSION}")
    await expect(page.get_by_test_id("session")).to_be_visible()
    await asyncio.sleep(0.5)
    await assert_clean(page, "the first picture")
    if "pwned" in text:
        assert "pwned" in await page.inner_text("body"), "it is not even shown"
    # What ends the session comes last.
    for kind in sorted(EVENTS, key=lambda kind: (kind == "session.destroyed", kind)):
        fake.tell(kind)
        await asyncio.sleep(0.1)
        await assert_clean(page, kind)
        if kind == "variables.changed":
            fake.picture()
            await asyncio.sleep(0.2)
            await assert_clean(page, "live")
    assert {"session.list", "session.join"} <= fake.calls
    await page.close()


@pytest.mark.parametrize("text", HOSTILE[:2], ids=range(2))
async def test_markup_in_answers_stays_text_in_every_dialog(
    browser: Browser, server: Serving, text: str
) -> None:
    fake = FakeServer(text)
    page = await browser.new_page()
    page.set_default_timeout(15_000)
    await page.route_web_socket(re.compile(r"/socket\.io/"), fake.opened)
    await page.goto(f"{server.url}/#token=x")
    await page.goto(f"{server.url}/#/s/{SESSION}")
    await expect(page.get_by_test_id("session")).to_be_visible()
    await asyncio.sleep(0.5)
    for button in ("presence", "share-open", "variable-look", "watch-look", "variable-expand"):
        for found in (await page.get_by_test_id(button).all())[:1]:
            await found.click(force=True)
            await asyncio.sleep(0.5)
            await assert_clean(page, button)
            await page.keyboard.press("Escape")
    editor = page.get_by_test_id("editor-input").locator(".cm-content")
    for keys in ("Tab", "Shift+Tab", "Control+r"):
        await editor.click()
        await page.keyboard.type("x.")
        await page.keyboard.press(keys)
        await asyncio.sleep(0.5)
        await assert_clean(page, keys)
        await page.keyboard.press("Escape")
    assert {"complete", "inspect", "session.shares"} - fake.calls - set(NOT_AVAILABLE) == set()
    await page.close()
