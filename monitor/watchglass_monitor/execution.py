"""Source text -> what can be run: the statements, and the expression whose value is shown."""

import ast
import io
import tokenize
from collections.abc import Coroutine
from dataclasses import dataclass
from inspect import CO_COROUTINE
from types import CodeType
from typing import Any

from watchglass_monitor.tracebacks import file_name, remember_source

Namespace = dict[str, object]

_TOP_LEVEL_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_FUTURES = 0x01FF0000  # what `from __future__ import …` sets; it lasts, as at Python's own prompt
_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER, tokenize.DEDENT}


@dataclass(frozen=True, slots=True)
class Cell:
    """One execution's code, compiled."""

    body: CodeType | None
    last: CodeType | None
    is_silent: bool  # ends with a semicolon: its value is not shown

    @property
    def is_async(self) -> bool:
        """Whether it has an `await` of its own."""
        return any(code.co_flags & CO_COROUTINE for code in (self.body, self.last) if code)

    def run(self, namespace: Namespace) -> object:
        """The value of the last expression, or None."""
        if self.body is not None:
            exec(self.body, namespace)
        return eval(self.last, namespace) if self.last is not None else None

    async def run_async(self, namespace: Namespace) -> object:
        """As run(), for code that awaits."""
        if self.body is not None:
            await _result(self.body, namespace)
        return await _result(self.last, namespace) if self.last is not None else None


async def _result(code: CodeType, namespace: Namespace) -> object:
    value: object = eval(code, namespace)
    if code.co_flags & CO_COROUTINE:
        coroutine: Coroutine[Any, Any, object] = value  # type: ignore[assignment]
        return await coroutine
    return value


class Compiler:
    """Compiles executions, one after another."""

    def __init__(self) -> None:
        self._flags = _TOP_LEVEL_AWAIT

    def compile(self, code: str, number: int) -> Cell:
        """Raises what compile() raises: SyntaxError, ValueError, RecursionError, MemoryError…"""
        file = file_name(number)
        remember_source(number, code)
        flags = self._flags
        tree = compile(code, file, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        assert isinstance(tree, ast.Module)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        body = None
        if tree.body:
            body = compile(tree, file, "exec", flags, dont_inherit=True)
            flags |= body.co_flags & _FUTURES
        value = None
        if isinstance(last, ast.Expr):
            value = compile(ast.Expression(last.value), file, "eval", flags, dont_inherit=True)
        self._flags = flags
        return Cell(body, value, is_silent(code))


def is_silent(code: str) -> bool:
    """Whether the last token is a semicolon."""
    if ";" not in code:
        return False
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    except (tokenize.TokenError, SyntaxError):
        return False
    kept = [token for token in tokens if token.type not in _LAYOUT]
    return bool(kept) and kept[-1].string == ";"
