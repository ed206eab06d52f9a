"""Exact values and code → a dump that a process takes. Twin of watchglass_monitor/value_dump.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watchglass_sync.text import encode_json

MAGIC = b"WGVALUES1\n"


@dataclass(frozen=True, slots=True)
class Source:
    """The code of an execution, and the names that it may have defined."""

    number: int
    code: str
    names: Sequence[str]


def value_dump(
    values: Mapping[str, object], versions: Mapping[str, int], sources: Sequence[Source] = ()
) -> bytes:
    """What `restore` is given when tagged JSON and code are all that is left of a namespace."""
    told = {
        "values": dict(values),
        "versions": dict(versions),
        "sources": [
            {"number": one.number, "code": one.code, "names": list(one.names)} for one in sources
        ],
    }
    return MAGIC + encode_json(told).encode("ascii")
