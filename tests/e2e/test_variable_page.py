"""A variable's page: who wrote it, all that it has been, and what two of its values differ in."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.support.client import Client
from tests.support.serving import Serving
from tests.support.session_page import SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

TRAINING = """import time
loss = 8.0
for step in range(8):
    time.sleep(0.6)
    loss = loss / 2
    if step == 5:
        loss = float("nan")
"""


@pytest.fixture
async def ada(browser: Browser, server: Serving) -> SessionPage:
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    return ada


async def page_of(ada: SessionPage, name: str) -> Locator:
    await ada.variable(name).hover()
    await ada.variable(name).get_by_test_id("variable-look").click()
    return ada.get("dialog-variable")


async def test_a_loop_is_scrubbed_to_where_it_went_wrong(ada: SessionPage) -> None:
    keys = ada.page.keyboard
    await ada.run(TRAINING)
    await ada.ended(1)
    await page_of(ada, "loss")
    await expect(ada.get("last-written")).to_contain_text("line 5 of In[1] · guest-1")
    await expect(ada.get("written-code")).to_have_text("loss = loss / 2")
    await expect(ada.get("sparkline").get_by_role("img")).to_have_attribute(
        "aria-label", changes_and_nans(9, 3)
    )
    await expect(ada.get("scrubbed-place")).to_contain_text("Change 9 of 9")
    await ada.get("history-fact").get_by_text("First became NaN").click()
    await expect(ada.get("scrubbed-value")).to_have_text("nan")
    await expect(ada.get("scrubbed-place")).to_contain_text("In[1], line 7 · guest-1")
    await ada.get("scrubber").focus()
    await keys.press("ArrowLeft")
    await expect(ada.get("scrubbed-value")).to_have_text("0.25")
    await expect(ada.get("scrubbed-place")).to_contain_text("line 5")
    await ada.get("compare").click()
    await ada.get("scrubber").focus()
    await keys.press("Home")
    await expect(ada.get("scrubbed-value")).to_have_text("8.0")
    await expect(ada.get("difference")).to_contain_text("From change 6 to 1")
    await expect(ada.get("difference-amount")).to_have_text("+7.75")
    await expect(ada.get("difference-ratio")).to_have_text("× 32")
    await ada.get("scrub-latest").click()
    await expect(ada.get("scrubbed-value")).to_have_text("nan")
    ada.assert_no_complaints()


async def test_the_curve_and_the_list_lead_to_a_change_and_that_to_its_execution(
    ada: SessionPage,
) -> None:
    for value in (1, 5, 3):
        await ada.run(f"x = {value}")
    for number in range(4, 40):
        await ada.run(f"print({number})")
    await ada.ended(39)
    await page_of(ada, "x")
    await ada.get("sparkline").click(position={"x": 9, "y": 50})
    await expect(ada.get("scrubbed-value")).to_have_text("1")
    await ada.get("history-highest").click()
    await expect(ada.get("scrubbed-value")).to_have_text("5")
    await ada.get("variable-history").focus()
    await ada.page.keyboard.press("ArrowUp")
    await expect(ada.get("history-change").first).to_have_attribute("aria-selected", "true")
    await ada.page.keyboard.press("End")
    await ada.page.keyboard.press("Enter")
    await expect(ada.get("dialog-variable")).to_have_count(0)
    await expect(ada.execution(1)).to_be_in_viewport()
    await expect(ada.get("transcript")).to_be_focused()


async def test_the_page_goes_on_while_code_runs_and_the_scrubber_stays_where_it_was_put(
    ada: SessionPage,
) -> None:
    await ada.run("import time\nn = 0\nwhile True:\n    n += 1\n    time.sleep(0.05)")
    await expect(ada.variable("n")).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await expect(ada.get("transcript")).to_be_focused()
    await ada.page.keyboard.press("v")
    await expect(ada.page.get_by_role("treegrid")).to_be_focused()
    await ada.page.keyboard.press("Space")
    await expect(ada.get("scrubbed-place")).to_contain_text(re.compile(r"Change (\d+) of \1 "))
    await expect(ada.page.locator("#change-4")).to_be_attached()
    await ada.get("scrubber").focus()
    await ada.page.keyboard.press("Home")
    await ada.page.keyboard.press("ArrowRight")
    seen = await ada.get("scrubbed-value").inner_text()
    later = int(await ada.get("scrubber").get_attribute("max") or 0) + 4
    await expect(ada.page.locator(f"#change-{later}")).to_be_attached(timeout=15_000)
    await expect(ada.get("scrubbed-place")).to_contain_text("Change 2 of")
    await expect(ada.get("scrubbed-value")).to_have_text(seen)
    await ada.page.keyboard.press("End")
    await expect(ada.page.locator(f"#change-{later + 4}")).to_be_attached(timeout=15_000)
    await expect(ada.get("scrubbed-place")).to_contain_text(re.compile(r"Change (\d+) of \1 "))
    assert int(await ada.get("scrubbed-value").inner_text()) > int(seen)
    await ada.page.keyboard.press("Escape")
    await expect(ada.get("dialog-variable")).to_have_count(0)
    await ada.page.keyboard.press("Control+c")
    await ada.ended(1, "interrupted")
    ada.assert_no_complaints()


async def test_containers_differ_by_their_elements_and_an_edit_has_its_author(
    ada: SessionPage, server: Serving
) -> None:
    await ada.run("config = {'rate': 0.5, 'layers': [64, 64], 'name': 'a'}")
    await ada.sees("config", "rate")
    session = str(await ada.get("session").get_attribute("data-session"))
    async with Client(server.url, server.token, name="Ben") as ben:
        await ben.join(session)
        path = ["config", {"key": "rate"}]
        await ben.call("variable.set", session=session, path=path, value=0.25)
        await page_of(ada, "config")
        await expect(ada.get("last-written")).to_contain_text("Last set by hand · Ben")
        await expect(ada.get("sparkline")).to_have_count(0)
        difference = ada.get("difference")
        await expect(difference.locator(".removed")).to_have_text("\N{MINUS SIGN}'rate': 0.5")
        await expect(difference.locator(".added")).to_have_text("+'rate': 0.25")
        await ben.call("variable.delete", session=session, name="config")
        await expect(ada.get("last-written")).to_contain_text("Deleted by hand · Ben")
        await expect(ada.get("history-change").first).to_contain_text("deleted")


async def test_thousands_of_changes_are_thinned_and_still_drawn(
    ada: SessionPage, server: Serving
) -> None:
    await ada.run("wave = 0")
    await ada.ended(1)
    session = str(await ada.get("session").get_attribute("data-session"))
    async with Client(server.url, server.token) as other:
        await other.join(session)
        for first in range(1, 4200, 50):
            values = range(first, min(first + 50, 4200))
            asked = (
                other.call("variable.set", session=session, name="wave", value=value)
                for value in values
            )
            await asyncio.gather(*asked, asyncio.sleep(50 / 450))  # 500 a second are allowed
    await page_of(ada, "wave")
    await expect(ada.get("scrubbed-place")).to_contain_text("Change 4,200 of 4,200")
    await expect(ada.get("history-thinned")).to_contain_text("shown of 4,200")
    await ada.get("variable-history").focus()
    await ada.page.keyboard.press("End")
    await expect(ada.get("scrubbed-place")).to_contain_text("Change 1 of 4,200")
    await expect(ada.get("scrubbed-value")).to_have_text("0")


async def test_a_value_inside_of_a_variable_leads_to_the_history_of_the_whole(
    ada: SessionPage,
) -> None:
    await ada.run("units = [1, 2]")
    await ada.sees("units", "[1, 2]")
    await ada.variable("units").get_by_test_id("variable-expand").click()
    child = ada.get("variable-child").first
    await child.hover()
    await child.get_by_test_id("variable-look").click()
    await expect(ada.get("variable-repr")).to_have_text("1")
    await ada.get("history-of-whole").click()
    await expect(ada.get("variable-repr")).to_have_text("[1, 2]")
    await expect(ada.get("last-written")).to_contain_text("line 1 of In[1]")


async def test_a_variable_whose_changes_are_not_in_the_record_says_so(
    browser: Browser, lasting_server: Serving
) -> None:
    ada = await SessionPage.of(browser, lasting_server.address)
    await ada.create()
    await ada.run("x = 1")
    await ada.ended(1)
    await ada.sees("x", "1")
    port = lasting_server.port
    lasting_server.stop()
    with closing(sqlite3.connect(lasting_server.data_dir / "journal.sqlite3")) as journal:
        journal.execute("DELETE FROM variable_changes")
        journal.commit()
    await expect(ada.get("banner")).to_be_visible()
    lasting_server.start(port=port)
    await expect(ada.get("banner")).to_have_count(0, timeout=20_000)
    await page_of(ada, "x")
    await expect(ada.get("history-empty")).to_contain_text("No change of it is recorded")
    await ada.page.keyboard.press("Escape")
    await ada.run("x = 2")
    await ada.ended(2)
    await page_of(ada, "x")
    await expect(ada.get("last-written")).to_contain_text("line 1 of In[2]")


def changes_and_nans(changes: int, nans: int) -> str:
    return f"{changes} changes, between 0.25 and 8, {nans} times NaN"
