"""Watches on the page: added, seen to change while code runs, alerting, kept, removed."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.support.serving import Serving
from tests.support.session_page import WAIT_MS, SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

COUNTING = "import time\nn = 0\nend = time.time() + 4\nwhile time.time() < end:\n    n += 1"


def watch(person: SessionPage, expression: str) -> Locator:
    return person.page.locator(f'[data-testid="watch-row"][data-expression="{expression}"]')


async def add(person: SessionPage, expression: str, condition: str = "") -> Locator:
    """Write it and press Enter; its row."""
    await person.get("watch-new").click()
    await person.page.keyboard.insert_text(expression)
    await person.page.keyboard.press("Tab")
    await person.page.keyboard.insert_text(condition)
    await person.page.keyboard.press("Enter")
    row = watch(person, expression)
    await expect(row).to_be_visible(timeout=WAIT_MS)
    return row


async def test_a_watch_that_is_added_while_a_loop_runs_changes_and_alerts(
    browser: Browser, server: Serving
) -> None:
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    ben = await SessionPage.of(browser, await ada.share("viewer"))
    await expect(ben.get("variables")).to_be_visible()
    await ada.run(COUNTING)
    await expect(ada.execution(1)).to_have_attribute("data-status", "running")
    row = await add(ada, "n*2", "value > 10")
    seen: set[str] = set()
    while await ada.execution(1).get_attribute("data-status") == "running":
        seen.add(await row.get_by_test_id("watch-preview").inner_text())
        await asyncio.sleep(0.05)
    assert len(seen) >= 5, seen
    await expect(row).to_have_attribute("data-met", "true")
    await expect(ada.get("notice").first).to_contain_text("value > 10, In[1], line")
    await expect(ben.get("notice").first).to_contain_text("n*2 is")
    last = await row.get_by_test_id("watch-preview").inner_text()
    await ada.run("n * 2")
    assert last in await (await ada.ended(2)).inner_text()
    await expect(watch(ben, "n*2").get_by_test_id("watch-preview")).to_have_text(last)
    for test_id in ("watch-new", "watch-remove", "watch-edit"):
        await expect(ben.get(test_id)).to_have_count(0)
    await row.hover()
    await row.get_by_test_id("watch-look").click()
    await expect(ada.get("variable-history").locator("tr").nth(4)).to_be_visible()
    ada.assert_no_complaints()
    ben.assert_no_complaints()


async def test_an_alert_that_nobody_saw_stands_in_the_title_of_the_tab(
    browser: Browser, server: Serving
) -> None:
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    await add(ada, "done", "value")
    await ada.page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, writable: true})"
    )
    await ada.run("done = True")
    await expect(ada.page).to_have_title(re.compile("^! "), timeout=WAIT_MS)
    await ada.page.evaluate("document.hidden = false; dispatchEvent(new Event('visibilitychange'))")
    await expect(ada.page).not_to_have_title(re.compile("^! "))


async def test_watches_are_still_there_after_a_reconnection_and_a_start_of_the_server(
    browser: Browser, lasting_server: Serving
) -> None:
    server = lasting_server
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    await ada.run("n = 20")
    await ada.ended(1)
    row = await add(ada, "n * 2", "value > 10")
    await expect(row).to_contain_text("40")
    await ada.context.set_offline(True)
    await expect(ada.get("banner")).to_be_visible()
    await ada.context.set_offline(False)
    await expect(ada.get("banner")).to_have_count(0, timeout=20_000)
    await ada.run("n = 21")
    await expect(row).to_contain_text("42")
    port = server.port
    server.kill()
    await expect(ada.get("banner")).to_be_visible()
    server.start(port=port)
    await expect(ada.get("banner")).to_have_count(0, timeout=20_000)
    await ada.run("n = 30")
    await expect(row).to_contain_text("60", timeout=WAIT_MS)
    await ada.page.reload()
    await expect(row).to_contain_text("60", timeout=WAIT_MS)
    await expect(row).to_have_attribute("data-met", "true")


async def test_a_watch_is_written_changed_and_removed_with_the_keyboard_and_the_mouse(
    browser: Browser, server: Serving
) -> None:
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    await ada.run("units = [1, 2, 3]")
    await ada.ended(1)
    await ada.sees("units", "[1, 2, 3]")
    await ada.page.keyboard.press("Escape")
    await ada.page.keyboard.press("v")
    await expect(ada.page.locator(".variable-rows")).to_be_focused()
    await ada.page.keyboard.press("w")
    await expect(ada.get("watch-expression")).to_have_value("units")
    await ada.page.keyboard.type("len(units")
    await ada.page.keyboard.press("Enter")
    await expect(ada.get("watch-problem")).to_contain_text("no Python expression")
    await ada.page.keyboard.type(")")
    await ada.page.keyboard.press("Enter")
    row = watch(ada, "len(units)")
    await expect(row).to_contain_text("3")
    await expect(ada.get("watch-form")).to_have_count(0)
    await row.hover()
    await row.get_by_test_id("watch-edit").click()
    await ada.get("watch-condition-input").fill("value > 3")
    await ada.page.keyboard.press("Enter")
    await expect(row.get_by_test_id("watch-condition")).to_contain_text("value > 3")
    await expect(ada.get("watch-row")).to_have_count(1)
    await ada.variable("units").hover()
    await ada.variable("units").get_by_test_id("variable-look").click()
    await ada.get("variable-watch").click()
    await expect(watch(ada, "units")).to_contain_text("[1, 2, 3]")
    await row.hover()
    await row.get_by_test_id("watch-remove").click()
    await expect(ada.get("watch-row")).to_have_count(1)
    ada.assert_no_complaints("400")
