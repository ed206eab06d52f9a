"""`Schema` → a module's description V10, which holds all that a newer server tells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from spacetimedb_bsatn.algebraic import UNIT, Primitive, SumType
from spacetimedb_bsatn.plain import Tagged, encode_plain, variant
from spacetimedb_bsatn.raw_module import (
    LIFECYCLE,
    RAW_MODULE,
    RAW_TYPES,
    V10_SECTION,
    VISIBILITY,
)
from spacetimedb_bsatn.schema import Procedure, Reducer, Schema, Table, View
from spacetimedb_bsatn.schema_writing import (
    optional_of_plain,
    plain_of_product,
    plain_of_table,
    plain_of_type,
)


def schema_to_bytes_v10(schema: Schema) -> bytes:
    """Everything of a schema; servers before 2.0 do not read it."""
    sections = [variant(V10_SECTION, name, value) for name, value in _sections(schema)]
    whole = variant(RAW_MODULE, "V10", {"sections": sections})
    return encode_plain(RAW_MODULE, RAW_TYPES, whole)


def _sections(schema: Schema) -> Iterable[tuple[str, Any]]:
    yield "Typespace", {"types": [plain_of_type(each) for each in schema.types]}
    yield (
        "Types",
        [
            {
                "source_name": {"scope": list(each.scope), "source_name": each.name},
                "ty": each.ref,
                "custom_ordering": each.custom_ordering,
            }
            for each in schema.type_names
        ],
    )
    yield "Tables", [_table(each) for each in schema.tables]
    yield "Reducers", [_reducer(each) for each in schema.reducers]
    yield "Procedures", [_procedure(each) for each in schema.procedures]
    yield "Views", [_view(at, each) for at, each in enumerate(schema.views)]
    yield "Schedules", [_schedule(each) for each in schema.tables if each.schedule]
    yield (
        "LifeCycleReducers",
        [
            {
                "lifecycle_spec": variant(LIFECYCLE, each.lifecycle.value),
                "function_name": each.name,
            }
            for each in schema.reducers
            if each.lifecycle
        ],
    )
    yield "RowLevelSecurity", [{"sql": each} for each in schema.row_level_security]
    # Names are as they are: without this the server writes them its own way.
    yield "CaseConversionPolicy", variant(_case_policy(), "None")
    yield (
        "ViewPrimaryKeys",
        [
            {"view_source_name": each.name, "columns": list(each.primary_key)}
            for each in schema.views
            if each.primary_key
        ],
    )


def _case_policy() -> SumType:
    found = next(each.type for each in V10_SECTION.variants if each.name == "CaseConversionPolicy")
    assert isinstance(found, SumType)
    return found


def _named(plain: dict[str, Any]) -> dict[str, Any]:
    """V10 calls names otherwise."""
    return {"source_name" if key == "name" else key: value for key, value in plain.items()}


def _table(table: Table) -> dict[str, Any]:
    plain = _named(plain_of_table(table))
    for part in ("indexes", "constraints", "sequences"):
        plain[part] = [_named(each) for each in plain[part]]
    del plain["schedule"]
    defaults = [{"col_id": column, "value": value} for column, value in table.defaults]
    return plain | {"default_values": defaults, "is_event": table.is_event}


def _visibility(is_public: bool) -> Tagged:
    return variant(VISIBILITY, "ClientCallable" if is_public else "Private")


def _reducer(reducer: Reducer) -> dict[str, Any]:
    return {
        "source_name": reducer.name,
        "params": plain_of_product(reducer.params),
        "visibility": _visibility(reducer.is_public),
        "ok_return_type": plain_of_type(reducer.ok_type or UNIT),
        "err_return_type": plain_of_type(reducer.err_type or Primitive.STRING),
    }


def _procedure(procedure: Procedure) -> dict[str, Any]:
    return {
        "source_name": procedure.name,
        "params": plain_of_product(procedure.params),
        "return_type": plain_of_type(procedure.return_type),
        "visibility": _visibility(procedure.is_public),
    }


def _view(place: int, view: View) -> dict[str, Any]:
    return {
        "source_name": view.name,
        "index": place,
        "is_public": view.is_public,
        "is_anonymous": view.is_anonymous,
        "params": plain_of_product(view.params),
        "return_type": plain_of_type(view.return_type),
    }


def _schedule(table: Table) -> dict[str, Any]:
    assert table.schedule is not None
    return {
        "source_name": optional_of_plain(table.schedule.name),
        "table_name": table.name,
        "schedule_at_col": table.schedule.column,
        "function_name": table.schedule.reducer,
    }
