"""Output without end: the page answers, the server stays small, the text stays readable."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.client import Client
from tests.support.serving import Serving
from tests.support.session_page import SessionPage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

FLOOD = "for i in range(10**7): print(i)"
LONGEST_STANDSTILL_MS = 500

# Every 20 ms a timer notes by how much it was late: what a key press would have had to wait.
MEASURE = """() => {
  window.longest = 0;
  let before = performance.now();
  window.measuring = setInterval(() => {
    const now = performance.now();
    window.longest = Math.max(window.longest, now - before - 20);
    before = now;
  }, 20);
}"""


async def test_the_page_answers_while_ten_million_lines_are_printed(
    browser: Browser, server: Serving
) -> None:
    ada = await SessionPage.of(browser, server.address)
    await ada.create()
    await ada.page.evaluate(MEASURE)
    await ada.run(FLOOD)
    await expect(ada.get("output-gap")).to_be_visible()
    await ada.editor.click()
    await ada.page.keyboard.type("'typed during the flood'", delay=30)
    await expect(ada.editor).to_contain_text("typed during the flood")
    await ada.get("interrupt").click()
    await ada.ended(1, "interrupted")
    await ada.page.keyboard.press("Shift+Enter")
    await expect(await ada.ended(2)).to_contain_text("typed during the flood")
    assert await ada.page.evaluate("window.longest") < LONGEST_STANDSTILL_MS
    assert await ada.page.evaluate("document.querySelectorAll('*').length") < 5000
    ada.assert_no_complaints()


async def test_a_flood_is_cut_in_the_events_and_whole_when_it_is_read(client: Client) -> None:
    session = await client.create()
    ran = await client.run(session, "for i in range(10**6): print(i)", timeout=60)
    assert ran.dropped_bytes > 5_000_000
    assert ran.stdout.startswith("0\n1\n2\n")
    head = len(ran.stdout)
    assert head < 2_000_000
    log = client.log(session)
    last = [e for e in log.events.values() if e["type"] == "stream.truncated"][-1]["data"]
    assert last["tail"][-1]["text"].endswith("999998\n999999\n")
    whole = "".join(f"{i}\n" for i in range(10**6))
    tail = sum(len(piece["text"]) for piece in last["tail"])
    assert head + last["dropped_bytes"] + tail == len(whole)
    for offset in (0, head - 50, len(whole) // 2, len(whole) - 100):
        read = await client.call(
            "output.read", session=session, execution=ran.execution, offset=offset, limit=100
        )
        assert read["total"] == len(whole)
        assert "".join(c["text"] for c in read["chunks"]) == whole[offset : offset + 100]


async def test_the_server_does_not_grow_with_what_is_printed(
    server: Serving, client: Client
) -> None:
    session = await client.create()
    await client.run(session, "for i in range(10**5): print(i)", timeout=60)
    before = resident_mb(server.pid)
    ran = await client.run(session, "for i in range(2 * 10**6): print('x' * 20)", timeout=120)
    assert ran.dropped_bytes > 35_000_000
    assert resident_mb(server.pid) - before < 100


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise AssertionError(f"process {pid} has ended")
