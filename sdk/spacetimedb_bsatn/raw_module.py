"""How a module describes itself on the wire: RawModuleDef V9 and V10, written as types."""

from typing import Final

from spacetimedb_bsatn.algebraic import (
    BYTES,
    UNIT,
    AlgebraicType,
    ArrayType,
    Element,
    Primitive,
    ProductType,
    Ref,
    SumType,
    option,
    product,
    sum_of,
)

STRING: Final = Primitive.STRING
U16: Final = Primitive.U16
U32: Final = Primitive.U32
BOOL: Final = Primitive.BOOL

# Types that refer to themselves, by their place in RAW_TYPES.
ALGEBRAIC_TYPE: Final = Ref(0)
PRODUCT_TYPE: Final = Ref(1)
SUM_TYPE: Final = Ref(2)
RAW_MODULE_V10: Final = Ref(3)

NAME: Final = option(STRING)
COLUMNS: Final = ArrayType(U16)


def enum_of(*names: str) -> SumType:
    return SumType(tuple(Element(name, UNIT) for name in names))


def list_of(*fields: tuple[str | None, AlgebraicType]) -> ArrayType:
    return ArrayType(product(*fields))


ELEMENTS: Final = list_of(("name", NAME), ("algebraic_type", ALGEBRAIC_TYPE))
RAW_ALGEBRAIC_TYPE: Final = sum_of(
    ("Ref", U32),
    ("Sum", SUM_TYPE),
    ("Product", PRODUCT_TYPE),
    ("Array", ALGEBRAIC_TYPE),
    *((each, UNIT) for each in ("String", "Bool", "I8", "U8", "I16", "U16", "I32", "U32")),
    *((each, UNIT) for each in ("I64", "U64", "I128", "U128", "I256", "U256", "F32", "F64")),
)
TYPESPACE: Final = product(("types", ArrayType(ALGEBRAIC_TYPE)))

INDEX_ALGORITHM: Final = sum_of(("BTree", COLUMNS), ("Hash", COLUMNS), ("Direct", U16))
CONSTRAINT_DATA: Final = sum_of(("Unique", product(("columns", COLUMNS))))
TABLE_TYPE: Final = enum_of("System", "User")
TABLE_ACCESS: Final = enum_of("Public", "Private")
LIFECYCLE: Final = enum_of("Init", "OnConnect", "OnDisconnect")
VISIBILITY: Final = enum_of("Private", "ClientCallable")
ROW_LEVEL_SECURITY: Final = list_of(("sql", STRING))


def indexes(name: str, accessor: str) -> ArrayType:
    return list_of((name, NAME), (accessor, NAME), ("algorithm", INDEX_ALGORITHM))


def constraints(name: str) -> ArrayType:
    return list_of((name, NAME), ("data", CONSTRAINT_DATA))


def sequences(name: str) -> ArrayType:
    number = option(Primitive.I128)
    limits = (("start", number), ("min_value", number), ("max_value", number))
    return list_of((name, NAME), ("column", U16), *limits, ("increment", Primitive.I128))


def named_types(name: str) -> ArrayType:
    scoped = product(("scope", ArrayType(STRING)), (name, STRING))
    return list_of((name, scoped), ("ty", U32), ("custom_ordering", BOOL))


def view(name: str) -> ProductType:
    flags = (("index", U32), ("is_public", BOOL), ("is_anonymous", BOOL))
    return product(
        (name, STRING), *flags, ("params", PRODUCT_TYPE), ("return_type", ALGEBRAIC_TYPE)
    )


RAW_MODULE_V9: Final = product(
    ("typespace", TYPESPACE),
    (
        "tables",
        list_of(
            ("name", STRING),
            ("product_type_ref", U32),
            ("primary_key", COLUMNS),
            ("indexes", indexes("name", "accessor_name")),
            ("constraints", constraints("name")),
            ("sequences", sequences("name")),
            (
                "schedule",
                option(
                    product(("name", NAME), ("reducer_name", STRING), ("scheduled_at_column", U16))
                ),
            ),
            ("table_type", TABLE_TYPE),
            ("table_access", TABLE_ACCESS),
        ),
    ),
    (
        "reducers",
        list_of(("name", STRING), ("params", PRODUCT_TYPE), ("lifecycle", option(LIFECYCLE))),
    ),
    ("types", named_types("name")),
    (
        "misc_exports",
        ArrayType(
            sum_of(
                (
                    "ColumnDefaultValue",
                    product(("table", STRING), ("col_id", U16), ("value", BYTES)),
                ),
                (
                    "Procedure",
                    product(
                        ("name", STRING), ("params", PRODUCT_TYPE), ("return_type", ALGEBRAIC_TYPE)
                    ),
                ),
                ("View", view("name")),
            )
        ),
    ),
    ("row_level_security", ROW_LEVEL_SECURITY),
)

NAME_MAPPING: Final = product(("source_name", STRING), ("canonical_name", STRING))
V10_TABLES: Final = list_of(
    ("source_name", STRING),
    ("product_type_ref", U32),
    ("primary_key", COLUMNS),
    ("indexes", indexes("source_name", "accessor_name")),
    ("constraints", constraints("source_name")),
    ("sequences", sequences("source_name")),
    ("table_type", TABLE_TYPE),
    ("table_access", TABLE_ACCESS),
    ("default_values", list_of(("col_id", U16), ("value", BYTES))),
    ("is_event", BOOL),
)
V10_REDUCERS: Final = list_of(
    ("source_name", STRING),
    ("params", PRODUCT_TYPE),
    ("visibility", VISIBILITY),
    ("ok_return_type", ALGEBRAIC_TYPE),
    ("err_return_type", ALGEBRAIC_TYPE),
)
V10_PROCEDURES: Final = list_of(
    ("source_name", STRING),
    ("params", PRODUCT_TYPE),
    ("return_type", ALGEBRAIC_TYPE),
    ("visibility", VISIBILITY),
)
V10_SCHEDULES: Final = list_of(
    ("source_name", NAME),
    ("table_name", STRING),
    ("schedule_at_col", U16),
    ("function_name", STRING),
)
HTTP_METHOD: Final = sum_of(
    *(
        (each, UNIT)
        for each in ["Get", "Head", "Post", "Put", "Delete", "Connect", "Options", "Trace", "Patch"]
    ),
    ("Extension", STRING),
)
V10_ROUTES: Final = list_of(
    ("handler_function", STRING),
    ("method", sum_of(("Any", UNIT), ("Method", HTTP_METHOD))),
    ("path", STRING),
)
V10_SECTION: Final = sum_of(
    ("Typespace", TYPESPACE),
    ("Types", named_types("source_name")),
    ("Tables", V10_TABLES),
    ("Reducers", V10_REDUCERS),
    ("Procedures", V10_PROCEDURES),
    ("Views", ArrayType(view("source_name"))),
    ("Schedules", V10_SCHEDULES),
    ("LifeCycleReducers", list_of(("lifecycle_spec", LIFECYCLE), ("function_name", STRING))),
    ("RowLevelSecurity", ROW_LEVEL_SECURITY),
    ("CaseConversionPolicy", enum_of("None", "SnakeCase")),
    (
        "ExplicitNames",
        product(
            (
                "entries",
                ArrayType(
                    sum_of(
                        *(
                            (each, NAME_MAPPING)
                            for each in ("Table", "Function", "Index", "Namespace")
                        )
                    )
                ),
            )
        ),
    ),
    ("HttpHandlers", list_of(("source_name", STRING))),
    ("HttpRoutes", V10_ROUTES),
    ("ViewPrimaryKeys", list_of(("view_source_name", STRING), ("columns", ArrayType(STRING)))),
    ("Submodules", list_of(("namespace", STRING), ("module", RAW_MODULE_V10))),
)

RAW_TYPES: Final[tuple[AlgebraicType, ...]] = (
    RAW_ALGEBRAIC_TYPE,
    product(("elements", ELEMENTS)),
    product(("variants", ELEMENTS)),
    product(("sections", ArrayType(V10_SECTION))),
)
# The tag in front of an encoded description: V8 is of servers before 1.0.
RAW_MODULE: Final = sum_of(("V8", UNIT), ("V9", RAW_MODULE_V9), ("V10", RAW_MODULE_V10))
