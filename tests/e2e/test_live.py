"""While code runs, in a real browser: values, parts of them and the line change, edits reach it."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.support.serving import Serving
from tests.support.session_page import SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

BUSY = """\
import time
end = time.monotonic() + 3
n = 0
while time.monotonic() < end:
    n += 1
"""
# Counts the different texts of a preview as they are drawn.
COUNT = """\
(name) => {
  const seen = new Set();
  globalThis.seenTexts = seen;
  const look = () => {
    const cell = document.querySelector(
      `[data-testid="variable-row"][data-name="${name}"] [data-testid="variable-preview"]`);
    if (cell) seen.add(cell.textContent);
    requestAnimationFrame(look);
  };
  look();
}"""


@pytest.fixture
async def ada(browser: Browser, server: Serving) -> SessionPage:
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    return ada


async def texts_seen(person: SessionPage) -> list[str]:
    return list(await person.page.evaluate("[...globalThis.seenTexts]"))


async def test_a_busy_loop_without_a_print_is_watched_by_everybody(
    ada: SessionPage, browser: Browser
) -> None:
    ben = await SessionPage.of(browser, await ada.share("viewer"))
    for person in (ada, ben):
        await person.page.evaluate(COUNT, "n")
    await ada.run(BUSY)
    await ada.ended(1)
    for person in (ada, ben):
        assert len(await texts_seen(person)) >= 20
        person.assert_no_complaints()


async def test_it_is_interrupted_in_the_middle(ada: SessionPage) -> None:
    await ada.run("n = 0\nwhile True: n += 1")
    await ada.page.evaluate(COUNT, "n")
    await expect(ada.variable("n")).to_be_visible()
    await ada.page.wait_for_timeout(1000)
    await ada.get("interrupt").click()
    await ada.ended(1, "interrupted")
    seen = await texts_seen(ada)
    assert len(seen) >= 8
    assert max(map(int, seen)) > 10_000


async def test_setting_a_variable_from_the_panel_ends_the_loop(ada: SessionPage) -> None:
    await ada.run("stop = False\nn = 0\nwhile not stop: n += 1")
    await ada.sees("stop", "False")
    await ada.variable("stop").get_by_test_id("variable-preview").dblclick()
    await ada.page.keyboard.type("True")
    await ada.page.keyboard.press("Enter")
    await ada.ended(1)
    await ada.sees("stop", "True")


async def test_an_open_part_of_a_value_changes_in_its_place(ada: SessionPage) -> None:
    await ada.run("units = [{'hp': 10}, {'hp': 20}]")
    await ada.sees("units", "[{'hp': 10}, {'hp': 20}]")
    await ada.variable("units").get_by_test_id("variable-expand").click()
    await expect(ada.get("variable-child")).to_have_count(2)
    code = "hp = 0\nwhile time.monotonic() < end: hp += 1; units[1]['hp'] = hp % 1000 + 1000\n"
    await ada.run(f"import time\nend = time.monotonic() + 3\n{code}units[1]['hp'] = 7")
    child = ada.get("variable-child").nth(1).get_by_test_id("variable-preview")
    seen = set()
    for _ in range(100):
        seen.add(await child.inner_text())
        await ada.page.wait_for_timeout(20)
    assert len(seen) >= 3
    await ada.ended(2)
    await expect(child).to_have_text("{'hp': 7}")


async def test_the_running_line_and_the_locals_of_its_frames(ada: SessionPage) -> None:
    code = (
        "import time\ndef walk(steps):\n    for step in range(steps):\n        time.sleep(0.01)\n"
        "    return step\n\nwalk(2000)"
    )
    await ada.run(code)
    line = ada.get("running-line")
    await expect(line).to_have_attribute("data-line", "4")
    await expect(ada.get("running-place")).to_contain_text("in walk")
    await ada.get("frames-open").click()
    frame = ada.page.locator('[data-testid="frame"][data-name="walk"]')
    local = frame.locator('[data-testid="frame-local"][data-name="step"] dd')
    first = await local.inner_text()
    await expect(local).not_to_have_text(first)
    await ada.get("interrupt").click()
    await ada.ended(1, "interrupted")
    await expect(line).to_have_count(0)
    await expect(ada.get("frames")).to_have_count(0)
    ada.assert_no_complaints()


async def test_what_was_live_is_right_at_the_end_and_after_coming_back(ada: SessionPage) -> None:
    await ada.run("n = 0\nfor i in range(3_000_000): n += 1")
    await ada.ended(1)
    await ada.sees("n", "3000000")
    await ada.sees("i", "2999999")
    await ada.page.reload()
    await ada.sees("n", "3000000")
    await ada.page.evaluate(COUNT, "k")
    await ada.run("k = 0\nfor j in range(6_000_000): k += 1")
    await ada.ended(2)
    assert len(await texts_seen(ada)) >= 5, "a page that came back looks again"
