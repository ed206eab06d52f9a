"""`spacetimedb-py describe`: tables, reducers and types of a database."""

from __future__ import annotations

import argparse
from typing import Final

from spacetimedb_bsatn import ProductType, Schema
from spacetimedb_bsatn.algebraic import described
from spacetimedb_bsatn.schema import Table
from spacetimedb_client.subcommands.asking import add_database, admin_of
from spacetimedb_client.terminal import Terminal

NAME: Final = "describe"
HELP: Final = "show the tables and reducers of a database"


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_database(command)


async def run(options: argparse.Namespace, terminal: Terminal) -> None:
    async with admin_of(options) as admin:
        if terminal.is_json:
            terminal.json(await admin.schema_json(options.database))
            return
        schema = await admin.schema(options.database)
    for table in schema.tables:
        show(schema, table, terminal)
    calls = [
        (kind, each.name, words(schema, each.params), when)
        for kind, some in (("reducer", schema.reducers), ("procedure", schema.procedures))
        for each in some
        for when in (lifecycle_of(each),)
    ]
    terminal.table("Calls", ["kind", "name", "parameters", "runs at"], calls)
    for view in schema.views:
        terminal.say(f"view {view.name}({words(schema, view.params)})")
    for sql in schema.row_level_security:
        terminal.say(f"rule {sql}")


def lifecycle_of(called: object) -> str:
    lifecycle = getattr(called, "lifecycle", None)
    return lifecycle.value if lifecycle else ""


def show(schema: Schema, table: Table, terminal: Terminal) -> None:
    facts = ["public" if table.is_public else "private"]
    if table.is_event:
        facts.append("events")
    if table.schedule:
        facts.append(f"schedule of {table.schedule.reducer}")
    rows = [
        (name, type_, ", ".join(column_facts(table, at)))
        for at, (name, type_) in enumerate(parts(schema, schema.row_type(table)))
    ]
    terminal.table(f"{table.name} ({', '.join(facts)})", ["column", "type", ""], rows)


def column_facts(table: Table, at: int) -> list[str]:
    facts = ["primary key"] if table.primary_key == at else []
    if at != table.primary_key and any(each.columns == (at,) for each in table.uniques):
        facts.append("unique")
    if any(each.column == at for each in table.sequences):
        facts.append("auto_inc")
    indexes = [
        each.accessor or each.kind.value.lower() for each in table.indexes if at in each.columns
    ]
    if indexes and not facts:
        facts.append(f"index {', '.join(indexes)}")
    return facts


def parts(schema: Schema, product: ProductType) -> list[tuple[str, str]]:
    names = [schema.name_of(ref) or f"type {ref}" for ref in range(len(schema.types))]
    return [
        (each.name or str(at), described(each.type, names))
        for at, each in enumerate(product.elements)
    ]


def words(schema: Schema, product: ProductType) -> str:
    return ", ".join(f"{name}: {type_}" for name, type_ in parts(schema, product))
