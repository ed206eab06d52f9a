"""A module's description is read from JSON and bytes, V9 and V10, and written as V9."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from spacetimedb_bsatn import (
    DecodeError,
    Schema,
    schema_hash,
    schema_of_bytes,
    schema_of_json,
    schema_to_bytes,
)
from spacetimedb_bsatn.algebraic import UNIT, AlgebraicType, Primitive, Ref, product
from spacetimedb_bsatn.plain import decode_plain, encode_plain
from spacetimedb_bsatn.raw_module import RAW_MODULE, RAW_TYPES
from spacetimedb_bsatn.sats_json import from_json, to_json
from spacetimedb_bsatn.schema import Index, IndexKind, Lifecycle, Schedule, Sequencer, Unique
from spacetimedb_bsatn.schema_reading import type_of_plain
from spacetimedb_bsatn.schema_writing import plain_of_type
from spacetimedb_bsatn.schema_writing_v10 import schema_to_bytes_v10
from tests.support.sats_values import TYPES

VECTORS = Path(__file__).parents[1] / "vectors"


@pytest.fixture(scope="module")
def described() -> Any:
    return json.loads((VECTORS / "module_v9.json").read_text())


def test_a_real_servers_description_is_read(described: Any) -> None:
    schema = schema_of_json(described)
    item = schema.table("item")
    assert schema.columns(item) == ["id", "name", "x", "at", "phase"]
    assert item.primary_key == 0
    assert Index((1, 0), IndexKind.BTREE, "name_id", "item_name_id_idx_btree") in item.indexes
    assert item.uniques == (Unique((0,), "item_id_key"),)
    assert item.sequences == (Sequencer(0, 1, name="item_id_seq"),)
    assert [each.name for each in schema.reducers][:2] == ["item_insert", "item_delete_rows"]
    assert schema.name_of(1) == "Phase"


def test_what_is_written_is_read_again(described: Any) -> None:
    schema = schema_of_json(described)
    assert schema_of_bytes(schema_to_bytes(schema)) == schema


@given(TYPES)
def test_every_type_describes_itself(type_: AlgebraicType) -> None:
    assert type_of_plain(plain_of_type(type_)) == type_


def test_the_hash_is_of_what_a_client_sees(described: Any) -> None:
    schema = schema_of_json(described)
    assert schema_hash(schema) == schema_hash(replace(schema, row_level_security=("SELECT 1",)))
    assert schema_hash(schema) != schema_hash(replace(schema, reducers=()))


def section(name: str, value: Any) -> dict[str, Any]:
    return {name: value}


def some(value: Any) -> dict[str, Any]:
    return {"some": value}


NONE: dict[str, Any] = {"none": []}
V10: dict[str, Any] = {
    "sections": [
        section(
            "Typespace",
            {
                "types": [
                    {"Product": {"elements": [{"name": some("id"), "algebraic_type": {"U64": []}}]}}
                ]
            },
        ),
        section(
            "Types",
            [
                {
                    "source_name": {"scope": [], "source_name": "Tick"},
                    "ty": 0,
                    "custom_ordering": True,
                }
            ],
        ),
        section(
            "Tables",
            [
                {
                    "source_name": "tick",
                    "product_type_ref": 0,
                    "primary_key": [0],
                    "indexes": [
                        {
                            "source_name": NONE,
                            "accessor_name": some("id"),
                            "algorithm": {"Direct": 0},
                        }
                    ],
                    "constraints": [{"source_name": NONE, "data": {"Unique": {"columns": [0]}}}],
                    "sequences": [],
                    "table_type": {"User": []},
                    "table_access": {"Private": []},
                    "default_values": [{"col_id": 0, "value": "0100000000000000"}],
                    "is_event": True,
                }
            ],
        ),
        section(
            "Reducers",
            [
                {
                    "source_name": "start",
                    "params": {"elements": []},
                    "visibility": {"Private": []},
                    "ok_return_type": {"Product": {"elements": []}},
                    "err_return_type": {"String": []},
                }
            ],
        ),
        section(
            "Procedures",
            [
                {
                    "source_name": "roll",
                    "params": {"elements": []},
                    "return_type": {"U32": []},
                    "visibility": {"ClientCallable": []},
                }
            ],
        ),
        section(
            "Views",
            [
                {
                    "source_name": "mine",
                    "index": 0,
                    "is_public": True,
                    "is_anonymous": False,
                    "params": {"elements": []},
                    "return_type": {"Array": {"Ref": 0}},
                }
            ],
        ),
        section(
            "Schedules",
            [
                {
                    "source_name": NONE,
                    "table_name": "tick",
                    "schedule_at_col": 0,
                    "function_name": "start",
                }
            ],
        ),
        section("LifeCycleReducers", [{"lifecycle_spec": {"Init": []}, "function_name": "start"}]),
        section("RowLevelSecurity", [{"sql": "SELECT * FROM tick"}]),
        section("CaseConversionPolicy", {"None": []}),
        section(
            "ExplicitNames",
            {"entries": [{"Table": {"source_name": "tick", "canonical_name": "ticks"}}]},
        ),
        section("HttpHandlers", []),
        section("HttpRoutes", []),
        section("ViewPrimaryKeys", [{"view_source_name": "mine", "columns": ["id"]}]),
        section("Submodules", []),
    ]
}


def v10_schema() -> Schema:
    return schema_of_json(V10)


def test_v10_says_more() -> None:
    schema = v10_schema()
    table = schema.table("ticks")
    assert table.is_event
    assert not table.is_public
    assert table.schedule == Schedule("start", 0)
    assert table.indexes[0].kind is IndexKind.DIRECT
    assert table.defaults == ((0, b"\x01" + b"\0" * 7),)
    [reducer] = schema.reducers
    assert (reducer.lifecycle, reducer.is_public) == (Lifecycle.INIT, False)
    assert (reducer.ok_type, reducer.err_type) == (UNIT, Primitive.STRING)
    assert schema.procedures[0].return_type is Primitive.U32
    view = schema.view_as_table(schema.views[0])
    assert view is not None
    assert (view.name, view.row, view.primary_key) == ("mine", 0, 0)


def test_v10_in_bytes_is_the_same() -> None:
    plain = from_json(RAW_MODULE, RAW_TYPES, {"V10": V10})
    data = encode_plain(RAW_MODULE, RAW_TYPES, plain)
    assert schema_of_bytes(data) == v10_schema()
    assert to_json(RAW_MODULE, RAW_TYPES, decode_plain(RAW_MODULE, RAW_TYPES, data))


def test_what_is_written_as_v10_is_read_again(described: Any) -> None:
    schema = v10_schema()
    assert schema_of_bytes(schema_to_bytes_v10(schema)) == schema
    older = schema_of_bytes(schema_to_bytes_v10(schema_of_json(described)))
    assert schema_hash(older) == schema_hash(schema_of_json(described))


@pytest.mark.parametrize("broken", [[], {}, {"typespace": 5}, {"sections": [{"Unheard": 1}]}])
def test_what_is_no_description_is_an_error(broken: Any) -> None:
    with pytest.raises(DecodeError):
        schema_of_json(broken)


def test_every_prefix_of_a_description_is_an_error(described: Any) -> None:
    data = schema_to_bytes(schema_of_json(described))
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            schema_of_bytes(data[:length])


def test_json_keeps_numbers_exactly() -> None:
    type_ = product(("a", Primitive.U256), ("b", Primitive.I256), ("c", Primitive.U64))
    plain = {"a": 2**256 - 1, "b": -(2**255), "c": 2**64 - 1}
    text = json.dumps(to_json(type_, (), plain))
    assert from_json(type_, (), json.loads(text)) == plain


def test_json_takes_objects_arrays_and_both_forms_of_sums() -> None:
    option = RAW_TYPES[0]
    assert from_json(option, RAW_TYPES, {"Ref": 5}) == from_json(option, RAW_TYPES, [0, 5])
    pair = product(("a", Primitive.U8), ("b", Primitive.BOOL))
    assert from_json(pair, (), [1, True]) == from_json(pair, (), {"b": True, "a": 1})
    for wrong in ([1], {"a": 1}, [300, True], [1, 1], "x"):
        with pytest.raises(DecodeError):
            from_json(pair, (), wrong)


def test_a_reference_to_itself_is_no_endless_search() -> None:
    with pytest.raises(DecodeError, match="no type"):
        decode_plain(Ref(0), (Ref(0),), b"")
