"""What differs in Pyodide: Python 3.14's tracebacks and annotations, JavaScript, speed."""

import textwrap

import pytest

from tests.support.restoring import pyodide

pytestmark = pytest.mark.slow

CODE = """
import json, time
from watchglass_monitor.completeness import is_complete
from watchglass_monitor.completion import complete
from watchglass_monitor.display import mime_bundle
from watchglass_monitor.dump import Dumper
from watchglass_monitor.inspection import inspect_at
from watchglass_monitor.load import load
from watchglass_monitor.tracebacks import file_name, format_error, remember_source

space = {"__name__": "__main__"}

def raised(number, code):
    remember_source(number, code)
    try:
        exec(compile(code, file_name(number), "exec", dont_inherit=True), space)
    except BaseException as exc:
        exc.__traceback__ = exc.__traceback__.tb_next
        report = format_error(exc, number)
        return [report.name, report.line, report.traceback]

result = {}
result["plain"] = raised(1, "def f(a):\\n    return a / 0\\nf(1)")
result["later"] = raised(2, "\\nf(2)")
result["recursion"] = raised(3, "def g(): g()\\ng()")
result["group"] = raised(4, "raise ExceptionGroup('two', [ValueError('v'), KeyError('k')])")
result["syntax"] = raised(5, "x = = 1")
result["suggestion"] = raised(6, "import math\\nmath.sqr(4)")
result["from_js"] = raised(7, "import js\\njs.eval('null.x')")

exec("def lazy(x: Missing, y: int = 2) -> Gone: 'doc'\\nimport js", space)
result["inspect"] = inspect_at("lazy(", 5, space).as_dict()
result["js"] = [each.text for each in complete("js.Da", 5, space).matches]
result["keywords"] = [each.text for each in complete("lazy(", 5, space).matches][:2]
result["complete"] = [is_complete(c).status for c in ("await x", "def f():", "x = )", "t'{x", "'x")]
result["bundle"] = mime_bundle(space["js"])["text/plain"][:7]

def fastest(function, rounds):
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times) * 1000

few = {"__name__": "__main__", "a": 1, "b": "x", "c": [1, 2], "d": {"k": 1}, "e": 1.5}
many = {"__name__": "__main__", "m": list(range(10**6))}
dumper = Dumper()
result["few_ms"] = fastest(lambda: dumper.dump(few, list("abcde"), versions={"a": 1}), 200)
result["many_ms"] = fastest(lambda: dumper.dump(many, ["m"], versions={}), 5)
data = dumper.dump(many, ["m"], versions={}).data
result["load_ms"] = fastest(lambda: load(data, {"__name__": "__main__"}), 3)
"""


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    answered = pyodide({"do": "run", "code": textwrap.dedent(CODE)})
    assert isinstance(answered, dict)
    return answered


def test_a_traceback_has_source_lines_and_carets(found: dict[str, object]) -> None:
    assert found["plain"] == [
        "ZeroDivisionError",
        2,
        [
            "Traceback (most recent call last):",
            '  File "<In[1]>", line 3, in <module>',
            "    f(1)",
            "    ~^^^",
            '  File "<In[1]>", line 2, in f',
            "    return a / 0",
            "           ~~^~~",
            "ZeroDivisionError: division by zero",
        ],
    ]


def test_a_later_execution_shows_the_source_of_the_earlier_one(found: dict[str, object]) -> None:
    name, line, text = found["later"]  # type: ignore[misc]
    assert (name, line) == ("ZeroDivisionError", 2)  # type: ignore[has-type]
    assert '  File "<In[1]>", line 2, in f' in text  # type: ignore[has-type]


def test_endless_recursion_is_short(found: dict[str, object]) -> None:
    name, _, text = found["recursion"]  # type: ignore[misc]
    assert name == "RecursionError"  # type: ignore[has-type]
    assert len(text) < 20  # type: ignore[has-type]


def test_groups_syntax_errors_and_suggestions_are_told(found: dict[str, object]) -> None:
    texts = {name: "\n".join(found[name][2]) for name in ("group", "syntax", "suggestion")}  # type: ignore[index]
    assert "ValueError: v" in texts["group"]
    assert texts["syntax"].startswith('  File "<In[5]>", line 1\n    x = = 1\n        ^\n')
    assert "Did you mean: 'sqrt'?" in texts["suggestion"]


def test_an_error_of_javascript_shows_no_frames_of_pyodide(found: dict[str, object]) -> None:
    name, line, text = found["from_js"]  # type: ignore[misc]
    assert (name, line) == ("JsException", 2)  # type: ignore[has-type]
    assert not any("pyodide/" in each for each in text if "File" in each)  # type: ignore[has-type]


def test_annotations_that_do_not_resolve_are_shown_as_written(found: dict[str, object]) -> None:
    assert found["inspect"] == {
        "found": True,
        "signature": "lazy(x: Missing, y: int = 2) -> Gone",
        "docstring": "doc",
        "type": "function",
    }
    assert found["keywords"] == ["x=", "y="]


def test_names_of_javascript_are_offered(found: dict[str, object]) -> None:
    assert found["js"] == ["DataView", "Date"]
    assert isinstance(found["bundle"], str)


def test_completeness_is_judged_as_there(found: dict[str, object]) -> None:
    assert found["complete"] == ["complete", "incomplete", "invalid", "incomplete", "invalid"]


def test_dump_and_load_are_quick(found: dict[str, object]) -> None:
    # Measured: 0.05, 10 and 30 ms; the room is for busy machines.
    assert found["few_ms"] < 0.3  # type: ignore[operator]
    assert found["many_ms"] < 100  # type: ignore[operator]
    assert found["load_ms"] < 300  # type: ignore[operator]
