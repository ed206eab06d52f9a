"""Each variable gets an honest verdict: back, to be run again, or lost and why."""

from __future__ import annotations

from watchglass_sync.records import StoredDump
from watchglass_sync.restore import (
    HISTORY_BYTES,
    Loadout,
    Remembered,
    RememberedExecution,
    ValueRestorer,
)


def execution(number: int, status: str = "ok", code: str = "pass") -> RememberedExecution:
    return RememberedExecution(f"e{number}", number, status, code)


def entry(name: str, why: str | None = None, *, resource: bool = False) -> dict[str, object]:
    return {"name": name, "stored": why is None, "why": why, "kind": "value", "resource": resource}


def variable(name: str, version: int = 1) -> dict[str, object]:
    return {"name": name, "version": version}


def verdict_on(
    *,
    bound_by: str | None = "e1",
    executions: tuple[RememberedExecution, ...] = (execution(1),),
    dumped: dict[str, object] | None = None,
    number: int = 1,
    loaded: str | None = "restored",
    known_version: int = 1,
    found_version: int = 1,
) -> tuple[object, object, object]:
    """The verdict on x, the execution that is named, and why."""
    remembered = Remembered(
        {"x": variable("x", known_version)},
        {} if bound_by is None else {"x": bound_by},
        executions,
        None if dumped is None else StoredDump(number, b"d", [dumped]),
    )
    came = Loadout(
        [variable("x", found_version)] if loaded == "restored" else [],
        [{"name": "x", "verdict": loaded, "why": None}] if loaded else [],
    )
    [one] = ValueRestorer().report(remembered, came).restore
    assert one["name"] == "x"
    return one["verdict"], one["execution"], one["why"]


def test_a_value_of_the_last_dump_is_restored() -> None:
    assert verdict_on(dumped=entry("x")) == ("restored", None, None)


def test_a_value_that_could_not_be_stored_is_to_be_run_again() -> None:
    found = verdict_on(dumped=entry("x", "a generator"), loaded="lost")
    assert found == ("rerun", "e1", "a generator")


def test_an_open_resource_is_lost_whatever_made_it() -> None:
    found = verdict_on(dumped=entry("x", "an open file", resource=True), loaded="lost")
    assert found == ("lost", "e1", "an open file")


def test_nothing_is_to_be_run_again_of_an_execution_that_failed() -> None:
    found = verdict_on(
        dumped=entry("x", "a generator"), loaded="lost", executions=(execution(1, "error"),)
    )
    assert found == ("lost", "e1", "a generator")


def test_a_variable_of_unknown_origin_is_lost_with_why() -> None:
    found = verdict_on(dumped=entry("x", "a lock"), loaded="lost", bound_by=None)
    assert found == ("lost", None, "a lock")
    assert verdict_on(bound_by=None, loaded=None)[2] == "it was not saved before the process ended"


def test_an_older_value_than_the_last_one_seen_is_not_passed_off_as_restored() -> None:
    ran = (execution(1), execution(2))
    assert verdict_on(dumped=entry("x"), executions=ran, bound_by="e2") == (
        "rerun",
        "e2",
        "as it was before In [2], which changed it",
    )


def test_the_value_from_before_an_unfinished_execution_is_restored_and_says_so() -> None:
    ran = (execution(1), execution(2, "died"))
    assert verdict_on(dumped=entry("x"), executions=ran, bound_by="e2") == (
        "restored",
        None,
        "as it was before In [2], which did not finish",
    )


def test_a_change_from_a_panel_after_the_dump_is_told_by_the_version() -> None:
    assert verdict_on(dumped=entry("x"), known_version=4, found_version=3) == (
        "restored",
        None,
        "as it was when it was last saved; it changed after that",
    )


def test_without_any_dump_all_finished_work_is_to_be_run_again() -> None:
    assert verdict_on(loaded=None) == ("rerun", "e1", "In [1] set it after the last save")
    running = verdict_on(loaded=None, executions=(execution(1, "running"),))
    assert running == ("lost", "e1", "In [1], which set it, did not finish")


def test_names_that_the_session_had_deleted_are_to_be_deleted_again() -> None:
    remembered = Remembered({"x": variable("x")}, {}, (), StoredDump(1, b"", [entry("x")]))
    loaded = Loadout(
        [variable("x"), variable("gone")],
        [{"name": name, "verdict": "restored", "why": None} for name in ("x", "gone", "Out")],
    )
    report = ValueRestorer().report(remembered, loaded)
    assert report.deleted == ["gone"]
    assert [one["name"] for one in report.restore] == ["x"]


def test_the_plan_has_the_history_that_ran_and_the_dump() -> None:
    ran = (execution(1), execution(2, "error"), execution(3, "cancelled"), execution(4, "queued"))
    plan = ValueRestorer().plan(Remembered({}, {}, ran, StoredDump(2, b"dump", [])))
    assert plan.query == {
        "history": [{"number": 1, "code": "pass"}, {"number": 2, "code": "pass"}],
        "next_number": 5,
        "has_blob": True,
    }
    assert (plan.blob, plan.image) == (b"dump", None)
    empty = ValueRestorer().plan(Remembered({}, {}, (), None))
    assert empty.query == {"history": [], "next_number": 1, "has_blob": False}


def test_a_history_that_no_frame_could_carry_loses_its_oldest_part() -> None:
    large = "é" * (HISTORY_BYTES // 6 // 3)
    ran = tuple(execution(number, code=large) for number in range(1, 9))
    history = ValueRestorer().plan(Remembered({}, {}, ran, None)).query["history"]
    assert isinstance(history, list)
    assert [one["number"] for one in history] == [7, 8]
