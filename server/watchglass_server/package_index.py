"""Server ⇄ package index: pages, metadata (PEP 658) and wheels, within limits.

What an index says is believed only as far as its hashes go. Nothing of a session's reaches it but
the names of packages.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import ipaddress
import socket
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
from yarl import URL

from watchglass_server.index_pages import ACCEPTED, PageUnreadable, decode_page
from watchglass_server.package_pages import Candidate, Project, read_page
from watchglass_server.wheels import MAX_METADATA_BYTES, MAX_WHEEL_BYTES

MAX_PAGE_BYTES: Final = 64 * 2**20
PAGE_KEPT_S: Final = 300.0
PAGES_KEPT: Final = 256
AT_ONCE: Final = 6
REDIRECTS: Final = 5
SILENCE_S: Final = 15.0
ANSWER_S: Final = 120.0
_CHUNK_BYTES = 2**18


class IndexFailed(Exception):
    """The index did not give what was asked of it; says what and why."""


class PackageIndex:
    """One index. `async with` closes its connections."""

    def __init__(self, url: str, *, silence_s: float = SILENCE_S) -> None:
        given = URL(url)
        self.url = given.with_user(None) / ""
        self._login = _login(given)
        self._silence_s = silence_s
        self._session: aiohttp.ClientSession | None = None
        self._places = asyncio.Semaphore(AT_ONCE)
        self._pages: OrderedDict[str, tuple[float, Project]] = OrderedDict()

    async def close(self) -> None:
        """Close what is open."""
        if self._session is not None:
            await self._session.close()

    async def project(self, name: str) -> Project:
        """What the index has of a project; of none, nothing. Raises IndexFailed."""
        kept = self._pages.get(name)
        if kept is not None and time.monotonic() - kept[0] < PAGE_KEPT_S:
            return kept[1]
        url = self.url / name / ""
        async with self._get(url, f"the page of {name}", accept=ACCEPTED) as response:
            if response.status == 404:
                return Project(name)
            kind, final = response.content_type, str(response.url)
            data = await self._read(response, MAX_PAGE_BYTES, f"the page of {name}")
        found = await asyncio.to_thread(_page, name, data, kind, final)
        self._pages[name] = time.monotonic(), found
        self._pages.move_to_end(name)
        while len(self._pages) > PAGES_KEPT:
            self._pages.popitem(last=False)
        return found

    async def metadata(self, wheel: Candidate) -> bytes:
        """The metadata of a wheel, by itself. Raises IndexFailed."""
        what = f"the metadata of {wheel.filename}"
        url = URL(wheel.url)
        url = url.with_path(url.path + ".metadata", keep_query=True)
        async with self._get(url, what) as response:
            self._must_be_there(response, what)
            data = await self._read(response, MAX_METADATA_BYTES, what)
        if hashlib.sha256(data).hexdigest() != wheel.metadata_sha256:
            raise IndexFailed(f"{_first_up(what)} does not have the hash that the index tells.")
        return data

    async def download(self, wheel: Candidate, path: Path) -> None:
        """Write a wheel into a file, and hold it against its hash. Raises IndexFailed."""
        what = wheel.filename
        if wheel.size is not None and wheel.size > MAX_WHEEL_BYTES:
            raise IndexFailed(_too_large(what, MAX_WHEEL_BYTES))
        found = hashlib.sha256()
        async with self._get(URL(wheel.url), what) as response:
            self._must_be_there(response, what)
            with path.open("wb") as file:
                async for data in self._chunks(response, MAX_WHEEL_BYTES, what):
                    found.update(data)
                    await asyncio.to_thread(file.write, data)
        if found.hexdigest() != wheel.sha256:
            raise IndexFailed(
                f"{what} does not have the hash that the index tells: it was changed on its way, "
                "or at the index. Nothing of it was used."
            )

    # --- inside

    @asynccontextmanager
    async def _get(
        self, url: URL, what: str, accept: str = "*/*"
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask, and follow where that leads, as far as it may."""
        try:
            async with self._places, asyncio.timeout(ANSWER_S):
                for _ in range(REDIRECTS + 1):
                    self._must_be_allowed(url, what)
                    async with self._opened().get(
                        url,
                        headers=self._headers(url, accept),
                        allow_redirects=False,
                    ) as response:
                        if response.status not in (301, 302, 303, 307, 308):
                            yield response
                            return
                        url = response.url.join(URL(response.headers.get("Location", "")))
                raise IndexFailed(f"{_first_up(what)} is redirected more than {REDIRECTS} times.")
        except TimeoutError:
            raise IndexFailed(
                f"The index took too long over {what}; it may be slow just now: try again later."
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise IndexFailed(
                f"The index {self.url.host} does not give {what} "
                f"({str(error)[:200] or error.__class__.__name__}). Is there a network? Wheels in "
                "the folder of --wheel-dir need none."
            ) from error

    def _headers(self, url: URL, accept: str) -> dict[str, str]:
        return {"Accept": accept, **(self._login if self._is_own(url) else {})}

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._silence_s, sock_read=self._silence_s
                ),
                headers={"User-Agent": "watchglass"},
                trust_env=True,  # a proxy, as pip takes it
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    def _must_be_allowed(self, url: URL, what: str) -> None:
        """The index itself, or https: no lie of it makes the server ask its own neighbours."""
        if self._is_own(url) or (url.scheme == "https" and not _is_near(url.host or "")):
            return
        raise IndexFailed(
            f"The index sends {what} to {url.scheme}://{url.host}, where nothing is fetched from: "
            "only from the index itself, and by https from public addresses."
        )

    def _is_own(self, url: URL) -> bool:
        return url.origin() == self.url.origin() if url.host else False

    def _must_be_there(self, response: aiohttp.ClientResponse, what: str) -> None:
        if response.status != 200:
            raise IndexFailed(f"The index answers {response.status} for {what}.")

    async def _read(self, response: aiohttp.ClientResponse, limit: int, what: str) -> bytes:
        self._must_be_there(response, what)
        return b"".join([data async for data in self._chunks(response, limit, what)])

    async def _chunks(
        self, response: aiohttp.ClientResponse, limit: int, what: str
    ) -> AsyncIterator[bytes]:
        room = limit
        async for data in response.content.iter_chunked(_CHUNK_BYTES):
            room -= len(data)
            if room < 0:
                raise IndexFailed(_too_large(what, limit))
            yield data


def _login(url: URL) -> dict[str, str]:
    if url.user is None:
        return {}
    words = f"{url.user}:{url.password or ''}".encode()
    return {"Authorization": f"Basic {base64.b64encode(words).decode()}"}


def _page(name: str, data: bytes, kind: str, url: str) -> Project:
    try:
        return read_page(name, decode_page(name, data, kind, url))
    except PageUnreadable as error:
        raise IndexFailed(f"The index's page of {name} cannot be read: {error}.") from None


def _is_near(host: str) -> bool:
    """Whether an address names this machine or its network; names of hosts are not looked up."""
    host = host.rstrip(".")
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    with contextlib.suppress(OSError, ValueError):
        # Addresses as the resolver takes them, too: 127.1, 0x7f.1, 2130706433.
        host = socket.inet_ntoa(socket.inet_aton(host))
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _too_large(what: str, limit: int) -> str:
    return f"{_first_up(what)} has more than {limit:,} bytes, which is as much as is taken."


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith("the ") else text
