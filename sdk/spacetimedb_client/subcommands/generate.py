"""`spacetimedb-py generate`: a Python file with the bindings of a database."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from spacetimedb_bsatn import schema_hash
from spacetimedb_client.codegen import generate
from spacetimedb_client.subcommands.asking import add_database, admin_of
from spacetimedb_client.terminal import Terminal

NAME: Final = "generate"
HELP: Final = "write a Python file with the types of a database"


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_database(command)
    command.add_argument("-o", "--output", type=Path, help="without it, standard output")
    command.add_argument("--private", action="store_true", help="also what only the owner may use")


async def run(options: argparse.Namespace, terminal: Terminal) -> None:
    async with admin_of(options) as admin:
        schema = await admin.schema(options.database)
    text = generate(schema, options.database, private=options.private)
    if options.output is None:
        sys.stdout.write(text)
        return
    options.output.write_text(text, encoding="utf-8")
    if terminal.is_json:
        terminal.json({"file": str(options.output), "schema_hash": schema_hash(schema)})
    else:
        terminal.note(f"{options.output}: {len(schema.tables)} tables", "")
