"""`spacetimedb-py logs`: what a module printed, and prints."""

from __future__ import annotations

import argparse
from typing import Final

from spacetimedb_client.http_answers import LogLine
from spacetimedb_client.subcommands.asking import add_database, admin_of
from spacetimedb_client.terminal import Terminal

NAME: Final = "logs"
HELP: Final = "show what a module has printed, and with --follow what it prints"
COLOURS: Final = {"Error": "red", "Panic": "bold red", "Warn": "yellow", "Debug": "dim"}
LINES: Final = 100


def add_arguments(command: argparse.ArgumentParser) -> None:
    add_database(command)
    command.add_argument("-n", "--lines", type=int, default=LINES, help=f"the last ones; {LINES}")
    command.add_argument("-f", "--follow", action="store_true", help="until Ctrl+C")


async def run(options: argparse.Namespace, terminal: Terminal) -> None:
    async with admin_of(options) as admin:
        shown = admin.logs(options.database, lines=options.lines, follow=options.follow)
        async for line in shown:
            show(line, terminal)


def show(line: LogLine, terminal: Terminal) -> None:
    if terminal.is_json:
        terminal.json(
            {
                "at": str(line.at),
                "level": line.level,
                "target": line.target,
                "file": line.file,
                "line": line.line,
                "message": line.message,
            }
        )
        return
    source = line.target or line.file
    where = f"{source}:{line.line}" if line.line is not None else source
    text = f"{line.at} {line.level.upper():5} {where + ': ' if where else ''}{line.message}"
    terminal.say(text, COLOURS.get(line.level, ""))
