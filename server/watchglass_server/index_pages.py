"""The bytes of an index's page → its files: JSON (PEP 691), or the older HTML (PEP 503). Pure."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

import msgspec

from watchglass_server.package_pages import MAX_FILES, IndexFile, IndexPage

JSON_PAGE: Final = "application/vnd.pypi.simple.v1+json"
HTML_PAGES: Final = frozenset({"text/html", "application/vnd.pypi.simple.v1+html"})
ACCEPTED: Final = f"{JSON_PAGE}, application/vnd.pypi.simple.v1+html;q=0.5, text/html;q=0.1"


class PageUnreadable(Exception):
    """The bytes are no page; says why."""


def decode_page(name: str, data: bytes, content_type: str, url: str) -> IndexPage:
    """The files that a page tells of, with whole addresses. Raises PageUnreadable."""
    try:
        if content_type == JSON_PAGE:
            page = msgspec.json.decode(data, type=IndexPage)
        elif content_type in HTML_PAGES:
            page = IndexPage(name, _Links.read(data.decode("utf-8", "replace")))
        else:
            raise PageUnreadable(f"it is {content_type[:100]}, neither JSON nor HTML")
        files = [msgspec.structs.replace(one, url=urljoin(url, one.url)) for one in page.files]
    except (msgspec.MsgspecError, ValueError) as error:
        raise PageUnreadable(str(error)) from None
    return msgspec.structs.replace(page, files=files)


class _Links(HTMLParser):
    """Collects the links of a page, each of which is a file."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[IndexFile] = []

    @classmethod
    def read(cls, text: str) -> list[IndexFile]:
        links = cls()
        links.feed(text)
        links.close()
        return links.files

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag != "a" or "href" not in given or len(self.files) >= MAX_FILES:
            return
        link, _, fragment = given["href"].partition("#")
        algorithm, _, digest = fragment.partition("&")[0].partition("=")
        self.files.append(
            IndexFile(
                filename=unquote(urlsplit(link).path.rpartition("/")[2])[:500],
                url=link[:4000],
                hashes={algorithm: digest},
                requires_python=given.get("data-requires-python"),
                core_metadata=_hashes(given.get("data-core-metadata")),
                data_dist_info_metadata=_hashes(given.get("data-dist-info-metadata")),
                yanked="data-yanked" in given,
            )
        )


def _hashes(told: str | None) -> bool | dict[str, str]:
    algorithm, _, digest = (told or "").partition("=")
    return {algorithm: digest} if digest else False
