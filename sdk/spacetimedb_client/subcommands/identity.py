"""`spacetimedb-py identity`: who the token says that we are, or somebody new."""

from __future__ import annotations

import argparse
from typing import Final

from spacetimedb_client.errors import AuthError
from spacetimedb_client.http import Admin
from spacetimedb_client.http_answers import identity_of_token
from spacetimedb_client.subcommands.asking import admin_of
from spacetimedb_client.terminal import Terminal

NAME: Final = "identity"
HELP: Final = "show whose the token is and what it owns; --new makes an identity"


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--new", action="store_true", help="a new identity, with its token")


async def run(options: argparse.Namespace, terminal: Terminal) -> None:
    async with admin_of(options) as admin:
        if options.new:
            await show_new(admin, terminal)
        else:
            await show(admin, options.token, terminal)


async def show_new(admin: Admin, terminal: Terminal) -> None:
    made = await admin.create_identity()
    if terminal.is_json:
        terminal.json({"identity": str(made.identity), "token": made.token})
        return
    terminal.note("Keep the token: it is the only proof of this identity.")
    terminal.say(f"identity {made.identity}")
    terminal.say(f"token    {made.token}")


async def show(admin: Admin, token: str | None, terminal: Terminal) -> None:
    identity = identity_of_token(token) if token else None
    if identity is None or not await admin.verify(identity):
        raise AuthError(
            "there is no token of this server's own: set SPACETIMEDB_TOKEN, "
            "or make an identity with --new"
        )
    databases = [str(each) for each in await admin.databases(identity)]
    if terminal.is_json:
        terminal.json({"identity": str(identity), "databases": databases})
        return
    terminal.say(f"identity {identity}")
    named = [(", ".join(await admin.names(each)), each) for each in databases]
    terminal.table("Databases", ["names", "identity"], named)
