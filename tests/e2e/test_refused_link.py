"""A share link that opens nothing, in a real Chromium: the screen says so, and what to do."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.support.serving import Serving
from tests.support.session_page import SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def test_a_link_that_opens_nothing_says_why_and_does_not_ask_to_be_opened_again(
    browser: Browser, server: Serving
) -> None:
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    link = await ada.share("viewer")
    ben = await SessionPage.of(browser, link[:-6] + "AAAAAA")
    await expect(ben.get("link-refused")).to_contain_text("This link opens nothing")
    await expect(ben.get("link-refused")).to_contain_text("Ask the person who sent it")
    await expect(ben.get("token-screen")).not_to_contain_text("open that link again")
    await expect(ben.get("notice")).to_have_count(0)
    await ben.get("token-input").fill(server.address)
    await ben.get("token-submit").click()
    await expect(ben.get("link-refused")).to_have_count(0)
    await expect(ben.get("sessions-new").first).to_be_visible()
    await ada.leave()
    await ben.leave()
