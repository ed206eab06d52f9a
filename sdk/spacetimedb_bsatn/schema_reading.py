"""A module's description, in SATS-JSON or BSATN, V9 or V10 → `Schema`."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from spacetimedb_bsatn.algebraic import (
    AlgebraicType,
    ArrayType,
    Element,
    Primitive,
    ProductType,
    SumType,
)
from spacetimedb_bsatn.algebraic import Ref as TypeRef
from spacetimedb_bsatn.errors import DecodeError
from spacetimedb_bsatn.plain import Tagged, decode_plain
from spacetimedb_bsatn.raw_module import RAW_MODULE, RAW_MODULE_V9, RAW_MODULE_V10, RAW_TYPES
from spacetimedb_bsatn.sats_json import from_json
from spacetimedb_bsatn.schema import (
    Index,
    IndexKind,
    Lifecycle,
    Procedure,
    Reducer,
    Schedule,
    Schema,
    Sequencer,
    Table,
    TypeName,
    Unique,
    View,
)

Plain = Mapping[str, Any]
PRIMITIVES: Final = {each.name.title(): each for each in Primitive}


def schema_of_json(described: Any) -> Schema:
    """What `GET /v1/database/…/schema` answered."""
    if not isinstance(described, Mapping):
        raise DecodeError("JSON: a schema is an object")
    try:
        if "sections" in described:
            return _of_v10(from_json(RAW_MODULE_V10, RAW_TYPES, described))
        return _of_v9(from_json(RAW_MODULE_V9, RAW_TYPES, described))
    except RecursionError:
        raise DecodeError("a schema nested deeper than Python's stack allows") from None


def schema_of_bytes(described: bytes) -> Schema:
    """What a module's `__describe_module__` writes."""
    raw = decode_plain(RAW_MODULE, RAW_TYPES, described)
    if raw.name == "V8":
        raise DecodeError("a module of SpacetimeDB before 1.0: build it anew")
    return _of_v9(raw.value) if raw.name == "V9" else _of_v10(raw.value)


def type_of_plain(raw: Tagged) -> AlgebraicType:
    """A type as it describes itself."""
    match raw:
        case Tagged("Ref", _, index):
            return TypeRef(index)
        case Tagged("Array", _, element):
            return ArrayType(type_of_plain(element))
        case Tagged("Product", _, product):
            return product_of_plain(product)
        case Tagged("Sum", _, described):
            return SumType(_elements(described["variants"]))
    return PRIMITIVES[raw.name]


def product_of_plain(raw: Plain) -> ProductType:
    return ProductType(_elements(raw["elements"]))


def _elements(raw: Iterable[Plain]) -> tuple[Element, ...]:
    return tuple(
        Element(_optional(each["name"]), type_of_plain(each["algebraic_type"])) for each in raw
    )


def _optional(raw: Tagged) -> Any:
    return raw.value if raw.name == "some" else None


def _types(raw: Plain) -> tuple[AlgebraicType, ...]:
    return tuple(type_of_plain(each) for each in raw["types"])


def _type_names(raw: Iterable[Plain], key: str) -> tuple[TypeName, ...]:
    return tuple(
        TypeName(each[key][key], each["ty"], tuple(each[key]["scope"]), each["custom_ordering"])
        for each in raw
    )


def _columns(raw: Tagged) -> tuple[int, ...]:
    return (raw.value,) if raw.name == "Direct" else tuple(raw.value)


def _sequence(raw: Plain, key: str) -> Sequencer:
    start, low, high = (_optional(raw[each]) for each in ("start", "min_value", "max_value"))
    return Sequencer(raw["column"], raw["increment"], start, low, high, _optional(raw[key]))


def _table(raw: Plain, key: str) -> Table:
    """What V9 and V10 say alike; `key` is where they keep names."""
    return Table(
        name=raw[key],
        row=raw["product_type_ref"],
        primary_key=raw["primary_key"][0] if raw["primary_key"] else None,
        indexes=tuple(
            Index(
                _columns(each["algorithm"]),
                IndexKind(each["algorithm"].name),
                _optional(each["accessor_name"]),
                _optional(each[key]),
            )
            for each in raw["indexes"]
        ),
        uniques=tuple(
            Unique(tuple(each["data"].value["columns"]), _optional(each[key]))
            for each in raw["constraints"]
        ),
        sequences=tuple(_sequence(each, key) for each in raw["sequences"]),
        is_public=raw["table_access"].name == "Public",
        is_system=raw["table_type"].name == "System",
    )


def _view(raw: Plain, key: str) -> View:
    return View(
        raw[key],
        product_of_plain(raw["params"]),
        type_of_plain(raw["return_type"]),
        raw["is_public"],
        raw["is_anonymous"],
    )


def _of_v9(raw: Plain) -> Schema:
    exports: list[Tagged] = raw["misc_exports"]
    defaults = [each.value for each in exports if each.name == "ColumnDefaultValue"]
    return Schema(
        types=_types(raw["typespace"]),
        type_names=_type_names(raw["types"], "name"),
        tables=tuple(_table_of_v9(each, defaults) for each in raw["tables"]),
        reducers=tuple(
            Reducer(
                each["name"],
                product_of_plain(each["params"]),
                _lifecycle(_optional(each["lifecycle"])),
            )
            for each in raw["reducers"]
        ),
        procedures=tuple(
            Procedure(
                each.value["name"],
                product_of_plain(each.value["params"]),
                type_of_plain(each.value["return_type"]),
            )
            for each in exports
            if each.name == "Procedure"
        ),
        views=tuple(_view(each.value, "name") for each in exports if each.name == "View"),
        row_level_security=tuple(each["sql"] for each in raw["row_level_security"]),
        version=9,
    )


def _table_of_v9(raw: Plain, defaults: Iterable[Plain]) -> Table:
    schedule = _optional(raw["schedule"])
    return replace(
        _table(raw, "name"),
        schedule=schedule
        and Schedule(
            schedule["reducer_name"], schedule["scheduled_at_column"], _optional(schedule["name"])
        ),
        defaults=tuple(
            (each["col_id"], each["value"]) for each in defaults if each["table"] == raw["name"]
        ),
    )


def _lifecycle(raw: Tagged | None) -> Lifecycle | None:
    return Lifecycle(raw.name) if raw else None


def _of_v10(raw: Plain) -> Schema:
    sections: dict[str, Any] = {each.name: each.value for each in raw["sections"]}

    def rows(name: str) -> list[Any]:
        return list(sections.get(name, ()))

    lifecycles = {
        each["function_name"]: each["lifecycle_spec"] for each in rows("LifeCycleReducers")
    }
    keys = {each["view_source_name"]: each["columns"] for each in rows("ViewPrimaryKeys")}
    schema = Schema(
        types=_types(sections.get("Typespace", {"types": ()})),
        type_names=_type_names(rows("Types"), "source_name"),
        tables=tuple(_table_of_v10(each, rows("Schedules")) for each in rows("Tables")),
        reducers=tuple(_reducer_of_v10(each, lifecycles) for each in rows("Reducers")),
        procedures=tuple(_procedure_of_v10(each) for each in rows("Procedures")),
        views=tuple(
            replace(
                _view(each, "source_name"), primary_key=tuple(keys.get(each["source_name"], ()))
            )
            for each in rows("Views")
        ),
        row_level_security=tuple(each["sql"] for each in rows("RowLevelSecurity")),
        version=10,
    )
    return _renamed(schema, sections.get("ExplicitNames", {"entries": ()})["entries"])


def _table_of_v10(raw: Plain, schedules: Iterable[Plain]) -> Table:
    own = [each for each in schedules if each["table_name"] == raw["source_name"]]
    return replace(
        _table(raw, "source_name"),
        schedule=Schedule(
            own[0]["function_name"], own[0]["schedule_at_col"], _optional(own[0]["source_name"])
        )
        if own
        else None,
        is_event=raw["is_event"],
        defaults=tuple((each["col_id"], each["value"]) for each in raw["default_values"]),
    )


def _reducer_of_v10(raw: Plain, lifecycles: Mapping[str, Tagged]) -> Reducer:
    return Reducer(
        raw["source_name"],
        product_of_plain(raw["params"]),
        _lifecycle(lifecycles.get(raw["source_name"])),
        raw["visibility"].name == "ClientCallable",
        type_of_plain(raw["ok_return_type"]),
        type_of_plain(raw["err_return_type"]),
    )


def _procedure_of_v10(raw: Plain) -> Procedure:
    return Procedure(
        raw["source_name"],
        product_of_plain(raw["params"]),
        type_of_plain(raw["return_type"]),
        raw["visibility"].name == "ClientCallable",
    )


def _renamed(schema: Schema, entries: Iterable[Tagged]) -> Schema:
    """With the names that clients use, where the module gives others than its source has."""
    names: dict[str, dict[str, str]] = {"Table": {}, "Function": {}}
    for each in entries:
        mapping = each.value
        names.setdefault(each.name, {})[mapping["source_name"]] = mapping["canonical_name"]
    tables, functions = names["Table"], names["Function"]
    return replace(
        schema,
        tables=tuple(
            replace(each, name=tables.get(each.name, each.name)) for each in schema.tables
        ),
        views=tuple(
            replace(each, name=functions.get(each.name, each.name)) for each in schema.views
        ),
        reducers=tuple(
            replace(each, name=functions.get(each.name, each.name)) for each in schema.reducers
        ),
        procedures=tuple(
            replace(each, name=functions.get(each.name, each.name)) for each in schema.procedures
        ),
    )
