"""v1.bsatn.spacetimedb: spoken by every server from 1.0 on."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from spacetimedb_bsatn import ConnectionId, DecodeError, Identity, Timestamp
from spacetimedb_bsatn.reader import Reader
from spacetimedb_bsatn.writer import Writer
from spacetimedb_client.protocol.compression import decompressed
from spacetimedb_client.protocol.dialect import Frame
from spacetimedb_client.protocol.messages import (
    Connected,
    Event,
    Outcome,
    ProcedureResult,
    QueryResult,
    ReducerEvent,
    SubscribeApplied,
    SubscriptionFailed,
    TableUpdate,
    TransactionUpdate,
    UnsubscribeApplied,
    Updates,
)
from spacetimedb_client.protocol.rows_wire import (
    opened,
    optional_u32,
    read_connection_id,
    read_identity,
    read_rows,
    read_timestamp,
)

T = TypeVar("T")

CALL_REDUCER: Final = 0
ONE_OFF_QUERY: Final = 2
SUBSCRIBE_MULTI: Final = 4
UNSUBSCRIBE_MULTI: Final = 6
CALL_PROCEDURE: Final = 7
FULL_UPDATE: Final = 0
NO_SUCCESS_NOTIFY: Final = 1
UNKNOWN_REDUCER: Final = 2**32 - 1
# Every call is answered with these: read at once, they cost half.
CALLER: Final = struct.Struct("<q32s16sI")  # when, who, over which connection, length of the name
TABLE: Final = struct.Struct("<II")  # the table's number, length of the name
CALL_END: Final = struct.Struct("<I16sq")  # request, energy, microseconds


@dataclass(frozen=True, slots=True)
class V1:
    subprotocol: str = "v1.bsatn.spacetimedb"
    answers_all: bool = False

    def decode(self, frame: Frame) -> list[Event]:
        reader = opened(frame)
        event = SERVER_MESSAGES[reader.tag(len(SERVER_MESSAGES))](reader)
        reader.end()
        return [event]

    def call_reducer(self, request_id: int, reducer: str, args: bytes, is_awaited: bool) -> Frame:
        flags = FULL_UPDATE if is_awaited else NO_SUCCESS_NOTIFY
        message = Writer().u8(CALL_REDUCER).string(reducer).bytes_(args)
        return bytes(message.u32(request_id).u8(flags))

    def call_procedure(self, request_id: int, procedure: str, args: bytes) -> Frame:
        message = Writer().u8(CALL_PROCEDURE).string(procedure).bytes_(args)
        return bytes(message.u32(request_id).u8(0))

    def subscribe(self, request_id: int, query_id: int, queries: Sequence[str]) -> Frame:
        message = Writer().u8(SUBSCRIBE_MULTI)
        message.many(queries, message.string)
        return bytes(message.u32(request_id).u32(query_id))

    def unsubscribe(self, request_id: int, query_id: int) -> Frame:
        return bytes(Writer().u8(UNSUBSCRIBE_MULTI).u32(request_id).u32(query_id))

    def one_off_query(self, request_id: int, query: str) -> Frame:
        message_id = request_id.to_bytes(4, "little")
        return bytes(Writer().u8(ONE_OFF_QUERY).bytes_(message_id).string(query))


def read_many(reader: Reader, read: Callable[[Reader], T]) -> list[T]:
    return [read(reader) for _ in range(reader.count())]


def _table_update(reader: Reader) -> list[TableUpdate]:
    """One for each query that the table is in: rows that two queries match come twice."""
    _, size = reader.fixed(TABLE)
    name = reader.text(size)
    reader.take(8)  # how many rows, for statistics
    return [_query_update(name, reader) for _ in range(reader.count())]


def _query_update(table: str, reader: Reader) -> TableUpdate:
    tag = reader.tag(3)
    if tag == 0:
        return _uncompressed(table, reader)
    inner = Reader(decompressed(tag, reader.bytes_()))
    update = _uncompressed(table, inner)
    inner.end()
    return update


def _uncompressed(table: str, reader: Reader) -> TableUpdate:
    deletes = read_rows(reader)
    return TableUpdate(table, inserts=read_rows(reader), deletes=deletes)


def _database_update(reader: Reader) -> Updates:
    return tuple(update for table in read_many(reader, _table_update) for update in table)


def _initial_subscription(reader: Reader) -> Event:
    updates = _database_update(reader)
    request_id = reader.u32()
    reader.i64()  # how long it took
    return SubscribeApplied(request_id, 0, updates)


def _transaction_update(reader: Reader) -> Event:
    outcome = (Outcome.COMMITTED, Outcome.FAILED, Outcome.OUT_OF_ENERGY)[reader.tag(3)]
    updates = _database_update(reader) if outcome is Outcome.COMMITTED else ()
    message = reader.string() if outcome is Outcome.FAILED else ""
    micros, caller, connection_id, size = reader.fixed(CALLER)
    reducer = reader.text(size)
    number, args = reader.u32(), reader.bytes_()
    request_id, energy, duration = reader.fixed(CALL_END)
    called = ReducerEvent(
        reducer,
        Identity.from_bytes(caller),
        ConnectionId.from_bytes(connection_id),
        Timestamp(micros),
        args,
        request_id,
        number != UNKNOWN_REDUCER,
        outcome,
        message,
        int.from_bytes(energy, "little"),
        duration,
    )
    return TransactionUpdate(updates, called)


def _transaction_update_light(reader: Reader) -> Event:
    reader.u32()  # the caller's request, not ours
    return TransactionUpdate(_database_update(reader))


def _identity_token(reader: Reader) -> Event:
    identity, token = read_identity(reader), reader.string()
    return Connected(identity, read_connection_id(reader), token)


def _one_off_query_response(reader: Reader) -> Event:
    message_id = reader.bytes_()
    if len(message_id) != 4:
        raise DecodeError("the answer to a query that was not asked")
    error = reader.string() if reader.tag(2) == 0 else None
    tables = read_many(reader, lambda each: (each.string(), read_rows(each)))
    reader.i64()  # how long it took
    return QueryResult(int.from_bytes(message_id, "little"), tuple(tables), error)


def _single_rows(reader: Reader) -> Updates:
    reader.u32()
    reader.string()  # number and name of the table, which the update has again
    return tuple(_table_update(reader))


def _answer(
    make: Callable[[int, int, Updates], Event], read: Callable[[Reader], Updates]
) -> Callable[[Reader], Event]:
    def read_answer(reader: Reader) -> Event:
        request_id = reader.u32()
        reader.u64()  # how long it took
        return make(request_id, reader.u32(), read(reader))

    return read_answer


def _subscription_error(reader: Reader) -> Event:
    reader.u64()  # how long it took
    request_id, query_id = optional_u32(reader), optional_u32(reader)
    optional_u32(reader)  # the table's number
    return SubscriptionFailed(request_id, query_id, reader.string())


def _procedure_result(reader: Reader) -> Event:
    status = reader.tag(3)
    returned = reader.bytes_() if status == 0 else None
    error = reader.string() if status == 2 else "out of energy" if status == 1 else ""
    timestamp = read_timestamp(reader)
    reader.i64()  # how long it took
    return ProcedureResult(reader.u32(), returned, error, timestamp)


SERVER_MESSAGES: Final[tuple[Callable[[Reader], Event], ...]] = (
    _initial_subscription,
    _transaction_update,
    _transaction_update_light,
    _identity_token,
    _one_off_query_response,
    _answer(SubscribeApplied, _single_rows),
    _answer(UnsubscribeApplied, _single_rows),
    _subscription_error,
    _answer(SubscribeApplied, _database_update),
    _answer(UnsubscribeApplied, _database_update),
    _procedure_result,
)
