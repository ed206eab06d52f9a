"""Tests of frames.py, with the golden bytes that node_host/test reads too."""

import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchglass_server.frames import (
    MAX_CHUNK_BYTES,
    MAX_DEPTH,
    MAX_FRAME_BYTES,
    MAX_PARTS,
    Blob,
    Frame,
    FrameError,
    FrameReader,
    encode_blob,
    encode_message,
)

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "frames.json").read_text("utf-8"))

surrogates_too = st.text(st.characters(exclude_categories=()), max_size=20)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | surrogates_too,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(surrogates_too, inner, max_size=4),
    max_leaves=10,
)
messages = st.builds(
    lambda fields, type_: {**fields, "type": type_},
    st.dictionaries(surrogates_too, json_values, max_size=4),
    surrogates_too,
)
blobs = st.builds(Blob, st.integers(0, 2**32 - 1), st.binary(max_size=100))
frames: st.SearchStrategy[list[Frame]] = st.lists(messages | blobs, max_size=5)


def encoded(frame: Frame) -> bytes:
    if isinstance(frame, Blob):
        return encode_blob(frame.request_id, frame.data)
    return encode_message(frame)


def expected(vector: dict[str, Any]) -> Frame:
    if vector["kind"] == "B":
        return Blob(vector["request_id"], bytes.fromhex(vector["blob_hex"]))
    message: dict[str, Any] = vector["message"]
    return message


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(places)]


def read_all(parts: list[bytes]) -> tuple[list[Frame], str | None]:
    """Return all frames, and the error that ended the reading."""
    reader = FrameReader()
    received: list[Frame] = []
    for part in parts:
        try:
            received += reader.receive_data(part)
        except FrameError as error:
            return [*received, *error.received], str(error)
    return received, None


def json_frame(body: bytes) -> bytes:
    return (len(body) + 1).to_bytes(4, "little") + b"J" + body


@pytest.mark.parametrize("vector", VECTORS["frames"], ids=lambda vector: vector["name"])
def test_golden_frames_are_written_byte_by_byte(vector: dict[str, Any]) -> None:
    assert encoded(expected(vector)).hex() == vector["hex"]


@pytest.mark.parametrize(
    "vector", VECTORS["frames"] + VECTORS["readable"], ids=lambda vector: vector["name"]
)
def test_golden_frames_are_read(vector: dict[str, Any]) -> None:
    for digits in (vector["hex"], vector.get("hex_from_host", vector["hex"])):
        assert FrameReader().receive_data(bytes.fromhex(digits)) == [expected(vector)]


@pytest.mark.parametrize("vector", VECTORS["malformed"], ids=lambda vector: vector["name"])
def test_malformed_golden_frames_are_refused_with_the_reason(vector: dict[str, Any]) -> None:
    with pytest.raises(FrameError, match=vector["error"]):
        FrameReader().receive_data(bytes.fromhex(vector["hex"]))


@given(frames, st.lists(st.integers(0, 10**6), max_size=8))
def test_frames_come_back_however_the_stream_is_cut(sent: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(map(encoded, sent))
    assert read_all(pieces(stream, cuts)) == (sent, None)


@given(frames, st.binary(min_size=1, max_size=40), st.lists(st.integers(0, 10**6), max_size=8))
@example([], b"\x00\x00\x00\x00", [])
@example([{"type": "x"}], b"\x03\x00\x00\x00XYZ", [19, 20, 21])
def test_garbage_gives_the_same_frames_and_error_however_it_is_cut(
    sent: list[Frame], garbage: bytes, cuts: list[int]
) -> None:
    stream = b"".join(map(encoded, sent)) + garbage
    assert read_all(pieces(stream, cuts)) == read_all([stream])


@given(st.lists(st.binary(max_size=60), max_size=5))
def test_garbage_raises_nothing_but_frame_errors(parts: list[bytes]) -> None:
    read_all(parts)


@given(st.binary(max_size=200))
def test_any_body_of_a_json_frame_is_a_message_or_a_frame_error(body: bytes) -> None:
    received, error = read_all([json_frame(body)])
    assert (error is None) == (len(received) == 1)


@given(st.text('[]{}"\\:,1 ', max_size=60))
def test_what_looks_like_json_is_a_message_or_a_frame_error(text: str) -> None:
    read_all([json_frame(b'{"type":"x","y":' + text.encode() + b"}")])


def test_frames_before_a_broken_one_are_not_lost() -> None:
    with pytest.raises(FrameError) as caught:
        FrameReader().receive_data(encode_message({"type": "a"}) + b"\x00\x00\x00\x00")
    assert caught.value.received == [{"type": "a"}]


def test_a_broken_stream_stays_broken() -> None:
    reader = FrameReader()
    for data in (b"\x00\x00\x00\x00", encode_message({"type": "a"})):
        with pytest.raises(FrameError, match="empty frame"):
            reader.receive_data(data)


def test_a_wrong_kind_is_refused_before_its_body_arrives() -> None:
    with pytest.raises(FrameError, match="unknown kind 0x58"):
        FrameReader().receive_data(b"\x00\x00\x00\x01X")


def test_the_longest_frame_is_read_and_written() -> None:
    room = MAX_FRAME_BYTES - 1 - len('{"type":"x","text":""}')
    message = {"type": "x", "text": "a" * room}
    assert FrameReader().receive_data(encode_message(message)) == [message]
    with pytest.raises(ValueError, match="the limit is"):
        encode_message({"type": "x", "text": "a" * (room + 1)})


def test_the_longest_chunk_is_read_and_a_longer_one_refused() -> None:
    data = bytes(MAX_CHUNK_BYTES)
    assert FrameReader().receive_data(encode_blob(1, data)) == [Blob(1, data)]
    with pytest.raises(ValueError, match="cut it to"):
        encode_blob(1, data + b"x")
    longer = (MAX_CHUNK_BYTES + 6).to_bytes(4, "little") + b"B" + bytes(4) + data + b"x"
    with pytest.raises(FrameError, match="too long"):
        FrameReader().receive_data(longer)


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" * 5000, "[" * 100_000]
)
def test_numbers_and_depths_that_cannot_be_written_again_are_refused(value: str) -> None:
    with pytest.raises(FrameError, match=r"not JSON|too deep"):
        FrameReader().receive_data(json_frame(b'{"type":"x","y":' + value.encode() + b"}"))


def test_brackets_in_text_do_not_count_as_depth() -> None:
    message = {"type": "x", "text": '[{"\\' * 10 * MAX_DEPTH, '"[': ["]" * 500] * 500}
    assert FrameReader().receive_data(encode_message(message)) == [message]


def test_depth_is_read_up_to_its_limit() -> None:
    # The object itself is the first level.
    nested: Any = []
    for _ in range(MAX_DEPTH - 2):
        nested = [nested]
    wide: list[Any] = [[] for _ in range(MAX_DEPTH)]
    fits = {"type": "x", "nested": nested, "wide": wide}
    assert FrameReader().receive_data(encode_message(fits)) == [fits]
    with pytest.raises(FrameError, match="too deep"):
        FrameReader().receive_data(encode_message({**fits, "nested": [nested]}))


def test_reader_knows_whether_it_is_inside_a_frame() -> None:
    reader = FrameReader()
    data = encode_message({"type": "a"})
    reader.receive_data(data + data[:3])
    assert reader.is_inside_frame
    reader.receive_data(data[3:])
    assert not reader.is_inside_frame


@pytest.mark.parametrize(
    ("part", "count"),
    [
        (b"[],", 5_500_000),
        (b"1,", 8_000_000),
        (b'"",', 5_500_000),
        (b"{},", 600_000),
        (b"]", 2**23),
    ],
)
def test_more_parts_than_any_message_has_are_refused_before_they_are_made(
    part: bytes, count: int
) -> None:
    body = b'{"type":"x","y":[' + b"[" * 300 + part * count + b"0]}"
    started = time.process_time()
    with pytest.raises(FrameError, match="too many parts"):
        FrameReader().receive_data(json_frame(body))
    assert time.process_time() - started < 1  # 0.16; making them took 2.8


def test_signs_in_text_do_not_count_as_parts() -> None:
    message = {"type": "x", "text": ',[{"\\' * 2**19, "many": [[]] * MAX_DEPTH * 2}
    assert FrameReader().receive_data(encode_message(message)) == [message]
    assert len(message["text"]) > MAX_PARTS
