"""Browser ⇄ server: Engine.IO below Socket.IO, where what is no packet ends a connection quietly.

As it comes, it would fail with a traceback in the log at each, and needs no token for that.
"""

from __future__ import annotations

import logging
from typing import Any

import engineio
from engineio.async_drivers import aiohttp as driver

_TYPES = frozenset("0123456")
_MESSAGE = "4"
# What decoding a payload can raise; it is answered, and the connection goes on.
MALFORMED = (ValueError, KeyError, IndexError, RecursionError, OverflowError)


def checked(data: str | bytes) -> str | bytes:
    """A packet that Engine.IO can decode; raises OSError, as at the end of a connection."""
    if isinstance(data, bytes):
        return data
    if data[:1] not in _TYPES:
        raise OSError("this is no packet of Engine.IO")
    if data[0] == _MESSAGE and not data[1:2].isnumeric():
        return _MESSAGE  # it is no packet of Socket.IO, and would be read as JSON here
    return data


class StrictWebSocket(driver.WebSocket):  # type: ignore[misc]
    """A WebSocket that ends where something comes that is no packet."""

    async def wait(self) -> str | bytes:
        """The next packet."""
        return checked(await super().wait())


class StrictEngine(engineio.AsyncServer):  # type: ignore[misc]
    """Engine.IO with the WebSocket above, which says less in the log."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._async = {**driver._async, "websocket": StrictWebSocket}
        self.logger.addFilter(is_our_fault)


def is_our_fault(record: logging.LogRecord) -> bool:
    """Whether a record is worth keeping: not that what somebody posted is no payload."""
    return not (record.exc_info and isinstance(record.exc_info[1], MALFORMED))
