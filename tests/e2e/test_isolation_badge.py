"""The mark that no jail holds the sessions, in a real Chromium: seen when so, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.serving import Serving
from tests.support.session_page import SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def test_without_a_jail_both_screens_say_so_and_what_it_means(
    browser: Browser, tmp_path: Path, cache_dir: Path
) -> None:
    flags = ("--pool-min-size", "1", "--isolation", "process")
    with Serving(tmp_path, *flags, cache_dir=cache_dir) as serving:
        ada = await SessionPage.of(browser, serving.address)
        await expect(ada.get("isolation")).to_have_text("no jail")
        await ada.create()
        badge = ada.get("isolation")
        await expect(badge).to_have_text("no jail")
        for part in ("--isolation process", "files", "network", "only people you trust"):
            assert part in str(await badge.get_attribute("title"))
        for scheme in ("dark", "light"):
            await ada.page.emulate_media(color_scheme=scheme)
            await ada.picture(tmp_path / f"badge-{scheme}.png")
        await ada.page.set_viewport_size({"width": 360, "height": 700})
        await expect(badge).to_be_in_viewport(ratio=1)
        assert ada.complaints == []
        await ada.context.close()


async def test_with_the_jail_there_is_nothing_to_say(browser: Browser, server: Serving) -> None:
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    await ada.run("1 + 1")
    await ada.ended(1)
    await expect(ada.get("isolation")).to_have_count(0)
    await ada.context.close()
