"""`spacetimedb-py pyodide`: this client as a wheel for web pages."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from spacetimedb_client.pyodide_wheel import NAME as WHEEL_NAME
from spacetimedb_client.pyodide_wheel import pyodide_wheel
from spacetimedb_client.terminal import Terminal

NAME: Final = "pyodide"
HELP: Final = "write this client as a wheel for Pyodide, which needs nothing else"


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("-o", "--output", type=Path, default=Path(), help="a folder; here without")


async def run(options: argparse.Namespace, terminal: Terminal) -> None:
    file = options.output / WHEEL_NAME
    data = pyodide_wheel()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    if terminal.is_json:
        terminal.json({"file": str(file), "bytes": len(data)})
    else:
        terminal.say(str(file))
