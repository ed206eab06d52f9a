"""A person's round trip in a real Chromium, and a second person who looks on."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.client import Client
from tests.support.serving import Serving
from tests.support.session_page import SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
async def ada(browser: Browser, server: Serving) -> SessionPage:
    return await SessionPage.of(browser, server.address)


async def test_a_variable_is_seen_changes_flashes_and_is_shared_with_a_viewer(
    ada: SessionPage, browser: Browser, tmp_path: Path
) -> None:
    await ada.create()
    await ada.run("x = 41")
    await ada.sees("x", "41")
    await ada.run("x += 1")
    await expect(ada.variable("x").get_by_test_id("flash")).to_be_attached()
    await ada.sees("x", "42")

    grace = await SessionPage.of(browser, await ada.share("viewer"))
    await expect(grace.execution(1)).to_contain_text("x = 41")
    await expect(grace.execution(2)).to_contain_text("x += 1")
    await grace.sees("x", "42")
    await expect(grace.get("role")).to_have_text("viewer")
    await expect(grace.editor).to_have_count(0)
    await expect(grace.get("viewer-note")).to_be_visible()
    await expect(grace.get("interrupt")).to_have_count(0)
    await expect(ada.get("presence")).to_have_attribute("data-count", "2")

    await ada.run("x = 'seen by both'")
    await grace.sees("x", "seen by both")
    await expect(grace.variable("x").get_by_test_id("flash")).to_be_attached()
    for person, name in ((ada, "ada"), (grace, "grace")):
        assert (await person.picture(tmp_path / f"{name}.png")).stat().st_size > 10_000
        person.assert_no_complaints()


async def test_a_viewer_cannot_execute_by_the_protocol_either(
    ada: SessionPage, browser: Browser, server: Serving
) -> None:
    session = await ada.create()
    grace = await SessionPage.of(browser, await ada.share("viewer"))
    await expect(grace.get("viewer-note")).to_be_visible()
    refused = await grace.page.evaluate(
        "async (code) => (await fetch('/api/token', {method: 'POST', "
        "headers: {'content-type': 'application/json'}, body: JSON.stringify({code})})).status",
        "no-such-code",
    )
    assert refused in (400, 401, 403, 404)
    async with Client(server.url, server.token) as owner:
        await owner.join(session)
        assert owner.log(session).variables == {}


async def test_the_page_finds_its_session_again_after_it_was_loaded_anew(ada: SessionPage) -> None:
    await ada.create()
    await ada.run("kept = list(range(5))\nkept")
    await ada.ended(1)
    assert "token" not in ada.page.url, "the page takes it out of the address"
    await ada.page.reload()
    await expect(ada.execution(1)).to_contain_text("[0, 1, 2, 3, 4]")
    await ada.sees("kept", "[0, 1, 2, 3, 4]")


async def test_everything_is_there_after_the_server_was_stopped_and_started_again(
    browser: Browser, tmp_path: Path, cache_dir: Path
) -> None:
    serving = Serving(tmp_path, "--token", "fixed-for-this-test", cache_dir=cache_dir)
    serving.start()
    try:
        ada = await SessionPage.of(browser, serving.address)
        session = await ada.create()
        await ada.run("def double(n): return 2 * n\nx = [1, 2]\nx.append(x)")
        await ada.ended(1)
        await ada.leave()
        assert serving.stop() == (0, "")
        serving.start()
        again = await SessionPage.of(browser, serving.address)
        await again.page.locator(f'[data-session="{session}"] a').click()
        await expect(again.execution(1)).to_contain_text("x.append(x)")
        await again.run("double(x[2][1])")
        await expect(await again.ended(2)).to_contain_text("4")
        await expect(again.get("restore-report")).to_contain_text("restored")
    finally:
        serving.kill()


async def test_a_value_is_edited_in_place_and_a_list_is_opened(ada: SessionPage) -> None:
    await ada.create()
    await ada.run("hp = 10\nunits = ['knight', 'archer']")
    await ada.ended(1)
    row = ada.variable("hp")
    await row.locator('[role="gridcell"]').filter(has_text="10").first.dblclick()
    await ada.get("value-input").fill("hp * 3")
    await ada.page.keyboard.press("Enter")
    await ada.sees("hp", "30")
    await ada.variable("units").get_by_test_id("variable-expand").click()
    await expect(ada.get("variable-child").nth(1)).to_contain_text("archer")


async def test_a_busy_loop_is_watched_and_interrupted(ada: SessionPage) -> None:
    await ada.create()
    await ada.run("i = 0\nwhile True: i += 1")
    row = ada.variable("i")
    await expect(row).to_be_visible()
    first = await row.get_attribute("data-version")
    await expect(row).not_to_have_attribute("data-version", first or "")
    await ada.get("interrupt").click()
    await ada.ended(1, "interrupted")
    await ada.run("i > 0")
    await expect(await ada.ended(2)).to_contain_text("True")


async def test_a_program_asks_and_is_answered_in_the_transcript(ada: SessionPage) -> None:
    await ada.create()
    await ada.run("name = input('Who is there? ')\nprint('Hello,', name)")
    await ada.get("input-field").fill("Grace")
    await ada.page.keyboard.press("Enter")
    await expect(await ada.ended(1)).to_contain_text("Hello, Grace")


async def test_html_of_a_session_cannot_reach_the_page(ada: SessionPage) -> None:
    await ada.create()
    await ada.run(
        "class Hostile:\n"
        "    def _repr_html_(self):\n"
        "        return '<script>parent.document.title = \"taken\"</script><b>shown</b>'\n"
        "Hostile()"
    )
    frame = (await ada.ended(1)).locator("iframe")
    await expect(frame).to_be_visible()
    sandbox = await frame.get_attribute("sandbox")
    assert sandbox is not None
    assert "allow-same-origin" not in sandbox
    await expect(frame.content_frame.locator("b")).to_have_text("shown")
    assert await ada.page.title() != "taken"
