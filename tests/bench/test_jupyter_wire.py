"""Bytes of Jupyter's WebSocket protocol v1."""

from __future__ import annotations

import json
import struct
from itertools import pairwise

from bench.jupyter_wire import decode_message, encode_request

REPLY = (
    b"\x07\x00\x00\x00\x00\x00\x00\x00"  # seven offsets
    b"\x40\x00\x00\x00\x00\x00\x00\x00"  # channel, header, parent, metadata, content, buffer, end
    b"\x45\x00\x00\x00\x00\x00\x00\x00"
    b"\x61\x00\x00\x00\x00\x00\x00\x00"
    b"\x71\x00\x00\x00\x00\x00\x00\x00"
    b"\x73\x00\x00\x00\x00\x00\x00\x00"
    b"\x83\x00\x00\x00\x00\x00\x00\x00"
    b"\x84\x00\x00\x00\x00\x00\x00\x00"
    b'shell{"msg_type":"execute_reply"}{"msg_id": "q1"}{}{"status": "ok"}\xff'
)


def test_a_reply_is_told_by_its_request() -> None:
    assert decode_message(REPLY) == ("q1", "execute_reply", {"status": "ok"})


def test_a_message_without_a_request_has_an_empty_one() -> None:
    lonely = REPLY.replace(b'{"msg_id": "q1"}', b"{}              ")
    assert decode_message(lonely) == ("", "execute_reply", {"status": "ok"})


def test_a_request_is_laid_out_as_the_server_reads_it() -> None:
    msg_id, data = encode_request("execute_request", {"code": "π = 3"})
    count, *offsets = struct.unpack_from("<7Q", data)
    parts = [data[start:end] for start, end in pairwise(offsets)]
    assert (count, offsets[-1]) == (6, len(data))
    assert parts[0] == b"shell"
    header, parent, metadata, content = map(json.loads, parts[1:])
    assert (header["msg_id"], header["msg_type"]) == (msg_id, "execute_request")
    assert (parent, metadata, content) == ({}, {}, {"code": "π = 3"})
