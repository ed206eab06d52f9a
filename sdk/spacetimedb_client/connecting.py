"""`connect(…)`: the way to a connection."""

from __future__ import annotations

from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar, cast, overload

from spacetimedb_bsatn import ConnectionId
from spacetimedb_client.bindings import Bindings, GeneratedBindings
from spacetimedb_client.connection import Connection
from spacetimedb_client.credentials import FileCredentials, TokenProvider, another_token, token_of
from spacetimedb_client.errors import AuthError
from spacetimedb_client.link import Link
from spacetimedb_client.loading import bindings_for
from spacetimedb_client.options import CompressionName, Options, ProtocolName, SchemaCheck
from spacetimedb_client.protocol.conversation import MAX_IN_FLIGHT

C = TypeVar("C", bound=Connection, covariant=True)


class HasBindings(Protocol[C]):
    """A module that `generate` has written."""

    @property
    def BINDINGS(self) -> GeneratedBindings[C]: ...


class Connecting(Generic[C]):
    """`async with` it, or `await` it and close the connection yourself."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._connection: C | None = None

    def __await__(self) -> Generator[Any, None, C]:
        return self._open().__await__()

    async def __aenter__(self) -> C:
        self._connection = await self._open()
        return self._connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _open(self) -> C:
        options = self._options
        token = await token_of(options.token, options.uri, options.database)
        try:
            return await self._open_with(token)
        except AuthError:
            # A stored token may be of a server that was set up anew; a provider may have another.
            again = await another_token(options.token, options.uri, options.database, token)
            if again == token:
                raise
            return await self._open_with(again)

    async def _open_with(self, token: str | None) -> C:
        options = self._options
        bindings = await bindings_for(options, token)
        link, connected = await Link.open(options, token, bindings)
        if isinstance(options.token, FileCredentials):
            options.token.save(options.uri, options.database, connected.token)
        # What generated bindings say of a connection is for type checkers only.
        return cast("C", Connection(options, bindings, link, connected))


@overload
def connect(
    uri: str,
    database: str,
    *,
    module: Bindings | None = ...,
    token: str | TokenProvider | FileCredentials | None = ...,
    compression: CompressionName = ...,
    confirmed_reads: bool | None = ...,
    light: bool = ...,
    reconnect: bool = ...,
    connection_id: ConnectionId | None = ...,
    check_schema: SchemaCheck = ...,
    timeout: float = ...,
    max_in_flight: int = ...,
    max_attempts: int | None = ...,
    on_connect_error: Callable[[Exception], object] | None = ...,
    protocol: ProtocolName = ...,
) -> Connecting[Connection]: ...
@overload
def connect(
    uri: str,
    database: str,
    *,
    module: HasBindings[C],
    token: str | TokenProvider | FileCredentials | None = ...,
    compression: CompressionName = ...,
    confirmed_reads: bool | None = ...,
    light: bool = ...,
    reconnect: bool = ...,
    connection_id: ConnectionId | None = ...,
    check_schema: SchemaCheck = ...,
    timeout: float = ...,
    max_in_flight: int = ...,
    max_attempts: int | None = ...,
    on_connect_error: Callable[[Exception], object] | None = ...,
    protocol: ProtocolName = ...,
) -> Connecting[C]: ...
def connect(
    uri: str,
    database: str,
    *,
    module: Any = None,
    token: str | TokenProvider | FileCredentials | None = None,
    compression: CompressionName = "auto",
    confirmed_reads: bool | None = None,
    light: bool = False,
    reconnect: bool = True,
    connection_id: ConnectionId | None = None,
    check_schema: SchemaCheck = "warn",
    timeout: float = 10.0,
    max_in_flight: int = MAX_IN_FLIGHT,
    max_attempts: int | None = None,
    on_connect_error: Callable[[Exception], object] | None = None,
    protocol: ProtocolName = "auto",
) -> Connecting[Any]:
    """A connection to one database, for `async with` or `await`.

    `module` has the generated bindings; without it they are made of the server's schema. Without
    `token` we are somebody new. `compression` is "auto" (none on this machine, else gzip), "none",
    "gzip" or "brotli". `confirmed_reads` waits for what is durable (None: as the server likes).
    `protocol="json"` is slower, and can be read where it passes.
    """
    options = Options(
        uri, database, module, token, compression, confirmed_reads, light, reconnect,
        connection_id, check_schema, timeout, max_in_flight, max_attempts, on_connect_error,
        protocol,
    )  # fmt: skip
    made: Connecting[Any] = Connecting(options)
    return made
