"""One row of a schema: what is found in it, what is refused, and how it is written."""

from __future__ import annotations

from typing import Any

import pytest

from spacetimedb_bsatn import Identity, u8, u32
from spacetimedb_bsatn.algebraic import Primitive, option
from spacetimedb_client.bindings import Bindings
from spacetimedb_client.module import Module, Operation
from watchglass_sync.bindings import Loose
from watchglass_sync.errors import BindingRefused, ValueMisfit
from watchglass_sync.row_form import Owner, RowAddress, RowForm

UNIT = {"id": u32, "hp": u8, "name": str, "x": float, "note": option(Primitive.STRING)}
ROW = {"id": 3, "hp": 10, "name": "O'Hara", "x": 0.5, "note": None}


def bindings(*reducers: str) -> Bindings:
    """A module with some tables, and reducers that take a unit."""
    module = Module()
    unit = module.table("unit", UNIT, primary_key="id")
    module.table("keyless", {"a": u8})
    module.table("changes", {"changes": str, "who": Identity}, primary_key="changes")
    module.table("odd", {"at": float}, primary_key="at")
    for name in reducers:
        module.reducer(name, Operation.UPSERT, unit)
    return Bindings(module.schema)


def form(
    *reducers: str,
    key: Any = 3,
    column: str | None = None,
    table: str = "unit",
    owner: Owner = "us",
) -> RowForm:
    return RowForm(bindings(*reducers), RowAddress("arena", table, key, column), owner)


def row_of(found: RowForm, **columns: Any) -> Any:
    return found.table.row(**columns)


def test_a_row_is_a_dict_and_a_column_its_value() -> None:
    whole, column = form(), form(column="name")
    row = row_of(whole, **ROW)
    picture = whole.row_picture(row)
    assert whole.variable_json(whole.followed(picture)) == ROW
    assert whole.variable_picture(ROW) == picture
    assert column.variable_json(column.followed(picture)) == "O'Hara"
    assert column.variable_picture("O'Hara") == {"name": picture["name"]}
    assert whole.variable_json(whole.followed(None)) is None
    assert str(whole.address) == "arena/unit[3]"
    assert str(column.address) == "arena/unit[3].name"


def test_a_picture_tells_values_apart_that_python_does_not() -> None:
    column = form(column="x")
    assert column.variable_picture(0.0) != column.variable_picture(-0.0)
    nan = {"$type": "float", "value": "nan"}
    assert column.variable_picture(nan) == column.variable_picture(nan)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({**ROW, "hp": 300}, "unit.hp: 300 is not u8"),
        ({**ROW, "id": 4}, "`id` is the row's key, and stays 3"),
        ({**ROW, "mana": 1}, "the table has no column 'mana'"),
        ({"id": 3, "hp": 1}, "the dict lacks 'name', 'x', 'note'"),
        ([1, 2], "is no dict of the columns"),
        ({"$type": "set", "value": []}, "a set is nothing that a row holds"),
    ],
)
def test_what_a_row_cannot_be_is_loose_and_says_why(value: Any, words: str) -> None:
    found = form().variable_picture(value)
    assert isinstance(found, Loose)
    assert words in str(found.why)


def test_what_is_not_there_is_refused_with_what_is() -> None:
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"table": "units"}, "table", "It has 'unit', 'keyless', 'changes', 'odd'."),
        ({"table": "keyless"}, "table", "Bind a row of a table that has one."),
        ({"table": "odd", "key": 1.0}, "table", "Bind a row of a table that has one."),
        ({"column": "mana"}, "column", "It has 'id', 'hp', 'name', 'x', 'note'."),
        ({"key": "3"}, "key", "`unit.id` is u32."),
        ({"key": [3]}, "key", "`unit.id` is u32."),
    ]
    for fields, field, hint in cases:
        with pytest.raises(BindingRefused) as caught:
            form(**fields)
        assert (caught.value.field, caught.value.hint) == (field, hint)


def test_a_row_is_asked_for_by_its_key_whatever_is_in_it() -> None:
    found = form(table="changes", key="a'; DELETE FROM unit; --")
    assert str(found.query).endswith("WHERE \"changes\".\"changes\" = 'a''; DELETE FROM unit; --'")
    assert found.key_index == "changes_"


def test_the_first_reducer_that_takes_a_row_writes_it() -> None:
    names = ("set_unit", "upsert_unit", "unit_upsert", "update_unit", "unit_update")
    for count in range(1, 6):
        assert form(*names[:count]).reducer == names[count - 1]
    assert form("unit_insert").reducer is None


def test_who_may_not_write_is_told_why() -> None:
    assert form(owner="us").why_read_only is None
    assert form("unit_update", owner="others").why_read_only is None
    assert "none of `unit_update`, `update_unit`" in str(form(owner="others").why_read_only)
    assert "by the mirror alone" in str(form("unit_update", owner="mirror").why_read_only)


def test_a_changed_row_keeps_its_other_columns() -> None:
    found = form()
    row = row_of(found, **ROW)
    changed = found.changed_row(found.row_picture(row), {"hp": b"\x05"})
    assert changed == row.replace(hp=5)


def test_sql_sets_the_columns_that_changed_and_quotes_what_is_in_them() -> None:
    found = form()
    picture = found.row_picture(row_of(found, **ROW))
    statement = found.update_statement({name: picture[name] for name in ("hp", "name", "x")})
    assert statement == (
        'UPDATE "unit" SET "hp" = 10, "name" = \'O\'\'Hara\', "x" = 0.5 WHERE "id" = 3'
    )
    for name, value in (("note", None), ("x", {"$type": "float", "value": "nan"})):
        wrong = form(column=name).variable_picture(value)
        assert isinstance(wrong, dict)
        with pytest.raises(ValueMisfit, match=f"no words for this value of `{name}`"):
            found.update_statement(wrong)
