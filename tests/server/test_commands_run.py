"""`watchglass run`: a script runs as by `python`, and each way to end has its exit status."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.commands import Commands

pytestmark = pytest.mark.slow


@pytest.fixture
def commands(tmp_path: Path, cache_dir: Path) -> Commands:
    return Commands(tmp_path, cache_dir)


def test_a_script_gets_arguments_input_and_its_name_and_prints_no_value(
    commands: Commands,
) -> None:
    commands.write(
        "greet.py",
        "import sys\n"
        "print(sys.argv, __name__, __file__)\n"
        "name = input('who? ')\n"
        "print('hi', name, file=sys.stderr)\n"
        "for line in sys.stdin: print(repr(line))\n"
        "'not shown'\n",
    )
    done = commands.run("run", "greet.py", "a", "--wall", "-x", stdin="Ana\nrest\nend")
    assert done.stdout == (
        "['greet.py', 'a', '--wall', '-x'] __main__ greet.py\nwho? 'rest\\n'\n'end\\n'\n"
    )
    assert done.stderr == "hi Ana\n"
    assert done.status == 0


def test_packages_are_for_sessions_and_the_script_goes_on(commands: Commands) -> None:
    commands.write("needy.py", "%pip install rich\nprint('on')\n")
    done = commands.run("run", "needy.py")
    assert (done.stdout, done.status) == ("on\n", 0)
    assert "`watchglass run` installs no packages" in done.stderr


def test_a_script_runs_in_the_jail_or_without_one(commands: Commands) -> None:
    commands.write("script.py", "print(6 * 7)")
    for level in ("strict", "process"):
        done = commands.run("run", "--isolation", level, "script.py")
        assert (done.status, done.stdout, done.stderr) == (0, "42\n", "")
    done = commands.run("run", "script.py", settings={"WATCHGLASS_ISOLATION": "none"})
    assert done.status == 1
    assert "WATCHGLASS_ISOLATION" in done.stderr


@pytest.mark.parametrize(
    ("code", "status", "stderr"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("raise SystemExit('bye')", 1, "bye\n"),
        ("raise SystemExit", 0, ""),
        ("x = = 1", 1, "SyntaxError: invalid syntax\n"),
        ("def f():\n    1/0\nf()", 1, "ZeroDivisionError: division by zero\n"),
        ("input()", 1, "EOFError: EOF when reading a line\n"),
        ("import asyncio\nasync def f(): await asyncio.sleep(0)\nasyncio.run(f())", 0, ""),
    ],
)
def test_a_script_ends_as_by_python(
    commands: Commands, code: str, status: int, stderr: str
) -> None:
    commands.write("script.py", code)
    done = commands.run("run", "script.py")
    assert (done.status, done.stdout) == (status, "")
    assert done.stderr.endswith(stderr)
    assert "In[" not in done.stderr
    if "1/0" in code:
        assert 'File "script.py", line 2, in f\n    1/0' in done.stderr


def test_a_time_limit_ends_it_after_its_finally(commands: Commands) -> None:
    commands.write("loop.py", "try:\n    while True: pass\nfinally:\n    print('cleaned up')")
    done = commands.run("run", "--wall", "500ms", "loop.py")
    assert (done.status, done.stdout) == (124, "cleaned up\n")
    assert done.stderr == "watchglass: the time limit is reached (--wall)\n"


def test_code_that_does_not_heed_the_limit_is_ended(commands: Commands) -> None:
    loop = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    commands.write("stubborn.py", loop)
    done = commands.run("run", "--wall", "500ms", "stubborn.py")
    assert (done.status, "did not heed it" in done.stderr) == (124, True)


def test_a_memory_limit_has_an_exit_status_of_its_own(commands: Commands) -> None:
    commands.write("fill.py", "x = []\nwhile True: x.append(bytearray(2**20))")
    done = commands.run("run", "--memory", "128M", "fill.py")
    assert done.status == 137
    assert "MemoryError" in done.stderr or "memory limit" in done.stderr


def test_ctrl_c_interrupts_it(commands: Commands) -> None:
    commands.write("loop.py", "print('go')\nwhile True: pass")
    running = commands.start("run", "loop.py")
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == "go\n"
        running.send_signal(signal.SIGINT)
        _, stderr = running.communicate(timeout=20)
    assert running.returncode == 130
    assert stderr.endswith("KeyboardInterrupt\n")


def test_a_reader_that_goes_away_ends_it_quietly(commands: Commands) -> None:
    commands.write("count.py", "n = 0\nwhile True: print(n); n += 1")
    running = commands.start("run", "count.py")
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == "0\n"
        running.stdout.close()
        assert running.wait(20) == 141
        assert running.stderr is not None
        assert running.stderr.read() == ""


def test_only_named_files_of_this_machine_are_there(commands: Commands) -> None:
    commands.write("words.txt", "héllo")
    commands.write("module.py", "def f(): return open('words.txt', encoding='utf-8').read()")
    commands.write(
        "main.py", "import os\nprint(sorted(os.listdir()))\nimport module\nprint(module.f())"
    )
    with_files = ("run", "--file", "words.txt", "--file", "module.py", "main.py")
    assert commands.run(*with_files).stdout == "['module.py', 'words.txt']\nhéllo\n"
    alone = commands.run("run", "main.py")
    assert (alone.status, alone.stdout) == (1, "[]\n")
    assert "No module named 'module'" in alone.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("missing.py",), "missing.py cannot be read: No such file"),
        (("latin.py",), "latin.py, line 2: not UTF-8"),
        (("--wall", "soon", "fine.py"), "--wall: 'soon' is no duration"),
        (("--memory", "lots", "fine.py"), "--memory: 'lots' is no size"),
        (("--file", "missing", "fine.py"), "--file: missing cannot be read"),
    ],
)
def test_what_cannot_be_run_is_told_in_one_line(
    commands: Commands, arguments: tuple[str, ...], words: str
) -> None:
    commands.write("fine.py", "")
    (commands.folder / "latin.py").write_bytes(b"# ok\nx = '\xe9'\n")
    done = commands.run("run", *arguments)
    assert (done.status, done.stdout) == (1, "")
    assert done.stderr.startswith(f"watchglass: {words}")
    assert done.stderr.count("\n") == 1


def test_a_script_from_standard_input_runs_too(commands: Commands) -> None:
    done = commands.run("run", "-", stdin="import sys\nprint(sys.argv)\n1/0")
    assert done.stdout == "['-']\n"
    assert 'File "<stdin>", line 3' in done.stderr
