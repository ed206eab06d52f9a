"""How to connect: one table of settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from spacetimedb_bsatn import ConnectionId
from spacetimedb_client.credentials import FileCredentials, TokenProvider
from spacetimedb_client.protocol.compression import Compression
from spacetimedb_client.protocol.conversation import MAX_IN_FLIGHT

CompressionName = Literal["auto", "none", "gzip", "brotli"]
SchemaCheck = Literal["off", "warn", "error"]
ProtocolName = Literal["auto", "json"]
COMPRESSIONS: Final[Mapping[str, Compression]] = {each.value.lower(): each for each in Compression}


@dataclass(frozen=True, slots=True)
class Options:
    """What `connect` was asked for."""

    uri: str
    database: str
    module: Any = None
    token: str | TokenProvider | FileCredentials | None = field(default=None, repr=False)
    compression: CompressionName = "auto"
    confirmed_reads: bool | None = None
    light: bool = False
    reconnect: bool = True
    connection_id: ConnectionId | None = None
    check_schema: SchemaCheck = "warn"
    timeout: float = 10.0
    max_in_flight: int = MAX_IN_FLIGHT
    max_attempts: int | None = None
    on_connect_error: Callable[[Exception], object] | None = None
    protocol: ProtocolName = "auto"


def query_of(options: Options, is_loopback: bool) -> dict[str, str]:
    """The part of the address that says how we want to be served."""
    name = options.compression
    if name == "auto":
        name = "none" if is_loopback else "gzip"
    query = {"compression": COMPRESSIONS[name].value}
    if options.light:
        query["light"] = "true"
    if options.confirmed_reads is not None:
        query["confirmed"] = str(options.confirmed_reads).lower()
    if options.connection_id is not None:
        query["connection_id"] = str(options.connection_id)
    return query
