"""Executions ⇄ a Python file with a `# In[n]` line above each. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from watchglass_sync.errors import ImportFormatError
from watchglass_sync.transcript import TranscriptExecution

HEADER = "# A Watchglass session"
INVALID = " # not Python: commented out"
MARKER = re.compile(rf"# In ?\[[ \d*]*\]:?({re.escape(INVALID)})?\s*\Z")
PERCENT = re.compile(r"# ?%%(\s.*)?\Z")
# A line of code that looks like one of ours, now or after being escaped before.
ESCAPABLE = re.compile(r"# \\*In ?\[")
SYNTAX_ERRORS = frozenset({"SyntaxError", "IndentationError", "TabError"})


def write_script(name: str, executions: Sequence[TranscriptExecution]) -> bytes:
    """The file; executions that never were Python are in it as comments, so that it runs."""
    title = " ".join(name.split())
    parts = [f"{HEADER}: {title}\n\n", *(_cell(one) for one in executions)]
    return "".join(parts).encode("utf-8", "surrogatepass")


def _cell(one: TranscriptExecution) -> str:
    lines = one.code.split("\n")
    if not _is_python(one):
        return f"# In[{one.number}]{INVALID}\n" + "".join(f"# {line}\n" for line in lines) + "\n"
    escaped = (line.replace("# ", "# \\", 1) if ESCAPABLE.match(line) else line for line in lines)
    return f"# In[{one.number}]\n" + "\n".join(escaped) + "\n\n"


def _is_python(one: TranscriptExecution) -> bool:
    # The session's Python may be newer than ours: both must have said no.
    if one.error is None or one.error["name"] not in SYNTAX_ERRORS:
        return True
    try:
        compile(one.code, "", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def read_script(data: bytes) -> tuple[str | None, list[TranscriptExecution]]:
    """The session's name and executions. Without marks of any kind the file is one execution."""
    try:
        text = data.decode("utf-8", "surrogatepass").removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        raise ImportFormatError(
            f"line {line}: the file is not UTF-8; save it as UTF-8, then import it again"
        ) from exc
    first, _, rest = text.partition("\n")
    if first.startswith(HEADER):
        return first.removeprefix(HEADER).lstrip(": ").strip() or None, _own(
            rest.removesuffix("\n").split("\n")
        )
    return None, _foreign(text.split("\n"))


def _own(lines: list[str]) -> list[TranscriptExecution]:
    cells = []
    for mark, body in _cells(lines, MARKER):
        if mark is None:  # between the header and the first mark
            continue
        code = body[:-1] if body and not body[-1] else body
        if INVALID in mark:
            code = [line.removeprefix("# ") for line in code]
        else:
            code = [
                line.replace("\\", "", 1) if ESCAPABLE.match(line) and "\\" in line else line
                for line in code
            ]
        cells.append("\n".join(code))
    return _executions(cells)


def _foreign(lines: list[str]) -> list[TranscriptExecution]:
    pattern = next(
        (one for one in (MARKER, PERCENT) if any(one.match(line) for line in lines)), MARKER
    )
    cells = ("\n".join(body).strip("\r\n") for _, body in _cells(lines, pattern))
    return _executions(cell for cell in cells if cell.strip())


def _cells(lines: Iterable[str], pattern: re.Pattern[str]) -> list[tuple[str | None, list[str]]]:
    found: list[tuple[str | None, list[str]]] = [(None, [])]
    for line in lines:
        if pattern.match(line):
            found.append((line, []))
        else:
            found[-1][1].append(line)
    return found


def _executions(cells: Iterable[str]) -> list[TranscriptExecution]:
    return [
        TranscriptExecution("", number, code, status="ok")
        for number, code in enumerate(cells, start=1)
    ]
