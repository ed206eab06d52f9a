"""Where tokens, codes and links are not: logs, files, and what other users of the machine see."""

from __future__ import annotations

import asyncio
import html
import json
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.raw_socket import RawSocket
from tests.support.served import http
from tests.support.serving import Serving

pytestmark = pytest.mark.slow


@pytest.fixture
def serving(tmp_path: Path, cache_dir: Path) -> Iterator[Serving]:
    """It tells all that it can, and opens a "browser" that writes down what it was told."""
    browser = tmp_path / "browser.sh"
    browser.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/told\n')
    browser.chmod(0o700)
    arguments = ("--pool-min-size", "1", "--log-level", "debug", "--open")
    told = {"BROWSER": f"{browser} %s", "PYTHONASYNCIODEBUG": "1"}
    server = Serving(tmp_path, *arguments, cache_dir=cache_dir, environment=told)
    with server:
        yield server


async def live(serving: Serving) -> list[str]:
    """A whole life of sessions, shares and mistakes; gives every secret that was in it."""
    secrets = [serving.token]
    async with await RawSocket.open(serving.url, serving.token) as owner:
        made = await owner.call("session.create", {"name": "n"})
        session = made["session"]
        secrets += made["tokens"].values()
        share = await owner.call("session.share", {"session": session, "role": "editor"})
        code = share["link"].partition("#code=")[2]
        secrets += [share["token"], code]
        for body in ({"code": code}, {"code": code + "x"}, {"code": [code]}, code):
            http(f"{serving.url}/api/token", body=json.dumps(body).encode())
        for path in ("/metrics", f"/api/sessions/{session}/export", "/api/nosuch", f"/{code}"):
            for token in (serving.token, share["token"], code):
                http(serving.url + path, token=token)
                http(serving.url + path, token=token, body=b"x")
        http(f"{serving.url}/api/sessions/import?format=json", token=serving.token, body=b"{")
        async with await RawSocket.open(serving.url, share["token"]) as guest:
            await guest.call("session.join", {"session": session, "token": share["token"]})
            await guest.call("execute", {"session": session, "code": "1 / 0"})
            await guest.error("session.join", {"session": "nosuch", "token": share["token"]})
            await guest.error("session.join", {"session": session, "token": [share["token"]]})
            await guest.error(share["token"], {code: code})
            await guest.send(f'420["{code}')
            await guest.send("40" + json.dumps({"token": share["token"]}))
            await asyncio.sleep(0.5)
            fields = {"session": session, "share": share["share"]}
            await owner.call("session.revoke", fields)
        await polled(serving, code)
    return secrets


async def polled(serving: Serving, code: str) -> None:
    async with aiohttp.ClientSession() as web:
        address = f"{serving.url}/socket.io/?EIO=4&transport=polling&token={serving.token}"
        async with web.get(address) as opened:
            address += "&sid=" + json.loads((await opened.text())[1:])["sid"]
        for packet in (f"x{code}", "40" + json.dumps({"token": code}), f"9{code}"):
            async with web.post(address, data=packet) as answer:
                await answer.read()


async def test_no_log_and_no_file_keeps_what_opens_a_session(serving: Serving) -> None:
    secrets = await live(serving)
    running = {path.name for path in files_with(serving, secrets)}
    assert running <= {"server.json", "open.html"}, running
    status, printed = serving.stop()
    assert (status, printed) == (0, "")
    log = serving.log.read_text(errors="replace")
    assert "DEBUG" in log
    assert [secret for secret in secrets if secret in log] == []
    assert files_with(serving, secrets) == []


def files_with(serving: Serving, secrets: list[str]) -> list[Path]:
    found = []
    for path in serving.data_dir.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, f"others may read {path}"
        if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets):
            found.append(path)
    return found


def test_other_users_of_the_machine_see_no_token(serving: Serving, tmp_path: Path) -> None:
    told = tmp_path / "told"
    end = time.monotonic() + 10
    while not told.exists() or not told.read_text():
        assert time.monotonic() < end, "no browser was started"
        time.sleep(0.05)
    address = told.read_text().strip()
    assert address.startswith("file://")
    assert serving.token not in address
    page = serving.data_dir / "open.html"
    assert address.endswith(page.name)
    leads_to = re.search(r'url=([^"]+)"', page.read_text())
    assert leads_to is not None
    assert html.unescape(leads_to[1]) == serving.address
    for pid in (serving.pid, *serving.children()):
        assert serving.token.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert serving.token.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
