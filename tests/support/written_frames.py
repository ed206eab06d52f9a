"""Frames that no server of the tests sends, as their definition has them: v2, v3, rare ones of v1.

The rows are those of `tests/support/recording.py`'s module.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Any

import brotli

from spacetimedb_bsatn.writer import Writer
from tests.support.frames import (
    frame,
    identity_token,
    initial_connection,
    reducer_result,
    reducer_result_ok,
    transaction_update,
    write_rows,
    write_transaction_v2,
)
from tests.support.recorded import Recorded, Step
from tests.support.recording import row

V1, V2, V3 = (f"v{number}.bsatn.spacetimedb" for number in (1, 2, 3))
ANN, BO, BETTER = row(1, "Ann"), row(2, "Bo", -5), row(1, "Anna", 7, phase=1)
SIZE = 40  # of a row of `seen`: an identity and a time


def asked(question: str, *arguments: Any) -> Step:
    return {"ask": question, "arguments": arguments}


def said(data: bytes) -> Step:
    return {"frame": data.hex()}


def table_of(*rows: bytes) -> Writer:
    writer = Writer().u32(1).string("item")
    write_rows(writer, rows)
    return writer


def applied(query: int, *rows: bytes) -> bytes:
    return bytes(Writer().u8(1).u32(query).u32(query).raw(bytes(table_of(*rows))))


def update_v2(deletes: Sequence[bytes], inserts: Sequence[bytes]) -> bytes:
    writer = Writer().u8(4)
    write_transaction_v2(writer, 1, [("item", deletes, inserts)])
    return bytes(writer)


HELD = (asked("subscribe", ["SELECT * FROM item"]), said(frame(Writer().raw(applied(1, ANN)))))
CALLED = (*HELD, asked("call_reducer", "item_update", ""))

# What, event, what was asked and said before, the message.
MESSAGES: list[tuple[str, str, Sequence[Step], bytes]] = [
    ("subscribed", "SubscribeApplied", HELD[:1], applied(1, ANN, BO)),
    (
        "unsubscribed",
        "UnsubscribeApplied",
        (*HELD, asked("unsubscribe", 1)),
        bytes(Writer().u8(2).u32(2).u32(1).u8(0).raw(bytes(table_of(ANN)))),
    ),
    (
        "subscription refused",
        "SubscriptionFailed",
        HELD[:1],
        bytes(Writer().u8(3).u8(0).u32(1).u32(1).string("no such table")),
    ),
    ("another's update", "TransactionUpdate", HELD, update_v2([ANN], [BETTER, BO])),
    (
        "query",
        "QueryResult",
        (asked("one_off_query", "q"),),
        bytes(Writer().u8(5).u32(1).u8(0).raw(bytes(table_of(ANN, BO)))),
    ),
    (
        "query that is none",
        "QueryResult",
        (asked("one_off_query", "q"),),
        bytes(Writer().u8(5).u32(1).u8(1).string("sql parser error")),
    ),
    (
        "our update",
        "TransactionUpdate",
        CALLED,
        bytes(reducer_result_ok(2, b"\x05", [("item", [ANN], [BETTER])])),
    ),
    ("committed, no rows", "TransactionUpdate", CALLED, bytes(reducer_result(2, 1))),
    (
        "refused",
        "TransactionUpdate",
        CALLED,
        bytes(reducer_result(2, 2, bytes(Writer().bytes_(b"\x02\0\0\0no")))),
    ),
    (
        "crashed",
        "TransactionUpdate",
        CALLED,
        bytes(reducer_result(2, 3, bytes(Writer().string("boom")))),
    ),
    (
        "procedure",
        "ProcedureResult",
        (asked("call_procedure", "roll", ""),),
        bytes(Writer().u8(7).u8(0).bytes_(b"\x06").unsigned(5, 8).unsigned(6, 8).u32(1)),
    ),
    (
        "procedure that failed",
        "ProcedureResult",
        (asked("call_procedure", "roll", ""),),
        bytes(Writer().u8(7).u8(1).string("no").unsigned(5, 8).unsigned(6, 8).u32(1)),
    ),
]


COMPRESSIONS = (("gzip", b"\2", gzip.compress), ("brotli", b"\1", brotli.compress))


def of_v2(protocol: str) -> list[Recorded]:
    first = said(initial_connection())
    session = protocol.partition(".")[0]
    return [
        Recorded(session, protocol, "identity", "Connected", initial_connection(), ()),
        *(
            Recorded(session, protocol, what, event, b"\0" + message, (first, *before))
            for what, event, before, message in MESSAGES
        ),
        *(
            Recorded(
                f"{session} {name}", protocol, "another's update", "TransactionUpdate",
                tag + compress(update_v2([ANN], [BETTER, BO])), (first, *HELD),
            )
            for name, tag, compress in COMPRESSIONS
        ),
    ]  # fmt: skip


def several() -> Recorded:
    """Three messages of v3 in one frame."""
    parts = [update_v2([], [BO]), bytes(reducer_result(2, 1)), update_v2([ANN, BO], [])]
    ends = [1 + len(b"".join(parts[: number + 1])) for number in range(2)]
    before = (said(initial_connection()), *CALLED)
    whole = b"\0" + b"".join(parts)
    return Recorded("v3", V3, "several", "TransactionUpdate", whole, before, ends)


def query_update(inserts: bytes) -> bytes:
    """A part of v1 with rows and none deleted, as it lies in its compression."""
    none = Writer().u8(0).u16(SIZE).bytes_(b"")
    return bytes(none.u8(0).u16(SIZE).bytes_(inserts))


def applied_v1(tag: int, part: bytes) -> bytes:
    """Rows of `seen`, of one size, in a part that has a compression of its own."""
    writer = Writer().u8(8).u32(1).unsigned(5, 8).u32(1).u32(1).u32(4097).string("seen")
    writer.unsigned(2, 8).u32(1).u8(tag)
    return frame(writer.bytes_(part) if tag else writer.raw(part))


def of_v1() -> list[Recorded]:
    first = said(identity_token())
    asking = (first, asked("subscribe", ["SELECT * FROM seen"]))
    part = query_update(bytes(SIZE) + b"\1" * SIZE)
    kinds = [
        ("plain", 0, part), ("brotli", 1, brotli.compress(part)), ("gzip", 2, gzip.compress(part))
    ]  # fmt: skip
    calling = (first, asked("call_reducer", "item_clear", ""))
    tired = transaction_update("item_clear", 1)[2 + 1 + 4 :]  # without its status
    done = Writer().u8(10).u8(1).unsigned(5, 8).unsigned(6, 8).u32(1)
    return [
        *(
            Recorded("v1", V1, f"rows of one size, {name}", "SubscribeApplied",
                     applied_v1(tag, data), asking)
            for name, tag, data in kinds
        ),
        Recorded("v1", V1, "out of energy", "TransactionUpdate", b"\0\1\2" + tired, calling),
        Recorded("v1", V1, "procedure", "ProcedureResult", frame(done),
                 (first, asked("call_procedure", "roll", ""))),
    ]  # fmt: skip


WRITTEN = [*of_v1(), *of_v2(V2), *of_v2(V3), several()]
