"""The command `spacetimedb-py`, which is also `python -m spacetimedb_client`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Final

from spacetimedb_bsatn import SpacetimeDBError
from spacetimedb_client.subcommands import SUBCOMMANDS
from spacetimedb_client.terminal import Terminal

URI: Final = "SPACETIMEDB_URI"
TOKEN: Final = "SPACETIMEDB_TOKEN"
LOCAL: Final = "http://127.0.0.1:3000"
TIMEOUT: Final = 30.0
# As shells have it; 2 is argparse's own, for what was typed wrongly.
FAILED: Final = 1
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit status."""
    options = parser().parse_args(arguments)
    terminal = Terminal(is_json=options.json, says_yes=options.yes)
    try:
        asyncio.run(options.run(options, terminal))
    except (SpacetimeDBError, OSError) as problem:
        return failed(terminal, problem)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def failed(terminal: Terminal, problem: Exception) -> int:
    if isinstance(problem, BrokenPipeError):
        # Whoever read has read enough; the interpreter must not write at its end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    terminal.failed(problem)
    return FAILED


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="spacetimedb-py", description="SpacetimeDB from the command line."
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in SUBCOMMANDS:
        command = commands.add_parser(module.NAME, help=module.HELP, description=module.HELP)
        module.add_arguments(command)
        add_shared(command)
        command.set_defaults(run=module.run)
    return made


def add_shared(command: argparse.ArgumentParser) -> None:
    """What all commands take; the environment is read when they run, and never printed."""
    shared = command.add_argument_group("for all commands")
    shared.add_argument("--uri", default=os.environ.get(URI, LOCAL), help=f"or {URI}; {LOCAL}")
    shared.add_argument(
        "--token",
        default=os.environ.get(TOKEN) or None,
        help=f"better {TOKEN}: others of this machine see what is typed",
    )
    shared.add_argument(
        "--timeout", type=seconds, default=TIMEOUT, help="seconds for each answer (30)"
    )
    shared.add_argument("--json", action="store_true", help="for programs")
    shared.add_argument("--yes", action="store_true", help="ask nothing")


def seconds(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text} is no time to wait: take 30, say")
    return number
