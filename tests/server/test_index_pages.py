"""Pages of an index: JSON and HTML say the same, and nothing that an index can say does harm."""

from __future__ import annotations

import contextlib
import json
import time
from urllib.parse import urljoin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchglass_server.index_pages import JSON_PAGE, PageUnreadable, decode_page
from watchglass_server.package_pages import Project, read_page
from watchglass_server.pip_command import PipRefused, read_command, typed_commands, words_of
from watchglass_server.wheels import WheelRefused, read_metadata

# A busy machine is no fault of theirs.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SHA256 = "ab" * 32
URL = "https://127.0.0.1/simple/a/"
HTML = f"""<!DOCTYPE html><html><body><h1>Links for a</h1>
<a href="../../files/a-1.0-py3-none-any.whl#sha256={SHA256}" data-requires-python="&gt;=3.9"
   data-core-metadata="sha256={SHA256}">a-1.0-py3-none-any.whl</a><br>
<a href="/files/a-2.0-py3-none-any.whl#sha256={SHA256}" data-yanked="broken">2.0</a>
<a href="/files/a-3.0-py3-none-any.whl#sha256={SHA256}" data-requires-python="&lt;3">3.0</a>
<a href="/files/a-4.0-py3-none-any.whl#md5=00">4.0</a>
<a href="/files/a-5.0.tar.gz#sha256={SHA256}">5.0</a>
<a name="x">nothing</a></body></html>"""
FILE = {"hashes": {"sha256": SHA256}}
FILES = [
    {
        **FILE,
        "filename": "a-1.0-py3-none-any.whl",
        "url": "../../files/a-1.0-py3-none-any.whl",
        "requires-python": ">=3.9",
        "core-metadata": {"sha256": SHA256},
    },
    {
        **FILE,
        "filename": "a-2.0-py3-none-any.whl",
        "url": "/files/a-2.0-py3-none-any.whl",
        "yanked": "broken",
    },
    {
        **FILE,
        "filename": "a-3.0-py3-none-any.whl",
        "url": "/files/a-3.0-py3-none-any.whl",
        "requires-python": "<3",
    },
    {
        "filename": "a-4.0-py3-none-any.whl",
        "url": "/files/a-4.0-py3-none-any.whl",
        "hashes": {"md5": "00"},
    },
    {**FILE, "filename": "a-5.0.tar.gz", "url": "/files/a-5.0.tar.gz"},
]


def project(data: bytes, kind: str) -> Project:
    return read_page("a", decode_page("a", data, kind, URL))


def test_json_and_html_say_the_same() -> None:
    said = project(json.dumps({"name": "a", "files": FILES}).encode(), JSON_PAGE)
    assert said == project(HTML.encode(), "text/html")
    one, two = sorted(said.candidates, key=lambda candidate: candidate.version)
    assert (one.url, one.metadata_sha256, one.yanked) == (
        urljoin(URL, str(FILES[0]["url"])),
        SHA256,
        False,
    )
    assert (str(two.version), two.yanked, two.metadata_sha256) == ("2.0", True, None)
    assert (said.has_source, said.other_python, said.unhashed) == (True, 1, 1)


ENDLESS = ("<!--", "<a ", "<a href='", '<a href="', "<![", "<a a=", "<a" + " " * 99, "&#" + "1" * 9)


@pytest.mark.parametrize("piece", ENDLESS)
def test_markup_that_never_ends_takes_no_longer_than_its_letters(piece: str) -> None:
    started = time.process_time()
    said = project(piece.encode() * (10**6 // len(piece)) + HTML.encode() * 2, "text/html")
    assert time.process_time() - started < 2.0
    assert len(said.candidates) <= 4


def test_links_are_read_as_browsers_do() -> None:
    page = f"""<!-- <a href="a-9.0-py3-none-any.whl#sha256={SHA256}">no</a> --><A
        data-requires-python=">=3.1" HREF = 'a-1.0-py3-none-any.whl#sha256={SHA256}&amp;x=1'>yes</A>
        <abbr href="a-8.0-py3-none-any.whl#sha256={SHA256}"> <a href=a-2.0-py3-none-any.whl>"""
    said = project(page.encode(), "text/html")
    assert [str(one.version) for one in said.candidates] == ["1.0"]
    assert said.unhashed == 1


def test_what_is_neither_is_told() -> None:
    with pytest.raises(PageUnreadable, match="neither JSON nor HTML"):
        decode_page("a", b"", "application/octet-stream", URL)


WORDS = st.text(max_size=30) | st.sampled_from(["a-1.0-py3-none-any.whl", "sha256", SHA256, ">=3"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
KEYS = ("filename", "url", "hashes", "requires-python", "core-metadata", "yanked", "size")
SOME_FILE = st.dictionaries(st.sampled_from(KEYS), ANYTHING) | st.sampled_from(FILES)


@unhurried
@given(st.lists(SOME_FILE, max_size=4))
def test_any_json_is_a_page_or_is_refused(files: list[object]) -> None:
    with contextlib.suppress(PageUnreadable):
        project(json.dumps({"name": "a", "files": files}).encode(), JSON_PAGE)


@unhurried
@given(st.binary(max_size=300), st.sampled_from([JSON_PAGE, "text/html"]))
def test_any_bytes_are_a_page_or_are_refused(data: bytes, kind: str) -> None:
    with contextlib.suppress(PageUnreadable):
        project(data + HTML.encode()[: len(data)], kind)


@unhurried
@given(st.lists(st.sampled_from(["<", "a", " href=", '"', "#", ">", "&#0;", "//[", "%", "whl"])))
def test_any_markup_is_a_page_or_is_refused(pieces: list[str]) -> None:
    with contextlib.suppress(PageUnreadable):
        project("".join(pieces).encode(), "text/html")


METADATA = st.sampled_from(
    ["Name: ", "Version: ", "Requires-Dist: ", "a", "1", "\n", ";", "(", "[", "]", ">=", "extra",
     "==", "'", "@", "Requires-Python: ", "Provides-Extra: ", "\x00", "\u202e", "1" * 5000]
)  # fmt: skip


@unhurried
@given(st.lists(METADATA, max_size=30))
def test_any_metadata_is_read_or_refused(pieces: list[str]) -> None:
    with contextlib.suppress(WheelRefused):
        read_metadata("".join(pieces).encode())


WORD = st.text(max_size=40) | st.sampled_from(
    ["install", "uninstall", "-q", "--pre", "a[b]>=1", "a; os_name=='x'", "a; extra < 1", "-r", "'"]
)


@unhurried
@given(st.lists(WORD, max_size=5))
def test_any_words_are_a_command_or_are_refused(words: list[str]) -> None:
    for found in typed_commands("%pip " + " ".join(words)):
        assert all(isinstance(word, str) for word in found)
    words_of(" ".join(words))
    with contextlib.suppress(PipRefused):
        read_command(words)
