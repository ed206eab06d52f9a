"""A variable that holds too much to be watched whole says so to the person, and only then."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.support.serving import Serving
from tests.support.session_page import SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def test_the_mark_comes_and_goes_with_what_is_too_deep(
    browser: Browser, server: Serving
) -> None:
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    code = "deep = [1]\nfor _ in range(500): deep = [deep]\n"
    await ada.run(code + "rows = [[n] for n in range(1000)]")
    mark = ada.get("variable-truncated")
    await expect(ada.variable("deep").get_by_test_id("variable-truncated")).to_be_visible()
    await expect(mark).to_have_count(1)
    title = "Too large to be watched whole: changes deep inside may show late."
    await expect(mark).to_have_attribute("title", title)
    await ada.run("deep.clear()")
    await ada.sees("deep", "[]")
    await expect(mark).to_have_count(0)
    ada.assert_no_complaints()
