"""Browser ⇄ server: python-socketio, made strict with those who send something else."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import socketio
from aiohttp import web
from socketio import packet

from watchglass_server import json_wire
from watchglass_server.engine_io import StrictEngine
from watchglass_server.fields import MAX_MESSAGE_BYTES
from watchglass_server.refusals import Refused, bad_request

HELLO_S = 10.0
# Connections that have not said who they are: each may cost some memory for HELLO_S.
UNKNOWN_MOST = 1024
UNKNOWN_MOST_OF_ADDRESS = 256
# What one of them may send until it has.
UNKNOWN_BYTES = 64 * 2**10
# A name that no client can send: the packet below puts it where a message was no event.
MALFORMED = "\x00malformed"
_RESERVED = frozenset({"connect", "disconnect", "connect_error", "*"})


class StrictPacket(packet.Packet):  # type: ignore[misc]
    """A Socket.IO packet that turns what is no event into one that is refused, and never raises.

    python-socketio would drop such a message with a traceback in the log, and would take an event
    named `connect` for a new connection.
    """

    uses_binary_events = False
    json = json_wire

    data: Any

    def __init__(self, *arguments: Any, encoded_packet: Any = None, **fields: Any) -> None:
        super().__init__(*arguments, encoded_packet=encoded_packet, **fields)
        if encoded_packet is not None and not encoded_packet:  # decode is not called then
            self._refuse(ValueError("it is empty"))

    def decode(self, encoded_packet: Any) -> int:
        """Take a message in; there are never attachments to wait for."""
        try:
            if not isinstance(encoded_packet, str):
                raise ValueError("binary data is no part of this protocol")
            if super().decode(encoded_packet):
                raise ValueError("binary attachments are no part of this protocol")
        except (ValueError, RecursionError, AttributeError) as error:
            self._refuse(error)
            return 0
        if self.packet_type == packet.EVENT and not self._is_event():
            self._refuse(ValueError("an event is a list that begins with its name"))
        elif self.packet_type == packet.ACK and not (self.id and isinstance(self.data, list)):
            # Behind the number 0 python-socketio keeps its counter.
            self._refuse(ValueError("an acknowledgement has a number and a list"))
        elif self.packet_type not in _PACKETS:
            self._refuse(ValueError("this kind of packet is no part of this protocol"))
        return 0

    def _is_event(self) -> bool:
        data = self.data
        if not isinstance(data, list) or not data or not isinstance(data[0], str):
            return False
        if data[0] in _RESERVED:
            self.data = ["reserved name", *data[1:]]
        return True

    def _refuse(self, error: Exception) -> None:
        words = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        self.packet_type = packet.EVENT
        self.namespace = None
        self.data = [MALFORMED, words[:200]]


_PACKETS = frozenset(
    {
        packet.CONNECT,
        packet.DISCONNECT,
        packet.EVENT,
        packet.ACK,
    }
)


class ImpatientServer(socketio.AsyncServer):  # type: ignore[misc]
    """A Socket.IO server that hangs up on those who do not say who they are.

    An Engine.IO connection needs no token and would stay for ever: only the CONNECT packet has one.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._unknown: dict[str, str] = {}
        self._closing: set[asyncio.Task[None]] = set()
        _engine_log.addFilter(_is_ours)

    def _engineio_server_class(self) -> type[StrictEngine]:
        return StrictEngine

    # Whatever it returns is why the connection is refused.
    async def _handle_eio_connect(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, eio_sid: str, environ: dict[str, Any]
    ) -> str | None:
        by_address = Counter(self._unknown.values())
        address = address_of(environ) or ""
        if len(self._unknown) >= UNKNOWN_MOST or by_address[address] >= UNKNOWN_MOST_OF_ADDRESS:
            return "busy"
        await super()._handle_eio_connect(eio_sid, environ)
        self.expect_hello(eio_sid)
        return None

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        self._unknown.pop(eio_sid, None)  # also what the end of its token has put there

    def expect_hello(self, eio_sid: str | None) -> None:
        """Hang up on this connection, which nobody vouches for (any more), unless somebody does."""
        environ = self.environ.get(eio_sid)
        if eio_sid is not None and environ is not None:
            self._unknown[eio_sid] = address_of(environ) or ""
            asyncio.get_running_loop().call_later(HELLO_S, self._end_unknown, eio_sid)

    def greeted(self, eio_sid: str | None) -> None:
        """It came with a token that opens something."""
        self._unknown.pop(eio_sid or "", None)
        environ = self.environ.get(eio_sid)
        if environ is not None:
            environ["aiohttp.request"].protocol.trust()

    def check_request(
        self, request: web.Request, is_origin_allowed: Callable[[str, str], bool]
    ) -> None:
        """Refuse a request that is not the connection's own. Raises Refused."""
        if "j" in request.query:  # scripts of foreign pages could read the answer
            raise bad_request("j", "JSONP is no part of this protocol.", "Leave `j` out.")
        eio_sid = request.query.get("sid")
        environ = self.environ.get(eio_sid)
        if eio_sid is not None and environ is None:
            raise bad_request("sid", "There is no such connection.", "Connect again.")
        if environ is not None and not _is_same_peer(
            request, environ["aiohttp.request"], is_origin_allowed
        ):
            raise Refused("forbidden", "This connection began elsewhere.", "Connect again.")
        if request.method == "POST":
            is_known = environ is not None and eio_sid not in self._unknown
            if request.content_length is None:
                raise bad_request("Content-Length", "It is missing.", "Send it.")
            if request.content_length > (MAX_MESSAGE_BYTES if is_known else UNKNOWN_BYTES):
                raise Refused("too_large", "The message is too large.", "Send less at a time.")

    async def hang_up(self, eio_sid: str) -> None:
        """Cut a connection, as a broken network would."""
        environ = self.environ.get(eio_sid)
        if environ is not None:
            transport = environ["aiohttp.request"].transport
            if transport is not None:
                transport.abort()
        socket = self.eio.sockets.get(eio_sid)
        if socket is not None:
            await socket.close(wait=False, abort=True)
            await socket.queue.put(None)  # ends a long poll, and a WebSocket that came after one

    def _end_unknown(self, eio_sid: str) -> None:
        if self._unknown.pop(eio_sid, None) is not None:
            task = asyncio.get_running_loop().create_task(self.hang_up(eio_sid))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _is_same_peer(
    request: web.Request, first: web.Request, is_origin_allowed: Callable[[str, str], bool]
) -> bool:
    """A stolen `sid` serves nobody at another address, and no other page in this browser."""
    if request.remote != first.remote:
        return False
    # A page sends no Origin when it fetches from its own server, and sends it with the rest.
    origins = {one.headers.get("Origin"): one.headers.get("Host", "") for one in (request, first)}
    return len(origins) == 1 or all(
        origin is None or is_origin_allowed(origin, host) for origin, host in origins.items()
    )


def address_of(environ: dict[str, Any]) -> str | None:
    """Who is at the other end of the connection. Headers that claim another one count nothing."""
    address: str | None = environ["aiohttp.request"].remote
    return address


_engine_log = logging.getLogger("engineio.server")


def _is_ours(record: logging.LogRecord) -> bool:
    """Not that somebody sent what is no Engine.IO: everybody can, as often as they like."""
    return record.msg not in ("post request handler error", "Unknown receive error") and not (
        str(record.msg).startswith("Invalid session")
    )
