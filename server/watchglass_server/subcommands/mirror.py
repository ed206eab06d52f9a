"""`watchglass mirror`: which identities of the SpacetimeDB mirror may see and do what."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from watchglass_server.client import ClientError
from watchglass_server.config import variable
from watchglass_server.mirroring import ADDRESS, CREDENTIALS
from watchglass_server.subcommands.connecting import add_data_dir, data_dir, reported
from watchglass_server.subcommands.sessions import table
from watchglass_server.terminal_text import plain
from watchglass_sync.mirror_address import MirrorAddress
from watchglass_sync.permissions import ROLES, Permission

NAME = "mirror"
HELP = "say who may see and change the sessions of the SpacetimeDB mirror"
HEADINGS: Final = ("IDENTITY", "ROLE", "SESSION", "NAME")
ALL: Final = "(all)"
NAME_CHARACTERS: Final = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this command."""
    doings = parser.add_subparsers(dest="doing", required=True, metavar="grant|revoke|list|module")
    grant = doings.add_parser("grant", help="give an identity a role in a session, or in all")
    _add_whom(grant)
    grant.add_argument("role", metavar="ROLE", choices=ROLES, help=", ".join(ROLES))
    _add_session(grant)
    grant.add_argument("--name", metavar="NAME", help="what people call it")
    revoke = doings.add_parser("revoke", help="take a role back")
    _add_whom(revoke)
    _add_session(revoke)
    listing = doings.add_parser("list", help="what is granted")
    for one in (grant, revoke, listing):
        one.add_argument(
            "--spacetimedb",
            metavar="URL/DATABASE",
            help="the database, as for `watchglass serve` [the last one of --data-dir; "
            f"${variable('spacetimedb')}]",
        )
        add_data_dir(one)
    module = doings.add_parser("module", help="write what `spacetime generate` reads the tables of")
    module.add_argument("file", metavar="FILE", type=Path, help="its name, as mirror.wasm")


def _add_whom(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("identity", metavar="IDENTITY", help="64 hexadecimal digits")


def _add_session(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "session", metavar="SESSION", nargs="?", help="only in this one [in all that there will be]"
    )


@reported
async def run(args: argparse.Namespace) -> int:
    """Do one of them."""
    if args.doing == "module":
        _write_module(args.file)
        return 0
    # All commands would start a third slower with these.
    from spacetimedb_client import FileCredentials
    from watchglass_sync.granting import Granting

    folder = data_dir(args)
    credentials = FileCredentials(folder / CREDENTIALS)
    async with Granting.opened(_address(args, folder), credentials) as granting:
        if args.doing == "list":
            _show(await granting.listed())
            return 0
        permission = _permission(args)
        where = f"session {args.session}" if args.session else "all sessions"
        if args.doing == "grant":
            await granting.grant(permission)
            print(f"{permission.identity} is {args.role} in {where}.")
        elif await granting.revoke(permission.identity, args.session):
            print(f"{permission.identity} has no role in {where} any more.")
        else:
            said = f"this identity had no role in {where}"
            raise ClientError(f"{said}; `watchglass mirror list` shows what is granted")
    return 0


def _write_module(file: Path) -> None:
    """Nobody owns this one: it is for bindings, and the server publishes its own."""
    from spacetimedb_bsatn import Identity
    from watchglass_sync.mirror_tables import MirrorTables

    try:
        file.write_bytes(MirrorTables(public=False).build(Identity(0)))
    except OSError as error:
        raise ClientError(f"{file} cannot be written: {error.strerror}") from error
    print(f"{plain(str(file), 200)} is for `spacetime generate --bin-path`.")


def _permission(args: argparse.Namespace) -> Permission:
    from spacetimedb_bsatn import Identity

    try:
        identity = str(Identity.from_hex(args.identity))
    except ValueError as error:
        said = f"IDENTITY: {args.identity!r} is not 64 hexadecimal digits"
        raise ClientError(f"{said}; a client finds its own in conn.identity") from error
    name = getattr(args, "name", None)
    if name is not None and not 0 < len(name) <= NAME_CHARACTERS:
        raise ClientError(f"--name: give one of 1 to {NAME_CHARACTERS} characters")
    return Permission(identity, args.session, getattr(args, "role", ""), name)


def _address(args: argparse.Namespace, folder: Path) -> MirrorAddress:
    """The database that was named, or the one that the server on this data directory uses."""
    text = args.spacetimedb or os.environ.get(variable("spacetimedb"))
    try:
        return MirrorAddress.parse(text or (folder / ADDRESS).read_text("utf-8").strip())
    except FileNotFoundError:
        raise ClientError(
            f"no server with a mirror has run on {folder}: start `watchglass serve --spacetimedb "
            "URL/DATABASE`, or name its --data-dir"
        ) from None
    except ValueError as error:
        raise ClientError(f"--spacetimedb: {error}") from error


def _show(permissions: Sequence[Permission]) -> None:
    if not permissions:
        print("Nothing is granted yet; `watchglass mirror grant IDENTITY ROLE [SESSION]` does.")
        return
    rows = [(one.identity, one.role, one.session or ALL, one.name or "-") for one in permissions]
    cells = [tuple(plain(cell, 64) for cell in row) for row in rows]
    print(table([HEADINGS, *cells]))
