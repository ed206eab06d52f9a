"""What a script finds when it starts: arguments, files, its name. Pure."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

FILE_BYTES = 64 * 2**20
PIECE_BYTES = 512 * 2**10
"""As much of a file as goes into one execution: code may have 1 MiB."""
FIRST_NUMBER = 1


@dataclass(frozen=True, slots=True)
class Script:
    """A program, the name it was called by, and its arguments."""

    name: str
    source: str
    arguments: tuple[str, ...]

    @property
    def shown_name(self) -> str:
        """As it stands in tracebacks."""
        return "<stdin>" if self.name == "-" else self.name


def prologue(script: Script, files: Mapping[str, bytes]) -> list[str]:
    """Code that runs before it; it leaves no name behind but those that every script has."""
    argv = [script.name, *script.arguments]
    # As `python FILE.py` does: the script's folder is where it looks for modules first.
    starting = [
        f"__import__('sys').argv[:] = {argv!r}",
        "__import__('sys').path.insert(0, __import__('os').getcwd())",
    ]
    if script.name != "-":
        starting.append(f"__file__ = {posixpath.basename(script.name)!r}")
    pieces = [
        f"with open({name!r}, 'ab') as __file: "
        f"__file.write(__import__('base64').b64decode({base64.b64encode(piece).decode()!r}))\n"
        "del __file"
        for name, data in files.items()
        for start in range(0, max(1, len(data)), PIECE_BYTES)
        for piece in [data[start : start + PIECE_BYTES]]
    ]
    return ["\n".join(starting), *pieces]


def shown_traceback(lines: list[str], script: Script) -> list[str]:
    """The lines with the script's name where the process knows only the execution's number."""
    return [line.replace("<In[1]>", script.shown_name) for line in lines]


def exit_status(error_name: str, error_message: str) -> int:
    """As `python` ends after an exception that nobody caught."""
    if error_name == "MemoryError":
        return 137
    if error_name != "SystemExit":
        return 1
    if error_message in ("", "None"):
        return 0
    try:
        return int(error_message) & 0xFF
    except ValueError:
        return 1
