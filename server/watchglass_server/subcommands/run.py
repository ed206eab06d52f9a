"""`watchglass run`: one script in a fresh isolated process, as if by `python FILE.py`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from watchglass_server.assets import find_assets
from watchglass_server.client import ClientError
from watchglass_server.config import add_flags, duration, size
from watchglass_server.image import ensure_image
from watchglass_server.isolating import isolating
from watchglass_server.process import ProcessConfig, PyodideProcess
from watchglass_server.subcommands.connecting import isolation_level, reported
from watchglass_server.subcommands.script import FILE_BYTES, Script, prologue
from watchglass_server.subcommands.script_run import ScriptRun

T = TypeVar("T")

NAME = "run"
HELP = "run one script in a fresh isolated process"
DESCRIPTION = """
Runs FILE.py as __main__, with its arguments in sys.argv, its input() from standard input and its
output as it comes. Exit status: 0; the script's own after sys.exit(n); 1 after an exception; 124
after --wall; 130 after Ctrl+C; 137 after --memory.

The script has Python's standard library and an empty file system of its own: it sees no file of
this machine but those named with --file, no module beside it, no network, no thread and no other
process.
"""
OUTPUT_BYTES = 2**40
"""Everything is printed at once and nothing kept, so there is nothing to protect."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of this command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--wall", metavar="DURATION", help="time limit: 90, 90s, 5m [none]")
    parser.add_argument("--memory", metavar="BYTES", help="memory limit: 512M, 1G [512M]")
    add_flags(parser, "isolation")
    parser.add_argument(
        "--file",
        metavar="PATH",
        action="append",
        default=[],
        help="put a copy of this file beside the script; may be given several times",
    )
    parser.add_argument("script", metavar="FILE.py", help="the script, or - for standard input")
    parser.add_argument("arguments", metavar="ARG", nargs=argparse.REMAINDER)


@reported
async def run(args: argparse.Namespace) -> int:
    """Start a process, run the script in it, tell how it ended."""
    wall_s = _read("--wall", args.wall, duration)
    memory_bytes = _read("--memory", args.memory, size)
    script = Script(args.script, _source(args.script), tuple(args.arguments))
    files = {Path(path).name: _file(Path(path)) for path in args.file}
    assets = find_assets()
    async with isolating(isolation_level(args), assets) as isolated:
        config = replace(ProcessConfig.from_assets(assets), launcher=isolated.launcher)
        config = replace(config, image=await ensure_image(config, on_progress=_say))
        config = replace(
            config, output_bytes=OUTPUT_BYTES, memory_bytes=memory_bytes or config.memory_bytes
        )
        async with PyodideProcess(config) as process:
            await isolated.prove()
            return await ScriptRun(process, script).run(prologue(script, files), wall_s)


def _say(line: str) -> None:
    if sys.stderr.isatty():
        print(f"watchglass: {line}", file=sys.stderr)


def _source(path: str) -> str:
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        raise ClientError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from exc
    except OSError as exc:
        raise ClientError(f"{path} cannot be read: {exc.strerror}") from exc


def _file(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise ClientError(f"--file: {path} cannot be read: {exc.strerror}") from exc
    if len(data) > FILE_BYTES:
        raise ClientError(f"--file: {path} has {len(data):,} bytes; {FILE_BYTES:,} are possible")
    return data


def _read(flag: str, text: str | None, parse: Callable[[str], T]) -> T | None:
    try:
        return None if text is None else parse(text)
    except ValueError as exc:
        raise ClientError(f"{flag}: {exc}") from exc
