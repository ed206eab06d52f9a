"""A real Chromium with an empty profile, and the few things that a person does in the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
)


class NoChromium(Exception):
    """There is none on this machine: a failure, never a skip."""


def find_chromium() -> str:
    for name in (os.environ.get("CHROMIUM") or "chromium", *NAMES):
        if found := shutil.which(name):
            return found
    raise NoChromium(
        "The browser tests need Chromium: install chromium or google-chrome, or set CHROMIUM=."
    )


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), args=list(FLAGS), headless=True
        )
        try:
            yield browser
        finally:
            await browser.close()
