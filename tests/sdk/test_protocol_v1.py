"""v1.bsatn: what each frame says, and the traps that the server sets."""

from __future__ import annotations

import gzip
import tracemalloc

import brotli
import pytest

from spacetimedb_bsatn import DecodeError
from spacetimedb_bsatn.writer import Writer
from spacetimedb_client.errors import (
    InvalidState,
    MessageTooLarge,
    ProtocolError,
    TooManyInFlight,
)
from spacetimedb_client.protocol.compression import decompressed
from spacetimedb_client.protocol.conversation import Conversation, State
from spacetimedb_client.protocol.messages import (
    Connected,
    Outcome,
    ReducerResult,
    SubscribeApplied,
    SubscriptionFailed,
    TransactionUpdate,
    UnsubscribeApplied,
)
from spacetimedb_client.protocol.v1 import V1
from tests.support.frames import (
    CONNECTION,
    ME,
    OTHER,
    TableRows,
    frame,
    identity_token,
    subscribe_applied,
    subscription_error,
    transaction_update,
    transaction_update_light,
)


def conversation(max_in_flight: int = 100) -> Conversation:
    talk = Conversation(V1(), max_in_flight=max_in_flight)
    talk.receive_data(identity_token())
    return talk


def result_of(talk: Conversation, data: bytes) -> ReducerResult | None:
    [event] = talk.receive_data(data)
    assert isinstance(event, TransactionUpdate)
    return event.result


def test_the_first_frame_says_who_we_are() -> None:
    talk = Conversation(V1())
    assert talk.receive_data(identity_token()) == [Connected(ME, CONNECTION, "token")]
    assert talk.state is State.OPEN
    assert "token" not in repr(Connected(ME, CONNECTION, "secret-token")).split("connection_id")[0]


def test_nothing_is_asked_before_the_server_has_said_who_we_are() -> None:
    with pytest.raises(InvalidState, match="starting"):
        Conversation(V1()).call_reducer("add", b"")


@pytest.mark.parametrize("first", [subscribe_applied(1), transaction_update()])
def test_another_first_frame_is_an_error(first: bytes) -> None:
    with pytest.raises(ProtocolError, match="while starting"):
        Conversation(V1()).receive_data(first)


def test_calls_are_written_byte_for_byte() -> None:
    talk = conversation()
    talk.call_reducer("ab", b"\x07")
    talk.call_reducer("ab", b"", is_awaited=False)
    talk.subscribe(["q"])
    talk.one_off_query("q")
    talk.unsubscribe(3)
    talk.call_procedure("p", b"")
    assert [bytes(each).hex() for each in talk.data_to_send() if isinstance(each, bytes)] == [
        "00" "020000006162" "0100000007" "01000000" "00",
        "00" "020000006162" "00000000" "02000000" "01",
        "04" "01000000" "0100000071" "03000000" "03000000",
        "02" "0400000004000000" "0100000071",
        "06" "05000000" "03000000",
        "07" "0100000070" "00000000" "06000000" "00",
    ]  # fmt: skip
    assert talk.data_to_send() == []


def test_a_commit_answers_the_call_with_its_number() -> None:
    talk = conversation()
    first, second = talk.call_reducer("add", b""), talk.call_reducer("add", b"")
    answered = result_of(talk, transaction_update("add", second))
    assert answered is not None
    assert (answered.request_id, answered.outcome) == (second, Outcome.COMMITTED)
    assert talk.in_flight == 1
    answered = result_of(talk, transaction_update("add", first))
    assert answered is not None
    assert answered.request_id == first


def test_t1_a_failure_without_a_number_is_of_the_oldest_call_of_its_reducer() -> None:
    talk = conversation()
    talk.call_reducer("add", b"")
    first, second = talk.call_reducer("refuse", b""), talk.call_reducer("refuse", b"")
    for expected in (first, second):
        answered = result_of(talk, transaction_update("refuse", failed="no"))
        assert answered is not None
        assert (answered.request_id, answered.outcome, answered.message) == (
            expected,
            Outcome.FAILED,
            "no",
        )
    assert talk.in_flight == 1


@pytest.mark.parametrize(
    ("message", "reducer_id"),
    [
        ("The Wasm instance encountered a fatal error.", 3),
        ("invalid arguments for reducer add: too short", 3),
        ("no such reducer", 2**32 - 1),
    ],
)
def test_t1_what_the_reducer_did_not_decide_is_an_internal_error(
    message: str, reducer_id: int
) -> None:
    talk = conversation()
    talk.call_reducer("add", b"")
    answered = result_of(talk, transaction_update("add", failed=message, reducer_id=reducer_id))
    assert answered is not None
    assert answered.outcome is Outcome.INTERNAL_ERROR


def test_t2_a_call_that_nobody_awaits_is_owed_nothing() -> None:
    talk = conversation()
    talk.call_reducer("add", b"", is_awaited=False)
    assert talk.in_flight == 0
    assert result_of(talk, transaction_update("add", failed="no such reducer")) is None


def test_t3_a_light_update_answers_no_call_of_ours() -> None:
    talk = conversation()
    ours = talk.call_reducer("add", b"")
    assert result_of(talk, transaction_update_light(ours, [("t", [], [b"x"])])) is None
    assert talk.in_flight == 1


def test_another_connection_with_the_same_number_answers_no_call_of_ours() -> None:
    talk = conversation()
    ours = talk.call_reducer("add", b"")
    assert result_of(talk, transaction_update("add", ours, caller=OTHER)) is None
    assert talk.in_flight == 1


def test_t4_query_ids_are_never_used_twice_and_a_refused_message_is_an_error() -> None:
    talk = conversation()
    assert len({talk.subscribe(["q"]) for _ in range(50)}) == 50
    with pytest.raises(ProtocolError, match="refused a message"):
        talk.receive_data(transaction_update("<none>", failed="query id is in use"))
    with pytest.raises(InvalidState):
        talk.receive_data(identity_token())


def test_t5_a_table_that_comes_twice_is_told_twice() -> None:
    talk = conversation()
    query = talk.subscribe(["a", "b"])
    rows: list[TableRows] = [("t", [], [b"x"]), ("t", [], [b"x", b"yy"])]
    [event] = talk.receive_data(subscribe_applied(query, rows))
    assert isinstance(event, SubscribeApplied)
    assert [(each.table, len(each.inserts)) for each in event.updates] == [("t", 1), ("t", 2)]


def test_t6_errors_find_their_subscription_by_either_number() -> None:
    talk = conversation()
    first, second = talk.subscribe(["bad"]), talk.subscribe(["worse"])
    assert talk.receive_data(subscription_error(first, first, "no such table")) == [
        SubscriptionFailed(first, first, "no such table")
    ]
    assert talk.receive_data(subscription_error(second, None, "?")) == [
        SubscriptionFailed(second, second, "?")
    ]
    assert not talk.unsubscribe(first)


def test_an_error_without_numbers_ends_all_subscriptions() -> None:
    talk = conversation()
    query = talk.subscribe(["q"])
    talk.receive_data(subscribe_applied(query))
    assert talk.receive_data(subscription_error(None, None, "dropped")) == [
        SubscriptionFailed(None, None, "dropped")
    ]
    assert not talk.unsubscribe(query)


def test_a_subscription_may_be_ended_before_it_holds() -> None:
    talk = conversation()
    query = talk.subscribe(["q"])
    assert talk.unsubscribe(query)
    assert not talk.unsubscribe(query)
    [applied] = talk.receive_data(subscribe_applied(query))
    assert isinstance(applied, SubscribeApplied)
    [ended] = talk.receive_data(subscribe_applied(query, tag=9))
    assert isinstance(ended, UnsubscribeApplied)


def test_a_subscription_that_nobody_asked_for_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="not asked"):
        conversation().receive_data(subscribe_applied(9))


def test_t9_a_message_longer_than_the_server_reads_is_not_sent() -> None:
    talk = conversation()
    with pytest.raises(MessageTooLarge, match="33554432"):
        talk.call_reducer("add", bytes(0x2000000))
    assert talk.data_to_send() == []
    assert talk.in_flight == 0


def test_t12_unanswered_calls_are_bounded() -> None:
    talk = conversation(max_in_flight=2)
    talk.call_reducer("add", b"")
    talk.call_reducer("add", b"")
    assert not talk.has_room
    with pytest.raises(TooManyInFlight, match="2 questions"):
        talk.one_off_query("q")
    talk.receive_data(transaction_update("add", 1))
    talk.one_off_query("q")


def test_the_answer_to_a_query_that_was_not_asked_is_an_error() -> None:
    response = Writer().u8(4).bytes_(b"\x05\0\0\0").u8(1).u32(0).unsigned(0, 8)
    with pytest.raises(ProtocolError, match="not asked"):
        conversation().receive_data(frame(response))


def test_compressed_frames_and_parts_are_opened() -> None:
    plain = transaction_update("add", 1, tables=[("t", [b"a"], [b"b"])])[1:]
    events = [
        V1().decode(b"\0" + plain),
        V1().decode(b"\x01" + brotli.compress(plain)),
        V1().decode(b"\x02" + gzip.compress(plain)),
    ]
    assert events[0] == events[1] == events[2]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x03abc",
        b"\x02abc",
        b"\x01abc",
        b"\x02" + gzip.compress(b"\x03")[:-4],
        b"\x02" + gzip.compress(b"\x03") + b"x",
        b"\x00\xff",
        b"\x00\x03",
    ],
)
def test_a_frame_that_is_none_ends_the_conversation(broken: bytes) -> None:
    talk = conversation()
    with pytest.raises(ProtocolError):
        talk.receive_data(broken)
    assert talk.state is State.BROKEN


def test_a_frame_that_grows_without_end_is_refused_while_it_grows() -> None:
    for tag, grown in ((1, brotli.compress(bytes(1 << 26))), (2, gzip.compress(bytes(1 << 26)))):
        tracemalloc.start()
        with pytest.raises(DecodeError, match="more than 1000 bytes"):
            decompressed(tag, grown, limit=1000)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 1 << 20
