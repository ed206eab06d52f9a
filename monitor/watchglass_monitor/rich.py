"""HTML, Markdown, Latex, SVG, Image, JSON, Pretty: text or bytes that say what they are."""

import base64
import html
import json
from os import PathLike

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8": "jpeg",
    b"GIF8": "gif",
    b"RIFF": "webp",
}


class _Text:
    """Text of one MIME type, given or read from a file."""

    def __init__(
        self, data: str | None = None, *, filename: str | PathLike[str] | None = None
    ) -> None:
        if (data is None) == (filename is None):
            raise TypeError(f"{type(self).__name__} needs either data or filename=")
        if filename is not None:
            with open(filename, encoding="utf-8") as file:
                data = file.read()
        if not isinstance(data, str):
            raise TypeError(f"{type(self).__name__} takes a str, not {type(data).__name__}")
        self.data = data

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object>"


class HTML(_Text):
    """Shown as HTML, in a sandbox."""

    def _repr_html_(self) -> str:
        return self.data


class Markdown(_Text):
    """Shown as Markdown."""

    def _repr_markdown_(self) -> str:
        return self.data


class Latex(_Text):
    """Shown as a formula."""

    def _repr_latex_(self) -> str:
        return self.data


class SVG(_Text):
    """Shown as a vector image."""

    def _repr_svg_(self) -> str:
        return self.data


class Pretty(_Text):
    """Shown as this very text, without quotes."""

    def __repr__(self) -> str:
        return self.data


class JSON:
    """Shown as a tree."""

    def __init__(
        self,
        data: object = None,
        *,
        filename: str | PathLike[str] | None = None,
        expanded: bool = False,
        root: str = "root",
    ) -> None:
        if filename is not None:
            with open(filename, encoding="utf-8") as file:
                data = json.load(file)
        self.data = json.loads(data) if isinstance(data, str) else data
        self.expanded = expanded
        self.root = root

    def __repr__(self) -> str:
        return "<JSON object>"

    def _repr_json_(self) -> object:
        return self.data


class Image:
    """A PNG, JPEG, GIF, WebP or SVG image: bytes, a file, or an address."""

    def __init__(
        self,
        data: bytes | str | PathLike[str] | None = None,
        *,
        url: str | None = None,
        filename: str | PathLike[str] | None = None,
        format: str | None = None,
        width: int | None = None,
        height: int | None = None,
        alt: str | None = None,
    ) -> None:
        if isinstance(data, str) and data.startswith(("http:", "https:", "data:")):
            data, url = None, data
        elif isinstance(data, str | PathLike):
            data, filename = None, data
        if filename is not None:
            with open(filename, "rb") as file:
                data = file.read()
        if data is None and url is None:
            raise TypeError("Image needs data, filename= or url=")
        self.data = data
        self.url = url
        self.format = (format or _image_format(data)).lower().replace("jpg", "jpeg")
        self.width = width
        self.height = height
        self.alt = alt

    def __repr__(self) -> str:
        return "<Image object>"

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, bytes | str]:
        sized = self.url or self.width or self.height or self.alt
        bundle: dict[str, bytes | str] = {"text/html": self._tag()} if sized else {}
        if self.data is not None:
            mime = "image/svg+xml" if self.format == "svg" else f"image/{self.format}"
            bundle[mime] = self.data.decode() if self.format == "svg" else self.data
        return bundle

    def _tag(self) -> str:
        attributes = {"src": self._source(), "width": self.width, "height": self.height}
        attributes["alt"] = self.alt
        given = (
            f'{name}="{html.escape(str(value))}"'
            for name, value in attributes.items()
            if value is not None
        )
        return f"<img {' '.join(given)}>"

    def _source(self) -> str:
        if self.data is None:
            return self.url or ""
        mime = "image/svg+xml" if self.format == "svg" else f"image/{self.format}"
        return f"data:{mime};base64,{base64.b64encode(self.data).decode('ascii')}"


def _image_format(data: bytes | None) -> str:
    for signature, name in _SIGNATURES.items():
        if data and data.startswith(signature):
            return name
    return "svg" if data and b"<svg" in data[:1000] else "png"
