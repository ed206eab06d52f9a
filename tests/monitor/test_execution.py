"""Tests of execution.py."""

import asyncio
import linecache

import pytest

from watchglass_monitor.execution import Compiler, is_silent


def run(code: str, namespace: dict[str, object] | None = None) -> object:
    return Compiler().compile(code, 1).run(namespace if namespace is not None else {})


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1 + 1", 2),
        ("x = 1", None),
        ("x = 1\nx + 1", 2),
        ("", None),
        ("# only a comment", None),
        ("'text'", "text"),
        ("if True:\n  5", None),
        ("lambda: 1\nNone", None),
        ("(\n1,\n2\n)", (1, 2)),
    ],
)
def test_the_value_is_that_of_a_last_expression(code: str, value: object) -> None:
    assert run(code) == value


@pytest.mark.parametrize(
    ("code", "silent"),
    [
        ("1;", True),
        ("1; # why", True),
        ("1;\n\n", True),
        ("'a;'", False),
        ("1 # ;", False),
        ("a; b", False),
        ("x = ';'", False),
    ],
)
def test_a_last_semicolon_silences(code: str, silent: bool) -> None:
    assert is_silent(code) is silent


@pytest.mark.parametrize(
    ("code", "is_async"),
    [
        ("await f()", True),
        ("x = await f()\n1", True),
        ("[i async for i in f()]", True),
        ("async with f(): pass", True),
        ("async def g():\n  await f()", False),
        ("1", False),
    ],
)
def test_only_an_await_of_its_own_makes_code_asynchronous(code: str, is_async: bool) -> None:
    assert Compiler().compile(code, 1).is_async is is_async


def test_awaits_in_the_statements_and_in_the_last_expression_are_awaited() -> None:
    code = "import asyncio\nx = await asyncio.sleep(0, 20)\nawait asyncio.sleep(0, x + 1)"
    assert asyncio.run(Compiler().compile(code, 1).run_async({})) == 21


def test_what_the_future_brings_lasts() -> None:
    compiler = Compiler()
    namespace: dict[str, object] = {}
    compiler.compile("from __future__ import annotations", 1).run(namespace)
    compiler.compile("def f(x: nowhere): pass", 2).run(namespace)
    assert Compiler().compile("f.__annotations__", 3).run(namespace) == {"x": "nowhere"}


def test_code_that_does_not_compile_changes_nothing_of_the_next() -> None:
    compiler = Compiler()
    with pytest.raises(SyntaxError):
        compiler.compile("from __future__ import annotations\n1 +", 1)
    assert compiler.compile("print", 2).run({}) is print


def test_the_lines_are_found_under_the_number() -> None:
    Compiler().compile("a = 1\nb = 2", 71)
    assert linecache.getline("<In[71]>", 2).rstrip() == "b = 2"
