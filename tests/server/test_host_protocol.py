"""Tests of host_protocol.py and host_messages.py: bytes in, events out."""

import itertools
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchglass_server.errors import InvalidState, QueryError
from watchglass_server.frames import (
    UNASKED_DUMP_ID,
    Blob,
    FrameReader,
    encode_blob,
    encode_message,
)
from watchglass_server.host_messages import (
    MAX_CHANGES,
    MAX_WATCHES,
    Command,
    Fatal,
    Finished,
    InputCancelled,
    Ready,
    Stream,
    VariablesChanged,
    WatchesChanged,
    WireMessage,
)
from watchglass_server.host_protocol import (
    Dumped,
    HostEvent,
    HostProtocol,
    HostProtocolError,
    HostState,
    Reply,
)

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "host_messages.json").read_text("utf-8")
)
FROM_HOST: list[dict[str, Any]] = VECTORS["from_host"]
READY = next(message for message in FROM_HOST if message["type"] == "ready")
VARIABLE = {
    "name": "x",
    "type": "int",
    "module": "builtins",
    "preview": "41",
    "length": None,
    "size_bytes": 28,
    "shape": None,
    "dtype": None,
    "expandable": False,
    "settable": True,
    "version": 1,
    "value": 41,
}


def said(type_: str, **fields: object) -> bytes:
    return encode_message({"type": type_, **fields})


def stream(request_id: int, text: str = "a") -> bytes:
    return said("stream", request_id=request_id, name="stdout", text=text)


def finished(request_id: int, status: str = "ok") -> bytes:
    return said("finished", request_id=request_id, status=status, duration_ms=1, memory_bytes=1)


def ready_host() -> HostProtocol:
    host = HostProtocol(2**26)
    host.receive_data(encode_message(READY))
    return host


def busy_host(request_id: int = 7) -> HostProtocol:
    host = ready_host()
    host.execute(request_id, 1, "1 + 1", store_history=True)
    return host


def sent(data: bytes) -> Any:
    (frame,) = FrameReader().receive_data(data)
    return frame


def assert_refused(host: HostProtocol, data: bytes, words: str) -> None:
    with pytest.raises(HostProtocolError, match=words):
        host.receive_data(data)
    assert host.state is HostState.BROKEN


# --- golden messages


@pytest.mark.parametrize("message", VECTORS["to_host"], ids=lambda message: message["type"])
def test_golden_messages_to_the_host_are_what_we_would_send(message: dict[str, Any]) -> None:
    assert msgspec.to_builtins(msgspec.convert(message, Command)) == message


@pytest.mark.parametrize("message", FROM_HOST, ids=lambda message: message["type"])
def test_golden_messages_from_the_host_are_understood(message: dict[str, Any]) -> None:
    assert_holds(msgspec.to_builtins(msgspec.convert(message, WireMessage)), message)


def assert_holds(understood: Any, message: Any) -> None:
    """Check that all of the message was taken over; defaults may have come on top."""
    if isinstance(message, dict):
        for key in message:
            assert_holds(understood[key], message[key])
    elif isinstance(message, list):
        assert len(understood) == len(message)
        for one, other in zip(understood, message, strict=True):
            assert_holds(one, other)
    else:
        assert understood == message


# --- the life of a conversation


def test_a_host_is_idle_when_it_is_ready() -> None:
    host = HostProtocol(2**26)
    (event,) = host.receive_data(encode_message(READY))
    assert isinstance(event, Ready)
    assert event.pyodide == READY["pyodide"]
    assert host.state is HostState.IDLE


def test_an_execution_keeps_the_host_busy_until_it_is_finished() -> None:
    host = ready_host()
    assert sent(host.execute(7, 3, "x = 1", store_history=False)) == {
        "type": "execute",
        "request_id": 7,
        "number": 3,
        "code": "x = 1",
        "store_history": False,
    }
    assert (host.state, host.running) == (HostState.BUSY, 7)
    events = host.receive_data(stream(7) + finished(7))
    assert events == [Stream(7, "stdout", "a"), Finished(7, "ok", 1, 1)]
    assert (host.state, host.running) == (HostState.IDLE, None)


def test_a_message_split_over_two_reads_is_one_event() -> None:
    host = busy_host()
    data = stream(7, "whole")
    assert host.receive_data(data[:9]) == []
    assert host.receive_data(data[9:]) == [Stream(7, "stdout", "whole")]


def test_a_task_may_speak_for_its_execution_after_it_finished() -> None:
    host = busy_host()
    host.receive_data(finished(7))
    error = said("error", request_id=7, name="E", message="m", traceback=["t"], line=None)
    assert len(host.receive_data(stream(7) + error)) == 2


def test_output_of_no_execution_is_allowed() -> None:
    assert ready_host().receive_data(stream(0)) == [Stream(0, "stdout", "a")]


def test_lone_surrogates_pass_through() -> None:
    assert busy_host().receive_data(stream(7, "\ud800")) == [Stream(7, "stdout", "\ud800")]


def test_nothing_is_heard_after_the_last_word() -> None:
    host = busy_host()
    fatal = said("fatal", cause="memory", message="lost")
    assert host.receive_data(fatal + stream(7) + b"\x00\x00\x00") == [Fatal("memory", "lost")]
    assert host.receive_data(stream(7)) == []
    assert host.state is HostState.BROKEN


def test_what_follows_the_last_word_in_the_same_bytes_is_not_even_read() -> None:
    host = busy_host()
    (event,) = host.receive_data(said("fatal", cause="memory", message="m") + bytes(4))
    assert isinstance(event, Fatal)


def test_a_start_may_fail_with_a_last_word() -> None:
    host = HostProtocol(2**26)
    assert host.receive_data(said("fatal", cause="fatal", message="m")) == [Fatal("fatal", "m")]


# --- out of turn


@pytest.mark.parametrize(
    "data",
    [stream(0), finished(1), encode_blob(UNASKED_DUMP_ID, b"x")],
    ids=["stream", "finished", "chunk"],
)
def test_nothing_but_ready_or_fatal_comes_first(data: bytes) -> None:
    assert_refused(HostProtocol(2**26), data, "before ready")


def test_ready_comes_once() -> None:
    assert_refused(ready_host(), encode_message(READY), "ready while idle")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (finished(8), "finished of 8, which does not run"),
        (stream(8), "stream of 8, never executed here"),
        (said("execute_result", request_id=8, bundle={}), "execute_result of 8"),
        (said("stream_dropped", request_id=8, dropped_bytes=1), "never executed"),
        (said("display_data", request_id=8, bundle={}, display_id=None), "never executed"),
        (said("interrupt_ack", request_id=7, attempt=1), "nobody interrupted"),
        (said("reply", request_id=1, ok=True, result={}), "nobody asked"),
        (said("dumped", number=1, request_id=7, bytes=1, variables=[]), "1 bytes after 0"),
        (encode_blob(7, b"x"), "expects none"),
        (said("shout"), "shout"),
        (said("\ud800"), "ud800"),
        (said("stream", request_id=7, name="stdin", text=""), "stdin"),
        (said("stream", request_id=7, name="stdout", text="a" * 65537), "65536"),
        (said("stream", request_id=True, name="stdout", text=""), "int"),
        (said("stream", request_id=7, name="stdout", text="", more=1), "more"),
        (said("stream", request_id=-1, name="stdout", text=""), ">= 0"),
        (said("finished", request_id=7, status="fine", duration_ms=1, memory_bytes=1), "fine"),
        (said("finished", request_id=7, status="ok", duration_ms=-1, memory_bytes=1), ">= 0"),
        (b"\x00\x00\x00\x00", "empty frame"),
    ],
)
def test_a_message_out_of_turn_or_shape_breaks_the_conversation(data: bytes, words: str) -> None:
    assert_refused(busy_host(), data, words)


def test_a_second_result_is_refused() -> None:
    result = said("execute_result", request_id=7, bundle={"text/plain": "1"})
    host = busy_host()
    assert len(host.receive_data(result)) == 1
    assert_refused(host, result, "a second execute_result")


def test_changes_of_an_execution_that_never_was_are_refused() -> None:
    change = {"op": "set", "name": "x", "variable": VARIABLE, "line": 1, "request_id": 9}
    message = said("variables", request_id=7, running=True, changes=[change])
    assert_refused(busy_host(), message, "of 9, never executed here")


def test_more_changes_than_fit_a_message_are_refused() -> None:
    change = {"op": "delete", "name": "x", "line": None, "request_id": 7}
    changes = [change] * (MAX_CHANGES + 1)
    message = said("variables", request_id=7, running=True, changes=changes)
    assert_refused(busy_host(), message, str(MAX_CHANGES))


def test_what_watches_give_arrives_and_more_than_there_can_be_is_refused() -> None:
    value = {"watch": "w", "variable": VARIABLE, "error": None, "met": True}
    value["condition_error"] = None
    message = said("watches", request_id=7, line=3, watches=[value] * MAX_WATCHES)
    (event,) = busy_host().receive_data(message)
    assert isinstance(event, WatchesChanged)
    assert (event.watches[0].watch, event.watches[0].met) == ("w", True)
    message = said("watches", request_id=7, line=3, watches=[value] * (MAX_WATCHES + 1))
    assert_refused(busy_host(), message, str(MAX_WATCHES))
    message = said("watches", request_id=9, line=None, watches=[])
    assert_refused(busy_host(), message, "of 9, never executed here")


def test_a_preview_beyond_its_limit_is_refused() -> None:
    variable = {**VARIABLE, "preview": "a" * 201}
    change = {"op": "set", "name": "x", "variable": variable, "line": 1, "request_id": 7}
    message = said("variables", request_id=7, running=True, changes=[change])
    assert_refused(busy_host(), message, "200")


def test_events_before_the_fault_are_not_lost() -> None:
    with pytest.raises(HostProtocolError) as caught:
        busy_host().receive_data(stream(7, "before") + stream(8) + stream(7, "after"))
    assert caught.value.events == [Stream(7, "stdout", "before")]


# --- variables, input, dumps, queries


def test_changes_arrive_with_their_variables() -> None:
    changes = [
        {"op": "set", "name": "x", "variable": VARIABLE, "line": 1, "request_id": 7},
        {"op": "delete", "name": "y", "line": None, "request_id": 0},
    ]
    message = said("variables", request_id=7, running=True, changes=changes)
    (event,) = busy_host().receive_data(message)
    assert isinstance(event, VariablesChanged)
    assert [change.name for change in event.changes] == ["x", "y"]
    assert msgspec.to_builtins(event.changes[0])["variable"] == {
        **VARIABLE,
        "hidden": False,
        "truncated": False,
    }


def ask_input(host: HostProtocol, request: int = 1) -> list[HostEvent]:
    return host.receive_data(
        said("input_request", request_id=7, request=request, prompt="? ", password=False)
    )


def test_an_input_request_is_answered_once() -> None:
    host = busy_host()
    ask_input(host)
    reply = host.reply_input(1, "Ada")
    assert reply is not None
    assert sent(reply) == {"type": "input_reply", "request": 1, "text": "Ada"}
    assert host.reply_input(1, "Eve") is None


def test_the_end_of_input_is_no_text() -> None:
    host = busy_host()
    ask_input(host)
    reply = host.reply_input(1, None)
    assert reply is not None
    assert sent(reply) == {"type": "input_reply", "request": 1, "eof": True}


def test_a_cancelled_input_request_is_not_answered() -> None:
    host = busy_host()
    ask_input(host)
    cancelled = said("input_cancelled", request_id=7, request=1)
    assert host.receive_data(cancelled) == [InputCancelled(7, 1)]
    assert host.reply_input(1, "late") is None


def test_an_answer_may_cross_the_cancellation() -> None:
    host = busy_host()
    ask_input(host)
    host.reply_input(1, "Ada")
    assert len(host.receive_data(said("input_cancelled", request_id=7, request=1))) == 1


def test_an_input_request_does_not_come_twice() -> None:
    host = busy_host()
    ask_input(host)
    with pytest.raises(HostProtocolError, match="twice"):
        ask_input(host)


def test_a_dump_is_joined_from_its_chunks() -> None:
    host = busy_host()
    entry = {"name": "x", "stored": True, "why": None, "kind": "value", "resource": False}
    dumped = said("dumped", number=3, request_id=7, bytes=2**20 + 2, variables=[entry])
    chunks = encode_blob(UNASKED_DUMP_ID, bytes(2**20)) + encode_blob(UNASKED_DUMP_ID, b"cd")
    (event,) = host.receive_data(chunks + dumped)
    assert isinstance(event, Dumped)
    assert (event.number, event.request_id, event.data) == (3, 7, bytes(2**20) + b"cd")
    assert event.entries[0].name == "x"
    (second,) = host.receive_data(
        encode_blob(UNASKED_DUMP_ID, b"e")
        + said("dumped", number=4, request_id=7, bytes=1, variables=[])
    )
    assert isinstance(second, Dumped)
    assert second.data == b"e"


def test_a_dump_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchglass_server.host_protocol.MAX_DUMP_BYTES", 3)
    assert_refused(busy_host(), encode_blob(UNASKED_DUMP_ID, b"abcd"), "more than 3 bytes")


def test_a_chunk_holds_something_and_only_the_last_is_not_full() -> None:
    assert_refused(busy_host(), encode_blob(UNASKED_DUMP_ID, b""), "holds nothing")
    chunks = encode_blob(UNASKED_DUMP_ID, b"ab") + encode_blob(UNASKED_DUMP_ID, b"cd")
    assert_refused(busy_host(), chunks, "not full")


def test_a_query_is_answered_once() -> None:
    host = ready_host()
    request_id, frames = host.query("echo", {"a": "\ud800"})
    assert sent(b"".join(frames)) == {
        "type": "query",
        "request_id": request_id,
        "op": "echo",
        "args": {"a": "\ud800"},
    }
    reply = said("reply", request_id=request_id, ok=True, result={"b": 1})
    assert host.receive_data(reply) == [Reply(request_id, {"b": 1})]
    assert_refused(host, reply, "nobody asked")


def test_the_bytes_of_a_query_go_before_it_in_chunks() -> None:
    blob = bytes(2**20) + b"end"
    request_id, frames = ready_host().query("restore", {}, blob)
    *chunks, query = FrameReader().receive_data(b"".join(frames))
    assert chunks == [Blob(request_id, bytes(2**20)), Blob(request_id, b"end")]
    assert isinstance(query, dict)


def test_an_error_reply_keeps_its_details() -> None:
    host = ready_host()
    request_id, _ = host.query("set", {})
    error = {"code": "conflict", "message": "m", "hint": "h", "variable": {"version": 2}}
    (event,) = host.receive_data(said("reply", request_id=request_id, ok=False, error=error))
    assert isinstance(event, Reply)
    assert isinstance(event.result, QueryError)
    assert (event.result.code, event.result.message, event.result.hint) == ("conflict", "m", "h")
    assert event.result.detail == {"variable": {"version": 2}}


@pytest.mark.parametrize(
    "fields",
    [
        {"ok": True},
        {"ok": False},
        {"ok": True, "error": {"code": "c", "message": "m"}},
        {"ok": False, "result": {}},
        {"ok": False, "error": {"message": "m"}},
        {"ok": False, "error": {"code": 1, "message": "m"}},
    ],
)
def test_a_reply_that_is_neither_result_nor_error_is_refused(fields: dict[str, Any]) -> None:
    host = ready_host()
    request_id, _ = host.query("x", {})
    assert_refused(host, said("reply", request_id=request_id, **fields), "reply|code")


def test_an_interrupt_is_acknowledged_by_its_attempt() -> None:
    host = busy_host()
    assert sent(host.interrupt(7, 1)) == {"type": "interrupt", "request_id": 7, "attempt": 1}
    host.interrupt(7, 2)
    assert len(host.receive_data(said("interrupt_ack", request_id=7, attempt=2))) == 1
    assert_refused(host, said("interrupt_ack", request_id=7, attempt=3), "nobody interrupted")


# --- our own faults


def test_calls_at_the_wrong_time_are_our_fault() -> None:
    with pytest.raises(InvalidState, match="execute while starting"):
        HostProtocol(2**26).execute(1, 1, "", store_history=True)
    with pytest.raises(InvalidState, match="execute while busy"):
        busy_host().execute(8, 1, "", store_history=True)
    host = busy_host()
    host.receive_data(finished(7))
    with pytest.raises(InvalidState, match="ids must grow"):
        host.execute(7, 1, "", store_history=True)
    with pytest.raises(InvalidState, match="never executed"):
        busy_host().interrupt(3, 1)
    closed = ready_host()
    closed.receive_eof()
    with pytest.raises(InvalidState, match="query while closed"):
        closed.query("x", {})


def test_many_executions_are_remembered_in_little_room() -> None:
    host = ready_host()
    for request_id in range(1, 5001, 2):
        host.execute(request_id, 1, "", store_history=True)
        host.receive_data(finished(request_id))
    assert len(host.receive_data(stream(1) + stream(2499) + stream(4999))) == 3
    assert_refused(host, stream(2500), "never executed")


def test_a_change_that_shows_another_variable_is_refused() -> None:
    change = {"op": "set", "name": "y", "line": 1, "request_id": 7, "variable": VARIABLE}
    message = said("variables", request_id=7, running=True, changes=[change])
    assert_refused(busy_host(), message, "a change of 'y' that shows 'x'")


def test_a_row_whose_key_leads_nowhere_is_refused() -> None:
    row = {**VARIABLE, "key": {"index": 1, "attr": "x"}, "label": "[0]"}
    window = {"window": 1, "total": 1, "version": 1, "children": [row]}
    assert_refused(busy_host(), said("live", changes=[], windows=[window], line=None), "key")


def test_a_size_that_no_page_could_show_is_refused() -> None:
    change = {"op": "set", "name": "x", "line": 1, "request_id": 7}
    change["variable"] = {**VARIABLE, "shape": [10**300]}
    message = said("variables", request_id=7, running=True, changes=[change])
    assert_refused(busy_host(), message, "shape")


def test_what_it_made_up_reaches_no_terminal_as_it_is() -> None:
    host = busy_host()
    with pytest.raises(HostProtocolError) as caught:
        host.receive_data(said("stream", **{"\x1b]0;title\x07\x1b[2J": 1}))
    assert str(caught.value).isprintable()
    assert "\\x1b" in str(caught.value)


# --- anything at all

fields: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(sorted({key for message in FROM_HOST for key in message} - {"type"})),
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just([]) | st.just({}),
    max_size=8,
)
types = st.sampled_from(sorted({message["type"] for message in FROM_HOST}))
nearly_right = st.builds(
    lambda message, changed, dropped: (
        {key: value for key, value in {**message, **changed}.items() if key not in dropped}
        | {"type": message["type"]}
    ),
    st.sampled_from(FROM_HOST),
    fields,
    st.sets(st.sampled_from(["request_id", "text", "bundle", "line"]), max_size=1),
)


@settings(max_examples=300)
@given(st.lists(nearly_right, max_size=6), st.lists(st.integers(0, 10**6), max_size=6))
def test_whatever_it_says_is_an_event_or_a_protocol_error(
    messages: list[dict[str, Any]], cuts: list[int]
) -> None:
    stream_ = b"".join(map(encode_message, messages))
    places = [0, *sorted(cut % (len(stream_) + 1) for cut in cuts), len(stream_)]
    whole, parts = interrupted_host(), interrupted_host()
    expected = outcome(whole, [stream_])
    assert outcome(parts, [stream_[a:b] for a, b in itertools.pairwise(places)]) == (expected)
    assert whole.state is parts.state


def interrupted_host() -> HostProtocol:
    host = busy_host()
    host.interrupt(7, 1)
    host.query("x", {})
    return host


def outcome(host: HostProtocol, parts: list[bytes]) -> tuple[list[str], str | None]:
    events: list[HostEvent] = []
    for part in parts:
        try:
            events += host.receive_data(part)
        except HostProtocolError as error:
            return [repr(event) for event in [*events, *error.events]], str(error)
    return [repr(event) for event in events], None
