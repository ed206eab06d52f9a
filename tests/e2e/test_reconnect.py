"""A browser that loses its network: nothing missing afterwards, nothing twice."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.support.client import Client
from tests.support.serving import Serving
from tests.support.session_page import SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

COUNTING = "import time\nfor i in range(40):\n    print(f'<{i}>')\n    time.sleep(0.1)"


async def test_what_was_printed_while_the_page_was_offline_is_there_once(
    browser: Browser, server: Serving
) -> None:
    ada = await SessionPage.of(browser, server.address)
    session = await ada.create()
    await ada.run(COUNTING)
    await expect(ada.execution(1)).to_contain_text("<3>")
    await lose_network(ada)
    async with Client(server.url, server.token) as other:
        await other.join(session)
        await other.log(session).event("stream", after=other.log(session).seq)
        await other.submit(session, "while_away = 'seen'")
    await find_network(ada)
    await ada.ended(1)
    await ada.ended(2)
    assert numbers(await ada.text_of(1)) == list(range(40))
    assert await ada.get("execution").count() == 2
    await ada.sees("while_away", "seen")


async def test_code_that_was_entered_while_offline_is_executed_once(
    browser: Browser, server: Serving
) -> None:
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    await ada.run("count = 0")
    await ada.ended(1)
    await lose_network(ada)
    await ada.run("count += 1; print('late')")
    await expect(ada.get("pending")).to_be_visible()
    await find_network(ada)
    await ada.ended(2)
    await expect(ada.get("pending")).to_have_count(0)
    await ada.sees("count", "1")
    assert await ada.get("execution").count() == 2


async def test_a_server_that_comes_back_finds_its_page_waiting(
    browser: Browser, lasting_server: Serving
) -> None:
    """Killed, not stopped, in the middle of a printing loop."""
    server = lasting_server
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    await ada.run(COUNTING)
    await expect(ada.execution(1)).to_contain_text("<5>")
    before = numbers(await ada.text_of(1))
    port = server.port
    server.kill()
    await expect(ada.get("banner")).to_be_visible()
    server.start(port=port)
    await expect(ada.get("banner")).to_have_count(0, timeout=20_000)
    await ada.ended(1, "died")
    after = numbers(await ada.text_of(1))
    assert after[: len(before)] == before
    assert after == list(range(len(after)))
    await ada.run("'alive'")
    await expect(await ada.ended(2)).to_contain_text("alive")


async def lose_network(person: SessionPage) -> None:
    await person.context.set_offline(True)
    # An open WebSocket does not notice by itself until its next ping: cut it as a router would.
    await person.page.evaluate("dispatchEvent(new Event('offline'))")
    await expect(person.get("banner")).to_be_visible(timeout=60_000)


async def find_network(person: SessionPage) -> None:
    await person.context.set_offline(False)
    await expect(person.get("banner")).to_have_count(0, timeout=20_000)


def numbers(text: str) -> list[int]:
    return [int(found) for found in re.findall(r"<(\d+)>", text)]
