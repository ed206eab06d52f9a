"""`Schema` → a module's description V9, which every server from 1.2.0 on reads."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from spacetimedb_bsatn.algebraic import (
    AlgebraicType,
    ArrayType,
    Element,
    Primitive,
    ProductType,
    Ref,
    SumType,
)
from spacetimedb_bsatn.plain import Tagged, encode_plain, variant
from spacetimedb_bsatn.raw_module import (
    CONSTRAINT_DATA,
    INDEX_ALGORITHM,
    LIFECYCLE,
    RAW_ALGEBRAIC_TYPE,
    RAW_MODULE,
    RAW_MODULE_V9,
    RAW_TYPES,
    TABLE_ACCESS,
    TABLE_TYPE,
)
from spacetimedb_bsatn.sats_json import to_json
from spacetimedb_bsatn.schema import Index, IndexKind, Reducer, Schema, Table, TypeName


def schema_to_bytes(schema: Schema) -> bytes:
    """What `__describe_module__` has to write."""
    return encode_plain(RAW_MODULE, RAW_TYPES, variant(RAW_MODULE, "V9", _plain(schema)))


def schema_hash(schema: Schema) -> str:
    """The same for what clients see alike: without the rules, whose order servers shuffle."""
    plain = _plain(schema.of_public())
    plain["row_level_security"] = []
    procedures = schema.of_public().procedures
    extra = [[each.name, repr(each.params), repr(each.return_type)] for each in procedures]
    events = [each.name for each in schema.tables if each.is_event]
    text = json.dumps([to_json(RAW_MODULE_V9, RAW_TYPES, plain), extra, events], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plain_of_type(type_: AlgebraicType) -> Tagged:
    """A type as it describes itself."""
    match type_:
        case Primitive():
            return variant(RAW_ALGEBRAIC_TYPE, type_.name.title())
        case Ref(index):
            return variant(RAW_ALGEBRAIC_TYPE, "Ref", index)
        case ArrayType(element):
            return variant(RAW_ALGEBRAIC_TYPE, "Array", plain_of_type(element))
        case ProductType():
            return variant(RAW_ALGEBRAIC_TYPE, "Product", plain_of_product(type_))
        case SumType(variants):
            return variant(RAW_ALGEBRAIC_TYPE, "Sum", {"variants": _elements(variants)})


def plain_of_product(type_: ProductType) -> dict[str, Any]:
    return {"elements": _elements(type_.elements)}


def _elements(elements: Iterable[Element]) -> list[Any]:
    return [
        {"name": optional_of_plain(each.name), "algebraic_type": plain_of_type(each.type)}
        for each in elements
    ]


def optional_of_plain(value: Any) -> Tagged:
    return Tagged("none", 1, {}) if value is None else Tagged("some", 0, value)


def _plain(schema: Schema) -> dict[str, Any]:
    return {
        "typespace": {"types": [plain_of_type(each) for each in schema.types]},
        "tables": [plain_of_table(each) for each in schema.tables],
        "reducers": [_reducer(each) for each in schema.reducers],
        "types": [_type_name(each) for each in schema.type_names],
        "misc_exports": [],
        "row_level_security": [{"sql": each} for each in schema.row_level_security],
    }


def plain_of_table(table: Table) -> dict[str, Any]:
    schedule = table.schedule and {
        "name": optional_of_plain(table.schedule.name),
        "reducer_name": table.schedule.reducer,
        "scheduled_at_column": table.schedule.column,
    }
    return {
        "name": table.name,
        "product_type_ref": table.row,
        "primary_key": [] if table.primary_key is None else [table.primary_key],
        "indexes": [_index(each) for each in table.indexes],
        "constraints": [
            {
                "name": optional_of_plain(each.name),
                "data": variant(CONSTRAINT_DATA, "Unique", {"columns": list(each.columns)}),
            }
            for each in table.uniques
        ],
        "sequences": [
            {
                "name": optional_of_plain(each.name),
                "column": each.column,
                "start": optional_of_plain(each.start),
                "min_value": optional_of_plain(each.low),
                "max_value": optional_of_plain(each.high),
                "increment": each.increment,
            }
            for each in table.sequences
        ],
        "schedule": optional_of_plain(schedule),
        "table_type": variant(TABLE_TYPE, "System" if table.is_system else "User"),
        "table_access": variant(TABLE_ACCESS, "Public" if table.is_public else "Private"),
    }


def _index(index: Index) -> dict[str, Any]:
    columns = index.columns[0] if index.kind is IndexKind.DIRECT else list(index.columns)
    return {
        "name": optional_of_plain(index.name),
        "accessor_name": optional_of_plain(index.accessor),
        "algorithm": variant(INDEX_ALGORITHM, index.kind.value, columns),
    }


def _reducer(reducer: Reducer) -> dict[str, Any]:
    lifecycle = reducer.lifecycle and variant(LIFECYCLE, reducer.lifecycle.value)
    return {
        "name": reducer.name,
        "params": plain_of_product(reducer.params),
        "lifecycle": optional_of_plain(lifecycle),
    }


def _type_name(name: TypeName) -> dict[str, Any]:
    return {
        "name": {"scope": list(name.scope), "name": name.name},
        "ty": name.ref,
        "custom_ordering": name.custom_ordering,
    }
