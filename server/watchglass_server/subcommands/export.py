"""`watchglass export`: a session as a Python file, a notebook or a JSON archive."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from urllib.parse import quote

from watchglass_server.client import ClientError, request
from watchglass_server.subcommands.connecting import add_connection, find_server, reported
from watchglass_server.terminal_text import harmless

NAME = "export"
HELP = "write a session out as a file"
FORMATS = ("py", "ipynb", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this command."""
    parser.add_argument("session", metavar="SESSION", help="as `watchglass sessions` lists it")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="py: the code; ipynb: with outputs; json: everything [from FILE's ending, or py]",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="where to write it [-: to standard output]"
    )
    add_connection(parser)


@reported
async def run(args: argparse.Namespace) -> int:
    """Fetch the file and write it."""
    target = None if args.output in (None, "-") else Path(args.output)
    file_format = args.format or (target.suffix[1:] if target else "py")
    if file_format not in FORMATS:
        raise ClientError(
            f"--output: the ending of {target} names no format; add --format py, ipynb or json"
        )
    path = f"/api/sessions/{quote(args.session, safe='')}/export?format={file_format}"
    data = await request(find_server(args), path)
    if target is None:
        if sys.stdout.isatty():
            data = harmless(data.decode(errors="replace"), colours=True).encode()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return 0
    try:
        target.write_bytes(data)
    except OSError as exc:
        raise ClientError(f"--output: {target} cannot be written: {exc.strerror}") from exc
    print(f"{target}: {len(data):,} bytes", file=sys.stderr)
    return 0
