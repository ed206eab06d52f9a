"""Tests of magics.py and magic_commands.py."""

import ast
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass_monitor import magic_commands
from watchglass_monitor.given_modules import GivenModules
from watchglass_monitor.magic_commands import Magics
from watchglass_monitor.magics import MAGIC, transform
from watchglass_monitor.wire import Variable

LINES = [
    "x = 1",
    "%who",
    "name?",
    "!ls -l",
    "'''",
    '"""',
    "f(",
    ")",
    "  %time x",
    "if x:",
    "\\",
    "y",
]


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("%who", f"{MAGIC}('%who', '')"),
        ("%timeit -n 10 f(x)", f"{MAGIC}('%timeit', '-n 10 f(x)')"),
        ("!ls -l", f"{MAGIC}('!', 'ls -l')"),
        ("x?", f"{MAGIC}('?', 'x')"),
        ("a.b??", f"{MAGIC}('??', 'a.b')"),
        ("?x", f"{MAGIC}('?', 'x')"),
        ("d['k']?", f"{MAGIC}('?', \"d['k']\")"),
        ("%%time\na\nb", f"{MAGIC}('%%time', '', 'a\\nb')"),
    ],
)
def test_a_magic_line_becomes_a_call(line: str, call: str) -> None:
    assert transform(line) == call


def test_indented_magics_stay_in_their_block() -> None:
    assert transform("for i in x:\n    %time i") == f"for i in x:\n    {MAGIC}('%time', 'i')"


@pytest.mark.parametrize(
    "code",
    ["a\\\n% b", "x = (a\n% b)", '"""\n%who\n"""', "a != b", "1 if x else 2 # why?", "f'{a!r}'"],
)
def test_python_is_left_as_it_is(code: str) -> None:
    assert transform(code) == code


def test_a_line_inside_a_string_is_no_magic_even_beside_a_real_one() -> None:
    code = 's = """\n%who\n"""\n%whos'
    assert transform(code) == f's = """\n%who\n"""\n{MAGIC}(\'%whos\', \'\')'


@given(st.lists(st.sampled_from(LINES), max_size=8).map("\n".join))
def test_lines_keep_their_numbers_and_valid_python_its_text(code: str) -> None:
    done = transform(code)
    if not code.lstrip("\n").startswith("%%"):
        assert done.count("\n") == code.count("\n")
    try:
        ast.parse(code)
    except SyntaxError:
        return
    assert done == code


def variable(name: str, kind: str, hidden: bool = False) -> Variable:
    made: Variable = {
        "name": name,
        "type": kind,
        "module": "builtins",
        "preview": f"<{name}>",
        "length": None,
        "size_bytes": 0,
        "shape": None,
        "dtype": None,
        "expandable": False,
        "settable": True,
        "version": 1,
        "value": None,
    }
    if hidden:
        made["hidden"] = True
    return made


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
def magics(shown: list[str]) -> tuple[Magics, dict[str, object]]:
    names: dict[str, object] = {"x": 1, "s": "a", "_h": 2}
    known = [variable("x", "int"), variable("s", "str"), variable("_h", "int", hidden=True)]
    return Magics(names, lambda: known, shown.append, GivenModules(), shown.append), names


Made = tuple[Magics, dict[str, object]]
Captured = Callable[[], object]


def test_who_names_what_is_not_hidden(magics: Made, capsys: pytest.CaptureFixture[str]) -> None:
    magics[0]("%who", "")
    assert capsys.readouterr().out.split() == ["x", "s"]
    magics[0]("%who", "str")
    assert capsys.readouterr().out.split() == ["s"]


def test_whos_is_a_table(magics: Made, capsys: pytest.CaptureFixture[str]) -> None:
    magics[0]("%whos", "")
    heading, rule, *rows = capsys.readouterr().out.splitlines()
    assert heading.split() == ["Variable", "Type", "Data/Info"]
    assert set(rule) == {"-"}
    assert [row.split() for row in rows] == [["x", "int", "<x>"], ["s", "str", "<s>"]]


def test_time_runs_in_the_namespace(magics: Made, capsys: pytest.CaptureFixture[str]) -> None:
    magics[0]("%time", "y = x + 1")
    assert magics[1]["y"] == 2
    assert "Wall time:" in capsys.readouterr().out


def test_timeit_tells_of_runs_and_loops(magics: Made, capsys: pytest.CaptureFixture[str]) -> None:
    magics[0]("%timeit", "-n 5 -r 2 x + 1")
    assert "2 runs, 5 loops each" in capsys.readouterr().out


@pytest.mark.parametrize("options", ["-n x f()", "-n 0 f()", "-r"])
def test_timeit_says_what_its_options_need(magics: Made, options: str) -> None:
    with pytest.raises(ValueError, match="needs a number above 0"):
        magics[0]("%timeit", options)


def test_reset_asks_first(magics: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(magic_commands, "input", lambda _: "n", raising=False)
    magics[0]("%reset", "")
    assert "x" in magics[1]
    monkeypatch.setattr(magic_commands, "input", lambda _: "y", raising=False)
    magics[0]("%reset", "")
    assert magics[1] == {}


@pytest.mark.parametrize(
    ("line", "part"),
    [
        (("!", "ls"), "There is no shell here"),
        (("%nope", ""), "There is no magic %nope"),
        (("?", "nowhere"), "There is no object 'nowhere'"),
    ],
)
def test_what_is_not_there_is_said(
    magics: Made, capsys: pytest.CaptureFixture[str], line: tuple[str, str], part: str
) -> None:
    magics[0](*line)
    assert part in capsys.readouterr().err


def test_help_shows_signature_and_docstring(magics: Made, shown: list[str]) -> None:
    def greet(name: str) -> str:
        """Say hello."""
        return name

    magics[1]["greet"] = greet
    magics[0]("?", "greet")
    assert "greet(name" in shown[0]
    assert "Say hello." in shown[0]
    magics[0]("??", "greet")
    assert "return name" in shown[1]
