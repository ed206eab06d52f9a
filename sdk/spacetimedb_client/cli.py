"""The command line: `python -m spacetimedb_client generate …`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from spacetimedb_bsatn import SpacetimeDBError
from spacetimedb_client.codegen import generate
from spacetimedb_client.http import Admin

URI: Final = "SPACETIMEDB_URI"
TOKEN: Final = "SPACETIMEDB_TOKEN"
LOCAL: Final = "http://127.0.0.1:3000"


def main(arguments: Sequence[str] | None = None) -> None:
    """Ends with 1 and one line where something is wrong."""
    options = parser().parse_args(arguments)
    try:
        asyncio.run(write_bindings(options))
    except SpacetimeDBError as problem:
        sys.exit(f"spacetimedb_client: {problem}")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m spacetimedb_client", description=__doc__)
    commands = made.add_subparsers(dest="command", required=True)
    command = commands.add_parser("generate", help="write a module with a database's bindings")
    command.add_argument("--uri", default=os.environ.get(URI, LOCAL), help=f"default: ${URI}")
    command.add_argument("--token", default=os.environ.get(TOKEN), help=f"default: ${TOKEN}")
    command.add_argument("--database", required=True)
    command.add_argument("--private", action="store_true", help="also what only the owner may use")
    command.add_argument("-o", "--output", type=Path, help="default: standard output")
    return made


async def write_bindings(options: argparse.Namespace) -> None:
    async with Admin(options.uri, token=options.token) as admin:
        schema = await admin.schema(options.database)
    text = generate(schema, options.database, private=options.private)
    if options.output is None:
        sys.stdout.write(text)
    else:
        options.output.write_text(text)
