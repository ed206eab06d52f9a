"""The module and the rows that every client works with: `python -m bench.sdk_module FILE`."""

from __future__ import annotations

import random
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from spacetimedb_bsatn import Codec, Identity, Timestamp, f32, f64, i64, u32, u64
from spacetimedb_bsatn.algebraic import Primitive, option
from spacetimedb_client.bindings import Bindings
from spacetimedb_client.module import BatchStep, Module, Operation, batch

PLAYER: Final = "player"
ITEM: Final = "item"
ROWS: Final = 100_000
ROWS_AT_ONCE: Final = 20_000
FLOAT: Final = struct.Struct("<f")
START_MICROS: Final = 1_700_000_000_000_000

PLAYER_COLUMNS: Final[dict[str, Any]] = {
    "id": u64,
    "name": str,
    "x": f32,
    "y": f32,
    "z": f32,
    "score": i64,
    "online": bool,
    "level": option(Primitive.U32),
    "owner": Identity,
    "seen": Timestamp,
}
ITEM_COLUMNS: Final[dict[str, Any]] = {
    "id": u64,
    "name": str,
    "weight": f64,
    "level": option(Primitive.I32),
}


def bench_module() -> Module:
    """Two tables to read, one whose rows calls change, and a call that does nothing."""
    module = Module()
    module.table(PLAYER, PLAYER_COLUMNS, primary_key="id")
    module.table(ITEM, ITEM_COLUMNS, primary_key="id")
    spot = module.table("spot", {"id": u32, "x": f32, "y": f32}, primary_key="id")
    module.reducer("fill", Operation.BATCH)
    module.reducer("move_spot", Operation.UPSERT, spot)
    module.reducer("nothing", Operation.NOTHING)
    return module


def codec_of(table: str) -> Codec:
    """How its rows are read and written."""
    return Bindings(bench_module().schema).tables[table].codec


def encoded_rows(table: str, count: int) -> list[bytes]:
    """Rows of everyday values, the same in every run."""
    bindings = Bindings(bench_module().schema)
    made = bindings.tables[table].row
    values = VALUES[table]
    chance = random.Random(1)
    return [bindings.tables[table].codec.encode(made(*values(n, chance))) for n in range(count)]


def _player(number: int, chance: random.Random) -> tuple[Any, ...]:
    place = (FLOAT.unpack(FLOAT.pack(chance.uniform(-1000, 1000)))[0] for _ in "xyz")
    level = None if number % 3 == 0 else number % 100
    owner = Identity(chance.getrandbits(256))
    seen = Timestamp(START_MICROS + number * 1000)
    score = chance.randrange(-(2**40), 2**40)
    return number, f"player {number}", *place, score, number % 2 == 0, level, owner, seen


def _item(number: int, chance: random.Random) -> tuple[Any, ...]:
    level = None if number % 3 == 0 else number % 100
    return number, f"item number {number}", chance.random(), level


VALUES: Final[dict[str, Callable[[int, random.Random], tuple[Any, ...]]]] = {
    PLAYER: _player,
    ITEM: _item,
}


def filling(table: str, rows: list[bytes]) -> Iterator[bytes]:
    """The arguments of the calls of `fill` that put these rows into a table."""
    place = [each.name for each in bench_module().schema.tables].index(table)
    for first in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[first : first + ROWS_AT_ONCE]
        yield batch(BatchStep(Operation.INSERT, place, row) for row in part)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(bench_module().build())
