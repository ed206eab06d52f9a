"""Everything that a restore owes, dumped in one interpreter and loaded in another."""

from dataclasses import replace

import pytest

from tests.monitor.restore_cases import CASES
from tests.support.restoring import in_pyodide, natively, natively_twice

NAMES = [case.name for case in CASES]


@pytest.fixture(scope="module")
def native_problems() -> dict[str, str | None]:
    return dict(zip(NAMES, natively(CASES), strict=True))


@pytest.fixture(scope="module")
def pyodide_problems() -> dict[str, str | None]:
    return dict(zip(NAMES, in_pyodide(CASES), strict=True))


def test_every_case_has_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_comes_back_in_another_cpython(name: str, native_problems: dict[str, str | None]) -> None:
    assert native_problems[name] is None, native_problems[name]


def test_what_came_back_can_be_stored_and_comes_back_again() -> None:
    cases = [case for case in CASES if not case.lost]
    problems = zip(cases, natively_twice(cases), strict=True)
    assert [case.name for case, problem in problems if problem is not None] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_comes_back_in_another_pyodide(name: str, pyodide_problems: dict[str, str | None]) -> None:
    assert pyodide_problems[name] is None, pyodide_problems[name]


def test_a_case_that_does_not_hold_is_reported() -> None:
    broken = replace(CASES[0], check="assert False, 'seen'")
    (problem,) = natively([broken])
    assert problem is not None
    assert "seen" in problem
