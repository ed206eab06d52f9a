"""What a person does in a session's page, and what they see there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

WAIT_MS = 15_000


class SessionPage:
    """One person: a browser context of their own, with an empty profile."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context, self.page = context, page
        self.complaints: list[str] = []
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(said.text)

    @classmethod
    async def of(cls, browser: Browser, address: str) -> Self:
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        person = cls(context, await context.new_page())
        await person.page.goto(address)
        return person

    def get(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    async def create(self) -> str:
        """A new session; its id."""
        await self.get("sessions-new").first.click()
        await expect(self.editor).to_be_visible(timeout=WAIT_MS)
        return str(await self.get("session").get_attribute("data-session"))

    @property
    def editor(self) -> Locator:
        return self.get("editor-input").locator(".cm-content")

    async def run(self, code: str) -> None:
        """Write it and press Shift+Enter; it has been sent, nothing more."""
        await self.editor.click()
        await self.page.keyboard.insert_text(code)
        await self.page.keyboard.press("Shift+Enter")

    def execution(self, number: int) -> Locator:
        return self.page.locator(f'[data-testid="execution"][data-number="{number}"]')

    async def ended(self, number: int, status: str = "ok") -> Locator:
        execution = self.execution(number)
        await expect(execution).to_have_attribute("data-status", status, timeout=WAIT_MS)
        return execution

    def variable(self, name: str) -> Locator:
        return self.page.locator(f'[data-testid="variable-row"][data-name="{name}"]')

    async def sees(self, name: str, preview: str) -> None:
        await expect(self.variable(name)).to_contain_text(preview, timeout=WAIT_MS)

    async def share(self, role: str) -> str:
        """A new link with this role, from the dialog."""
        await self.get("share-open").click()
        await self.get(f"share-role-{role}").check()
        await self.get("share-create").click()
        link = await self.get("share-link").input_value()
        await self.page.keyboard.press("Escape")
        await expect(self.get("share-link")).to_have_count(0)
        return link

    async def text_of(self, number: int) -> str:
        return await self.execution(number).inner_text()

    async def picture(self, file: Path) -> Path:
        await self.page.screenshot(path=file)
        return file

    def assert_no_complaints(self, besides: str = "(?!)") -> None:
        """Nothing in the console of the browser; a policy that was broken would stand there."""
        assert [words for words in self.complaints if not re.search(besides, words)] == []

    async def leave(self) -> None:
        await self.context.close()
