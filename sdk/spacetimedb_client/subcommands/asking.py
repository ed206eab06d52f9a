"""What all commands share: the database that is meant, and the server that is asked."""

from __future__ import annotations

import argparse

from spacetimedb_client.http import Admin


def add_database(command: argparse.ArgumentParser) -> None:
    command.add_argument("-d", "--database", required=True, help="its name, or its identity")


def admin_of(options: argparse.Namespace) -> Admin:
    return Admin(options.uri, token=options.token, timeout=options.timeout)
