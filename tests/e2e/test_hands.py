"""What hands expect of the page: keys, selection, clipboard, the focus where it was."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.support.client import Client
from tests.support.serving import Serving
from tests.support.session_page import SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
async def ada(browser: Browser, server: Serving) -> SessionPage:
    ada = await SessionPage.of(browser, server.address)
    await ada.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await ada.create()
    return ada


async def test_typing_over_a_selection_breaks_no_policy(ada: SessionPage) -> None:
    """Chromium would write style attributes there: the policy refuses, the console shows it."""
    keys = ada.page.keyboard
    await ada.editor.click()
    for written in ("def f():\n    return 1\n\n", "a\nb\nc", "x = 'text'\ny"):
        await keys.insert_text(written)
        await keys.press("Shift+ArrowUp")
        await keys.insert_text("over\nit")
        await keys.press("Control+a")
        await keys.type("(z")
        assert await written_in(ada) == "(z)", "brackets close by themselves"
        await keys.press("Control+z")
        assert "over" in await written_in(ada)
        await keys.press("Control+a")
        await keys.press("Delete")
    ada.assert_no_complaints()


async def test_what_the_search_of_the_history_finds_is_edited_at_once(ada: SessionPage) -> None:
    keys = ada.page.keyboard
    await ada.run("first = 1")
    await ada.run("second = 2")
    await ada.ended(2)
    await keys.press("Control+r")
    await ada.get("search-input").fill("fir")
    await keys.press("Enter")
    await expect(ada.get("dialog-search")).to_have_count(0)
    await keys.type("0")
    await keys.press("Enter")
    await ada.ended(3)
    await ada.sees("first", "10")


async def test_an_edit_that_came_too_late_overwrites_only_when_told_to(
    ada: SessionPage, server: Serving
) -> None:
    await ada.run("x = 1")
    await ada.sees("x", "1")
    session = str(await ada.get("session").get_attribute("data-session"))
    async with Client(server.url, server.token) as other:
        await other.join(session)
        for choice, theirs, left in (("value-theirs", 2, "2"), ("value-force", 20, "3")):
            await ada.variable("x").get_by_test_id("variable-preview").dblclick()
            await ada.page.keyboard.type("3")
            await other.run(session, f"x = {theirs}")
            await ada.page.keyboard.press("Enter")
            await expect(ada.get("value-conflict")).to_contain_text(str(theirs))
            await ada.get(choice).click()
            await expect(ada.get("value-input")).to_have_count(0)
            await ada.sees("x", left)


async def test_escape_leaves_a_value_as_it_was(ada: SessionPage) -> None:
    await ada.run("x = 1")
    await ada.sees("x", "1")
    await ada.variable("x").get_by_test_id("variable-preview").dblclick()
    await ada.page.keyboard.type("2")
    await ada.page.keyboard.press("Escape")
    await expect(ada.get("value-input")).to_have_count(0)
    await ada.sees("x", "1")


async def test_a_selection_lasts_while_the_transcript_is_scrolled(ada: SessionPage) -> None:
    await ada.run("print('begin here')")
    await ada.ended(1)
    for number in range(2, 5):
        await ada.run(f"for i in range(300): print('{number}:', i)")
        await ada.ended(number)
    await ada.get("transcript").evaluate("element => { element.scrollTop = 0 }")
    await ada.execution(1).get_by_test_id("stream").dblclick(position={"x": 10, "y": 8})
    assert await selected(ada) == "begin"
    await ada.get("transcript").evaluate("element => { element.scrollTop = element.scrollHeight }")
    await expect(ada.execution(4)).to_be_visible()
    await ada.page.wait_for_timeout(200)
    assert await selected(ada) == "begin"


async def test_an_output_is_copied_and_its_links_are_links(ada: SessionPage) -> None:
    await ada.run("print('see https://example.org/a.')\n1 + 1")
    execution = await ada.ended(1)
    link = execution.get_by_test_id("output-link")
    await expect(link).to_have_attribute("href", "https://example.org/a")
    await ada.page.keyboard.press("Escape")
    await ada.page.keyboard.press("k")
    await ada.page.keyboard.press("o")
    await expect(ada.get("notice")).to_be_visible()
    copied = await ada.page.evaluate("navigator.clipboard.readText()")
    assert copied == "see https://example.org/a.\n2"


async def test_the_tab_says_that_code_runs_and_that_it_asks(ada: SessionPage) -> None:
    await ada.run("import time\nwhile True: time.sleep(0.01)")
    await expect(ada.page).to_have_title(starting_with("▶ "))
    await ada.page.keyboard.press("Control+c")
    await ada.ended(1, "interrupted")
    await expect(ada.page).to_have_title(starting_with("Session"))
    await ada.run("input('who? ')")
    await expect(ada.page).to_have_title(starting_with("? "))


async def test_every_place_of_a_session_is_reached_by_keyboard(ada: SessionPage) -> None:
    keys = ada.page.keyboard
    await ada.run("x = [1, 2]")
    await ada.ended(1)
    await ada.sees("x", "[1, 2]")
    await keys.press("Escape")
    await expect(ada.get("transcript")).to_be_focused()
    await keys.press("v")
    await expect(ada.page.get_by_role("treegrid")).to_be_focused()
    await keys.press("ArrowRight")
    await expect(ada.get("variable-child")).to_have_count(2)
    await keys.press("Escape")
    await keys.type("y = 1")
    assert await written_in(ada) == "y = 1"
    await keys.press("Control+a")
    await keys.press("Delete")
    await keys.press("Tab")
    await expect(ada.page.get_by_role("separator")).to_be_focused()


async def written_in(person: SessionPage) -> str:
    return await person.editor.inner_text()


async def selected(person: SessionPage) -> str:
    return str(await person.page.evaluate("getSelection().toString().trim()"))


def starting_with(text: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(text)}")
