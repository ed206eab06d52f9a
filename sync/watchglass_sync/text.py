"""Text ⇄ what the journal stores of it: everything survives, lone surrogates and NUL too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def key(text: str) -> str:
    """Text as an ASCII column: plain identifiers stay as they are, the rest is escaped."""
    return json.dumps(text)[1:-1]


def encode_json(value: Mapping[str, object] | list[Any]) -> str:
    """A JSON document in ASCII. NaN and infinities are refused: no reader could take them."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def decode_object(text: str) -> dict[str, object]:
    """A stored JSON object."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"not a JSON object: {text[:80]}")
    return value


def decode_objects(text: str) -> list[dict[str, object]]:
    """A stored list of JSON objects."""
    value: list[dict[str, object]] = json.loads(text)
    return value


def encode_output(text: str) -> bytes:
    """Printed text as bytes."""
    return text.encode("utf-8", "surrogatepass")


def decode_output(data: bytes) -> str:
    """Printed text back."""
    return data.decode("utf-8", "surrogatepass")
