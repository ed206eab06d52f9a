"""Files of a watched folder in a real Chromium: run, offered when they change, reloaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.support.serving import Serving
from tests.support.session_page import SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

UNITS = "class Unit:\n    hp = 10\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/battle.py").write_text("damage = 3\n")
    (tmp_path / "scripts/units.py").write_text(UNITS)
    (tmp_path / "scripts/large.py").write_bytes(b"#" * 1_500_000)
    return tmp_path / "scripts"


@pytest.fixture
def watching(tmp_path: Path, cache_dir: Path, folder: Path) -> Iterator[Serving]:
    arguments = ("--pool-min-size", "1", "--watch", str(folder))
    with Serving(tmp_path, *arguments, cache_dir=cache_dir) as serving:
        yield serving


async def open_scripts(person: SessionPage) -> None:
    await person.get("menu").click()
    await person.page.locator('[data-testid="menu-item"][data-title="Scripts…"]').click()
    await expect(person.get("dialog-scripts")).to_be_visible()


def row(person: SessionPage, path: str) -> Locator:
    return person.page.locator(f'[data-testid="script-row"][data-path="{path}"]')


def offer(person: SessionPage, path: str) -> Locator:
    return person.page.locator(f'[data-testid="script-offer"][data-path="{path}"]')


async def picture_in_both_themes(person: SessionPage, file: Path) -> None:
    for scheme in ("dark", "light"):
        await person.page.emulate_media(color_scheme=scheme)
        await person.picture(file.with_name(f"{file.stem}-{scheme}.png"))


async def test_a_script_is_run_offered_when_it_changes_and_reloaded(
    browser: Browser, watching: Serving, folder: Path, tmp_path: Path
) -> None:
    ada = await SessionPage.of(browser, watching.address)
    await ada.create()
    await ada.run("kept = 5")
    await open_scripts(ada)
    await expect(ada.get("scripts-refused")).to_contain_text("1 file not given")
    await row(ada, "battle.py").get_by_test_id("script-load").click()
    await expect(row(ada, "battle.py")).to_have_attribute("data-state", "loaded")
    await row(ada, "units.py").get_by_test_id("script-import").click()
    await expect(row(ada, "units.py")).to_contain_text("loaded, module")
    await picture_in_both_themes(ada, tmp_path / "dialog.png")
    await ada.page.keyboard.press("Escape")
    await ada.sees("damage", "3")
    await expect(ada.execution(2).get_by_test_id("script-file")).to_have_text("battle.py")
    await expect(ada.get("script-banner")).to_have_count(0)

    (folder / "battle.py").write_text("damage = 4\n")
    (folder / "units.py").write_text(UNITS.replace("10", "20"))
    await expect(offer(ada, "battle.py")).to_contain_text("has changed on disk")
    await expect(offer(ada, "units.py")).to_be_visible()
    await picture_in_both_themes(ada, tmp_path / "banner.png")
    await offer(ada, "battle.py").get_by_test_id("script-reload").click()
    await ada.sees("damage", "4")
    await expect(offer(ada, "battle.py")).to_have_count(0)
    await offer(ada, "units.py").get_by_test_id("script-dismiss").click()
    await expect(ada.get("script-banner")).to_have_count(0)
    await ada.sees("kept", "5")
    ada.assert_no_complaints()


async def test_always_reloads_by_itself_from_then_on_and_is_taken_back_in_the_list(
    browser: Browser, watching: Serving, folder: Path
) -> None:
    ada = await SessionPage.of(browser, watching.address)
    await ada.create()
    await open_scripts(ada)
    await row(ada, "battle.py").get_by_test_id("script-load").click()
    await ada.page.keyboard.press("Escape")
    await ada.sees("damage", "3")
    (folder / "battle.py").write_text("damage = 4\n")
    await offer(ada, "battle.py").get_by_test_id("script-always").click()
    await ada.sees("damage", "4")
    (folder / "battle.py").write_text("damage = 5\n")
    await ada.sees("damage", "5")
    await expect(ada.execution(3)).to_contain_text("watch")
    (folder / "battle.py").write_text("damage = \n")
    await expect(await ada.ended(4, "error")).to_contain_text("SyntaxError")
    await ada.sees("damage", "5")
    await open_scripts(ada)
    await row(ada, "battle.py").get_by_test_id("script-mode").select_option("ask")
    await ada.page.keyboard.press("Escape")
    (folder / "battle.py").write_text("damage = 6\n")
    await expect(offer(ada, "battle.py")).to_be_visible()
    await ada.sees("damage", "5")
    ada.assert_no_complaints()


async def test_a_viewer_sees_the_list_and_no_buttons(
    browser: Browser, watching: Serving, folder: Path
) -> None:
    ada = await SessionPage.of(browser, watching.address)
    await ada.create()
    await open_scripts(ada)
    await row(ada, "battle.py").get_by_test_id("script-load").click()
    await ada.page.keyboard.press("Escape")
    await ada.sees("damage", "3")
    grace = await SessionPage.of(browser, await ada.share("viewer"))
    await grace.sees("damage", "3")
    (folder / "battle.py").write_text("damage = 4\n")
    await expect(offer(ada, "battle.py")).to_be_visible()
    await expect(grace.get("script-banner")).to_have_count(0)
    await open_scripts(grace)
    await expect(row(grace, "battle.py")).to_contain_text("changed on disk")
    await expect(grace.get("script-load")).to_have_count(0)
    await expect(grace.get("script-mode")).to_be_disabled()
    grace.assert_no_complaints()
