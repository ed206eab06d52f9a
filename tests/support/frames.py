"""Frames as a server writes them, for tests of both protocols without one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from spacetimedb_bsatn import ConnectionId, Identity
from spacetimedb_bsatn.writer import Writer

ME = Identity(0xC2 << 248 | 1)
CONNECTION = ConnectionId(77)
OTHER = ConnectionId(78)
TableRows = tuple[str, Sequence[bytes], Sequence[bytes]]  # name, deletes, inserts


def frame(message: Writer) -> bytes:
    """Uncompressed."""
    return b"\0" + bytes(message)


def write_rows(writer: Writer, rows: Sequence[bytes]) -> None:
    starts = [sum(map(len, rows[:at])) for at in range(len(rows))]
    writer.u8(1).many(starts, lambda start: writer.unsigned(start, 8))
    writer.bytes_(b"".join(rows))


def write_tables_v1(writer: Writer, tables: Sequence[TableRows]) -> None:
    writer.u32(len(tables))
    for name, deletes, inserts in tables:
        writer.u32(4096).string(name).unsigned(len(deletes) + len(inserts), 8).u32(1).u8(0)
        write_rows(writer, deletes)
        write_rows(writer, inserts)


def identity_token() -> bytes:
    return frame(Writer().u8(3).raw(bytes(ME)).string("token").raw(bytes(CONNECTION)))


def subscribe_applied(query_id: int, tables: Sequence[TableRows] = (), tag: int = 8) -> bytes:
    writer = Writer().u8(tag).u32(query_id).unsigned(5, 8).u32(query_id)
    write_tables_v1(writer, tables)
    return frame(writer)


def subscription_error(request_id: int | None, query_id: int | None, message: str) -> bytes:
    writer = Writer().u8(7).unsigned(5, 8)
    for number in (request_id, query_id, None):
        writer.u8(1) if number is None else writer.u8(0).u32(number)
    return frame(writer.string(message))


def transaction_update(
    reducer: str = "add",
    request_id: int = 0,
    *,
    tables: Sequence[TableRows] = (),
    failed: str | None = None,
    caller: ConnectionId = CONNECTION,
    reducer_id: int = 3,
) -> bytes:
    writer = Writer().u8(1)
    if failed is None:
        write_tables_v1(writer.u8(0), tables)
    else:
        writer.u8(1).string(failed)
    writer.unsigned(1_000_000, 8).raw(bytes(ME)).raw(bytes(caller)).string(reducer)
    writer.u32(reducer_id).bytes_(b"").u32(request_id).unsigned(5, 16).unsigned(6, 8)
    return frame(writer)


def transaction_update_light(request_id: int, tables: Sequence[TableRows]) -> bytes:
    writer = Writer().u8(2).u32(request_id)
    write_tables_v1(writer, tables)
    return frame(writer)


def initial_connection() -> bytes:
    return frame(message_v2(0, lambda w: w.raw(bytes(ME)).raw(bytes(CONNECTION)).string("token")))


def message_v2(tag: int, write: Callable[[Writer], Any]) -> Writer:
    writer = Writer().u8(tag)
    write(writer)
    return writer


def write_transaction_v2(writer: Writer, query_set: int, tables: Sequence[TableRows]) -> None:
    writer.u32(1).u32(query_set).u32(len(tables))
    for name, deletes, inserts in tables:
        writer.string(name).u32(1).u8(0)
        write_rows(writer, inserts)
        write_rows(writer, deletes)


def reducer_result_ok(request_id: int, returned: bytes, tables: Sequence[TableRows]) -> Writer:
    writer = Writer().u8(6).u32(request_id).unsigned(9, 8).u8(0).bytes_(returned)
    write_transaction_v2(writer, 1, tables)
    return writer


def reducer_result(request_id: int, tag: int, rest: bytes = b"") -> Writer:
    return Writer().u8(6).u32(request_id).unsigned(9, 8).u8(tag).raw(rest)
