"""Limits on the page: what is used, a warning when near, and what happened when one was reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.serving import Serving
from tests.support.session_page import WAIT_MS, SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def limited(tmp_path: Path, cache_dir: Path) -> Iterator[Serving]:
    arguments = ("--pool-min-size", "1", "--cpu-hour-limit", "4s", "--variables-limit", "20")
    with Serving(tmp_path, *arguments, "--wall-limit", "60s", cache_dir=cache_dir) as serving:
        yield serving


async def test_what_is_used_is_seen_and_what_is_used_up_is_said(
    browser: Browser, limited: Serving
) -> None:
    ada = await SessionPage.of(browser, limited.address)
    await ada.create()
    await ada.run("for n in range(50): globals()[f'name{n}'] = n")
    await ada.ended(1)
    await expect(ada.get("variables-left-out")).to_contain_text("31 more variables left out")
    await ada.run("for n in range(50): del globals()[f'name{n}']")
    await ada.ended(2)
    await expect(ada.get("variables-left-out")).to_have_count(0)
    await expect(ada.get("memory")).to_contain_text("MB")
    await ada.get("memory").click()
    rows = ada.get("meters").get_by_test_id("meter")
    await expect(rows.first).to_contain_text("of 537 MB")
    await expect(ada.get("meters")).to_contain_text("Processor, this hour")
    await expect(ada.get("meters")).to_contain_text("of 4.0 s")
    await ada.page.keyboard.press("Escape")
    await ada.run("while True: pass")
    await expect(ada.get("memory")).to_contain_text("Processor, this hour", timeout=WAIT_MS)
    ended = await ada.ended(3, "timeout")
    await expect(ended).to_contain_text("used its 4 s of processor time in an hour")
    await ada.run("1 + 1")
    await expect(ada.get("notice").first).to_contain_text("This session has used its 4 s")
    assert not ada.complaints
