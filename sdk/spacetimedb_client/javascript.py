"""Python ⇄ JavaScript: `fetch` and `WebSocket`; the only file that knows `js` and `pyodide`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, Protocol

import js  # pyright: ignore[reportMissingImports]  # inside Pyodide only
from pyodide.ffi import (  # pyright: ignore[reportMissingImports]
    JsException,
    create_proxy,
    to_js,
)

NOT_HERE: Final = "there is no network here: a page and a worker have one, a closed session has not"


class Listener(Protocol):
    """Who is told what happens to a WebSocket."""

    def opened(self, subprotocol: str) -> None: ...

    def received(self, frame: bytes | str) -> None: ...

    def closed(self, code: int, reason: str) -> None: ...


class FetchedAnswer:
    """Status and headers of an answer, and its body as it comes."""

    def __init__(self, answer: Any, abort: Any) -> None:
        self.status: Final = int(answer.status)
        # Of another origin, only those that its server lets a page see.
        self.headers: Final = {str(name): str(value) for name, value in answer.headers}
        self._answer = answer
        self._abort = abort

    async def chunks(self) -> AsyncIterator[bytes]:
        if self._answer.body is None:
            return
        reader = self._answer.body.getReader()
        try:
            while not (part := await reader.read()).done:
                yield part.value.to_bytes()
        except JsException as problem:
            raise ConnectionError(words_of(problem)) from None

    def close(self) -> None:
        """Whatever has not come yet is not wanted."""
        self._abort.abort()


async def fetch(
    method: str, address: str, headers: Mapping[str, str], body: bytes | str | None
) -> FetchedAnswer:
    """Raises `ConnectionError`, to which JavaScript gives no reason."""
    abort = js.AbortController.new()
    options = {
        "method": method,
        "headers": dict(headers),
        "signal": abort.signal,
        "redirect": "error",  # it would take the token to whomever it names
        "credentials": "omit",
        "cache": "no-store",
        "referrerPolicy": "no-referrer",
    } | ({} if body is None else {"body": body})
    made = to_js(options, dict_converter=js.Object.fromEntries)
    try:
        return FetchedAnswer(await js.fetch(address, made), abort)
    except JsException as problem:
        raise ConnectionError(words_of(problem)) from None
    except asyncio.CancelledError:
        abort.abort()
        raise


class BrowserSocket:
    """A `WebSocket` of JavaScript, which tells a listener what happens."""

    def __init__(self, address: str, subprotocols: Sequence[str], listener: Listener) -> None:
        """Raises `ConnectionError` where a page may not even try."""
        if getattr(js, "WebSocket", None) is None:
            raise ConnectionError(NOT_HERE)
        try:
            self._socket = js.WebSocket.new(address, to_js(list(subprotocols)))
        except JsException as problem:
            raise ConnectionError(words_of(problem)) from None
        self._socket.binaryType = "arraybuffer"
        self._listener = listener
        self._proxies = {
            "open": create_proxy(self._opened),
            "message": create_proxy(self._received),
            "close": create_proxy(self._closed),
        }
        for name, proxy in self._proxies.items():
            self._socket.addEventListener(name, proxy)

    def _opened(self, _: Any) -> None:
        self._listener.opened(str(self._socket.protocol))

    def _received(self, event: Any) -> None:
        data = event.data
        self._listener.received(data if isinstance(data, str) else data.to_bytes())

    def _closed(self, event: Any) -> None:
        self._listener.closed(int(event.code), str(event.reason))
        # Not now: this function is one of what is let go.
        asyncio.get_running_loop().call_soon(self.release)

    def send(self, frame: bytes | str) -> None:
        """Takes as much as memory has: `unsent_bytes` says when it is too much."""
        self._socket.send(frame if isinstance(frame, str) else to_js(frame))

    @property
    def unsent_bytes(self) -> int:
        return int(self._socket.bufferedAmount)

    def close(self) -> None:
        """Says goodbye; `closed` is told when the other side has, too."""
        self._socket.close()

    def release(self) -> None:
        """Nothing is told from now on."""
        for name, proxy in self._proxies.items():
            self._socket.removeEventListener(name, proxy)
            proxy.destroy()
        self._proxies.clear()


def words_of(problem: Any) -> str:
    """What JavaScript says, without its stack."""
    return str(getattr(problem, "message", None) or problem).rstrip(".")
