"""Which server a command talks to: --url and --token, or the one that runs on this machine."""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from watchglass_server.client import ClientError, ServerAddress, request
from watchglass_server.config import Config, read_settings, variable
from watchglass_server.errors import WatchglassError
from watchglass_sync.errors import SyncError

RUNTIME_FILE = "server.json"
Command = Callable[[argparse.Namespace], Awaitable[int]]


def reported(command: Command) -> Command:
    """A command whose expected errors are one line on standard error and exit status 1."""

    @functools.wraps(command)
    async def run(args: argparse.Namespace) -> int:
        try:
            return await command(args)
        except (WatchglassError, SyncError) as exc:
            print(f"watchglass: {exc}", file=sys.stderr)
            return 1

    return run


def add_data_dir(parser: argparse.ArgumentParser) -> None:
    """The flag that says where the server keeps its data."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help="where the server on this machine keeps its data; its address and token are read "
        "from there [the platform's user folder; $WATCHGLASS_DATA_DIR]",
    )


def add_connection(parser: argparse.ArgumentParser) -> None:
    """The flags that name a server."""
    parser.add_argument(
        "--url",
        metavar="URL",
        help="the server, also with its #token=… as `watchglass serve` prints it "
        "[the server that runs on --data-dir; $WATCHGLASS_URL]",
    )
    parser.add_argument(
        "--token", metavar="TOKEN", help="the server's or a session's token [$WATCHGLASS_TOKEN]"
    )
    add_data_dir(parser)


def data_dir(args: argparse.Namespace) -> Path:
    """The data directory that was named, or the default."""
    named = args.data_dir or os.environ.get("WATCHGLASS_DATA_DIR")
    return Path(named).expanduser() if named else Config().data_dir


def isolation_level(args: argparse.Namespace) -> str:
    """The isolation that was asked for, or the default."""
    name = variable("isolation")
    environment = {name: os.environ[name]} if name in os.environ else {}
    return read_settings({"isolation": args.isolation}, environment).isolation


def find_server(args: argparse.Namespace) -> ServerAddress:
    """The server to talk to. Raises ClientError, which says how to name one."""
    url = args.url or os.environ.get("WATCHGLASS_URL") or None
    token = args.token or os.environ.get("WATCHGLASS_TOKEN")
    if url is None:
        running = read_runtime_file(data_dir(args))
        return ServerAddress(running.url, token or running.token)
    address = split_address(url)
    token = token or address.token
    if not token:
        running = read_runtime_file(data_dir(args))
        if address.url != running.url:
            raise ClientError(
                f"{address.url} needs a token: give it with --token or WATCHGLASS_TOKEN"
            )
        token = running.token
    return ServerAddress(address.url, token)


def split_address(url: str) -> ServerAddress:
    """`http://host:port/#token=…` → the server and the token (empty when there is none)."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ClientError(f"--url: {url!r} is no address; write http://127.0.0.1:8765")
    token = parts.fragment.removeprefix("token=") if "token=" in parts.fragment else ""
    path = parts.path.rstrip("/")
    return ServerAddress(f"{parts.scheme}://{parts.netloc}{path}", unquote(token))


def read_runtime_file(folder: Path) -> ServerAddress:
    """What the running server left in its data directory."""
    path = folder / RUNTIME_FILE
    try:
        about = json.loads(path.read_text("utf-8"))
        address = ServerAddress(str(about["url"]).rstrip("/"), str(about["token"]))
        pid = int(about["pid"])
    except FileNotFoundError:
        raise ClientError(
            f"no server runs on {folder}; start one with `watchglass serve`, or name one with "
            "--url and --token"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ClientError(
            f"{path} cannot be read ({exc}); name the server with --url and --token"
        ) from exc
    if not _is_alive(pid):
        raise ClientError(
            f"the server on {folder} (process {pid}) is gone without a goodbye; start it again "
            "with `watchglass serve`"
        )
    return address


async def exchange_code(link: str) -> tuple[ServerAddress, str] | None:
    """A share link → its server with a session token, and the session; None for other text."""
    parts = urlsplit(link)
    if parts.scheme not in ("http", "https") or not parts.fragment.startswith("code="):
        return None
    address = split_address(link)
    body = json.dumps({"code": unquote(parts.fragment.removeprefix("code="))}).encode()
    answer = json.loads(await request(address, "/api/token", body=body))
    return ServerAddress(address.url, answer["token"]), answer["session"]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
