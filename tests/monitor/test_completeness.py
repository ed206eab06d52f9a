"""is_complete: may Enter run it, and how far is the next line indented."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_monitor.completeness import Completeness, is_complete


@pytest.mark.parametrize(
    "code",
    [
        *("", "# only a comment", "x = 1", "x = 1\ny = 2", "def f(): return 1", "await x"),
        *("async with a as b:\n    pass\n", "def f():\n    x = 1\n", "def f():\n    x = 1\n    "),
        *("name?", "?name", "len??", "a.b?", "%time x", "!ls", "%%html\n<b>"),
        *("print(1)\n%who\nprint(2)", "x = [\n1,\n]", "for i in x: print(i)", "x = '''a\nb'''"),
    ],
)
def test_runs_as_it_is(code: str) -> None:
    assert is_complete(code) == Completeness("complete")


@pytest.mark.parametrize(
    ("code", "indent"),
    [
        ("def f():", "    "),
        ("def f():\n    x = 1", "    "),
        ("def f():\n    return 1", ""),
        ("class A:\n    def f(self):\n        return 1", "    "),
        ("if x:\n    pass\nelse:", "    "),
        ("for i in x:  # why: because", "    "),
        ("@decorator", ""),
        ("x = [", "    "),
        ("x = [1,", ""),
        ("f(", "    "),
        ("x = 1 + \\", ""),
        ("'''abc", ""),
        ("x = f'''{a", ""),
        ("try:\n    x", "    "),
        ("match x:\n    case 1:\n        y = 1", "        "),
    ],
)
def test_waits_for_more(code: str, indent: str) -> None:
    assert is_complete(code) == Completeness("incomplete", indent)


@pytest.mark.parametrize(
    "code",
    ["x = )", "x=", "print('a", "a ? b", "  x = 1\n y", "def f(:", "a\0b", "(" * 300, "break"],
)
def test_can_never_run(code: str) -> None:
    assert is_complete(code).status == "invalid"


def test_the_answer_is_plain_data_for_the_wire() -> None:
    assert is_complete("if x:").as_dict() == {"status": "incomplete", "indent": "    "}


@given(st.text(alphabet="ab =:()[]{}'\"\\\n#@?%!defclassif1+.,\0", max_size=40))
def test_no_text_makes_it_fail_and_what_is_complete_compiles(code: str) -> None:
    answer = is_complete(code)
    commands = any(sign in code for sign in "?%!")
    if answer.status == "complete" and not commands:
        compile(code, "<t>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
