"""A package index on loopback: the pages, metadata and wheels of a test, and its lies."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.support.wheels import MadeWheel

JSON_PAGE = "application/vnd.pypi.simple.v1+json"

Json = dict[str, Any]


class PackageIndex:
    """Serves what was added, and counts what it was asked for. `with` starts and stops it."""

    def __init__(self, *, html: bool = False, with_metadata: bool = True) -> None:
        self.html = html
        self.with_metadata = with_metadata
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.files: dict[str, list[Json]] = {}
        self.bodies: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.delay_s = 0.0
        self.page: Callable[[str, Json], Json] = lambda _, page: page
        index = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                index._answer(self)

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/simple"

    def add(self, wheel: MadeWheel, **fields: Any) -> None:
        """Offer a wheel; `fields` are told of it in the place of the truth."""
        project = wheel.filename.partition("-")[0].replace("_", "-").lower()
        path = f"/files/{wheel.filename}"
        self.bodies[path] = wheel.data
        file: Json = {
            "filename": wheel.filename,
            "url": path,
            "hashes": {"sha256": wheel.sha256},
            "size": len(wheel.data),
        }
        if self.with_metadata:
            self.bodies[path + ".metadata"] = wheel.metadata
            file["core-metadata"] = {"sha256": hashlib.sha256(wheel.metadata).hexdigest()}
        self.files.setdefault(project, []).append({**file, **fields})

    def add_source(self, filename: str) -> None:
        """Offer a source archive."""
        project = filename.rpartition("-")[0].replace("_", "-").lower()
        file = {"filename": filename, "url": f"/files/{filename}", "hashes": {"sha256": "0" * 64}}
        self.files.setdefault(project, []).append(file)

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        self.headers.append(dict(request.headers))
        time.sleep(self.delay_s)
        if target := self.redirects.get(request.path):
            request.send_response(302)
            request.send_header("Location", target)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        status, kind, body = self._found(request.path)
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        with contextlib.suppress(OSError):  # whoever asked has heard enough
            request.wfile.write(body)

    def _found(self, path: str) -> tuple[int, str, bytes]:
        if path in self.bodies:
            return 200, "application/octet-stream", self.bodies[path]
        name = path.removeprefix("/simple/").removesuffix("/")
        if path.startswith("/simple/") and name in self.files:
            page: Json = {"meta": {"api-version": "1.1"}, "name": name, "files": self.files[name]}
            page = self.page(name, page)
            if self.html:
                return 200, "text/html", _as_html(page).encode()
            return 200, JSON_PAGE, json.dumps(page).encode()
        return 404, "text/plain", b"no"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _as_html(page: Json) -> str:
    links = []
    for file in page["files"]:
        python = file.get("requires-python", "").replace(">", "&gt;")
        told = f' data-requires-python="{python}"' if python else ""
        if isinstance(file.get("core-metadata"), dict):
            told += f' data-core-metadata="sha256={file["core-metadata"]["sha256"]}"'
        if file.get("yanked"):
            told += ' data-yanked=""'
        sha256 = file["hashes"].get("sha256", "")
        links.append(f'<a href="{file["url"]}#sha256={sha256}"{told}>{file["filename"]}</a>')
    return "<!DOCTYPE html><html><body>" + "<br/>\n".join(links) + "</body></html>"
