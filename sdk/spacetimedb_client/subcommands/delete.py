"""`spacetimedb-py delete`: a database with all its rows."""

from __future__ import annotations

import argparse
from typing import Final

from spacetimedb_client.subcommands.asking import add_database, admin_of
from spacetimedb_client.terminal import Terminal

NAME: Final = "delete"
HELP: Final = "delete a database with all its rows"


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_database(command)


async def run(options: argparse.Namespace, terminal: Terminal) -> None:
    async with admin_of(options) as admin:
        identity = await admin.database_identity(options.database)
        terminal.confirm(f"Delete {options.database} ({identity}) with all its rows, for good?")
        await admin.delete(options.database)
    if terminal.is_json:
        terminal.json({"database": options.database, "identity": str(identity)})
    else:
        terminal.say(f"deleted {options.database}")
