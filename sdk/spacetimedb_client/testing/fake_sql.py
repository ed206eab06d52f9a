"""The answer of the fake server's HTTP to a statement: rows as JSON, with the schema of theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from spacetimedb_bsatn import ProductType, Schema
from spacetimedb_bsatn.plain import decode_plain
from spacetimedb_bsatn.raw_module import RAW_ALGEBRAIC_TYPE, RAW_TYPES
from spacetimedb_bsatn.sats_json import to_json
from spacetimedb_bsatn.schema_writing import plain_of_type
from spacetimedb_client.bindings import TableBinding
from spacetimedb_client.sql_rows import expanded

MICROS: Final = 1  # how long it took, as good as any


def sql_answer(table: TableBinding, schema: Schema, rows: Iterable[bytes]) -> list[dict[str, Any]]:
    """One result, as one statement has."""
    row = expanded(table.type, schema)
    assert isinstance(row, ProductType)
    described = to_json(RAW_ALGEBRAIC_TYPE, RAW_TYPES, plain_of_type(row))
    return [
        {
            "schema": {"elements": described["Product"][0]},
            "rows": [to_json(row, (), decode_plain(row, (), each)) for each in rows],
            "total_duration_micros": MICROS,
            "stats": {"rows_inserted": 0, "rows_deleted": 0, "rows_updated": 0},
        }
    ]
