"""`spacetimedb-py publish`: a module, after showing what it changes."""

from __future__ import annotations

import argparse
import runpy
from pathlib import Path
from typing import Final

from spacetimedb_bsatn import ValidationError
from spacetimedb_client.http import Admin
from spacetimedb_client.http_answers import Published
from spacetimedb_client.module import Module
from spacetimedb_client.module.migrations import migration_refused
from spacetimedb_client.schema_difference import ChangeKind, SchemaDifference
from spacetimedb_client.subcommands.asking import add_database, admin_of
from spacetimedb_client.terminal import Terminal

NAME: Final = "publish"
HELP: Final = "create a database of a module, or give it another one"
COLOURS: Final = {
    ChangeKind.ADDED: "green",
    ChangeKind.REMOVED: "red",
    ChangeKind.CHANGED: "yellow",
}


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "module", type=Path, help="a .wasm file, or a .py file that has a Module in it"
    )
    add_database(command)
    command.add_argument("--clear", action="store_true", help="drop all rows")


async def run(options: argparse.Namespace, terminal: Terminal) -> None:
    module = module_of(options.module)
    async with admin_of(options) as admin:
        with terminal.progress("comparing with what is there"):
            found = await admin.difference(options.database, module)
        if found is not None:
            show(found, options.database, terminal)
            ask(found, options, terminal)
        await send(admin, module, found, options, terminal)


def module_of(path: Path) -> bytes | Module:
    """What a compiler wrote, or what a Python file describes."""
    if path.suffix != ".py":
        return path.read_bytes()
    found = [each for each in runpy.run_path(str(path)).values() if isinstance(each, Module)]
    if len(found) != 1:
        raise ValidationError(
            f"{path} has {len(found)} modules: write one, `module = Module()`, at its top level"
        )
    return found[0]


def show(found: SchemaDifference, database: str, terminal: Terminal) -> None:
    terminal.note(f"{database} is there; what changes:")
    for change in found.changes:
        if not terminal.is_json:
            terminal.say(str(change), COLOURS[change.kind])
    if not found:
        terminal.note(str(found))


def ask(found: SchemaDifference, options: argparse.Namespace, terminal: Terminal) -> None:
    if options.clear:
        terminal.confirm(f"All rows of {options.database} will be dropped. Publish?")
        return
    if found.refused:
        raise migration_refused(found.refused, "--clear")
    if found:
        terminal.confirm("Publish?")


async def send(
    admin: Admin,
    module: bytes | Module,
    found: SchemaDifference | None,
    options: argparse.Namespace,
    terminal: Terminal,
) -> None:
    with terminal.progress("publishing"):
        published = await admin.publish(options.database, module, clear=options.clear, check=False)
    if terminal.is_json:
        terminal.json(told(published, found, options.database))
        return
    terminal.say(f"{published.operation} {options.database} {published.database_identity}")
    if published.owner:
        terminal.note("There was no token, so the server made an owner; keep this one:")
        terminal.say(f"token {published.owner.token}")


def told(published: Published, found: SchemaDifference | None, database: str) -> dict[str, object]:
    """For programs."""
    owner = published.owner
    return {
        "database": database,
        "identity": str(published.database_identity),
        "operation": published.operation,
        "changes": [str(each) for each in found.changes] if found else [],
        **({"owner": str(owner.identity), "token": owner.token} if owner else {}),
    }
