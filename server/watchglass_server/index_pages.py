"""The bytes of an index's page → its files: JSON (PEP 691), or the older HTML (PEP 503). Pure."""

from __future__ import annotations

import re
from html import unescape
from itertools import islice
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

import msgspec

from watchglass_server.package_pages import MAX_FILES, IndexFile, IndexPage

JSON_PAGE: Final = "application/vnd.pypi.simple.v1+json"
HTML_PAGES: Final = frozenset({"text/html", "application/vnd.pypi.simple.v1+html"})
ACCEPTED: Final = f"{JSON_PAGE}, application/vnd.pypi.simple.v1+html;q=0.5, text/html;q=0.1"
# html.parser takes minutes for 100 kB of `<a <a <a …`. These look at each letter once: what they
# have come past is part of what they found, also where that is no whole tag.
_TAG: Final = re.compile(
    r"""<!--.*?(?:-->|\Z)|<a\s(?P<attributes>(?:[^<>"']|"[^"]*"|'[^']*')*+)(?P<end>>?)""",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(
    r"""([^\s=>"'/]++)(?:\s*+=\s*+("[^"]*"|'[^']*'|[^\s>"']*+))?""",
)


class PageUnreadable(Exception):
    """The bytes are no page; says why."""


def decode_page(name: str, data: bytes, content_type: str, url: str) -> IndexPage:
    """The files that a page tells of, with whole addresses. Raises PageUnreadable."""
    try:
        if content_type == JSON_PAGE:
            page = msgspec.json.decode(data, type=IndexPage)
        elif content_type in HTML_PAGES:
            page = IndexPage(name, _links(data.decode("utf-8", "replace")))
        else:
            raise PageUnreadable(f"it is {content_type[:100]}, neither JSON nor HTML")
        files = [msgspec.structs.replace(one, url=urljoin(url, one.url)) for one in page.files]
    except (msgspec.MsgspecError, ValueError) as error:
        raise PageUnreadable(str(error)) from None
    return msgspec.structs.replace(page, files=files)


def _links(text: str) -> list[IndexFile]:
    """The links of a page, each of which is a file."""
    tags = (found["attributes"] for found in _TAG.finditer(text) if found["end"])
    return [file for file in map(_file, islice(tags, MAX_FILES)) if file is not None]


def _file(attributes: str) -> IndexFile | None:
    given = {
        name.lower(): unescape(value.strip("\"'")) for name, value in _ATTRIBUTE.findall(attributes)
    }
    if "href" not in given:
        return None
    link, _, fragment = given["href"].partition("#")
    algorithm, _, digest = fragment.partition("&")[0].partition("=")
    return IndexFile(
        filename=unquote(urlsplit(link).path.rpartition("/")[2])[:500],
        url=link[:4000],
        hashes={algorithm: digest},
        requires_python=given.get("data-requires-python"),
        core_metadata=_hashes(given.get("data-core-metadata")),
        data_dist_info_metadata=_hashes(given.get("data-dist-info-metadata")),
        yanked="data-yanked" in given,
    )


def _hashes(told: str | None) -> bool | dict[str, str]:
    algorithm, _, digest = (told or "").partition("=")
    return {algorithm: digest} if digest else False
