"""Files of the watched folder in a session's rules: told of, reloaded, or left alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.session_script import LIMITS, Script
from watchglass_server import host_messages as h
from watchglass_server import session_inputs as i
from watchglass_server.fields import ReloadMode, ScriptKind
from watchglass_server.pictures import ScriptRun
from watchglass_server.scripts import Script as File
from watchglass_server.scripts import version_of
from watchglass_server.session_fold import LoadedScript, script_kind


def file(text: str) -> File:
    return File("units.py", text, version_of(text))


def load(
    session: Script, text: str, kind: ScriptKind = "script", reload: ReloadMode = "ask"
) -> None:
    given = file(text)
    run = ScriptRun(path=given.path, version=given.version, kind=kind, reload=reload)
    session.apply(i.Execute(f"load-{given.version}", given.code(kind), "Ada", run))
    session.finish()


def change(
    session: Script, text: str | None, execution: str = "reload", *, is_imported: bool = False
) -> None:
    given = None if text is None else file(text)
    session.apply(i.ScriptChanged(execution, "units.py", given, is_imported))


def queued(session: Script) -> list[tuple[Any, ...]]:
    return [
        (one["execution"], one["code"], one["author"])
        for one in session.events("execution.queued")
        if "script" in one
    ]


def test_a_session_that_never_loaded_the_file_is_not_told() -> None:
    session = Script().started()
    seq = session.session.fold.seq
    change(session, "hp = 11")
    assert session.session.fold.seq == seq


def test_a_loaded_script_that_changes_is_offered_and_not_run() -> None:
    session = Script().started()
    load(session, "hp = 10")
    change(session, "hp = 11")
    assert session.events("script.changed") == [
        {"path": "units.py", "version": version_of("hp = 11"), "kind": "script"}
    ]
    assert len(session.asked(i.SendExecute)) == 1


def test_an_imported_module_is_told_of_though_nobody_loaded_it() -> None:
    session = Script().started()
    change(session, "hp = 11", is_imported=True)
    assert session.events("script.changed")[0]["kind"] == "module"


def test_the_record_says_which_file_an_execution_loads() -> None:
    session = Script().started()
    load(session, "hp = 10", reload="auto")
    run = {"path": "units.py", "version": version_of("hp = 10"), "kind": "script", "reload": "auto"}
    assert session.events("execution.queued")[0]["script"] == run
    known = session.refolded()
    assert known == session.session.fold
    assert known.scripts["units.py"] == LoadedScript(
        version=version_of("hp = 10"), kind="script", reload="auto", number=1
    )


def test_a_traceback_names_the_file_in_which_a_line_is() -> None:
    session = Script().started()
    load(session, "def hit():\n    1 / 0")
    session.execute("hit()", "e2")
    frames = [
        '  File "<In[2]>", line 1, in <module>',
        '  File "<In[1]>", line 2, in hit',
        "<In[1]>",
    ]
    session.said(h.Error(2, "ZeroDivisionError", "division by zero", frames, 1))
    assert session.events("error")[0]["traceback"] == [
        '  File "<In[2]>", line 1, in <module>',
        '  File "units.py <In[1]>", line 2, in hit',
        "<In[1]>",
    ]


def test_a_file_is_named_though_its_execution_was_long_ago() -> None:
    session = Script().started()
    load(session, "def hit():\n    1 / 0")
    for number in range(60):
        session.execute("1", f"e{number}")
        session.finish()
    session.execute("hit()", "last")
    session.said(h.Error(62, "E", "", ['  File "<In[1]>", line 2, in hit'], 1))
    assert session.events("error")[0]["traceback"] == ['  File "units.py <In[1]>", line 2, in hit']


def test_other_executions_say_nothing_of_files() -> None:
    session = Script().started()
    session.execute("1")
    assert "script" not in session.events("execution.queued")[0]


@pytest.mark.parametrize(
    ("kind", "code"),
    [("script", "hp = 11"), ("module", f"%%reload units.py {version_of('hp = 11')}\nhp = 11")],
)
def test_with_auto_the_new_text_is_executed(kind: ScriptKind, code: str) -> None:
    session = Script().started()
    load(session, "hp = 10", kind, "auto")
    change(session, "hp = 11", is_imported=kind == "module")
    assert queued(session)[-1] == ("reload", code, "watch")
    assert session.asked(i.SendExecute)[-1].code == code
    assert session.session.fold.scripts["units.py"].version == version_of("hp = 11")


def test_a_reload_waits_behind_what_runs_and_only_the_newest_does() -> None:
    session = Script().started()
    load(session, "hp = 10", reload="auto")
    session.execute("while True: pass", "loop")
    for number in range(20):
        change(session, f"hp = {number}", f"reload-{number}")
    assert [one.execution for one in session.session.fold.queue] == ["reload-19"]
    assert len(session.asked(i.SendExecute)) == 2
    session.finish()
    assert session.asked(i.SendExecute)[-1].code == "hp = 19"


def test_a_change_that_is_taken_back_before_its_reload_began_needs_none() -> None:
    session = Script().started()
    load(session, "hp = 10", reload="auto")
    session.execute("while True: pass", "loop")
    change(session, "hp = 11")
    change(session, "hp = 10")
    assert session.session.fold.queue == []
    assert session.session.fold.scripts["units.py"].version == version_of("hp = 10")


def test_what_never_began_to_run_is_not_loaded() -> None:
    session = Script().started()
    load(session, "hp = 10", reload="auto")
    session.execute("while True: pass", "loop")
    change(session, "hp = 11")
    assert session.session.fold.scripts["units.py"].version == version_of("hp = 10")
    session.died()
    assert session.session.fold.scripts["units.py"].version == version_of("hp = 10")


def test_a_mode_that_is_set_while_a_load_waits_stays() -> None:
    session = Script().started()
    session.execute("while True: pass", "loop")
    run = ScriptRun(path="units.py", version="v1", kind="script", reload="ask")
    session.apply(i.Execute("load", "hp = 10", "Ada", run))
    session.apply(i.ScriptMode("units.py", "script", "auto"))
    session.finish()
    loaded = LoadedScript(version="v1", kind="script", reload="auto", number=2)
    assert session.refolded().scripts == {"units.py": loaded}


def test_what_is_loaded_already_is_not_reloaded() -> None:
    session = Script().started()
    load(session, "hp = 10", reload="auto")
    change(session, "hp = 10")
    assert len(queued(session)) == 1


def test_a_deleted_file_is_told_and_what_it_made_stays() -> None:
    session = Script().started()
    load(session, "hp = 10", reload="auto")
    change(session, None)
    assert session.events("script.changed")[-1]["version"] is None
    assert len(queued(session)) == 1


def test_a_full_queue_takes_no_reload_but_is_told() -> None:
    session = Script().started()
    load(session, "hp = 10", reload="auto")
    for number in range(LIMITS.max_queue + 1):
        session.execute("1", f"e{number}")
    change(session, "hp = 11")
    assert len(session.events("script.changed")) == 1
    assert len(queued(session)) == 1


def test_a_sleeping_session_is_told_and_not_woken() -> None:
    session = Script().started()
    load(session, "hp = 10", reload="auto")
    session.apply(i.Sleep("idle"))
    starts = len(session.asked(i.StartProcess))
    change(session, "hp = 11")
    assert len(session.events("script.changed")) == 1
    assert len(session.asked(i.StartProcess)) == starts
    assert len(queued(session)) == 1


def test_a_module_that_the_process_has_not_imported_is_not_reloaded() -> None:
    session = Script().started()
    load(session, "hp = 10", "module", "auto")
    change(session, "hp = 11", is_imported=False)
    assert len(queued(session)) == 1


def test_the_way_of_reloading_is_recorded_once() -> None:
    session = Script().started()
    load(session, "hp = 10")
    for mode in ("auto", "auto", "ask", "ask"):
        session.apply(i.ScriptMode("units.py", "script", mode))
    assert [one["reload"] for one in session.events("script.mode")] == ["auto", "ask"]
    assert session.refolded().scripts["units.py"].version == version_of("hp = 10")


def test_a_restart_forgets_what_was_loaded() -> None:
    session = Script().started()
    load(session, "hp = 10", reload="auto")
    session.apply(i.Restart())
    session.ready()
    change(session, "hp = 11")
    assert session.session.fold.scripts == {}
    assert not session.events("script.changed")


def test_what_was_loaded_as_a_script_stays_one_when_it_is_imported_too() -> None:
    script = LoadedScript(version="1", kind="script", reload="ask")
    never = LoadedScript(version="", kind="script", reload="auto")
    assert script_kind(script, is_imported=True) == "script"
    assert script_kind(never, is_imported=True) == "module"
    assert script_kind(never, is_imported=False) == "script"
    assert script_kind(None, is_imported=True) == "module"
    assert script_kind(None, is_imported=False) is None
