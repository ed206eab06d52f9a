"""Browser ⇄ server: Socket.IO ⇄ commands and acknowledgements."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec
from socketio.exceptions import ConnectionRefusedError

from watchglass_server.calls import Calls
from watchglass_server.commands import (
    SessionCommand,
    SessionCreateCommand,
    SessionJoinCommand,
)
from watchglass_server.fields import MAX_MESSAGE_BYTES, Role
from watchglass_server.live_sender import LiveSender
from watchglass_server.logins import Logins
from watchglass_server.messages import CALLS, decode_command
from watchglass_server.notifications import LiveMessage
from watchglass_server.outbox import Outbox
from watchglass_server.refusals import Refused, bad_request, no_token
from watchglass_server.replies import Reply, WireError
from watchglass_server.roles import check_role
from watchglass_server.rooms import Caller, Client, Rooms
from watchglass_server.shares import Grant, Shares
from watchglass_server.socketio_server import (
    MALFORMED,
    ImpatientServer,
    StrictPacket,
    address_of,
)
from watchglass_server.tokens import new_id
from watchglass_sync.errors import SyncError

_log = logging.getLogger(__name__)

CALLS_AT_ONCE = 256
GOODBYE_S = 0.5
# So that calls which failed are answered before the connection goes.
REFUSALS_FIRST_S = 0.2


class Gateway:
    """All connections. Who may do what is decided here, in one place: `_authorize`."""

    def __init__(
        self,
        *,
        logins: Logins,
        shares: Shares,
        rooms: Rooms,
        is_origin_allowed: Callable[[str, str], bool],
        max_rate: float | None,
    ) -> None:
        """`is_origin_allowed` takes the Origin and the Host of a request.

        `max_rate`: how many calls one connection may make in a second.
        """
        self._max_rate = max_rate
        self._logins = logins
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
        for eio_sid in list(self._server.environ):
            await self._server.hang_up(eio_sid)
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
        self._clients[sid] = Client(
            client=sid,
            grant=grant,
            outbox=self._outbox(sid),
            live=LiveSender(lambda picture, taken: self._show(sid, picture, taken)),
            # The page knows how it was reached, a proxy's header would have to be believed.
            origin=_own_origin(environ),
            address=address_of(environ),
            is_open=self._shares.is_open,
        )
        self._server.greeted(self._server.manager.eio_sid_from_sid(sid, "/"))

    def _admit(self, environ: dict[str, Any], auth: Any) -> Grant | None:
        """What the handshake's token opens; None for the server token. Refuses all others."""
        origin = environ.get("HTTP_ORIGIN")
        token = auth.get("token") if isinstance(auth, dict) else None
        if origin is not None and not self._is_origin_allowed(origin, environ.get("HTTP_HOST", "")):
            raise ConnectionRefusedError("unauthorized")
        try:
            return self._logins.admit(token, address_of(environ))
        except Refused as refusal:
            error = refusal.error
            if error.code == "rate_limited":
                wait = {"retry_after_s": error.retry_after_s}
                raise ConnectionRefusedError("rate_limited", wait) from None
            raise ConnectionRefusedError("unauthorized") from None

    def check_request(self, request: Any) -> None:
        """Refuse a request to /socket.io/ that is not the connection's own. Raises Refused."""
        self._server.check_request(request, self._is_origin_allowed)

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
        # The transport stays when only the token went: it may bring another one, but soon.
        self._server.expect_hello(self._server.manager.eio_sid_from_sid(sid, "/"))
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
        gone = [one for one in self._clients.values() if one.came_by(share)]
        # None of them waits for the goodbye of another, and none is left if that fails.
        await asyncio.gather(*(self.drop(client) for client in gone), return_exceptions=True)

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
        eio_sid = self._server.manager.eio_sid_from_sid(sid, "/")
        if eio_sid is not None:
            await self._server.hang_up(eio_sid)

    # --- calls

    async def _event(self, event: str, sid: str, *arguments: Any) -> dict[str, Any]:
        client = self._clients.get(sid)
        if client is None:
            return _refused(_not_connected())
        client.calls += 1
        self.calls_served += 1
        try:
            answer = await self._answer(client, event, arguments)
            # Who was sent away while it was under way gets nothing of it.
            return answer if sid in self._clients else _refused(_not_connected())
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
        self._keep_pace(client, event)
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
        payload = arguments[0] if arguments else None
        self._authorize(client, event, payload)
        command = decode_command(event, payload)
        if isinstance(command, SessionCommand):
            if isinstance(command, SessionJoinCommand):
                self._calls.role_for_join(client, command)
            await self._calls.open(command)
            # It may have been read from disk meanwhile, and a share have been revoked.
            self._authorize(client, event, payload)
        reply = await self._calls.perform(client, event, command)
        answer = {"ok": True, **msgspec.to_builtins(reply)}
        if isinstance(command, SessionJoinCommand) or event == "session.create":
            # After the acknowledgement, which is queued before this loop runs anything else.
            session = command.session if isinstance(command, SessionCommand) else answer["session"]
            asyncio.get_running_loop().call_soon(self._rooms.release, client, session)
        return answer

    def _authorize(self, client: Client, event: str, payload: object) -> None:
        """Refuse what this connection may not do, before anything else of it is looked at."""
        if client.client not in self._clients:
            raise Refused("unauthorized", "You are not connected.", "Connect.")
        _authorize(client, event, payload)

    # --- calls that come by another way

    async def call(self, caller: Caller, event: str, payload: dict[str, Any]) -> Reply:
        """Do what a client's call would, for a caller without a connection. Raises Refused."""
        assert self._calls is not None
        self._keep_pace(caller, event)
        _authorize(caller, event, payload)
        command = decode_command(event, payload)
        assert isinstance(command, SessionCommand)
        await self._calls.open(command)
        _authorize(caller, event, payload)
        return await self._calls.perform_for_any(caller, event, command)

    async def create(self, caller: Caller, payload: dict[str, Any], session: str) -> None:
        """The same for `session.create`: with an id, so that it is made once. Raises Refused."""
        assert self._calls is not None
        self._keep_pace(caller, "session.create")
        _authorize(caller, "session.create", payload)
        command = decode_command("session.create", payload)
        assert isinstance(command, SessionCreateCommand)
        live = await self._calls.create(command, session)
        await live.durable()

    def _keep_pace(self, caller: Caller, event: str) -> None:
        if self._max_rate is not None:
            caller.keep_pace(event, "A connection", self._max_rate)

    def _own(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _authorize(caller: Caller, event: str, payload: object) -> None:
    """Refuse what this caller may not do, before anything else of it is looked at."""
    call = CALLS.get(event)
    if call is None or call.command is SessionJoinCommand:
        return  # there is no such call; or it may bring a token of its own, which Calls sees
    role: Role | None = None
    if issubclass(call.command, SessionCommand):
        session = payload.get("session") if isinstance(payload, dict) else None
        if not isinstance(session, str) or not session:
            return  # decode_command says what is wrong with it
        role = caller.role_in(session)
        if role is None:
            raise no_token(session[:100])
    check_role(event, role, server_token=caller.is_server)


def _own_origin(environ: dict[str, Any]) -> str:
    host, origin = environ.get("HTTP_HOST", "localhost"), environ.get("HTTP_ORIGIN", "")
    return origin if origin.partition("://")[2] == host else f"http://{host}"


def _not_connected() -> WireError:
    return WireError(code="unauthorized", message="You are not connected.", hint="Connect.")


def _refused(error: WireError) -> dict[str, Any]:
    return {"ok": False, "error": msgspec.to_builtins(error)}
