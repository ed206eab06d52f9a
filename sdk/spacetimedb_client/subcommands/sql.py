"""`spacetimedb-py sql`: one statement, and its rows as a table."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

from spacetimedb_client.printing import columns_of, row_object, shown
from spacetimedb_client.sql_rows import SqlResult
from spacetimedb_client.subcommands.asking import add_database, admin_of
from spacetimedb_client.terminal import Terminal

NAME: Final = "sql"
HELP: Final = "run one statement of SQL; its owner may also change rows"


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("statement")
    command.add_argument(
        "parameters", nargs="*", help="values for each ? in it: JSON, or else a text as it is"
    )
    add_database(command)


async def run(options: argparse.Namespace, terminal: Terminal) -> None:
    parameters = [parameter(each) for each in options.parameters]
    async with admin_of(options) as admin:
        answer = await admin.sql(options.database, options.statement, *parameters)
    if terminal.is_json:
        terminal.json(told(answer))
        return
    if answer.columns:
        rows = ([shown(getattr(row, each)) for each in columns_of(row)] for row in answer)
        terminal.table("", answer.columns, rows)
    counts = f"{answer.inserted} inserted, {answer.updated} updated, {answer.deleted} deleted"
    done = f"{len(answer)} row{'' if len(answer) == 1 else 's'}" if answer.columns else counts
    terminal.note(f"{done}, {answer.duration.micros / 1000:g} ms")


def parameter(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str | int | float | bool) else text


def told(answer: SqlResult[Any]) -> dict[str, object]:
    """For programs."""
    return {
        "columns": answer.columns,
        "rows": [row_object(each) for each in answer],
        "inserted": answer.inserted,
        "updated": answer.updated,
        "deleted": answer.deleted,
        "duration_micros": answer.duration.micros,
    }
