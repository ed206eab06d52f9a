"""Source text -> is it complete, may Enter run it, and how far is the next line indented."""

import ast
import re
import warnings
from dataclasses import dataclass
from typing import Literal

_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
_INCOMPLETE = 0x4000  # PyCF_ALLOW_INCOMPLETE_INPUT, named only in the C headers
_COMMAND = re.compile(r"[ \t]*(?:[%!]|\?{1,2}[\w.]+[ \t]*$|[\w.\[\]'\"]+\?{1,2}[ \t]*$)")
_BLOCK = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.AsyncFor, ast.While),
    *(ast.If, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match),
)
_LEAVES_BLOCK = re.compile(r"[ \t]*(return|pass|raise|break|continue)\b")
_NOT_CODE = (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError)
_STEP = "    "


@dataclass(frozen=True, slots=True)
class Completeness:
    """The answer to `is_complete`."""

    status: Literal["complete", "incomplete", "invalid"]
    indent: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"status": self.status, "indent": self.indent}


def is_complete(code: str) -> Completeness:
    """Say whether `code` can run as it is."""
    if code.startswith("%%"):
        return Completeness("complete")
    answer = _judge(code)
    if answer.status == "invalid" and any(map(_COMMAND.match, code.splitlines())):
        return _judge(_without_commands(code))
    return answer


def _without_commands(code: str) -> str:
    """Put `pass` in the place of `%magic`, `!command` and `name?` lines."""
    lines = (
        line[: len(line) - len(line.lstrip())] + "pass" if _COMMAND.match(line) else line
        for line in code.split("\n")
    )
    return "\n".join(lines)


def _judge(code: str) -> Completeness:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = _parse(code, _FLAGS)
        if isinstance(tree, ast.Module):
            return _judge_valid(code, tree)
        problem = _parse(code + "\n", _FLAGS | _INCOMPLETE)
    if isinstance(problem, SyntaxError) and "incomplete input" in str(problem):
        return Completeness("incomplete", _next_indent(code))
    return Completeness("invalid")


def _parse(code: str, flags: int) -> ast.Module | BaseException:
    try:
        tree = compile(code, "<input>", "exec", flags, dont_inherit=True)
        if not flags & _INCOMPLETE:
            # Only the compiler proper reports `return` outside a function and the like.
            compile(code, "<input>", "exec", flags & ~ast.PyCF_ONLY_AST, dont_inherit=True)
    except _NOT_CODE as problem:
        return problem
    assert isinstance(tree, ast.Module)
    return tree


def _judge_valid(code: str, tree: ast.Module) -> Completeness:
    """A block that could go on waits for an empty line, as at Python's own prompt."""
    lines = code.split("\n")
    last = tree.body[-1] if tree.body else None
    is_open = isinstance(last, _BLOCK) and _body_line(last) > last.lineno
    ends_blank = len(lines) > 1 and not lines[-1].strip()
    if is_open and not ends_blank:
        return Completeness("incomplete", _next_indent(code))
    return Completeness("complete")


def _body_line(block: ast.stmt) -> int:
    inside = block.cases[0].pattern if isinstance(block, ast.Match) else None
    return inside.lineno if inside else int(getattr(block, "body")[0].lineno)  # noqa: B009


def _next_indent(code: str) -> str:
    """The indent that an editor would give the line after the last one."""
    last = code.rstrip("\n").rsplit("\n", 1)[-1]
    indent = last[: len(last) - len(last.lstrip(" \t"))]
    stripped = _without_comment(last).rstrip()
    if stripped.endswith((":", "(", "[", "{")):
        return indent + _STEP
    if _LEAVES_BLOCK.match(last):
        return indent[: -len(_STEP)] if len(indent) >= len(_STEP) else ""
    return indent


def _without_comment(line: str) -> str:
    """`line` up to a `#` that is not between quotes."""
    quote = ""
    for position, char in enumerate(line):
        if quote:
            quote = "" if char == quote and line[position - 1] != "\\" else quote
        elif char in "'\"":
            quote = char
        elif char == "#":
            return line[:position]
    return line
