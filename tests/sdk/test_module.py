"""Modules without a compiler: what is wrong is told before publishing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from spacetimedb_bsatn import ScheduleAt, ValidationError, f64, schema_of_bytes, u8, u32, u64
from spacetimedb_bsatn.algebraic import Primitive, product, sum_of
from spacetimedb_bsatn.schema import Lifecycle
from spacetimedb_client import Admin, HttpError, MigrationRefused
from spacetimedb_client.module import Module, Operation, check_migration, refused_changes
from spacetimedb_client.module.assembly import code
from spacetimedb_client.testing import Server
from tests.support.arena import arena


def test_the_code_is_small_and_the_same_for_all_modules() -> None:
    first, second = arena().build(), Module().build()
    assert len(code()) < 2500
    assert first != second
    assert arena().build() == first


def test_a_module_describes_itself_in_its_data() -> None:
    module = arena()
    built = module.build()
    start = built.index(b"\x01" + len(module.schema.types).to_bytes(4, "little"))
    for end in range(start + 1, len(built)):
        try:
            described = schema_of_bytes(built[start:end])
        except ValueError:
            continue
        assert described == module.schema
        return
    pytest.fail("no description")


def duplicate_column(module: Module) -> None:
    module.table("t", [("a", u8), ("a", u8)])


def duplicate_table(module: Module) -> None:
    module.table("t", {"a": u8})
    module.table("t", {"a": u8})


def duplicate_reducer(module: Module) -> None:
    module.reducer("r", Operation.NOTHING)
    module.reducer("r", Operation.NOTHING)


def inline_sum(module: Module) -> None:
    module.table("t", {"a": sum_of(("X", Primitive.U8), ("Y", Primitive.STRING))})


def inline_product(module: Module) -> None:
    module.reducer("r", Operation.NOTHING, params={"p": product(("x", Primitive.U8))})


def bad_name(module: Module) -> None:
    module.table("my table", {"a": u8})


def reserved_name(module: Module) -> None:
    module.table("st_table", {"a": u8})


def bad_column_name(module: Module) -> None:
    module.table("t", {"1a": u8})


def auto_inc_of_no_integer(module: Module) -> None:
    module.table("t", {"a": str}, auto_inc=["a"])


def two_inits(module: Module) -> None:
    for name in ("a", "b"):
        module.reducer(name, Operation.NOTHING, lifecycle=Lifecycle.INIT)


def schedule_without_time(module: Module) -> None:
    timer = module.table("t", {"id": u64}, primary_key="id", auto_inc=["id"], scheduled="r")
    module.reducer("r", Operation.NOTHING, params={"row": timer.row})


def schedule_without_key(module: Module) -> None:
    timer = module.table("t", {"id": u64, "at": ScheduleAt}, scheduled="r")
    module.reducer("r", Operation.NOTHING, params={"row": timer.row})


def schedule_without_reducer(module: Module) -> None:
    columns = {"id": u64, "at": ScheduleAt}
    module.table("t", columns, primary_key="id", auto_inc=["id"], scheduled="r")


def schedule_with_other_arguments(module: Module) -> None:
    schedule_without_reducer(module)
    module.reducer("r", Operation.NOTHING, params={"x": u8})


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (duplicate_column, "column 'a' is there 2 times"),
        (duplicate_table, "table 't' is there 2 times"),
        (duplicate_reducer, "reducer 'r' is there 2 times"),
        (inline_sum, "no name of its own"),
        (inline_product, "the type of 'p' has no name"),
        (bad_name, "'my table': a name has letters"),
        (reserved_name, "names with st_"),
        (bad_column_name, "'1a'"),
        (auto_inc_of_no_integer, "auto_inc column 'a' is no integer"),
        (two_inits, "2 reducers for Init"),
        (schedule_without_time, "no column of ScheduleAt"),
        (schedule_without_key, "primary key has to be a u64"),
        (schedule_without_reducer, "no reducer 'r'"),
        (schedule_with_other_arguments, "has to take one row"),
    ],
)
def test_mistakes_are_told_before_publishing(mistake: Callable[[Module], None], told: str) -> None:
    module = Module()
    mistake(module)
    with pytest.raises(ValidationError, match=told):
        module.build()


def test_no_type_has_the_name_that_generated_typescript_gives_to_the_arguments_of_a_reducer() -> (
    None
):
    module = Module()
    module.inbox("wish", {"key": str})
    assert [type_name.name for type_name in module.schema.type_names] == ["WishCall"]


def test_mistakes_in_a_call_are_told_at_once() -> None:
    module = Module()
    with pytest.raises(ValidationError, match="no column 'b', only a"):
        module.table("t", {"a": u8}, primary_key="b")
    with pytest.raises(ValidationError, match="is no type"):
        module.table("t", {"a": dict})
    with pytest.raises(ValidationError, match="INSERT needs a table"):
        module.reducer("r", Operation.INSERT)
    keyless = module.table("keyless", {"a": u8})
    with pytest.raises(ValidationError, match="no primary key"):
        module.reducer("r", Operation.DELETE_KEY, keyless)
    guarded = Module(owner_only=True)
    guarded.reducer("r", Operation.NOTHING)
    with pytest.raises(ValidationError, match="build\\(owner="):
        guarded.build()


COLUMNS = {"id": u32, "name": str, "kind": u8}


def one_table(**options: Any) -> Module:
    module = Module()
    columns = options.pop("columns", COLUMNS)
    reducer = options.pop("scheduled", None)
    options.setdefault("primary_key", "id")
    module.table("t", columns, scheduled=reducer, **options)
    return module


def with_enum(*variants: str) -> Module:
    module = Module()
    module.table("t", {"id": u32, "kind": module.enum("Kind", *variants)}, primary_key="id")
    return module


def two_tables() -> Module:
    module = one_table()
    module.table("u", {"a": u8})
    return module


PLAIN = one_table()
ALLOWED = [
    (PLAIN, two_tables()),
    (PLAIN, one_table(indexes=["name"])),
    (one_table(indexes=["name"]), PLAIN),
    (PLAIN, one_table(public=False)),
    (one_table(unique=["name"]), PLAIN),
    (one_table(auto_inc=["id"]), PLAIN),
]
REFUSED = [
    (two_tables(), PLAIN, "table 'u' is removed"),
    (PLAIN, one_table(columns=COLUMNS | {"more": u8}), "columns change"),
    (PLAIN, one_table(columns={"id": u32, "name": str}), "columns change"),
    (PLAIN, one_table(columns={"id": u32, "kind": u8, "name": str}), "columns change"),
    (PLAIN, one_table(columns={"id": u32, "name": str, "sort": u8}), "columns change"),
    (PLAIN, one_table(columns={"id": u32, "name": str, "kind": f64}), "columns change"),
    (PLAIN, one_table(unique=["name"]), "name becomes unique"),
    (with_enum("A", "B"), with_enum("A", "B", "C"), "columns change"),
    (with_enum("A", "B"), with_enum("A", "C"), "columns change"),
]
# What a server takes or dies of, and what only we refuse.
DANGEROUS = [
    (PLAIN, one_table(auto_inc=["id"]), "ends the server"),
    (PLAIN, one_table(primary_key=None), "primary key is removed"),
]


@pytest.mark.parametrize(("old", "new"), ALLOWED)
async def test_what_may_change_is_published(
    database_server: Server, old: Module, new: Module
) -> None:
    check_migration(old.schema, new.schema)
    async with Admin(database_server.uri) as anyone:
        owner = await anyone.create_identity()
    async with Admin(database_server.uri, token=owner.token) as admin:
        await admin.publish("changing", old.build())
        await admin.publish("changing", new.build())
        await admin.delete("changing")


@pytest.mark.parametrize(("old", "new", "told"), REFUSED)
async def test_what_the_server_refuses_is_told_before(
    database_server: Server, old: Module, new: Module, told: str
) -> None:
    with pytest.raises(ValidationError, match=told):
        check_migration(old.schema, new.schema)
    async with Admin(database_server.uri) as anyone:
        owner = await anyone.create_identity()
    async with Admin(database_server.uri, token=owner.token) as admin:
        await admin.publish("changing", old.build())
        with pytest.raises(MigrationRefused, match=told):
            await admin.publish("changing", new.build())
        with pytest.raises(HttpError) as refused:
            await admin.publish("changing", new.build(), check=False)
        assert refused.value.status == 400
        await admin.publish("changing", new.build(), clear=True)
        await admin.delete("changing")


@pytest.mark.parametrize(("old", "new", "told"), DANGEROUS)
def test_what_breaks_a_server_is_refused(old: Module, new: Module, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        check_migration(old.schema, new.schema)


def test_a_module_published_again_unchanged_is_no_migration() -> None:
    assert list(refused_changes(arena().schema, arena().schema)) == []
