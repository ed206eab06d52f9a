"""What people type behind %pip, understood or refused with what to type instead."""

from __future__ import annotations

import pytest

from watchglass_monitor.magics import transform
from watchglass_server.pip_command import (
    PipCommand,
    PipRefused,
    project_of,
    read_command,
    typed_commands,
    words_of,
)

TYPED = [
    ("%pip install rich", ("install", "rich")),
    ("  %pip   install  rich  ", ("install", "rich")),
    ("!pip install rich", ("install", "rich")),
    ("! pip3 install rich", ("install", "rich")),
    ("!pip3.14 install rich", ("install", "rich")),
    ("pip install rich", ("install", "rich")),
    ("%%pip install rich", ("install", "rich")),
    ("python -m pip install rich", ("install", "rich")),
    ("!python3 -m pip install rich", ("install", "rich")),
    ("!{sys.executable} -m pip install rich", ("install", "rich")),
    (
        "%pip install 'rich>=13' \"typer[all]\"  # for the menu",
        ("install", "rich>=13", "typer[all]"),
    ),
    ("%pip install it's", ("install", "it's")),
    ("%pip list", ("list",)),
]


@pytest.mark.parametrize(("line", "words"), TYPED)
def test_a_line_is_found_as_it_is_typed(line: str, words: tuple[str, ...]) -> None:
    assert list(typed_commands(f"x = 1\n{line}\ny = 2")) == [words]


@pytest.mark.parametrize(("line", "words"), TYPED)
def test_the_session_sends_the_same_words_as_the_server_reads(
    line: str, words: tuple[str, ...]
) -> None:
    sent: list[tuple[str, ...]] = []
    names = {"__watchglass_magic__": lambda name, text: sent.append((name, *words_of(text)))}
    exec(transform(line.strip()), dict(names))
    assert sent == [("%pip", *words)]


@pytest.mark.parametrize(
    "line", ["pip = 3", "# pip install x", "x = 'pip install x'", "pipx install"]
)
def test_what_only_looks_like_it_is_python(line: str) -> None:
    assert list(typed_commands(line)) in ([], [("=", "3")])
    assert transform(line) == line


def test_names_versions_extras_and_options_are_understood() -> None:
    command = read_command(("install", "-q", "-U", "--pre", "Rich>=13,<15", "typer[All]"))
    assert [str(one) for one in command.requirements] == ["Rich<15,>=13", "typer[All]"]
    assert [project_of(one) for one in command.requirements] == ["rich", "typer"]
    assert (command.quiet, command.upgrade, command.pre, command.dependencies) == (True,) * 4
    assert read_command(("install", "--no-deps", "--user", "a")).dependencies is False


def test_a_requirement_for_other_systems_is_left_out() -> None:
    command = read_command(
        ("install", "a; sys_platform == 'win32'", "b; sys_platform=='emscripten'")
    )
    assert [one.name for one in command.requirements] == ["b"]


def test_uninstalling_takes_names() -> None:
    command = read_command(("uninstall", "-y", "a", "b"))
    assert isinstance(command, PipCommand)
    assert (command.verb, [one.name for one in command.requirements]) == ("uninstall", ["a", "b"])


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ((), "There is no `%pip `"),
        (("download", "a"), "there are `%pip install`"),
        (("install",), "Say which package"),
        (("install", "-q"), "Say which package"),
        (("install", "-r", "requirements.txt"), "reads files"),
        (("install", "-e", "."), "reads files"),
        (("install", "--index-url=http://127.0.0.1/", "a"), "operator"),
        (("install", "-i", "x", "a"), "operator"),
        (("install", "--target", "x"), "does not know --target"),
        (("install", "."), "by name only"),
        (("install", "../x"), "by name only"),
        (("install", "a.whl"), "--wheel-dir"),
        (("install", "https://example.org/a"), "by name only"),
        (("install", "git+https://example.org/a"), "by name only"),
        (("install", "a @ file:///etc"), "by name only"),
        (("install", "a=1"), "names no package"),
        (("install", "../../etc/passwd"), "by name only"),
        (("install", "a b"), "names no package"),
        (("install", "a; " + "(" * 990), "names no package"),
        (("install", *(f"a{n}" for n in range(51))), "At most 50"),
    ],
)
def test_what_cannot_be_is_refused_with_the_next_step(words: tuple[str, ...], part: str) -> None:
    with pytest.raises(PipRefused, match=part):
        read_command(words)
