"""Browser ⇄ server: Socket.IO ⇄ commands and acknowledgements. The server's only socketio."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec
import socketio
from socketio import packet
from socketio.exceptions import ConnectionRefusedError

from watchglass_server import json_wire
from watchglass_server.calls import Calls
from watchglass_server.commands import SessionCommand, SessionJoinCommand
from watchglass_server.engine_io import StrictEngine
from watchglass_server.fields import MAX_MESSAGE_BYTES, Role
from watchglass_server.live_sender import LiveSender
from watchglass_server.messages import decode_command
from watchglass_server.notifications import LiveMessage
from watchglass_server.outbox import Outbox
from watchglass_server.refusals import Refused, bad_request, no_token
from watchglass_server.replies import WireError
from watchglass_server.roles import check_role
from watchglass_server.rooms import Client, Rooms
from watchglass_server.shares import Grant, Shares
from watchglass_server.tokens import is_same, new_id
from watchglass_sync.errors import SyncError

_log = logging.getLogger(__name__)

CALLS_AT_ONCE = 256
GOODBYE_S = 0.5
HELLO_S = 10.0
# So that calls which failed are answered before the connection goes.
REFUSALS_FIRST_S = 0.2
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

    def _engineio_server_class(self) -> type[StrictEngine]:
        return StrictEngine

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        asyncio.get_running_loop().call_later(HELLO_S, self._expect_hello, eio_sid)

    def _expect_hello(self, eio_sid: str) -> None:
        environ = self.environ.get(eio_sid)
        if environ is not None and self.manager.sid_from_eio_sid(eio_sid, "/") is None:
            _hang_up(environ)


class Gateway:
    """All connections. Who may do what is decided here, in one place: `_authorize`."""

    def __init__(
        self,
        *,
        token_hash: str,
        shares: Shares,
        rooms: Rooms,
        is_origin_allowed: Callable[[str, str], bool],
    ) -> None:
        """`is_origin_allowed` takes the Origin and the Host of a request."""
        self._token_hash = token_hash
        self._shares = shares
        self._rooms = rooms
        self._is_origin_allowed = is_origin_allowed
        self._clients: dict[str, Client] = {}
        self._calls: Calls | None = None
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self.calls_served = 0
        self._server = ImpatientServer(
            async_mode="aiohttp",
            serializer=StrictPacket,
            cors_allowed_origins=[],  # app.py sends these headers, for the origins allowed
            max_http_buffer_size=MAX_MESSAGE_BYTES,
            namespaces=["/"],
        )
        self._server.on("connect", self._connect)
        self._server.on("disconnect", self._disconnect)
        self._server.on("*", self._event)

    def attach(self, app: Any, calls: Calls) -> None:
        """Answer at /socket.io/ of the web application."""
        self._calls = calls
        self._server.attach(app)

    @property
    def clients(self) -> int:
        """How many connections there are."""
        return len(self._clients)

    async def close(self) -> None:
        """Send what waits, say goodbye to everybody, and hang up."""
        self._closing = True
        await self._until(lambda: all(one.outbox.is_empty for one in self._clients.values()))
        for client in list(self._clients.values()):
            await self._server.disconnect(client.client)
        # Those who follow close their side; HTTP would wait for the others.
        await self._until(lambda: not self._server.environ)
        for environ in list(self._server.environ.values()):
            _hang_up(environ)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.shutdown()

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Wait a moment for something that others do."""
        for _ in range(int(GOODBYE_S / 0.01)):
            if holds():
                return
            await asyncio.sleep(0.01)

    # --- connections

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        grant = self._admit(environ, auth)
        if self._closing:
            raise ConnectionRefusedError("stopping")
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", "http").split(",")[0].strip()
        self._clients[sid] = Client(
            client=sid,
            grant=grant,
            outbox=self._outbox(sid),
            live=LiveSender(lambda picture, taken: self._show(sid, picture, taken)),
            origin=f"{scheme}://{environ.get('HTTP_HOST', 'localhost')}",
        )

    def _admit(self, environ: dict[str, Any], auth: Any) -> Grant | None:
        """What the handshake's token opens; None for the server token. Refuses all others."""
        origin = environ.get("HTTP_ORIGIN")
        token = auth.get("token") if isinstance(auth, dict) else None
        if origin is not None and not self._is_origin_allowed(origin, environ.get("HTTP_HOST", "")):
            raise ConnectionRefusedError("unauthorized")
        if not isinstance(token, str):
            raise ConnectionRefusedError("unauthorized")
        if is_same(token, self._token_hash):
            return None
        grant = self._shares.grant(token)
        if grant is None:
            raise ConnectionRefusedError("unauthorized")
        return grant

    def _outbox(self, sid: str) -> Outbox:
        eio_sid = self._server.manager.eio_sid_from_sid(sid, "/")
        socket = self._server.eio.sockets[eio_sid]

        async def send(packet: str) -> None:
            await self._server.eio.send(eio_sid, packet)

        return Outbox(send, socket.queue.join, lambda: self._own(self._abort(sid)))

    async def _show(self, sid: str, picture: LiveMessage, taken: Callable[[], None]) -> None:
        await self._server.emit(
            "live", msgspec.to_builtins(picture), to=sid, callback=lambda *_: taken()
        )

    async def _disconnect(self, sid: str, reason: str = "") -> None:
        client = self._clients.pop(sid, None)
        if client is None:
            return
        client.outbox.close()
        client.live.close()
        assert self._calls is not None
        try:
            self._calls.leave_all(client)
        except (Refused, SyncError) as error:
            _log.warning("a client's leaving was not recorded: %s", error)

    async def drop(self, client: Client) -> None:
        """End a connection for good: the client is told, and does not come back by itself."""
        await self._server.disconnect(client.client)

    async def drop_share(self, share: str) -> None:
        """End the connections that came in by a share."""
        for client in [one for one in self._clients.values() if one.came_by(share)]:
            await self.drop(client)

    def drop_session(self, session: str) -> None:
        """End the membership of all in a session that is not there any more."""
        for client in self._rooms.members(session):
            self._rooms.leave(client, session)

    def restart_session(self, session: str) -> None:
        """Have the clients of a session come back: what they were sent may not be stored."""
        for client in self._rooms.members(session):
            self._rooms.leave(client, session)
            self._own(self._abort(client.client, REFUSALS_FIRST_S))

    async def _abort(self, sid: str, after_s: float = 0) -> None:
        """Cut a connection, as a broken network would: the client comes back by itself."""
        await asyncio.sleep(after_s)
        try:
            eio_sid = self._server.manager.eio_sid_from_sid(sid, "/")
            socket = self._server.eio.sockets[eio_sid]
            _hang_up(self._server.environ[eio_sid])
        except KeyError:  # it is gone already
            return
        await socket.close(wait=False, abort=True)

    # --- calls

    async def _event(self, event: str, sid: str, *arguments: Any) -> dict[str, Any]:
        client = self._clients.get(sid)
        if client is None:
            return _refused(
                WireError(code="unauthorized", message="You are not connected.", hint="Connect.")
            )
        client.calls += 1
        self.calls_served += 1
        try:
            return await self._answer(client, event, arguments)
        except Refused as refusal:
            return _refused(refusal.error)
        except Exception:
            number = new_id()
            _log.exception("error %s: the call %r failed", number, event[:100])
            return _refused(
                WireError(
                    code="internal",
                    message="The server failed at this call.",
                    hint=f"Its log has the details under {number}.",
                    id=number,
                )
            )
        finally:
            client.calls -= 1

    async def _answer(
        self, client: Client, event: str, arguments: tuple[Any, ...]
    ) -> dict[str, Any]:
        assert self._calls is not None
        if event == MALFORMED:
            raise bad_request("payload", f"This is no event: {arguments[0]}.")
        if client.calls > CALLS_AT_ONCE:
            raise Refused(
                "busy",
                f"This connection waits for {CALLS_AT_ONCE} answers already.",
                "Wait for some of them.",
            )
        if len(arguments) > 1:
            raise bad_request("payload", f"'{event[:100]}' takes one object, not several.")
        command = decode_command(event, arguments[0] if arguments else None)
        self._authorize(client, event, command)
        reply = await self._calls.perform(client, event, command)
        answer = {"ok": True, **msgspec.to_builtins(reply)}
        if isinstance(command, SessionJoinCommand) or event == "session.create":
            # After the acknowledgement, which is queued before this loop runs anything else.
            session = command.session if isinstance(command, SessionCommand) else answer["session"]
            asyncio.get_running_loop().call_soon(self._rooms.release, client, session)
        return answer

    def _authorize(self, client: Client, event: str, command: Any) -> None:
        """Refuse what this connection may not do."""
        role: Role | None = None
        if isinstance(command, SessionJoinCommand):
            return  # it may bring a token of its own, which Calls looks at
        if isinstance(command, SessionCommand):
            role = client.role_in(command.session)
            if role is None:
                raise no_token(command.session)
        check_role(event, role, server_token=client.is_server)

    def _own(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _hang_up(environ: dict[str, Any]) -> None:
    transport = environ["aiohttp.request"].transport
    if transport is not None:
        transport.abort()


def _refused(error: WireError) -> dict[str, Any]:
    return {"ok": False, "error": msgspec.to_builtins(error)}
