"""format_error: tracebacks as CPython prints them, without frames of ours."""

import asyncio
import inspect
import linecache
import sys
import traceback
from collections.abc import Iterator

import pytest

from watchglass_monitor import display as ours
from watchglass_monitor.tracebacks import ErrorReport, file_name, format_error, remember_source


@pytest.fixture(autouse=True)
def clean_line_cache() -> Iterator[None]:
    yield
    for name in [name for name in linecache.cache if name.startswith("<In[")]:
        del linecache.cache[name]


def raised(*codes: str, number: int | None = None) -> ErrorReport:
    """Run executions 1, 2, …; the report of what the last one raises."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    for position, code in enumerate(codes, 1):
        remember_source(position, code)
        try:
            exec(compile(code, file_name(position), "exec"), namespace)
        except BaseException as exc:
            caught = sys.exc_info()[2]
            # Without the frame of this function; past any __getattribute__ of the exception.
            BaseException.with_traceback(exc, caught and caught.tb_next)
            return format_error(exc, number if number is not None else position)
    raise AssertionError("nothing was raised")


def test_it_names_the_execution_the_line_and_the_source() -> None:
    report = raised("x = 1\ny = x / 0")
    assert (report.name, report.message, report.line) == (
        *("ZeroDivisionError", "division by zero", 2),
    )
    assert [line.rstrip() for line in report.traceback] == [
        "Traceback (most recent call last):",
        '  File "<In[1]>", line 2, in <module>',
        "    y = x / 0",
        "        ~~^~~",
        "ZeroDivisionError: division by zero",
    ]


def test_source_of_an_earlier_execution_is_shown_and_the_line_is_that_of_this_one() -> None:
    report = raised("def f(a):\n    return a.missing", "\n\nf(3)")
    text = "\n".join(report.traceback)
    assert '  File "<In[1]>", line 2, in f\n    return a.missing' in text
    assert '  File "<In[2]>", line 3, in <module>\n    f(3)' in text
    assert report.line == 3


def test_without_a_number_the_innermost_line_of_any_execution_counts() -> None:
    remember_source(1, "def f():\n    1 / 0")
    namespace: dict[str, object] = {}
    exec(compile("def f():\n    1 / 0", "<In[1]>", "exec"), namespace)
    with pytest.raises(ZeroDivisionError) as caught:
        exec(compile("f()", "<In[2]>", "exec"), namespace)
    assert format_error(caught.value).line == 2


def test_chained_causes_are_all_shown() -> None:
    report = raised(
        "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e"
    )
    text = "\n".join(report.traceback)
    assert "ZeroDivisionError: division by zero" in text
    assert "The above exception was the direct cause of the following exception:" in text
    assert (report.message, report.line) == ("'k'", 4)


def test_a_group_shows_its_members() -> None:
    report = raised("raise ExceptionGroup('many', [ValueError('a'), TypeError('b')])")
    text = "\n".join(report.traceback)
    assert "ExceptionGroup: many (2 sub-exceptions)" in text
    assert "ValueError: a" in text
    assert "TypeError: b" in text


def test_a_syntax_error_points_at_the_place_without_a_heading() -> None:
    report = raised("x = 1\ny = = 2")
    assert [line.rstrip() for line in report.traceback] == [
        '  File "<In[1]>", line 2',
        "    y = = 2",
        "        ^",
        "SyntaxError: invalid syntax",
    ]
    assert (report.name, report.line) == ("SyntaxError", 2)


def test_a_syntax_error_of_other_text_has_the_line_of_the_call() -> None:
    assert raised("a = 1\ncompile('= =', 'x', 'exec')").line == 2


def test_endless_recursion_is_one_line_with_a_count() -> None:
    report = raised("def f(n):\n    return f(n + 1)\nf(0)")
    assert report.name == "RecursionError"
    assert len(report.traceback) < 20
    assert any("Previous line repeated" in line for line in report.traceback)


def test_recursion_over_two_functions_is_cut_in_the_middle() -> None:
    report = raised("def f():\n    g()\ndef g():\n    f()\nf()")
    assert any("more frames are left out here" in line for line in report.traceback)
    assert len(report.traceback) < 400


def test_an_exception_whose_text_is_broken_is_still_told() -> None:
    report = raised("class E(Exception):\n    def __str__(self): raise ValueError\nraise E")
    assert report.name == "E"
    assert report.message == "<its __str__ raised ValueError>"
    assert report.traceback[-1].removeprefix("__main__.").startswith("E: ")


@pytest.mark.parametrize(
    "code",
    [
        "class E(Exception):\n    def __str__(self): raise SystemExit\nraise E",
        "class E(Exception):\n    __notes__ = 5\nraise E",
        "class M(type):\n    __name__ = property(lambda c: 1 / 0)\n"
        "class E(Exception, metaclass=M): ...\nraise E",
        "class E(Exception):\n    def __getattribute__(self, n): raise SystemExit\nraise E",
        "class E(Exception):\n    def __eq__(self, o): raise SystemExit\n"
        "    __hash__ = None\nraise E",
    ],
)
def test_no_exception_can_break_the_report(code: str) -> None:
    report = raised(code)
    assert report.name == "E"
    assert report.traceback


def test_frames_of_ours_and_of_the_machinery_are_left_out() -> None:
    def shows() -> None:
        ours.display({1: 2}, raw=True)  # fine
        ours.display(3, raw=True)

    with pytest.raises(TypeError) as caught:
        shows()
    text = "\n".join(format_error(caught.value).traceback)
    assert "watchglass_monitor" not in text
    assert "in shows" in text


def test_the_event_loop_that_calls_a_task_or_callback_is_left_out() -> None:
    remember_source(1, "def f(): raise KeyboardInterrupt")
    namespace: dict[str, object] = {}
    exec(compile("def f(): raise KeyboardInterrupt", file_name(1), "exec"), namespace)
    loop = asyncio.new_event_loop()
    callback = namespace["f"]
    assert callable(callback)
    with pytest.raises(KeyboardInterrupt) as caught:
        asyncio.Handle(callback, (), loop)._run()
    loop.close()
    caught.value.__traceback__ = caught.value.__traceback__ and caught.value.__traceback__.tb_next
    frames = [line for line in format_error(caught.value).traceback if line.startswith("  File")]
    assert frames == ['  File "<In[1]>", line 1, in f']


def test_imports_show_no_frozen_frames() -> None:
    report = raised("import importlib\nimportlib.import_module('no.such.module')")
    assert not any("frozen" in line for line in report.traceback)


def test_notes_are_shown() -> None:
    report = raised("e = ValueError('v')\ne.add_note('look here')\nraise e")
    assert report.traceback[-1] == "look here"


def test_a_huge_message_is_bounded() -> None:
    report = raised("raise ValueError('x' * 10_000_000)")
    assert len(report.message) < 30_000
    assert sum(map(len, report.traceback)) < 300_000
    assert all("\n" not in line for line in report.traceback)


def test_many_lines_are_bounded_and_the_last_one_stays() -> None:
    report = raised("raise ValueError('line\\n' * 1_000_000 + 'the end')")
    assert sum(map(len, report.traceback)) < 300_000
    assert report.traceback[-1] == "the end"
    assert any("more lines are left out here" in line for line in report.traceback)


def test_an_exception_that_was_never_raised_has_no_line() -> None:
    report = format_error(ValueError("v"), 1)
    assert report == ErrorReport("ValueError", "v", ["ValueError: v"], None)


def test_a_cancelled_task_is_told_like_any_error() -> None:
    assert format_error(asyncio.CancelledError()).name == "CancelledError"


def test_the_text_is_what_cpython_prints() -> None:
    code = "def f():\n    return {}['k']\nf()"
    remember_source(7, code)
    with pytest.raises(KeyError) as caught:
        exec(compile(code, "<In[7]>", "exec"), {})
    tb = caught.tb
    while tb.tb_frame.f_code.co_filename != "<In[7]>":
        assert tb.tb_next is not None
        tb = tb.tb_next
    caught.value.__traceback__ = tb
    printed = "".join(traceback.format_exception(caught.value))
    assert "\n".join(format_error(caught.value, 7).traceback) + "\n" == printed


def test_source_can_be_read_by_inspect() -> None:
    code = "def f():\n    return 'here'\n"
    remember_source(9, code)
    namespace: dict[str, object] = {}
    exec(compile(code, file_name(9), "exec"), namespace)
    linecache.checkcache()
    assert inspect.getsource(namespace["f"]) == code  # type: ignore[arg-type]
