"""Bench ⇄ Jupyter: messages of the WebSocket protocol v1, the one that JupyterLab speaks.

Of a message the server passes on the parts as they are, where the older protocol has it write all
of it as JSON once more.
"""

from __future__ import annotations

import json
import uuid
from itertools import pairwise
from typing import Any

Json = dict[str, Any]
PROTOCOL = "v1.kernel.websocket.jupyter.org"
WORD = 8


def encode_request(kind: str, content: Json) -> tuple[str, bytes]:
    """The message's id, and the message, for the shell channel."""
    msg_id = uuid.uuid4().hex
    header = {
        "msg_id": msg_id,
        "msg_type": kind,
        "username": "bench",
        "session": "bench",
        "version": "5.3",
        "date": "2026-01-01T00:00:00Z",
    }
    parts = [b"shell", *(json.dumps(part).encode() for part in (header, {}, {}, content))]
    offsets = [WORD * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    numbers = (len(offsets), *offsets)
    return msg_id, b"".join([*(number.to_bytes(WORD, "little") for number in numbers), *parts])


def decode_message(data: bytes) -> tuple[str, str, Json]:
    """The id of the request that it belongs to, its type, and its content."""
    count = int.from_bytes(data[:WORD], "little")
    ends = range(WORD, WORD * (count + 1), WORD)
    offsets = [int.from_bytes(data[end : end + WORD], "little") for end in ends]
    _, header, parent, _, content, *_ = (data[start:end] for start, end in pairwise(offsets))
    return json.loads(parent).get("msg_id", ""), json.loads(header)["msg_type"], json.loads(content)
