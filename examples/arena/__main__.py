"""An arena whose units are rows of a database, steered by scripts in Watchglass sessions."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from examples.arena.demonstration import NAMES, Demonstration
from examples.arena.servers import NotStarted, database_server
from spacetimedb_client.testing import ServerNotFound


def flags(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.arena", description=__doc__)
    players = range(1, len(NAMES) + 1)
    parser.add_argument("--players", type=int, default=4, choices=players, metavar="1…8")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--data-dir", type=Path, help="keep everything here, for the next time")
    parser.add_argument("--isolation", default="strict", help="as of watchglass serve")
    return parser.parse_args(arguments)


async def until_stopped(options: argparse.Namespace, folder: Path, uri: str) -> None:
    """Ctrl+C, the end of the terminal and `kill` end it alike: what was started ends first."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    async with AsyncExitStack() as stack:
        demonstration = Demonstration(uri, folder, options.players)
        address = await stack.enter_async_context(demonstration.started(options.isolation))
        print(f"the arena is at {address}", flush=True)
        print("Ctrl+C ends it, and everything that it has started.", file=sys.stderr)
        if not options.no_browser:
            webbrowser.open(address)
        await demonstration.run()


def main() -> int:
    options = flags()
    with ExitStack() as stack:
        folder = options.data_dir
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="arena-")))
        try:
            print("starting a database and a Watchglass …", file=sys.stderr, flush=True)
            keep = options.data_dir is not None
            uri = stack.enter_context(database_server(folder, keep=keep))
            asyncio.run(until_stopped(options, folder, uri))
        except (asyncio.CancelledError, KeyboardInterrupt):
            pass
        except (NotStarted, ServerNotFound) as problem:
            print(problem, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
