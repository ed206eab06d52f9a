"""`make arena`: units do what a changed script says, and at its end nothing is left of it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.sdk.conftest import server_program
from tests.support.serving import children_of
from tests.support.session_page import SessionPage

__all__ = ["server_program"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"the arena is at (http://127\.0\.0\.1:\d+/#\S+)\n")
WAIT_MS = 20_000


class Arena:
    """The one command, in a group of its own, as a terminal has it."""

    def __init__(self, folder: Path, flags: str = "--players 3") -> None:
        self.folder = folder
        browser = folder / "browser"
        browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {folder}/opened\n')
        browser.chmod(0o755)
        (folder / "tmp").mkdir(exist_ok=True)
        self._log = (folder / "arena.log").open("wb")
        self._process = subprocess.Popen(
            ["make", "--no-print-directory", "arena", f"ARGS={flags}"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(folder / "tmp"), "BROWSER": f"{browser} %s"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = ADDRESS.fullmatch(line)
        assert found, f"{line!r}; {(folder / 'arena.log').read_text()}"
        self.address = found[1]

    def processes(self) -> set[int]:
        """All that it has started, and what they have."""
        found, new = set[int](), {self._process.pid}
        while new:
            found |= new
            new = {child for pid in new for child in children_of(pid)} - found
        return found

    def interrupt(self) -> None:
        """Ctrl+C."""
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.communicate(timeout=15)

    def close(self) -> None:
        """Whatever the test has come to."""
        if self._process.poll() is None:
            self.interrupt()
        self._log.close()


@pytest.fixture
def arena(server_program: Path, tmp_path: Path) -> Iterator[Arena]:
    started = Arena(tmp_path)
    yield started
    started.close()


async def test_a_changed_script_moves_its_unit_and_after_the_end_no_process_is_left(
    arena: Arena, browser: Browser
) -> None:
    page = (watcher := await SessionPage.of(browser, arena.address)).page
    await expect(page.get_by_test_id("units").locator("tbody tr")).to_have_count(3)
    before = await row(page, "Bo")
    await expect(cell(page, "Bo", 1)).not_to_have_text(before[1], timeout=WAIT_MS)
    await expect(page.get_by_test_id("code")).to_have_value(re.compile("The chaser hunts"))

    await steer(page, "def steer():\n    return 90")
    await expect(page.get_by_test_id("outcome")).to_contain_text("Ann does this now")
    await expect(cell(page, "Ann", 2)).to_have_text("58.0", timeout=WAIT_MS)
    await expect(cell(page, "Ann", 3)).to_have_text("90")
    assert await frames_that_differ(page) > 20

    await steer(page, "def steer():\n    return nonsense")
    failing = page.get_by_test_id("outcome")
    await expect(failing).to_have_text("steer() fails: NameError: name 'nonsense' is not defined")
    problem = page.get_by_test_id("variables").locator('[data-name="problem"]')
    await expect(problem).to_contain_text("NameError: name 'nonsense' is not defined")

    link = await page.get_by_test_id("open").get_attribute("href")
    assert link
    player = await SessionPage.of(browser, link)
    await player.run("def steer():\n    return 270\n")
    await expect(cell(page, "Ann", 2)).to_have_text("2.0", timeout=WAIT_MS)
    await expect(page.get_by_test_id("code")).to_have_value("def steer():\n    return 270")
    await player.sees("problem", "None")
    await page.get_by_test_id("restart").click()
    await expect(page.get_by_test_id("code")).to_have_value(re.compile("The chaser hunts"))
    await expect(cell(page, "Ann", 3)).not_to_have_text("270", timeout=WAIT_MS)

    opened = (arena.folder / "opened").read_text()
    assert arena.address.partition("/#")[2] not in opened
    watcher.assert_no_complaints()
    player.assert_no_complaints()

    started = arena.processes()
    assert len(started) >= 5  # make, the demonstration, the database, the server, its sessions
    await asyncio.to_thread(arena.interrupt)
    assert [pid for pid in started if is_running(pid)] == []
    assert os.listdir(arena.folder / "tmp") == []


@pytest.mark.usefixtures("server_program")
async def test_what_a_data_directory_keeps_is_there_the_next_time(
    tmp_path: Path, browser: Browser
) -> None:
    keep = f"--data-dir {tmp_path / 'kept'} --no-browser"
    for players, executions in ((3, 2), (2, 4)):
        arena = Arena(tmp_path, f"{keep} --players {players}")
        try:
            page = (await SessionPage.of(browser, arena.address)).page
            await expect(page.get_by_test_id("units").locator("tbody tr")).to_have_count(players)
            await expect(page.get_by_role("tab")).to_have_count(players)
            await expect(page.get_by_test_id("executions").locator("li")).to_have_count(executions)
        finally:
            await asyncio.to_thread(arena.close)


def is_running(pid: int) -> bool:
    """A zombie has ended, whoever has not looked yet."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return told.rpartition(")")[2].split()[0] != "Z"


async def frames_that_differ(page: Page) -> int:
    """Of 30: units move between their rows, too."""
    pictures = await page.get_by_test_id("field").evaluate(
        """async (field) => {
            const pictures = new Set();
            for (let i = 0; i < 30; i++) {
                await new Promise(requestAnimationFrame);
                pictures.add(field.toDataURL());
            }
            return pictures.size;
        }"""
    )
    return int(pictures)


async def steer(page: Page, code: str) -> None:
    await page.get_by_test_id("code").fill(code)
    await page.get_by_test_id("run").click()


def cell(page: Page, unit: str, column: int) -> Locator:
    return page.get_by_test_id("units").locator(f'[data-name="{unit}"] td').nth(column)


async def row(page: Page, unit: str) -> list[str]:
    return await page.get_by_test_id("units").locator(f'[data-name="{unit}"] td').all_inner_texts()
