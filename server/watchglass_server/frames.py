"""Server ⇄ Node host: bytes ⇄ frames. Twin of node_host/src/frames.mjs.

A frame is `u32 LE length | u8 kind | body`, and length counts kind and body. Kind J holds one JSON
object with a text "type", kind B a chunk of bytes that belongs to the request it names.
"""

import gc
import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final, NoReturn

from watchglass_server.errors import PeerError

__all__ = [
    "MAX_CHUNK_BYTES",
    "MAX_CONTAINERS",
    "MAX_DEPTH",
    "MAX_FRAME_BYTES",
    "MAX_PARTS",
    "MAX_REQUEST_ID",
    "UNASKED_DUMP_ID",
    "Blob",
    "Frame",
    "FrameError",
    "FrameReader",
    "Message",
    "encode_blob",
    "encode_message",
]

MAX_FRAME_BYTES: Final = 16 * 2**20 + 64 * 2**10
MAX_CHUNK_BYTES: Final = 2**20
# Deeper JSON could be read here, but would exceed the recursion limit wherever it is written again.
MAX_DEPTH: Final = 200
# Each part becomes an object: 16 MiB of `[],` would hold the server up for three seconds.
MAX_CONTAINERS: Final = 2**19
MAX_PARTS: Final = 2**21 + 2**16
UNASKED_DUMP_ID: Final = 0xFFFFFFFF
MAX_REQUEST_ID: Final = UNASKED_DUMP_ID - 1

_LENGTH_BYTES = 4
_JSON = ord("J")
_BLOB = ord("B")
_MAX_STRINGS = 3 * 2**19
_NOT_SIGNS = bytes(set(range(256)) - set(b"[]{},"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}

Message = dict[str, Any]  # as it came over the wire: host_protocol.py gives it a type


@dataclass(frozen=True, slots=True)
class Blob:
    """A chunk of the bytes that belong to a request."""

    request_id: int
    data: bytes


Frame = Message | Blob


class FrameError(PeerError):
    """The bytes of the socket are no frames. Kill the process; never resynchronise."""

    def __init__(self, message: str, received: Sequence[Frame] = ()) -> None:
        super().__init__(message)
        self.received = received  # the whole frames before the broken one


def encode_message(message: Mapping[str, object]) -> bytes:
    """Return the frame of one JSON message."""
    # ensure_ascii: a lone surrogate in somebody's text has no UTF-8, but it has an escape.
    text = json.dumps(message, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return _frame(_JSON, text.encode("ascii"))


def encode_blob(request_id: int, data: bytes) -> bytes:
    """Return the frame of one chunk of bytes."""
    if len(data) > MAX_CHUNK_BYTES:
        raise ValueError(f"a chunk of {len(data)} bytes; cut it to {MAX_CHUNK_BYTES}")
    return _frame(_BLOB, struct.pack("<I", request_id) + data)


def _frame(kind: int, body: bytes) -> bytes:
    if len(body) + 1 > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {len(body) + 1} bytes; the limit is {MAX_FRAME_BYTES}")
    return struct.pack("<IB", len(body) + 1, kind) + body


class FrameReader:
    """Cuts a stream of bytes, in whatever pieces it comes, into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._error: str | None = None
        self.sizes: Sequence[int] = ()  # of the frames of the last call, as they came

    def receive_data(self, data: bytes) -> list[Frame]:
        """Take the next bytes and return the frames that are whole now.

        Raises FrameError, which carries the frames before the broken one; there is no next call.
        """
        if self._error is not None:
            raise FrameError(self._error)
        self._buffer += data
        frames: list[Frame] = []
        self.sizes = sizes = list[int]()
        start = 0
        try:
            while (end := self._end_of_frame(start)) is not None:
                frames.append(_decode(bytes(self._buffer[start + _LENGTH_BYTES : end])))
                sizes.append(end - start)
                start = end
        except FrameError as error:
            self._error = str(error)
            raise FrameError(self._error, frames) from error
        if start:
            del self._buffer[:start]
        return frames

    @property
    def is_inside_frame(self) -> bool:
        """Whether the bytes so far end in the middle of a frame."""
        return bool(self._buffer)

    def _end_of_frame(self, start: int) -> int | None:
        held = len(self._buffer) - start
        if held < _LENGTH_BYTES:
            return None
        length = int.from_bytes(self._buffer[start : start + _LENGTH_BYTES], "little")
        if length == 0:
            raise FrameError("empty frame: its length is 0")
        if length > MAX_FRAME_BYTES:
            raise FrameError(f"too long: a frame of {length} bytes, the limit is {MAX_FRAME_BYTES}")
        if held > _LENGTH_BYTES and self._buffer[start + _LENGTH_BYTES] not in (_JSON, _BLOB):
            kind = self._buffer[start + _LENGTH_BYTES]
            raise FrameError(f"unknown kind 0x{kind:02x}: neither 'J' nor 'B'")
        return start + _LENGTH_BYTES + length if held >= _LENGTH_BYTES + length else None


def _decode(frame: bytes) -> Frame:
    if frame[0] == _JSON:
        return _decode_message(frame[1:])
    if len(frame) < 5:
        raise FrameError(f"short chunk: {len(frame) - 1} bytes do not hold a request id")
    if len(frame) - 5 > MAX_CHUNK_BYTES:
        raise FrameError(f"too long: a chunk of {len(frame) - 5} bytes, not {MAX_CHUNK_BYTES}")
    return Blob(int.from_bytes(frame[1:5], "little"), frame[5:])


def _decode_message(body: bytes) -> Message:
    try:
        text = body.decode("utf-8")
        _check_parts(body)
        message = _loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {error}") from error
    if not isinstance(message, dict):
        raise FrameError(f"not an object, but {type(message).__name__}")
    if not isinstance(message.get("type"), str):
        raise FrameError("no type: the object has no text 'type'")
    return message


def _loads(text: str) -> object:
    # The collector would walk over all parts so far again and again: ten times the time.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return json.loads(text, parse_float=_finite_float, parse_constant=_refuse_constant)
    finally:
        if was_enabled:
            gc.enable()


def _check_parts(body: bytes) -> None:
    """Refuse what nests too deep or has too many parts: all in C, and mostly by counting alone."""
    openings = body.count(b"[") + body.count(b"{")
    if openings <= MAX_DEPTH and body.count(b",") <= MAX_PARTS:
        return
    bare = body.replace(rb"\\", b"").replace(rb"\"", b"")
    if bare.count(b'"') > 2 * _MAX_STRINGS:
        raise FrameError(f"too many parts: more than {_MAX_STRINGS} texts")
    signs = b"".join(bare.split(b'"')[::2]).translate(None, _NOT_SIGNS)
    brackets = signs.translate(None, b",")
    if len(signs) - len(brackets) > MAX_PARTS:
        raise FrameError(f"too many parts: more than {MAX_PARTS} in one message")
    if len(brackets) > 2 * MAX_CONTAINERS:
        raise FrameError(f"too many parts: more than {MAX_CONTAINERS} lists and objects")
    if max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > MAX_DEPTH:
        raise FrameError(f"too deep: JSON nested more than {MAX_DEPTH} levels")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError(f"{digits[:40]} is out of range")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
