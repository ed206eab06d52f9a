"""Server ⇄ client, from the server's side: questions in, answers out, in v1 and in v2. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from spacetimedb_bsatn import DecodeError
from spacetimedb_bsatn.reader import Reader
from spacetimedb_bsatn.writer import Writer
from spacetimedb_client.protocol import v1, v2
from spacetimedb_client.protocol.messages import Connected, Outcome, ReducerEvent

TABLE_NUMBER: Final = 4096
MICROS: Final = 1  # how long each thing took, for whom it concerns


@dataclass(frozen=True, slots=True)
class Subscribe:
    request_id: int
    query_id: int
    queries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    request_id: int
    query_id: int


@dataclass(frozen=True, slots=True)
class AskOnce:
    request_id: int
    query: str


@dataclass(frozen=True, slots=True)
class CallReducer:
    request_id: int
    reducer: str
    args: bytes
    is_quiet: bool = False


@dataclass(frozen=True, slots=True)
class CallProcedure:
    request_id: int
    procedure: str


Question = Subscribe | Unsubscribe | AskOnce | CallReducer | CallProcedure


@dataclass(frozen=True, slots=True)
class QueryRows:
    """What one query of a connection loses and gains."""

    query_id: int
    table: str
    deletes: tuple[bytes, ...] = ()
    inserts: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended, for the one who made it; `returned` is BSATN, also of an error."""

    called: ReducerEvent
    returned: bytes = b""


class Wire(Protocol):
    """One of the protocols, as a server speaks it."""

    @property
    def subprotocol(self) -> str: ...

    def read(self, frame: bytes) -> Question: ...

    def connected(self, who: Connected) -> bytes: ...

    def applied(self, asked: Subscribe, rows: Sequence[QueryRows]) -> bytes: ...

    def ended(self, asked: Unsubscribe, rows: Sequence[QueryRows]) -> bytes: ...

    def refused(self, asked: Subscribe | Unsubscribe, message: str) -> bytes: ...

    def answered(self, asked: AskOnce, table: str, rows: Sequence[bytes]) -> bytes: ...

    def not_answered(self, asked: AskOnce, message: str) -> bytes: ...

    def result(self, answer: Answer, rows: Sequence[QueryRows]) -> bytes: ...

    def update(self, called: ReducerEvent | None, rows: Sequence[QueryRows]) -> bytes: ...

    def no_procedure(self, asked: CallProcedure, message: str) -> bytes: ...


def opening(tag: int) -> Writer:
    """An uncompressed frame with one message."""
    return Writer().u8(0).u8(tag)


def write_rows(writer: Writer, rows: Sequence[bytes]) -> None:
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row))
    writer.u8(1).many(starts[:-1], lambda start: writer.unsigned(start, 8))
    writer.bytes_(b"".join(rows))


def by_table(rows: Sequence[QueryRows]) -> dict[str, list[QueryRows]]:
    found: dict[str, list[QueryRows]] = {}
    for each in rows:
        found.setdefault(each.table, []).append(each)
    return found


class WireV1:
    subprotocol: str = v1.V1().subprotocol

    def read(self, frame: bytes) -> Question:
        reader = Reader(frame)
        question = self._question(reader.u8(), reader)
        reader.end()
        return question

    def _question(self, tag: int, reader: Reader) -> Question:
        match tag:
            case v1.CALL_REDUCER:
                reducer, args = reader.string(), reader.bytes_()
                request_id, flags = reader.u32(), reader.tag(2)
                return CallReducer(request_id, reducer, args, flags == v1.NO_SUCCESS_NOTIFY)
            case v1.ONE_OFF_QUERY:
                return AskOnce(int.from_bytes(reader.bytes_(), "little"), reader.string())
            case v1.SUBSCRIBE_MULTI:
                queries = tuple(v1.read_many(reader, Reader.string))
                return Subscribe(reader.u32(), reader.u32(), queries)
            case v1.UNSUBSCRIBE_MULTI:
                return Unsubscribe(reader.u32(), reader.u32())
            case v1.CALL_PROCEDURE:
                procedure, _ = reader.string(), reader.bytes_()
                asked = CallProcedure(reader.u32(), procedure)
                reader.u8()
                return asked
        raise DecodeError(f"a message {tag} of a client is not known")

    def connected(self, who: Connected) -> bytes:
        message = opening(3).raw(bytes(who.identity)).string(who.token)
        return bytes(message.raw(bytes(who.connection_id)))

    def applied(self, asked: Subscribe, rows: Sequence[QueryRows]) -> bytes:
        message = opening(8).u32(asked.request_id).unsigned(MICROS, 8).u32(asked.query_id)
        return bytes(self._tables(message, rows))

    def ended(self, asked: Unsubscribe, rows: Sequence[QueryRows]) -> bytes:
        message = opening(9).u32(asked.request_id).unsigned(MICROS, 8).u32(asked.query_id)
        return bytes(self._tables(message, rows))

    def refused(self, asked: Subscribe | Unsubscribe, message: str) -> bytes:
        numbers = opening(7).unsigned(MICROS, 8).u8(0).u32(asked.request_id)
        return bytes(numbers.u8(0).u32(asked.query_id).u8(1).string(message))

    def answered(self, asked: AskOnce, table: str, rows: Sequence[bytes]) -> bytes:
        message = opening(4).bytes_(asked.request_id.to_bytes(4, "little")).u8(1).u32(1)
        write_rows(message.string(table), rows)
        return bytes(message.unsigned(MICROS, 8))

    def not_answered(self, asked: AskOnce, message: str) -> bytes:
        failed = opening(4).bytes_(asked.request_id.to_bytes(4, "little")).u8(0).string(message)
        return bytes(failed.u32(0).unsigned(MICROS, 8))

    def result(self, answer: Answer, rows: Sequence[QueryRows]) -> bytes:
        return self.update(answer.called, rows)

    def update(self, called: ReducerEvent | None, rows: Sequence[QueryRows]) -> bytes:
        if called is None:
            return bytes(self._tables(opening(2).u32(0), rows))
        message = opening(1)
        if called.outcome is Outcome.COMMITTED:
            self._tables(message.u8(0), rows)
        else:
            message.u8(1).string(called.message)
        message.unsigned(called.timestamp.micros, 8).raw(bytes(called.caller))
        message.raw(bytes(called.connection_id)).string(called.reducer)
        message.u32(0 if called.is_known else v1.UNKNOWN_REDUCER).bytes_(called.args)
        return bytes(message.u32(called.request_id).unsigned(0, 16).unsigned(MICROS, 8))

    def no_procedure(self, asked: CallProcedure, message: str) -> bytes:
        failed = opening(10).u8(2).string(message).unsigned(0, 8).unsigned(MICROS, 8)
        return bytes(failed.u32(asked.request_id))

    @staticmethod
    def _tables(writer: Writer, rows: Sequence[QueryRows]) -> Writer:
        tables = by_table(rows)
        writer.u32(len(tables))
        for name, queries in tables.items():
            count = sum(len(each.deletes) + len(each.inserts) for each in queries)
            writer.u32(TABLE_NUMBER).string(name).unsigned(count, 8).u32(len(queries))
            for each in queries:
                write_rows(writer.u8(0), each.deletes)
                write_rows(writer, each.inserts)
        return writer


class WireV2:
    subprotocol: str = v2.V2().subprotocol

    def read(self, frame: bytes) -> Question:
        reader = Reader(frame)
        question = self._question(reader.u8(), reader.u32(), reader)
        reader.end()
        return question

    def _question(self, tag: int, request_id: int, reader: Reader) -> Question:
        match tag:
            case v2.SUBSCRIBE:
                query_id = reader.u32()
                return Subscribe(request_id, query_id, tuple(v1.read_many(reader, Reader.string)))
            case v2.UNSUBSCRIBE:
                query_id, _ = reader.u32(), reader.u8()
                return Unsubscribe(request_id, query_id)
            case v2.ONE_OFF_QUERY:
                return AskOnce(request_id, reader.string())
            case v2.CALL_REDUCER:
                reader.u8()
                return CallReducer(request_id, reader.string(), reader.bytes_())
            case v2.CALL_PROCEDURE:
                reader.u8()
                procedure, _ = reader.string(), reader.bytes_()
                return CallProcedure(request_id, procedure)
        raise DecodeError(f"a message {tag} of a client is not known")

    def connected(self, who: Connected) -> bytes:
        message = opening(0).raw(bytes(who.identity)).raw(bytes(who.connection_id))
        return bytes(message.string(who.token))

    def applied(self, asked: Subscribe, rows: Sequence[QueryRows]) -> bytes:
        message = opening(1).u32(asked.request_id).u32(asked.query_id).u32(len(rows))
        for each in rows:
            write_rows(message.string(each.table), each.inserts)
        return bytes(message)

    def ended(self, asked: Unsubscribe, rows: Sequence[QueryRows]) -> bytes:
        message = opening(2).u32(asked.request_id).u32(asked.query_id).u8(0).u32(len(rows))
        for each in rows:
            write_rows(message.string(each.table), each.deletes)
        return bytes(message)

    def refused(self, asked: Subscribe | Unsubscribe, message: str) -> bytes:
        return bytes(opening(3).u8(0).u32(asked.request_id).u32(asked.query_id).string(message))

    def answered(self, asked: AskOnce, table: str, rows: Sequence[bytes]) -> bytes:
        message = opening(5).u32(asked.request_id).u8(0).u32(1)
        write_rows(message.string(table), rows)
        return bytes(message)

    def not_answered(self, asked: AskOnce, message: str) -> bytes:
        return bytes(opening(5).u32(asked.request_id).u8(1).string(message))

    def result(self, answer: Answer, rows: Sequence[QueryRows]) -> bytes:
        called = answer.called
        message = opening(6).u32(called.request_id).unsigned(called.timestamp.micros, 8)
        match called.outcome:
            case Outcome.COMMITTED:
                return bytes(self._query_sets(message.u8(0).bytes_(answer.returned), rows))
            case Outcome.FAILED:
                return bytes(message.u8(2).bytes_(answer.returned))
        return bytes(message.u8(3).string(called.message))

    def update(self, called: ReducerEvent | None, rows: Sequence[QueryRows]) -> bytes:
        return bytes(self._query_sets(opening(4), rows))

    def no_procedure(self, asked: CallProcedure, message: str) -> bytes:
        failed = opening(7).u8(1).string(message).unsigned(0, 8).unsigned(MICROS, 8)
        return bytes(failed.u32(asked.request_id))

    @staticmethod
    def _query_sets(writer: Writer, rows: Sequence[QueryRows]) -> Writer:
        writer.u32(len(rows))
        for each in rows:
            writer.u32(each.query_id).u32(1).string(each.table).u32(1).u8(0)
            write_rows(writer, each.inserts)
            write_rows(writer, each.deletes)
        return writer
