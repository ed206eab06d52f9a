"""Exact values → a dump that a process takes. Twin of watchglass_monitor/value_dump.py."""

from __future__ import annotations

from collections.abc import Mapping

from watchglass_sync.text import encode_json

MAGIC = b"WGVALUES1\n"


def value_dump(values: Mapping[str, object], versions: Mapping[str, int]) -> bytes:
    """What `restore` is given when all that is left of a namespace is tagged JSON."""
    told = {"values": dict(values), "versions": dict(versions)}
    return MAGIC + encode_json(told).encode("ascii")
