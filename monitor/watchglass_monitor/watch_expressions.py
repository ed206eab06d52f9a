"""Source of a watch -> what can be evaluated, and what is wrong with it in words."""

import ast
from dataclasses import dataclass
from types import CodeType

from .previews import preview
from .reading import type_name

FILE = "<watch>"
MAX_WORDS = 500


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression, and the code that makes the function of its condition, if it has one."""

    expression: CodeType
    condition: CodeType | None


def compiled(expression: str, condition: str | None) -> Compiled:
    """Raises what Python raises about code that is none."""
    return Compiled(
        compile(expression.strip(), FILE, "eval"),
        None if condition is None else _function(condition),
    )


def problem_of(source: str) -> str | None:
    """Why this is no expression, or None."""
    try:
        compile(source.strip(), FILE, "eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as problem:
        return words(problem)
    return None


def words(problem: BaseException) -> str:
    """The kind of an exception and what it says; runs no code of it."""
    kind = type_name(type(problem))[:100]
    if isinstance(problem, SyntaxError) and type(problem.msg) is str:
        return f"{kind}: {problem.msg}"[:MAX_WORDS]
    args = BaseException.__dict__["args"].__get__(problem)
    if len(args) == 1 and type(args[0]) is str and not isinstance(problem, KeyError):
        return f"{kind}: {args[0]}"[:MAX_WORDS] if args[0] else kind
    return kind if not args else f"{kind}: {', '.join(map(preview, args[:3]))}"[:MAX_WORDS]


def _function(condition: str) -> CodeType:
    """A function of `value`: so a comprehension inside of the condition knows it too."""
    body = ast.parse(condition.strip(), FILE, "eval").body
    parameters = ast.arguments(
        posonlyargs=[], args=[ast.arg("value")], kwonlyargs=[], kw_defaults=[], defaults=[]
    )
    function = ast.Expression(ast.Lambda(parameters, body))
    return compile(ast.fix_missing_locations(function), FILE, "eval")
