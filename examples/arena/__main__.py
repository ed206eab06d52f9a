"""An arena whose units are rows of a database, steered by scripts in Watchglass sessions."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from examples.arena.calls import CallRefused
from examples.arena.demonstration import NAMES, Demonstration
from examples.arena.game import DATABASE as ARENA
from examples.arena.mirror import DATABASE as MIRROR
from examples.arena.servers import NotStarted, database_server
from spacetimedb_bsatn import SpacetimeDBError


def flags(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.arena", description=__doc__)
    players = range(1, len(NAMES) + 1)
    parser.add_argument("--players", type=int, default=4, choices=players, metavar="1…8")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument("--data-dir", type=Path, help="keep everything here, for the next time")
    parser.add_argument("--isolation", default="strict", help="as of watchglass serve")
    return parser.parse_args(arguments)


@contextmanager
def folder_of(options: argparse.Namespace) -> Iterator[Path]:
    """Where everything lies: only as long as it is needed, unless there is --data-dir."""
    if options.data_dir is None:
        with tempfile.TemporaryDirectory(prefix="arena-") as made:
            yield Path(made)
    else:
        options.data_dir.mkdir(parents=True, exist_ok=True)
        yield options.data_dir.resolve()


async def until_stopped(options: argparse.Namespace, folder: Path, uri: str) -> None:
    """Show the arena until it is interrupted; what was started has ended then."""
    starting = Demonstration.started(uri, folder, options.players, options.isolation)
    async with starting as demonstration:
        pages = demonstration.pages
        print(f"the arena is at {pages.address}", flush=True)
        say(f"Its rows are at {uri}, in the databases {ARENA} and {MIRROR}.")
        say("Ctrl+C ends it, and everything that it has started.")
        if not options.no_browser:
            await asyncio.to_thread(webbrowser.open, pages.opening())
        await demonstration.run()


def say(words: object) -> None:
    print(words, file=sys.stderr, flush=True)


def end_by_signals() -> None:
    """As by Ctrl+C, which a shell may have turned off: by `kill`, and with its terminal."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))


def main() -> int:
    options = flags()
    end_by_signals()
    try:
        with suppress(KeyboardInterrupt), folder_of(options) as folder:
            say("starting a database and a Watchglass …")
            with database_server(folder, keep=options.data_dir is not None) as uri:
                asyncio.run(until_stopped(options, folder, uri))
    except (NotStarted, CallRefused, SpacetimeDBError) as problem:
        say(f"the arena ends: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
