"""How large a piece of JSON is, and cutting what is too large for one event. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

MAX_BUNDLE_BYTES = 3 * 2**20
MAX_VALUE_BYTES = 16 * 2**10
MAX_TRACEBACK_CHARACTERS = 256 * 2**10
MAX_PROMPT_CHARACTERS = 10_000
# Much of nothing is not little: each list and each object costs the server and every client time.
CONTAINER_BYTES = 24


def json_bytes(value: Any, stop: int = 2**62) -> int:
    """Roughly how many bytes the value has as JSON; counting ends soon after `stop`.

    A list or an object counts as more than its two brackets.
    """
    # Nearly all values are one of these, and each of a session's variables is measured each time.
    if type(value) is str:
        return _text_bytes(value)
    if type(value) is int:
        return 2 + value.bit_length() // 3
    total = 0
    waiting = [value]
    while waiting and total <= stop:
        part = waiting.pop()
        if isinstance(part, str):
            total += _text_bytes(part)
        elif isinstance(part, Mapping):
            total += CONTAINER_BYTES + sum(_text_bytes(str(key)) + 2 for key in part)
            waiting.extend(part.values())
        elif isinstance(part, Sequence):
            total += CONTAINER_BYTES + len(part)
            waiting.extend(part)
        elif isinstance(part, int):
            total += 2 + part.bit_length() // 3
        else:
            total += 8
    return total


def _text_bytes(text: str) -> int:
    if text.isprintable():
        return len(text) + 2 if text.isascii() else 3 * len(text) + 2
    # A control character has six as an escape.
    return len(encode_basestring(text)) * (1 if text.isascii() else 3)


def fits(value: Any, limit: int) -> bool:
    """True when the value has no more than about `limit` bytes as JSON."""
    return value is None or json_bytes(value, limit) <= limit


def bounded_bundle(bundle: dict[str, Any]) -> dict[str, Any]:
    """The bundle, without the forms that make it too large for one event."""
    if fits(bundle, MAX_BUNDLE_BYTES):
        return bundle
    kept: dict[str, Any] = {}
    left_out: list[str] = []
    room = MAX_BUNDLE_BYTES - 2**16
    sizes = {mime: json_bytes(form, MAX_BUNDLE_BYTES) for mime, form in bundle.items()}
    for mime in sorted(bundle, key=lambda mime: (mime != "text/plain", sizes[mime])):
        if sizes[mime] <= room:
            kept[mime] = bundle[mime]
            room -= sizes[mime]
        else:
            least = "" if isinstance(bundle[mime], str) else "at least "
            left_out.append(f"{mime}, {least}{sizes[mime]:,} bytes")
    plain = str(kept.get("text/plain", bundle.get("text/plain", "")))[:10_000]
    note = f"[not shown, too large: {'; '.join(left_out)}; print it in parts or make it smaller]"
    return kept | {"text/plain": f"{plain}\n{note}".strip()}


def bounded_traceback(lines: list[str]) -> list[str]:
    """The traceback, without its middle when it is very long."""
    if sum(map(len, lines)) <= MAX_TRACEBACK_CHARACTERS:
        return lines
    half = MAX_TRACEBACK_CHARACTERS // 2
    head, tail = _taken(lines, half), _taken(lines[::-1], half)[::-1]
    left_out = len(lines) - len(head) - len(tail)
    return [*head, f"  [{left_out} lines of this traceback left out]\n", *tail]


def _taken(lines: list[str], room: int) -> list[str]:
    taken: list[str] = []
    for line in lines:
        room -= len(line)
        if room < 0:
            break
        taken.append(line)
    return taken or [lines[0][: room + len(lines[0])]]


def well_formed(text: str) -> str:
    """The text with lone surrogates replaced, so that every store and wire can carry it."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
