"""The mark that says how far a session's mirror is, with a real database and a real Chromium."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from spacetimedb_client.testing import Server
from tests.e2e.test_mirror import DATABASE, lasting, server_program
from tests.support.client import Client
from tests.support.served import http
from tests.support.serving import Serving
from tests.support.session_page import WAIT_MS, SessionPage
from tests.support.waiting import until_true
from tests.support.wire_proxy import WireProxy

__all__ = ["lasting", "server_program"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

LOOP = "import time\nfor n in range(20):\n    print(n)\n    time.sleep(.1)"
WIDTHS = (1280, 900, 700, 360)


def figures(serving: Serving) -> dict[str, float]:
    """Those of the mirror in /metrics."""
    _, _, body = http(f"{serving.url}/metrics", token=serving.token)
    found = re.findall(r"^watchglass_mirror_(\w+) (\S+)$", body.decode(), re.MULTILINE)
    return {name: float(value) for name, value in found}


async def pictures(person: SessionPage, folder: Path, name: str) -> None:
    """Dark and light, wide and narrow; the mark is never cut off."""
    for scheme in ("dark", "light"):
        await person.page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            await person.page.set_viewport_size({"width": width, "height": 700})
            await expect(person.get("mirror")).to_be_in_viewport(ratio=1)
            await expect(person.get("menu")).to_be_in_viewport(ratio=1)
            await person.picture(folder / f"{name}-{scheme}-{width}.png")
    await person.page.set_viewport_size({"width": 1280, "height": 800})


async def told(serving: Serving, session: str) -> list[dict[str, object]]:
    """All that was ever said of its mirror."""
    async with Client(serving.url, serving.token) as client:
        answer = await client.call("session.join", session=session, since=0)
        return [each["data"] for each in answer["events"] if each["type"] == "mirror.state"]


async def test_while_the_database_is_away_the_page_counts_what_waits(
    browser: Browser, lasting: Server, tmp_path: Path, cache_dir: Path
) -> None:
    mirror = ("--spacetimedb", f"{lasting.uri}/{DATABASE}", "--pool-min-size", "1")
    with Serving(tmp_path, *mirror, cache_dir=cache_dir) as serving:
        ada = await SessionPage.of(browser, serving.address)
        session = await ada.create()
        badge = ada.get("mirror")
        await expect(badge).to_have_text("mirrored", timeout=WAIT_MS)
        await ada.run("x = 1")
        await ada.ended(1)
        await pictures(ada, tmp_path, "connected")

        lasting.kill()
        await ada.run(LOOP)
        await ada.ended(2)
        await expect(badge).to_have_attribute("data-state", "disconnected", timeout=WAIT_MS)
        await expect(badge).to_have_text(re.compile(r"database away – [\d,]+ events wait"))
        assert "cannot be reached" in str(await badge.get_attribute("title"))
        await expect(ada.get("mirror-spoken")).to_have_text("The database is away.")

        async def all_is_counted() -> bool:
            events = int(figures(serving)["behind_events"])
            return await badge.inner_text() == f"database away – {events:,} events wait"

        await until_true(all_is_counted)
        assert figures(serving)["lag_seconds"] > 1
        async with Client(serving.url, serving.token) as late:
            state = (await late.join(session))["state"]
            assert state["mirror"]["state"] == "disconnected"
            assert state["mirror"]["behind_by"] > 20
        await pictures(ada, tmp_path, "away")

        lasting.start()
        await expect(badge).to_have_text("mirrored", timeout=WAIT_MS)

        async def all_is_there() -> bool:
            found = figures(serving)
            return found["behind_events"] == found["lag_seconds"] == 0

        await until_true(all_is_there)
        said = await told(serving, session)
        assert "disconnected" in [each["state"] for each in said]
        assert said[-1] == {"state": "connected", "behind_by": 0}
        assert len(said) < 12, said
        ada.assert_no_complaints()
        await ada.leave()


async def test_a_database_that_does_not_answer_is_behind(
    browser: Browser, lasting: Server, tmp_path: Path, cache_dir: Path
) -> None:
    async with WireProxy(lasting.port) as proxy:
        mirror = ("--spacetimedb", f"{proxy.uri}/{DATABASE}", "--pool-min-size", "1")
        serving = Serving(tmp_path, *mirror, cache_dir=cache_dir)
        await asyncio.to_thread(serving.start)  # the proxy is in this loop
        try:
            ada = await SessionPage.of(browser, serving.address)
            await ada.create()
            badge = ada.get("mirror")
            await expect(badge).to_have_text("mirrored", timeout=WAIT_MS)
            proxy.hold()
            await ada.run(LOOP)
            await ada.ended(1)
            await expect(badge).to_have_text(
                re.compile(r"mirror [\d,]+ events behind"), timeout=WAIT_MS
            )
            await pictures(ada, tmp_path, "behind")
            proxy.release()
            await expect(badge).to_have_text("mirrored", timeout=WAIT_MS)
            ada.assert_no_complaints()
            await ada.leave()
        finally:
            proxy.release()
            await asyncio.to_thread(serving.stop)


async def test_without_a_mirror_there_is_nothing_to_say_and_no_more_what_was_said(
    browser: Browser, lasting: Server, tmp_path: Path, cache_dir: Path
) -> None:
    mirror = ("--spacetimedb", f"{lasting.uri}/{DATABASE}", "--pool-min-size", "1")
    with Serving(tmp_path, *mirror, cache_dir=cache_dir) as serving:
        ada = await SessionPage.of(browser, serving.address)
        session = await ada.create()
        await expect(ada.get("mirror")).to_have_text("mirrored", timeout=WAIT_MS)
        await ada.leave()
    with Serving(tmp_path, "--pool-min-size", "1", cache_dir=cache_dir) as serving:
        ada = await SessionPage.of(browser, serving.address)
        await ada.page.goto(f"{serving.url}/#/s/{session}")
        await ada.run("x = 1")
        await ada.ended(1)
        await expect(ada.get("mirror")).to_have_count(0)
        await ada.leave()
        assert (await told(serving, session))[-1] == {"state": "off", "behind_by": 0}
        fresh = await SessionPage.of(browser, serving.address)
        other = await fresh.create()
        await fresh.run("x = 1")
        await fresh.ended(1)
        await expect(fresh.get("mirror")).to_have_count(0)
        assert await told(serving, other) == []
        assert figures(serving) == {}
        await fresh.leave()
