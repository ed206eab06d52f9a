"""Tests of given_modules.py, and of `%%reload`, in this interpreter."""

import inspect
import sys
import traceback
from collections.abc import Iterator

import pytest

from watchglass_monitor.given_modules import GivenModules, module_name
from watchglass_monitor.magic_commands import Magics
from watchglass_monitor.module_names import module_names, names_in

UNITS = "SIDE = 'red'\nclass Unit:\n    hp = 10\ndef damage(unit):\n    return unit.hp - 3\n"
Names = dict[str, object]


@pytest.fixture
def modules() -> Iterator[GivenModules]:
    before = set(sys.modules)
    given = GivenModules()
    yield given
    if given in sys.meta_path:
        sys.meta_path.remove(given)
    for name in set(sys.modules) - before:
        del sys.modules[name]


def run(code: str, names: Names) -> None:
    exec(compile(code, "<test>", "exec"), names)


def magics(modules: GivenModules, names: Names) -> Magics:
    return Magics(names, list, print, modules, print)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("units.py", "units"),
        ("game/units.py", "game.units"),
        ("game/__init__.py", "game"),
    ],
)
def test_a_path_is_the_name_that_import_takes(path: str, name: str) -> None:
    assert module_name(path) == name


def test_a_given_file_is_imported_with_its_source(modules: GivenModules) -> None:
    modules.give("wg_units.py", "v1", UNITS)
    names: Names = {}
    run("import wg_units\nfound = wg_units.damage(wg_units.Unit())", names)
    assert names["found"] == 7
    assert modules.loaded() == {"wg_units.py": "v1"}
    assert inspect.getsource(sys.modules["wg_units"].damage).startswith("def damage")
    assert sys.modules["wg_units"].__file__ == "/watched/wg_units.py"


def test_packages_are_imported_with_and_without_an_init_file(modules: GivenModules) -> None:
    modules.give("wg_game/__init__.py", "v1", "from .units import SIDE\n")
    modules.give("wg_game/units.py", "v1", UNITS)
    modules.give("wg_tools/dice.py", "v1", "SIDES = 6\n")
    names: Names = {}
    run("import wg_game\nfrom wg_tools import dice\nfound = wg_game.SIDE, dice.SIDES", names)
    assert names["found"] == ("red", 6)
    assert set(modules.loaded()) == {"wg_game/__init__.py", "wg_game/units.py", "wg_tools/dice.py"}


def test_what_was_not_imported_is_not_loaded(modules: GivenModules) -> None:
    modules.give("wg_units.py", "v1", UNITS)
    assert modules.loaded() == {}
    run("import wg_units", {})
    del sys.modules["wg_units"]
    assert modules.loaded() == {}


def test_no_module_that_is_really_there_is_replaced(modules: GivenModules) -> None:
    modules.give("colorsys.py", "v1", "given = True")
    modules.give("json.py", "v1", "given = True")
    names: Names = {}
    run("import colorsys, json", names)
    assert not hasattr(names["colorsys"], "given")
    with pytest.raises(ImportError, match="another name"):
        modules.reload("json.py", names)


def test_a_reload_keeps_objects_and_changes_what_was_imported_from_it(
    modules: GivenModules,
) -> None:
    modules.give("wg_units.py", "v1", UNITS)
    names: Names = {}
    run("import wg_units\nfrom wg_units import Unit, damage, SIDE\nold = Unit()\nkept = 5", names)
    old = names["old"]
    magics(modules, names)("%%reload", "wg_units.py v2", UNITS.replace("- 3", "- 4") + "MORE = 1\n")
    run("found = damage(Unit()), damage(old), wg_units.MORE, SIDE, kept", names)
    assert names["found"] == (6, 6, 1, "red", 5)
    assert names["old"] is old
    assert type(old) is not names["Unit"]
    assert modules.loaded() == {"wg_units.py": "v2"}


def test_a_syntax_error_leaves_the_module_as_it_was(modules: GivenModules) -> None:
    modules.give("wg_units.py", "v1", UNITS)
    names: Names = {}
    run("import wg_units", names)
    with pytest.raises(SyntaxError) as caught:
        magics(modules, names)("%%reload", "wg_units.py v2", "def damage(:\n")
    assert (caught.value.filename, caught.value.lineno) == ("/watched/wg_units.py", 1)
    run("found = wg_units.damage(wg_units.Unit())", names)
    assert names["found"] == 7
    assert modules.loaded() == {"wg_units.py": "v1"}


def test_a_traceback_shows_the_lines_that_ran(modules: GivenModules) -> None:
    modules.give("wg_units.py", "v1", "def fail():\n    return 1 / 0\n")
    names: Names = {}
    run("import wg_units", names)
    modules.give("wg_units.py", "v2", "# another first line\n" * 5)
    with pytest.raises(ZeroDivisionError) as caught:
        run("wg_units.fail()", names)
    assert "return 1 / 0" in "".join(traceback.format_exception(caught.value))


def test_reloading_what_was_not_imported_imports_it(modules: GivenModules) -> None:
    names: Names = {}
    magics(modules, names)("%%reload", "wg_game/units.py v1", UNITS)
    run("found = wg_game.units.SIDE", names)
    assert names["found"] == "red"


def test_a_deleted_file_can_no_longer_be_imported(modules: GivenModules) -> None:
    modules.give("wg_units.py", "v1", UNITS)
    modules.take_back("wg_units.py")
    with pytest.raises(ModuleNotFoundError):
        run("import wg_units", {})


def test_given_modules_and_their_names_are_completed_without_importing_them(
    modules: GivenModules,
) -> None:
    modules.give("wg_game/units.py", "v1", UNITS)
    modules.give("wg_game/__init__.py", "v1", "")
    modules.give("wg-tool.py", "v1", "")
    assert {name for name in module_names("") if name.startswith("wg")} == {"wg_game"}
    assert module_names("wg_game") == ["units"]
    assert {"SIDE", "Unit", "damage"} <= names_in("wg_game.units").keys()
    assert "wg_game" not in sys.modules


def test_reload_without_a_file_says_what_to_write(
    modules: GivenModules, capsys: pytest.CaptureFixture[str]
) -> None:
    magics(modules, {})("%reload", "units")
    assert "%reload units.py" in capsys.readouterr().err
