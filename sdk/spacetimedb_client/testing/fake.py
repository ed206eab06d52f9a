"""A server without a database, for tests: real HTTP and frames on a free port of this machine."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Final, Literal, Self

from aiohttp import WSMsgType, web

from spacetimedb_bsatn import (
    ConnectionId,
    ConversionError,
    DecodeError,
    Identity,
    Schema,
    SpacetimeDBError,
    Timestamp,
    schema_to_bytes,
)
from spacetimedb_bsatn.plain import decode_plain
from spacetimedb_bsatn.raw_module import RAW_MODULE, RAW_TYPES
from spacetimedb_bsatn.sats_json import to_json
from spacetimedb_bsatn.schema_writing_v10 import schema_to_bytes_v10
from spacetimedb_client.bindings import Bindings, CallBinding
from spacetimedb_client.errors import QueryError, ReducerError
from spacetimedb_client.module import Module
from spacetimedb_client.protocol.conversation import CRASHED
from spacetimedb_client.protocol.messages import Connected, Outcome, ReducerEvent
from spacetimedb_client.testing.fake_sql import sql_answer
from spacetimedb_client.testing.fake_tables import Selection, Tables, Transaction, selection
from spacetimedb_client.testing.fake_wire import (
    Answer,
    AskOnce,
    CallProcedure,
    CallReducer,
    QueryRows,
    Subscribe,
    Unsubscribe,
    Wire,
    WireV1,
    WireV2,
)

LOG: Final = logging.getLogger("spacetimedb_client.testing")
LOOPBACK: Final = "127.0.0.1"
NUMBERS: Final = itertools.count(1)
BAD_FRAME: Final = 1011
FOR_EVERY_PAGE: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "*",
    "Access-Control-Allow-Headers": "authorization,accept,content-type",
}
WIRES: Final[dict[str, Wire]] = {"v1": WireV1(), "v2": WireV2()}

Handler = Callable[..., Any]
ProtocolVersion = Literal["v1", "v2"]


@dataclass(frozen=True, slots=True)
class ReducerCall:
    """What a handler is given first: who calls, and `tx` for the rows."""

    sender: Identity
    connection_id: ConnectionId
    timestamp: Timestamp
    tx: Transaction


class Client:
    """One connection to the fake server."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        who: Connected,
    ) -> None:
        self.socket: Final = socket
        self.transport: Final = transport
        self.who: Final = who
        self.queries: Final[dict[int, dict[str, Selection]]] = {}
        self.unsent: Final[asyncio.Queue[bytes]] = asyncio.Queue()

    def active(self) -> dict[str, tuple[int, Selection]]:
        """Each query once, with the first subscription that has it: so does a real server."""
        found: dict[str, tuple[int, Selection]] = {}
        for query_id, queries in self.queries.items():
            for text, chosen in queries.items():
                found.setdefault(text, (query_id, chosen))
        return found

    def changes(self, done: Transaction) -> list[QueryRows]:
        """What a transaction means for its queries."""
        told = []
        for query_id, chosen in self.active().values():
            deleted, inserted = (
                tuple(data for data, row in rows.get(chosen.table, {}).items() if chosen.takes(row))
                for rows in (done.deleted, done.inserted)
            )
            if deleted or inserted:
                told.append(QueryRows(query_id, chosen.table, deleted, inserted))
        return told

    async def write(self) -> None:
        while True:
            await self.socket.send_bytes(await self.unsent.get())


class FakeServer:
    """`async with FakeServer(module) as server:` and `connect(*server.address)`."""

    def __init__(
        self, module: Module | Schema, *, protocol: ProtocolVersion = "v1", database: str = "fake"
    ) -> None:
        schema = module.schema if isinstance(module, Module) else module
        self.bindings: Final = Bindings(schema)
        self.database: Final = database
        self.identity: Final = Identity.from_bytes(secrets.token_bytes(Identity.SIZE_BYTES))
        self._schema = schema
        self._wire = WIRES[protocol]
        self._has_v10 = protocol != "v1"
        self._tables = Tables(self.bindings)
        self._handlers: dict[str, Handler] = {}
        self._identities: dict[str, Identity] = {}
        self._clients: list[Client] = []
        self._turn = asyncio.Lock()  # one reducer at a time, as in a real database
        self._refusal: int | None = None
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        application = web.Application(middlewares=[self._gate])
        path = f"/v1/database/{self.database}"
        application.router.add_get("/v1/ping", self._ping)
        application.router.add_post("/v1/identity", self._create_identity)
        application.router.add_post("/v1/identity/websocket-token", self._create_socket_token)
        application.router.add_get(f"{path}/schema", self._describe)
        application.router.add_get(f"{path}/identity", self._identify)
        application.router.add_get(f"{path}/subscribe", self._converse)
        application.router.add_post(f"{path}/call/{{reducer}}", self._call_over_http)
        application.router.add_post(f"{path}/sql", self._answer_over_http)
        self._runner = web.AppRunner(application, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, LOOPBACK, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.drop()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def uri(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def address(self) -> tuple[str, str]:
        """The first arguments of `connect`."""
        return self.uri, self.database

    @property
    def types(self) -> Any:
        """The classes of rows: `server.types.Player(…)`."""
        return self.bindings.types

    def rows(self, table: str) -> list[Any]:
        return Transaction(self._tables).rows(table)

    def insert(self, table: str, row: Any) -> Any:
        with self.transaction() as tx:
            return tx.insert(table, row)

    def update(self, table: str, row: Any) -> Any:
        with self.transaction() as tx:
            return tx.update(table, row)

    def delete(self, table: str, row: Any) -> None:
        with self.transaction() as tx:
            tx.delete(table, row)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Changes that subscribers hear of at once; after an exception, none."""
        tx = Transaction(self._tables)
        yield tx
        tx.commit()
        self._tell(tx, None, None)

    def on_reducer(self, name: str, handler: Handler) -> None:
        """`handler(call, *arguments)`, also `async`; it may raise `ReducerError("why")`."""
        if name not in self.bindings.reducers:
            raise SpacetimeDBError(f"no reducer {name!r}: there are {list(self.bindings.reducers)}")
        self._handlers[name] = handler

    def drop(self) -> None:
        """Cuts all connections, as a network does."""
        for client in self._clients:
            if client.transport is not None:
                client.transport.close()

    def refuse(self, status: int | None) -> None:
        """From now on each request is answered with this status; None: no more."""
        self._refusal = status

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Pages of every origin may ask, as they may ask a real server."""
        answer = await self._let_in(request, handler)
        if not answer.prepared:
            answer.headers.update(FOR_EVERY_PAGE)
        return answer

    async def _let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response()
        if self._refusal is not None:
            return web.Response(status=self._refusal)
        token = token_of(request)
        if token and token not in self._identities:
            return web.Response(status=401, text="TokenError(Error(InvalidToken))")
        answer: web.StreamResponse = await handler(request)
        return answer

    def _credentials(self, request: web.Request) -> tuple[Identity, str]:
        """Of the token, or new ones."""
        token = token_of(request)
        if not token:
            token = secrets.token_urlsafe()
            random = secrets.token_bytes(Identity.SIZE_BYTES)
            self._identities[token] = Identity.from_bytes(random)
        return self._identities[token], token

    async def _ping(self, request: web.Request) -> web.Response:
        return web.Response()

    async def _create_identity(self, request: web.Request) -> web.Response:
        identity, token = self._credentials(request)
        return web.json_response({"identity": str(identity), "token": token})

    async def _create_socket_token(self, request: web.Request) -> web.Response:
        """One for an address; of a real server it is good for a minute."""
        if not token_of(request):
            return web.Response(status=401, text="Authorization required")
        token = secrets.token_urlsafe()
        self._identities[token], _ = self._credentials(request)
        return web.json_response({"token": token})

    async def _identify(self, request: web.Request) -> web.Response:
        return web.Response(text=str(self.identity))

    async def _describe(self, request: web.Request) -> web.Response:
        is_v10 = request.query.get("version") == "10"
        if is_v10 and not self._has_v10:
            return web.Response(status=400)
        data = schema_to_bytes_v10(self._schema) if is_v10 else schema_to_bytes(self._schema)
        told = decode_plain(RAW_MODULE, RAW_TYPES, data)
        parts = to_json(RAW_MODULE.variants[told.tag].type, RAW_TYPES, told.value)
        return web.json_response(dict(zip(told.value, parts, strict=True)))

    async def _call_over_http(self, request: web.Request) -> web.Response:
        from_words = self.bindings.reducers.get(request.match_info["reducer"])
        if from_words is None:
            return web.Response(status=404, text="no such reducer")
        identity, _ = self._credentials(request)
        who = Connected(identity, ConnectionId(0), "")
        try:
            args = from_words.codec.encode(tuple(json.loads(await request.read())))
        except (ConversionError, TypeError, ValueError) as problem:
            return web.Response(status=400, text=f"invalid arguments: {problem}")
        answer = await self._run(CallReducer(0, from_words.name, args), who, None)
        if answer.called.outcome is Outcome.COMMITTED:
            return web.Response()
        return web.Response(status=530, text=answer.called.message)

    async def _answer_over_http(self, request: web.Request) -> web.Response:
        try:
            chosen = selection(self.bindings, await request.text())
        except QueryError as problem:
            return web.Response(status=400, text=str(problem))
        table = self.bindings.tables[chosen.table]
        rows = self._tables.selected(chosen)
        return web.json_response(sql_answer(table, self.bindings.schema, rows))

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=(self._wire.subprotocol,), max_msg_size=0)
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        if self._wire.subprotocol not in [each.strip() for each in offered.split(",")]:
            return web.Response(status=400, text=f"only {self._wire.subprotocol} is spoken")
        await socket.prepare(request)
        wanted = request.query.get("connection_id")
        number = ConnectionId.from_hex(wanted) if wanted else ConnectionId(next(NUMBERS))
        identity, token = self._credentials(request)
        client = Client(socket, request.transport, Connected(identity, number, token))
        client.unsent.put_nowait(self._wire.connected(client.who))
        self._clients.append(client)
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(client.write())
                await self._listen(client)
                writing.cancel()
        except* ConnectionError:
            pass  # it was dropped
        finally:
            self._clients.remove(client)
        return socket

    async def _listen(self, client: Client) -> None:
        async for message in client.socket:
            if message.type is not WSMsgType.BINARY:
                return
            try:
                await self._answer(client, message.data)
            except DecodeError as problem:
                await client.socket.close(code=BAD_FRAME, message=str(problem).encode())

    async def _answer(self, client: Client, frame: bytes) -> None:
        wire = self._wire
        say = client.unsent.put_nowait
        match wire.read(frame):
            case Subscribe() as asked:
                say(self._subscribed(client, asked))
            case Unsubscribe() as asked:
                say(self._unsubscribed(client, asked))
            case AskOnce() as asked:
                try:
                    chosen = selection(self.bindings, asked.query)
                    say(wire.answered(asked, chosen.table, self._tables.selected(chosen)))
                except QueryError as problem:
                    say(wire.not_answered(asked, str(problem)))
            case CallReducer() as asked:
                await self._run(asked, client.who, client)
            case CallProcedure() as asked:
                say(wire.no_procedure(asked, "a fake server has no procedures: use a real one"))

    def _subscribed(self, client: Client, asked: Subscribe) -> bytes:
        try:
            chosen = {text: selection(self.bindings, text) for text in asked.queries}
        except QueryError as problem:
            return self._wire.refused(asked, str(problem))
        known = client.active()
        client.queries[asked.query_id] = chosen
        rows = [
            QueryRows(asked.query_id, each.table, inserts=self._tables.selected(each))
            for text, each in chosen.items()
            if text not in known
        ]
        return self._wire.applied(asked, rows)

    def _unsubscribed(self, client: Client, asked: Unsubscribe) -> bytes:
        ended = client.queries.pop(asked.query_id, None)
        if ended is None:
            return self._wire.refused(asked, f"no subscription {asked.query_id}")
        known = client.active()
        rows = [
            QueryRows(asked.query_id, each.table, deletes=self._tables.selected(each))
            for text, each in ended.items()
            if text not in known
        ]
        return self._wire.ended(asked, rows)

    async def _run(self, asked: CallReducer, who: Connected, client: Client | None) -> Answer:
        """Runs a reducer's handler, and tells everyone whom it concerns."""
        async with self._turn:
            tx = Transaction(self._tables)
            call = ReducerCall(who.identity, who.connection_id, Timestamp.now(), tx)
            answer = await self._outcome(asked, call)
            is_done = answer.called.outcome is Outcome.COMMITTED
            self._tell(tx if is_done else Transaction(self._tables), answer, client, asked.is_quiet)
            return answer

    async def _outcome(self, asked: CallReducer, call: ReducerCall) -> Answer:
        binding = self.bindings.reducers.get(asked.reducer)
        handler = self._handlers.get(asked.reducer)
        called = ReducerEvent(
            asked.reducer, call.sender, call.connection_id, call.timestamp, asked.args,
            asked.request_id, binding is not None, Outcome.COMMITTED,
        )  # fmt: skip
        if binding is None:
            return self._crashed(called, f"no such reducer: {asked.reducer}")
        if handler is None:
            words = f"server.on_reducer({asked.reducer!r}, …) was not called"
            return self._crashed(called, f"{CRASHED}: {words}")
        try:
            args = binding.codec.decode(asked.args)
        except DecodeError as problem:
            words = f"invalid arguments for reducer {asked.reducer}: {problem}"
            return self._crashed(called, words)
        return await self._handled(called, binding, handler, call, args)

    async def _handled(
        self,
        called: ReducerEvent,
        binding: CallBinding,
        handler: Handler,
        call: ReducerCall,
        args: Sequence[Any],
    ) -> Answer:
        try:
            returned = handler(call, *args)
            if inspect.isawaitable(returned):
                returned = await returned
            data = binding.ok.encode(returned) if binding.ok and returned is not None else b""
            call.tx.commit()
        except ReducerError as refusal:
            failed = replace(called, outcome=Outcome.FAILED, message=refusal.message)
            return Answer(failed, error_bytes(binding, refusal))
        except Exception as problem:  # a handler's own mistake: the client sees a crash
            LOG.exception("the handler of %s failed", called.reducer)
            return self._crashed(called, f"{CRASHED}: {problem!r}")
        return Answer(called, data)

    def _crashed(self, called: ReducerEvent, message: str) -> Answer:
        """v1 has no outcome for it: the call fails without its number, as with a real server."""
        if self._has_v10:
            return Answer(replace(called, outcome=Outcome.INTERNAL_ERROR, message=message))
        failed = replace(called, outcome=Outcome.FAILED, message=message, args=b"", request_id=0)
        return Answer(failed)

    def _tell(
        self,
        tx: Transaction,
        answer: Answer | None,
        caller: Client | None,
        is_quiet: bool = False,
    ) -> None:
        for client in self._clients:
            rows = client.changes(tx)
            if answer is not None and client is caller and not (is_quiet and not rows):
                client.unsent.put_nowait(self._wire.result(answer, rows))
            elif rows:
                called = None if answer is None else answer.called
                client.unsent.put_nowait(self._wire.update(called, rows))


def token_of(request: web.Request) -> str:
    """Of the header, or of the address: a browser's WebSocket sends no headers."""
    header = request.headers.get("Authorization", "")
    return header.removeprefix("Bearer ") or request.query.get("token", "")


def error_bytes(binding: CallBinding, refusal: ReducerError) -> bytes:
    """BSATN of the reducer's own type of error, or of its words."""
    words = len(data := refusal.message.encode()).to_bytes(4, "little") + data
    if binding.err is None:
        return words
    try:
        return binding.err.encode(refusal.message if refusal.value is None else refusal.value)
    except ConversionError:
        return words
