"""Client ⇄ server: by the browser inside Pyodide, by aiohttp elsewhere."""

import sys

if sys.platform == "emscripten":
    from functools import partial

    from spacetimedb_client import browser_http, browser_socket
    from spacetimedb_client.javascript import BrowserSocket, fetch

    Http = partial(browser_http.Http, fetch)
    open_socket = partial(browser_socket.open_socket, fetch, BrowserSocket)
else:
    from spacetimedb_client.aiohttp_transport import Http, open_socket

__all__ = ["Http", "open_socket"]
