"""`watchglass sessions`: the sessions of a server, as a table."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from watchglass_server.client import Client
from watchglass_server.subcommands.connecting import add_connection, find_server, reported
from watchglass_server.terminal_text import plain

NAME = "sessions"
HELP = "list the sessions of a server"
HEADINGS = ("SESSION", "NAME", "STATUS", "PEOPLE", "EXECUTIONS", "MEMORY", "LAST ACTIVE")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this command."""
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    add_connection(parser)


@reported
async def run(args: argparse.Namespace) -> int:
    """List them."""
    async with Client(find_server(args)) as client:
        found = (await client.call("session.list"))["sessions"]
    if args.json:
        print(json.dumps(found, indent=2))
    elif not found:
        print("There are no sessions yet; open the page, or `watchglass import FILE`.")
    else:
        print(table([HEADINGS, *(row(one, datetime.now(UTC)) for one in found)]))
    return 0


def row(session: Mapping[str, Any], now: datetime) -> tuple[str, ...]:
    """One line of the table."""
    memory = session["memory_bytes"]
    return (
        plain(session["session"], 64),
        plain(session["name"] or "", 40),
        plain(session["status"], 20),
        str(session["participants"]),
        str(session["executions"]),
        f"{memory / 2**20:.0f} MB" if memory else "-",
        ago(datetime.fromisoformat(session["last_active_at"]), now),
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def ago(then: datetime, now: datetime) -> str:
    """How long ago, in one unit."""
    seconds = max(0, int((now - then).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
