"""`spacetimedb-py subscribe`: rows of queries, and what becomes of them."""

from __future__ import annotations

import argparse
import asyncio
from functools import partial
from typing import Any, Final

from spacetimedb_client.connecting import connect
from spacetimedb_client.connection import Connection
from spacetimedb_client.printing import columns_of, row_object, shown
from spacetimedb_client.subcommands.asking import add_database
from spacetimedb_client.terminal import Terminal

NAME: Final = "subscribe"
HELP: Final = "show rows as they come, change and go, until Ctrl+C"
SIGNS: Final = {"insert": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("query", nargs="+", help='as "SELECT * FROM player"')
    add_database(command)
    command.add_argument("--count", type=int, help="end after so many rows")


async def run(options: argparse.Namespace, terminal: Terminal) -> None:
    left = Remaining(options.count)
    async with connect(
        options.uri, options.database, token=options.token, timeout=options.timeout
    ) as conn:
        listen(conn, left, terminal)
        subscription = await conn.subscribe(*options.query)
        terminal.note(f"subscribed to {'; '.join(subscription.queries)}")
        ended = [asyncio.ensure_future(each) for each in (left.none.wait(), conn.wait_closed())]
        done, others = await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for each in others:
            each.cancel()
        for each in done:
            each.result()


class Remaining:
    """How many rows are still to be shown."""

    def __init__(self, count: int | None) -> None:
        self._count = count
        self.none: Final = asyncio.Event()

    def take(self) -> bool:
        """Whether one more may be shown."""
        if self._count is None:
            return True
        self._count -= 1
        if self._count <= 0:
            self.none.set()
        return self._count >= 0


def listen(conn: Connection, left: Remaining, terminal: Terminal) -> None:
    for name in conn.db:
        table = conn.db[name]
        table.on_insert(partial(show, terminal, left, name, "insert"))
        table.on_update(partial(show, terminal, left, name, "update"))
        table.on_delete(partial(show, terminal, left, name, "delete"))


def show(
    terminal: Terminal, left: Remaining, table: str, change: str, event: Any, *rows: Any
) -> None:
    """The row as it is now; of an update, its old form comes first."""
    if not left.take():
        return
    row = rows[-1]
    if terminal.is_json:
        told = {"change": change, "table": table, "row": row_object(row)}
        if change == "update":
            told["old"] = row_object(rows[0])
        terminal.json(told | {"cause": event.cause.value})
        return
    sign, colour = SIGNS[change]
    words = ", ".join(f"{each}: {shown(getattr(row, each))}" for each in columns_of(row))
    terminal.say(f"{sign} {table} {words}", colour)
