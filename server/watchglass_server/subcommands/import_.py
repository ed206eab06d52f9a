"""`watchglass import`: a file becomes a session; nothing of it is run unless asked for."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from urllib.parse import urlencode

from watchglass_server.client import Client, ClientError, JsonObject, ServerAddress, request
from watchglass_server.subcommands.connecting import add_connection, find_server, reported
from watchglass_sync.errors import ImportFormatError
from watchglass_sync.imports import Imported, read_import

NAME = "import"
HELP = "make a session from a .py, .ipynb or .json file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this command."""
    parser.add_argument("file", metavar="FILE", help="a .py, .ipynb or .json file")
    parser.add_argument("--name", help="the session's name [the file's]")
    parser.add_argument(
        "--run",
        action="store_true",
        dest="run_code",
        help="run its code, one execution after another",
    )
    add_connection(parser)


@reported
async def run(args: argparse.Namespace) -> int:
    """Check the file here, so that its errors name the place, then hand it over."""
    path = Path(args.file)
    data = _read(path)
    file_format = path.suffix[1:].lower()
    try:
        imported = read_import(data, file_format)
    except ImportFormatError as exc:
        raise ClientError(f"{path}: {exc}") from exc
    name = args.name or imported.name or path.stem
    address = find_server(args)
    if args.run_code:
        return await _run(address, name, imported)
    query = urlencode({"format": file_format, "name": name})
    answer = json.loads(await request(address, f"/api/sessions/import?{query}", body=data))
    print(answer["session"])
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ClientError(f"{path} cannot be read: {exc.strerror}") from exc


async def _run(address: ServerAddress, name: str, imported: Imported) -> int:
    """Run each execution in a new session; stop at the first that fails."""
    ended: asyncio.Queue[JsonObject] = asyncio.Queue()

    def on_event(event: JsonObject) -> None:
        if event["type"] == "execution.finished":
            ended.put_nowait(event["data"])

    async with Client(address) as client:
        session = (await client.call("session.create", name=name))["session"]
        await client.join(session, on_event)
        print(session)
        for number, one in enumerate(imported.executions, start=1):
            await client.call("execute", session=session, code=one.code)
            status = (await ended.get())["status"]
            if status != "ok":
                raise ClientError(
                    f"execution {number} of {len(imported.executions)} ended with {status}; the "
                    f"rest was not run. `watchglass attach {session}` shows the session"
                )
    return 0
