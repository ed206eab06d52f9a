"""What a reducer of a generated module can do; the numbers are those of generic.wat."""

import enum
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_HEAD: Final = struct.Struct("<BHI")  # of one step: operation, table, and the length of its bytes


class Operation(enum.IntEnum):
    """In the order of the table in generic.wat."""

    NOTHING = 0
    INSERT = 1
    DELETE_ROWS = 2
    DELETE_KEY = 3
    UPDATE = 4
    UPSERT = 5
    CLEAR = 6
    BATCH = 7
    NOTE_CALL = 8
    NOTE_CLIENT = 9
    FORGET_CLIENT = 10
    CRASH = 11
    FAIL = 12
    INSERT_CALL = 13


ON_KEYS = frozenset({Operation.DELETE_KEY, Operation.UPDATE, Operation.UPSERT})


@dataclass(frozen=True, slots=True)
class Action:
    """One reducer's operation; `table` is its place in the module.

    `only_in`: the place of the table whose keys are the identities that may call it; others are
    refused with `text`.
    """

    operation: Operation
    table: int = 0
    is_owner_only: bool = False
    text: str = ""
    only_in: int | None = None


@dataclass(frozen=True, slots=True)
class BatchStep:
    """One operation of a batch, with the bytes that its reducer would get."""

    operation: Operation
    table: int
    data: bytes


def batch(steps: Iterable[BatchStep]) -> bytes:
    """The argument of a batch reducer: all steps are done, or none."""
    pieces: list[bytes] = []
    for step in steps:
        pieces += (_HEAD.pack(step.operation, step.table, len(step.data)), step.data)
    return b"".join(pieces)
