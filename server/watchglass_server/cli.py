"""The command `watchglass`: flags → Config, and which command runs."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import webbrowser
from collections.abc import Sequence

from watchglass_server.app import PyodideServer
from watchglass_server.config import Config, SettingError, add_flags, read_settings
from watchglass_server.errors import WatchglassError
from watchglass_server.isolation import Isolation
from watchglass_server.logs import log_to_stderr
from watchglass_server.subcommands import SUBCOMMANDS
from watchglass_server.version import VERSION
from watchglass_sync.errors import SyncError

# As shells and argparse have it: 2 for what the caller has to change, 130 after Ctrl+C.
SETUP_FAILED = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    args = _parser().parse_args(arguments)
    try:
        if args.command == "serve":
            config = read_settings(vars(args), os.environ)
            log_to_stderr(config.log_level.upper())
            return asyncio.run(_serve(config))
        status: int = asyncio.run(args.run(args))
        return status
    except (WatchglassError, SyncError) as error:
        print(f"watchglass: {error}", file=sys.stderr)
        return SETUP_FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="watchglass", description="Python sessions that you can watch, share and keep."
    )
    parser.add_argument("--version", action="version", version=f"watchglass {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve", help="run the server and the page", description="Runs the server and the page."
    )
    add_flags(serve)
    for module in SUBCOMMANDS:
        command = commands.add_parser(module.NAME, help=module.HELP, description=module.HELP)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


async def _serve(config: Config) -> int:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    ready = asyncio.Event()
    serving = asyncio.create_task(_run(config, ready, stop))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if stopping.done() and not ready.is_set():
        serving.cancel()  # it ends what it has begun
        await asyncio.wait({serving})
        return 0
    stopping.cancel()
    return await serving


async def _run(config: Config, ready: asyncio.Event, stop: asyncio.Event) -> int:
    async with PyodideServer(config, on_isolation=_say_isolation) as server:
        ready.set()
        print(f"watchglass is ready at {server.address}", flush=True)
        if config.open:
            await asyncio.to_thread(webbrowser.open, server.opening_page().as_uri())
        await stop.wait()
        print("watchglass: stopping; what is stored comes back.", file=sys.stderr, flush=True)
    return 0


def _say_isolation(isolation: Isolation) -> None:
    print(
        f"watchglass: isolation {isolation.level}: {isolation.words}.", file=sys.stderr, flush=True
    )


__all__ = ["SettingError", "main"]
