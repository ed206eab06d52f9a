"""HTML, Markdown, Latex, SVG, Image, JSON, Pretty as IPython has them."""

from pathlib import Path

import pytest

from watchglass_monitor import rich
from watchglass_monitor.display import mime_bundle
from watchglass_monitor.rich import HTML, JSON, SVG, Image, Latex, Markdown, Pretty

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("kind", "mime"),
    [
        (HTML, "text/html"),
        (Markdown, "text/markdown"),
        (Latex, "text/latex"),
        (SVG, "image/svg+xml"),
    ],
)
def test_text_says_what_it_is(kind: type[rich.HTML], mime: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("é", encoding="utf-8")
    assert mime_bundle(kind("é"))[mime] == "é"
    assert mime_bundle(kind(filename=file))[mime] == "é"


def test_pretty_is_shown_without_quotes() -> None:
    assert mime_bundle(Pretty("a\nb")) == {"text/plain": "a\nb"}


def test_json_is_shown_as_data() -> None:
    assert mime_bundle(JSON({"a": (1, None)}))["application/json"] == {"a": [1, None]}
    assert mime_bundle(JSON("[1]"))["application/json"] == [1]


def test_an_image_tells_its_format() -> None:
    assert set(mime_bundle(Image(PNG))) == {"text/plain", "image/png"}
    assert set(mime_bundle(Image(b"\xff\xd8\xff"))) == {"text/plain", "image/jpeg"}
    assert set(mime_bundle(Image(b"GIF89a"))) == {"text/plain", "image/gif"}
    assert mime_bundle(Image(b"<svg/>"))["image/svg+xml"] == "<svg/>"
    assert set(mime_bundle(Image(b"?", format="JPG"))) == {"text/plain", "image/jpeg"}


def test_an_image_with_a_size_or_an_address_is_also_html(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(PNG)
    bundle = mime_bundle(Image(str(file), width=30, alt='a "b"'))
    assert bundle["text/html"] == (
        '<img src="data:image/png;base64,iVBORw0KGgo=" width="30" alt="a &quot;b&quot;">'
    )
    assert mime_bundle(Image(url="https://x/y.png"))["text/html"] == '<img src="https://x/y.png">'


def test_what_is_missing_or_of_the_wrong_type_is_said_at_once() -> None:
    with pytest.raises(TypeError, match="needs either data or filename="):
        HTML()
    with pytest.raises(TypeError, match="takes a str, not int"):
        HTML(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Image needs"):
        Image()
