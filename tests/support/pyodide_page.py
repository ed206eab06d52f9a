"""A page of its own with Pyodide and the client's wheel, in a real Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from playwright.async_api import ConsoleMessage, Page

from spacetimedb_client.pyodide_wheel import NAME, pyodide_wheel
from tests.support.browsing import chromium

PYODIDE: Final = Path(__file__).parents[2] / "node_host/node_modules/pyodide"
EMPTY: Final = f"""\
<!doctype html>
<script type="module">
  import {{ loadPyodide }} from "./pyodide/pyodide.mjs";

  window.pyodide = await loadPyodide();
  await pyodide.loadPackage("./{NAME}");
  window.isReady = true;
</script>
"""
RUN: Final = """
    async ([code, given]) => {
      for (const [name, value] of Object.entries(given)) names.set(name, value);
      const value = await pyodide.runPythonAsync(code, { globals: names });
      return value instanceof pyodide.ffi.PyProxy ? value.toJs() : value;
    }
"""


class Inside:
    """Runs Python in a page; names stay from one piece to the next, until `begin`."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.complaints: list[str] = []  # of what nobody awaited, in either language
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        if "Traceback" in message.text or "never" in message.text:
            self.complaints.append(message.text)

    async def begin(self) -> None:
        self.complaints.clear()
        await self._page.evaluate("window.names = pyodide.toPy({})")

    async def run(self, code: str, **given: str) -> Any:
        """The value of the last expression; an exception is playwright's, with the traceback."""
        return await self._page.evaluate(RUN, [code, given])


@asynccontextmanager
async def site(html: str = EMPTY) -> AsyncIterator[str]:
    """Serves a page, Pyodide beside it, and the wheel."""

    async def index(_: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    async def wheel(_: web.Request) -> web.Response:
        return web.Response(body=pyodide_wheel(), content_type="application/zip")

    application = web.Application()
    application.router.add_get("/", index)
    application.router.add_get(f"/{NAME}", wheel)
    application.router.add_static("/pyodide", PYODIDE)
    runner = web.AppRunner(application, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def pyodide_page() -> AsyncIterator[Inside]:
    async with site() as address, chromium() as browser:
        page = await browser.new_page()
        await page.goto(address)
        await page.wait_for_function("window.isReady")
        yield Inside(page)
