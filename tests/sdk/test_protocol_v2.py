"""v2.bsatn and v3: frames as their definition has them."""

from __future__ import annotations

import pytest

from spacetimedb_bsatn import Timestamp
from spacetimedb_bsatn.writer import Writer
from spacetimedb_client.errors import ProtocolError
from spacetimedb_client.protocol.conversation import Conversation
from spacetimedb_client.protocol.messages import (
    NO_ROWS,
    Connected,
    Outcome,
    ProcedureResult,
    QueryResult,
    ReducerResult,
    SubscribeApplied,
    SubscriptionFailed,
    TableUpdate,
    TransactionUpdate,
    UnsubscribeApplied,
)
from spacetimedb_client.protocol.v2 import V2, V3
from tests.support.frames import (
    CONNECTION,
    ME,
    frame,
    initial_connection,
    reducer_result,
    reducer_result_ok,
    write_rows,
    write_transaction_v2,
)


def conversation(dialect: V2 | None = None) -> Conversation:
    talk = Conversation(dialect or V2())
    assert talk.receive_data(initial_connection()) == [Connected(ME, CONNECTION, "token")]
    return talk


def rows_of(table: str, *rows: bytes) -> Writer:
    writer = Writer().u32(1).string(table)
    write_rows(writer, rows)
    return writer


def test_calls_are_written_byte_for_byte() -> None:
    talk = conversation()
    talk.call_reducer("ab", b"\x07")
    talk.subscribe(["q"])
    talk.one_off_query("q")
    talk.unsubscribe(2)
    talk.call_procedure("p", b"")
    assert [bytes(each).hex() for each in talk.data_to_send() if isinstance(each, bytes)] == [
        "03" "01000000" "00" "020000006162" "0100000007",
        "00" "02000000" "02000000" "01000000" "0100000071",
        "02" "03000000" "0100000071",
        "01" "04000000" "02000000" "01",
        "04" "05000000" "00" "0100000070" "00000000",
    ]  # fmt: skip


def test_every_call_is_answered_also_one_that_nobody_awaits() -> None:
    talk = conversation()
    number = talk.call_reducer("add", b"", is_awaited=False)
    assert talk.in_flight == 1
    talk.receive_data(frame(reducer_result(number, 1)))
    assert talk.in_flight == 0


def test_the_rows_of_our_own_call_come_with_its_answer() -> None:
    talk = conversation()
    number = talk.call_reducer("add", b"")
    [event] = talk.receive_data(
        frame(reducer_result_ok(number, b"\x05", [("t", [b"old"], [b"new", b"x"])]))
    )
    assert isinstance(event, TransactionUpdate)
    assert event.result == ReducerResult(
        number, Outcome.COMMITTED, returned=b"\x05", timestamp=Timestamp(9)
    )
    [update] = event.updates
    assert (update.table, len(update.inserts), len(update.deletes)) == ("t", 2, 1)


def test_errors_keep_the_type_of_the_reducer_and_crashes_their_words() -> None:
    talk = conversation()
    refused, crashed = talk.call_reducer("a", b""), talk.call_reducer("b", b"")
    error, words = bytes(Writer().bytes_(b"\x01\0")), bytes(Writer().string("boom"))
    [first] = talk.receive_data(frame(reducer_result(refused, 2, error)))
    [second] = talk.receive_data(frame(reducer_result(crashed, 3, words)))
    assert first == TransactionUpdate(
        result=ReducerResult(refused, Outcome.FAILED, error=b"\x01\0", timestamp=Timestamp(9))
    )
    assert second == TransactionUpdate(
        result=ReducerResult(crashed, Outcome.INTERNAL_ERROR, "boom", timestamp=Timestamp(9))
    )


def test_an_answer_to_no_call_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="not made"):
        conversation().receive_data(frame(reducer_result(5, 1)))


def test_subscriptions_apply_fail_and_end_with_their_rows() -> None:
    talk = conversation()
    query = talk.subscribe(["q"])
    applied = Writer().u8(1).u32(query).u32(query).raw(bytes(rows_of("t", b"a")))
    [event] = talk.receive_data(frame(applied))
    assert isinstance(event, SubscribeApplied)
    assert event.updates[0].table == "t"
    dropped = Writer().u8(2).u32(9).u32(query).u8(0).raw(bytes(rows_of("t", b"a")))
    [event] = talk.receive_data(frame(dropped))
    assert isinstance(event, UnsubscribeApplied)
    assert event.updates[0].deletes.data == b"a"
    other = talk.subscribe(["bad"])
    failed = Writer().u8(3).u8(0).u32(other).u32(other).string("no")
    assert talk.receive_data(frame(failed)) == [SubscriptionFailed(other, other, "no")]


def test_rows_of_event_tables_are_events() -> None:
    writer = Writer().u8(4).u32(1).u32(1).u32(1).string("hit").u32(1).u8(1)
    write_rows(writer, [b"e"])
    [event] = conversation().receive_data(frame(writer))
    assert isinstance(event, TransactionUpdate)
    [update] = event.updates
    assert update.is_event
    assert update.deletes is NO_ROWS


def test_queries_and_procedures_are_answered() -> None:
    talk = conversation()
    query, procedure = talk.one_off_query("q"), talk.call_procedure("p", b"")
    [rows] = talk.receive_data(frame(Writer().u8(5).u32(query).u8(0).raw(bytes(rows_of("t")))))
    assert isinstance(rows, QueryResult)
    assert [name for name, _ in rows.tables] == ["t"]
    done = Writer().u8(7).u8(0).bytes_(b"\x01").unsigned(4, 8).unsigned(5, 8).u32(procedure)
    assert talk.receive_data(frame(done)) == [
        ProcedureResult(procedure, b"\x01", timestamp=Timestamp(4))
    ]


def test_v3_has_several_messages_in_a_frame() -> None:
    talk = conversation(V3())
    first, second = talk.call_reducer("a", b""), talk.call_reducer("b", b"")
    writer = Writer().u8(4)
    write_transaction_v2(writer, 1, [("t", [], [b"x"])])
    many = b"".join(
        bytes(each) for each in (writer, reducer_result(first, 1), reducer_result(second, 1))
    )
    events = talk.receive_data(b"\0" + many)
    assert [type(each) for each in events] == [TransactionUpdate] * 3
    assert isinstance(events[0], TransactionUpdate)
    assert events[0].updates[0] == TableUpdate("t", events[0].updates[0].inserts, NO_ROWS_READ)


NO_ROWS_READ = type(NO_ROWS)(b"", None, ())


@pytest.mark.parametrize("dialect", [V2(), V3()])
def test_every_frame_cut_short_is_an_error(dialect: V2) -> None:
    whole = frame(reducer_result_ok(1, b"\x05", [("t", [b"old"], [b"new", b"x"])]))
    for length in range(len(whole)):
        talk = conversation(dialect)
        talk.call_reducer("a", b"")
        with pytest.raises(ProtocolError):
            talk.receive_data(whole[:length])
