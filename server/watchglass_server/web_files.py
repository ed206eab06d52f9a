"""The built page's files, and the headers that keep it safe. No I/O but reading them once."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

# HTML output runs in a sandboxed frame of its own document, which may not talk to anybody.
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; frame-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_OUTPUT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_OUTPUT_PAGE = "output.html"

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "X-DNS-Prefetch-Control": "off",
    "Server": "watchglass",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=()",
    "Content-Security-Policy": _PAGE_POLICY,
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True)
class WebFile:
    """One file, ready to be sent."""

    name: str
    data: bytes
    content_type: str

    @property
    def is_hashed(self) -> bool:
        """True when its name changes with its content, so that it may be kept for ever."""
        return bool(re.search(r"-[A-Za-z0-9_]{8,}\.\w+$", self.name))

    def headers(self) -> dict[str, str]:
        """Its headers, over the ones that every answer has."""
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if self.is_hashed else "no-cache"
        }
        if self.name == _OUTPUT_PAGE:
            headers["Content-Security-Policy"] = _OUTPUT_POLICY
            # WebRTC and preconnect, which no Content-Security-Policy covers.
            headers["Connection-Allowlist"] = "()"
            headers["X-Frame-Options"] = "SAMEORIGIN"
        return headers


def read_files(folder: Path | None) -> dict[str, WebFile]:
    """The files of the built page by the path under which they are sent."""
    if folder is None:
        return {}
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            if kind.startswith("text/") or kind == "application/javascript":
                kind += "; charset=utf-8"
            files[name] = WebFile(name, path.read_bytes(), kind)
    return files


NO_PAGE = WebFile(
    "index.html",
    b"<!doctype html><meta charset=utf-8><title>Watchglass</title>"
    b"<p>The page is not built. Run <code>make install</code> in the checkout, then start the "
    b"server again. The server itself works: see docs/protocol.md.",
    "text/html; charset=utf-8",
)
