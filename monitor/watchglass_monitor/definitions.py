"""Code → the imports, functions and classes in it, run again by themselves."""

import ast
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, redirect_stderr, redirect_stdout
from time import monotonic

from watchglass_monitor.deadline import DeadlineExceeded
from watchglass_monitor.load import Verdict
from watchglass_monitor.magics import transform
from watchglass_monitor.plain_text import describe
from watchglass_monitor.tracebacks import file_name, remember_source
from watchglass_monitor.value_dump import Source

ALL_S = 20.0

Namespace = dict[str, object]
TimeLimit = Callable[[], AbstractContextManager[None]]


def define_again(
    sources: Iterable[Source], namespace: Namespace, time_limit: TimeLimit
) -> Iterator[Verdict]:
    """Run what defined these names and nothing else of that code; what it prints goes nowhere.

    A name that something else has bound since, or beside, gets no verdict.
    """
    end = monotonic() + ALL_S
    for source in sources:
        remember_source(source.number, source.code)
        for statement, names in _definitions(source):
            why = f"its definition in In [{source.number}] was run again"
            problem = "there was no time left for that"
            if monotonic() < end:
                problem = _run(statement, source.number, namespace, time_limit)
            if problem:
                why = f"its definition in In [{source.number}] was not run again: {problem}"
            for name in names:
                yield Verdict(name, "lost" if problem else "restored", why)


def _run(statement: ast.stmt, number: int, namespace: Namespace, time_limit: TimeLimit) -> str:
    """What went wrong, or nothing."""
    nowhere = io.StringIO()
    try:
        with redirect_stdout(nowhere), redirect_stderr(nowhere), time_limit():
            module = ast.Module([statement], [])
            exec(compile(module, file_name(number), "exec", dont_inherit=True), namespace)
    except DeadlineExceeded:
        return "it took too long"
    except BaseException as problem:
        # From code of the user's: it costs this definition only.
        return describe(problem)
    return ""


def _definitions(source: Source) -> Iterator[tuple[ast.stmt, list[str]]]:
    """The statements that define the names of a source, in their order."""
    try:
        body = ast.parse(transform(source.code)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    last: dict[str, int] = {}
    for index, statement in enumerate(body):
        last.update(dict.fromkeys(_bound(statement), index))
    for index, statement in enumerate(body):
        names = [name for name in source.names if last.get(name) == index]
        if names and (alone := _alone(statement, names)) is not None:
            yield alone, names


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement may bind in the namespace."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from map(_imported, aliases)
            case ast.Lambda():
                pass
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.ExceptHandler(name=str(name)):
                yield name
                waiting.extend(ast.iter_child_nodes(node))
            case _:
                waiting.extend(ast.iter_child_nodes(node))


def _alone(statement: ast.stmt, names: list[str]) -> ast.stmt | None:
    """The statement if it is a definition, and of an import only what these names need."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return statement
        case ast.Assign(targets=[ast.Name()], value=ast.Lambda()):
            return statement
        case ast.Import() | ast.ImportFrom():
            statement.names = [each for each in statement.names if _imported(each) in names]
            return statement
    return None


def _imported(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]
