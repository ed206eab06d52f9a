"""Frames and packets that are wrong in some place: golden ones, changed at random from a seed."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "host_messages.json").read_text("utf-8")
)
FROM_HOST: list[dict[str, Any]] = VECTORS["from_host"]
TO_HOST: list[dict[str, Any]] = VECTORS["to_host"]

_DEEP: Any = []
for _ in range(60):
    _DEEP = [_DEEP]

# What has broken readers of JSON before, here or elsewhere.
ODD: Sequence[Any] = (
    *(None, True, False, [], {}, 0, -1, 1, 2, 7, 1.5, -0.0, 1e308, 5e-324, 0.1),
    *(2**31, 2**32 - 1, 2**53, 2**53 + 1, 2**63, 2**64, -(2**63), 10**400),
    *("", "x", "0", "\x00", "\ud800", "\udc00\ud800", "\x1b]0;x\x07\x1b[2J", "\u202e", "é" * 99),
    *("<script>alert(1)</script>", "../../etc/passwd", "__class__", "{0.__init__}", "%s%n"),
    *("x" * 201, "x" * 1001, "x" * 65_537, "[" * 300, '"' * 300, "\\" * 301),
    *(_DEEP, [[]] * 600, [0] * 3000, {"a": {"b": [{}]}}, {"$type": "int", "value": "1"}),
    *({"index": 1}, {"attr": "__dict__"}, {"key": {"$type": "bytes"}}, {"toJSON": 1}),
    *(float("nan"), float("inf"), float("-inf")),
)
MOST_PLACES = 5000
_NUMBERS = (
    b"1e999",
    b"-1e999",
    b"9" * 5000,
    b"00",
    b"0x1",
    b"1.",
    b".5",
    b"+1",
    b"-",
    b"1e",
    b"1_0",
)


class Mutation:
    """One source of wrong bytes; the same seed gives the same ones."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def stream(self, messages: Sequence[dict[str, Any]], ids: Sequence[int], frames: int) -> bytes:
        """Some frames in a row, most of them nearly right; the ids are ones that may be used."""
        parts = [self._frame(self.random.choice(messages), ids) for _ in range(frames)]
        stream = b"".join(parts)
        return self.damaged(stream) if self.random.random() < 0.05 else stream

    def message(self, message: dict[str, Any]) -> dict[str, Any]:
        """The same message, or with up to three places changed."""
        changed: dict[str, Any] = json.loads(json.dumps(message))
        for _ in range(self.random.choice((0, 0, 0, 0, 0, 1, 1, 2, 3))):
            self._change(changed)
        if self.random.random() < 0.02:
            changed["type"] = self.random.choice(ODD)
        return changed

    def text(self, value: object) -> bytes:
        """The value as JSON, or as what is nearly JSON."""
        written = json.dumps(value, separators=(",", ":")).encode()
        chance = self.random.random()
        if chance < 0.01:
            return self._in_place_of_a_number(written)
        if chance < 0.02:
            return self.damaged(written)
        if chance < 0.03:
            return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
        return written

    def damaged(self, data: bytes) -> bytes:
        """The bytes, damaged in up to four places."""
        changed = bytearray(data)
        for _ in range(self.random.randint(1, 4)):
            self.random.choice(_DAMAGES)(changed, self.random)
        return bytes(changed)

    def _frame(self, message: dict[str, Any], ids: Sequence[int]) -> bytes:
        changed = self.message(message)
        if "request_id" in changed and self.random.random() < 0.05:
            changed["request_id"] = self.random.choice(ids)
        chance = self.random.random()
        if chance < 0.05:
            return self._chunk()
        body = b"J" + self.text(changed)
        if chance < 0.06:
            body = self.random.randbytes(1) + body[1:]
        length = len(body)
        if chance > 0.99:
            length = self.random.choice(
                (0, 1, length - 1, length + 1, 2**24 + 2**16 + 1, 2**32 - 1)
            )
        return struct.pack("<I", length) + body

    def _chunk(self) -> bytes:
        request_id = self.random.choice((*[0xFFFFFFFF] * 9, 0, 1, 2**31))
        data = self.random.randbytes(self.random.choice((0, 4, 4, 4, 100)))
        body = b"B" + (
            struct.pack("<I", request_id) + data if self.random.random() < 0.95 else data
        )
        return struct.pack("<I", len(body)) + body

    def _change(self, message: dict[str, Any]) -> None:
        places = _places(message)
        if len(places) > MOST_PLACES:  # multiplied before
            return
        holder, key = self.random.choice(places)
        chance = self.random.random()
        if chance < 0.5:
            alike = [odd for odd in ODD if type(odd) is type(holder[key])]
            holder[key] = copy.deepcopy(self.random.choice(alike or ODD))
        elif chance < 0.7:
            holder[key] = copy.deepcopy(self.random.choice(ODD))
        elif isinstance(holder, dict):
            value = holder.pop(key)
            if chance < 0.85:
                holder[self.random.choice((str(key) + "_", "", "\ud800", "type", "op"))] = value
        elif chance < 0.85:
            del holder[key]
        else:
            holder.extend([holder[key]] * self.random.choice((1, 2, 700)))

    def _in_place_of_a_number(self, written: bytes) -> bytes:
        digits = [at for at, byte in enumerate(written) if 48 <= byte <= 57]
        if not digits:
            return written
        at = self.random.choice(digits)
        return written[:at] + self.random.choice(_NUMBERS) + written[at + 1 :]


def _places(message: Any) -> list[tuple[Any, Any]]:
    """Every place in a message but its type, as what holds it and the key or index in there."""
    found: list[tuple[Any, Any]] = []
    waiting = [message]
    while waiting:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        found += [(holder, key) for key in keys if holder is not message or key != "type"]
        waiting += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    return found or [({0: 0}, 0)]


def _flip(data: bytearray, random: Random) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _cut(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data) + 1)
    del data[at : at + random.choice((1, 2, 5, len(data)))]


def _insert(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data) + 1)
    data[at:at] = random.choice((random.randbytes(3), b'"', b"[", b"}", b"\x00" * 5, b"\xff" * 4))


def _repeat(data: bytearray, random: Random) -> None:
    at = random.randrange(len(data) + 1)
    data[at:at] = data[at : at + random.choice((1, 10, 100))] * random.choice((1, 2, 50))


_DAMAGES: Sequence[Callable[[bytearray, Random], None]] = (_flip, _flip, _cut, _insert, _repeat)
