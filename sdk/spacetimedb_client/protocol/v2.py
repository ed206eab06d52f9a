"""v2.bsatn.spacetimedb, and v3: the same messages, several in one frame. Servers from 2.0 on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from spacetimedb_bsatn.reader import Reader
from spacetimedb_bsatn.writer import Writer
from spacetimedb_client.protocol.dialect import Frame
from spacetimedb_client.protocol.messages import (
    Connected,
    Event,
    Outcome,
    ProcedureResult,
    QueryResult,
    ReducerResult,
    RowList,
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

SUBSCRIBE: Final = 0
UNSUBSCRIBE: Final = 1
ONE_OFF_QUERY: Final = 2
CALL_REDUCER: Final = 3
CALL_PROCEDURE: Final = 4
SEND_DROPPED_ROWS: Final = 1

Rows = tuple[tuple[str, RowList], ...]


@dataclass(frozen=True, slots=True)
class V2:
    subprotocol: str = "v2.bsatn.spacetimedb"
    answers_all: bool = True

    def decode(self, frame: Frame) -> list[Event]:
        reader = opened(frame)
        event = read_message(reader)
        reader.end()
        return [event]

    def call_reducer(self, request_id: int, reducer: str, args: bytes, is_awaited: bool) -> Frame:
        message = Writer().u8(CALL_REDUCER).u32(request_id).u8(0)
        return bytes(message.string(reducer).bytes_(args))

    def call_procedure(self, request_id: int, procedure: str, args: bytes) -> Frame:
        message = Writer().u8(CALL_PROCEDURE).u32(request_id).u8(0)
        return bytes(message.string(procedure).bytes_(args))

    def subscribe(self, request_id: int, query_id: int, queries: Sequence[str]) -> Frame:
        message = Writer().u8(SUBSCRIBE).u32(request_id).u32(query_id)
        return bytes(message.many(queries, message.string))

    def unsubscribe(self, request_id: int, query_id: int) -> Frame:
        return bytes(Writer().u8(UNSUBSCRIBE).u32(request_id).u32(query_id).u8(SEND_DROPPED_ROWS))

    def one_off_query(self, request_id: int, query: str) -> Frame:
        return bytes(Writer().u8(ONE_OFF_QUERY).u32(request_id).string(query))


@dataclass(frozen=True, slots=True)
class V3(V2):
    subprotocol: str = "v3.bsatn.spacetimedb"

    def decode(self, frame: Frame) -> list[Event]:
        reader = opened(frame)
        events = [read_message(reader)]
        while not reader.is_at_end:
            events.append(read_message(reader))
        return events


def read_message(reader: Reader) -> Event:
    return SERVER_MESSAGES[reader.tag(len(SERVER_MESSAGES))](reader)


def _rows(reader: Reader) -> Rows:
    return tuple((reader.string(), read_rows(reader)) for _ in range(reader.count()))


def _transaction(reader: Reader) -> Updates:
    updates: list[TableUpdate] = []
    for _ in range(reader.count()):
        reader.u32()  # the query set: a row is counted once for each that matches it
        for _ in range(reader.count()):
            table = reader.string()
            updates += [_table_rows(table, reader) for _ in range(reader.count())]
    return tuple(updates)


def _table_rows(table: str, reader: Reader) -> TableUpdate:
    if reader.tag(2) == 1:
        return TableUpdate(table, inserts=read_rows(reader), is_event=True)
    inserts = read_rows(reader)
    return TableUpdate(table, inserts, read_rows(reader))


def _initial_connection(reader: Reader) -> Event:
    identity, connection_id = read_identity(reader), read_connection_id(reader)
    return Connected(identity, connection_id, reader.string())


def _subscribe_applied(reader: Reader) -> Event:
    request_id, query_id = reader.u32(), reader.u32()
    updates = tuple(TableUpdate(table, inserts=rows) for table, rows in _rows(reader))
    return SubscribeApplied(request_id, query_id, updates)


def _unsubscribe_applied(reader: Reader) -> Event:
    request_id, query_id = reader.u32(), reader.u32()
    dropped = _rows(reader) if reader.tag(2) == 0 else ()
    updates = tuple(TableUpdate(table, deletes=rows) for table, rows in dropped)
    return UnsubscribeApplied(request_id, query_id, updates)


def _subscription_error(reader: Reader) -> Event:
    request_id = optional_u32(reader)
    return SubscriptionFailed(request_id, reader.u32(), reader.string())


def _transaction_update(reader: Reader) -> Event:
    return TransactionUpdate(_transaction(reader))


def _one_off_query_result(reader: Reader) -> Event:
    request_id = reader.u32()
    if reader.tag(2) == 0:
        return QueryResult(request_id, _rows(reader))
    return QueryResult(request_id, error=reader.string())


def _reducer_result(reader: Reader) -> Event:
    request_id, timestamp, tag = reader.u32(), read_timestamp(reader), reader.tag(4)
    if tag == 0:
        returned = reader.bytes_()
        updates = _transaction(reader)
        done = ReducerResult(request_id, Outcome.COMMITTED, "", returned, timestamp=timestamp)
        return TransactionUpdate(updates, result=done)
    outcome = (Outcome.COMMITTED, Outcome.FAILED, Outcome.INTERNAL_ERROR)[tag - 1]
    result = ReducerResult(
        request_id,
        outcome,
        error=reader.bytes_() if outcome is Outcome.FAILED else None,
        message=reader.string() if outcome is Outcome.INTERNAL_ERROR else "",
        timestamp=timestamp,
    )
    return TransactionUpdate(result=result)


def _procedure_result(reader: Reader) -> Event:
    is_returned = reader.tag(2) == 0
    returned = reader.bytes_() if is_returned else None
    error = "" if is_returned else reader.string()
    timestamp = read_timestamp(reader)
    reader.i64()  # how long it took
    return ProcedureResult(reader.u32(), returned, error, timestamp)


SERVER_MESSAGES: Final[tuple[Callable[[Reader], Event], ...]] = (
    _initial_connection,
    _subscribe_applied,
    _unsubscribe_applied,
    _subscription_error,
    _transaction_update,
    _one_off_query_result,
    _reducer_result,
    _procedure_result,
)
