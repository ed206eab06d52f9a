"""Definitions run again: these and nothing else of their code, and what they do goes nowhere."""

from contextlib import nullcontext
from typing import Any

import pytest

from tests.support.namespaces import fresh, names_of
from watchglass_monitor.definitions import define_again
from watchglass_monitor.value_dump import Source

CODE = """
import math, json as j
from os import path, sep
x = print("not this")
def double(n, by=2):
    return n * by
class Point:
    print("nor this")
    def norm(self): return math.hypot(3, 4)
add = lambda a, b: a + b
async def later(): ...
%time 1
"""


def defined(code: str, *names: str, **values: Any) -> tuple[dict[str, Any], dict[str, str | None]]:
    """The namespace, and why each name is back; with a question mark those that are not."""
    namespace = fresh()
    namespace.update(values)
    found = define_again([Source(3, code, names)], namespace, nullcontext)
    return namespace, {
        one.name if one.verdict == "restored" else f"{one.name}?": one.why for one in found
    }


def test_only_the_definitions_are_run(capsys: pytest.CaptureFixture[str]) -> None:
    again, why = defined(CODE, "math", "path", "double", "Point", "add", "later")
    assert names_of(again) == ["math", "path", "double", "Point", "add", "later"]
    assert again["double"](4) == 8
    assert again["add"](1, 2) == 3
    assert again["Point"]().norm() == 5
    assert set(why.values()) == {"its definition in In [3] was run again"}
    assert capsys.readouterr().out == ""


def test_the_lines_of_a_traceback_are_those_of_the_execution() -> None:
    again, _ = defined(CODE, "double")
    code = again["double"].__code__
    assert (code.co_filename, code.co_firstlineno) == ("<In[3]>", 5)


@pytest.mark.parametrize(
    "code",
    [
        "def f(): ...\nf = 5",
        "if True:\n  def f(): ...",
        "def f(): ...\nfor f in []: ...",
        "def f(): ...\n[f := 1]",
        "def f(): ...\ndel f",
        "try: ...\nexcept OSError as f: ...",
        "from os import *",
        "f = make()",
        "f, g = lambda: 1, 2",
        "def f(:",
        "",
    ],
)
def test_what_is_not_a_definition_alone_has_no_verdict(code: str) -> None:
    again, why = defined(code, "f")
    assert (names_of(again), why) == ([], {})


def test_a_definition_that_fails_costs_itself_alone() -> None:
    code = "import no_such_module\ndef f(): ...\nclass C(missing): ..."
    again, why = defined(code, "no_such_module", "f", "C")
    assert names_of(again) == ["f"]
    begins = "its definition in In [3] was not run again: "
    assert why["C?"] == begins + "NameError: name 'missing' is not defined"
    assert (why["no_such_module?"] or "").startswith(begins + "ModuleNotFoundError")


def test_an_import_binds_nothing_that_has_another_value_by_now() -> None:
    again, _ = defined("import math, json", "math", json=5)
    assert again["json"] == 5
