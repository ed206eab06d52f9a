"""The session's rules: what happens, and what is done and told because of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.session_script import LIMITS, Script, variable, was_set
from watchglass_server import host_messages as h
from watchglass_server import session_inputs as i
from watchglass_server.exit_info import ExitInfo
from watchglass_server.host_protocol import Dumped
from watchglass_server.pictures import MirrorState, RestoreEntry
from watchglass_server.refusals import Refused
from watchglass_server.session_variables import told_variable
from watchglass_server.session_view import session_state


def test_code_waits_for_the_process_and_then_runs() -> None:
    session = Script()
    session.execute("x = 1", author="Ada")
    assert session.types() == ["execution.queued", "process.state"]
    assert session.asked(i.StartProcess) == [i.StartProcess(1, restore=False)]
    session.ready()
    assert session.types()[2:] == ["execution.started", "process.state"]
    assert session.asked(i.SendExecute) == [i.SendExecute(1, 1, "x = 1")]
    session.finish()
    assert session.types()[4:] == ["execution.finished", "process.state"]
    assert session.events("process.state")[-1]["state"] == "idle"
    assert session.stored_executions()[0].data["status"] == "ok"


def test_executions_run_one_after_another_in_their_order() -> None:
    session = Script().started()
    for n in range(3):
        session.execute(f"{n}", f"e{n}")
    for n in range(3):
        assert [one.code for one in session.asked(i.SendExecute)] == [f"{m}" for m in range(n + 1)]
        session.finish("error" if n == 1 else "ok")
    assert [e["status"] for e in session.events("execution.finished")] == ["ok", "error", "ok"]
    assert [e["number"] for e in session.events("execution.queued")] == [1, 2, 3]


def test_the_same_execution_is_queued_once_and_never_with_other_code() -> None:
    session = Script().started()
    session.execute("1", "same")
    seq = session.session.fold.seq
    session.execute("1", "same")
    assert session.session.fold.seq == seq
    with pytest.raises(Refused, match="conflict"):
        session.execute("2", "same")


def test_a_full_queue_refuses_and_changes_nothing() -> None:
    session = Script()
    for n in range(LIMITS.max_queue):
        session.execute(f"{n}", f"e{n}")
    before = session.session
    with pytest.raises(Refused, match="busy"):
        session.execute("one more", "more")
    assert session.session == before


def test_a_dead_process_ends_what_runs_and_what_waits() -> None:
    session = Script().started()
    session.execute("a", "a")
    session.execute("b", "b")
    session.said(h.InputRequest(1, 7, "?", False))
    session.died("memory")
    ends = {e["execution"]: e["status"] for e in session.events("execution.finished")}
    assert ends == {"a": "died", "b": "cancelled"}
    assert session.events("input.answered")[0]["cancelled"] is True
    state = session.events("process.state")[-1]
    assert (state["state"], state["exit"]["cause"]) == ("dead", "memory")
    session.execute("c", "c")
    assert session.asked(i.StartProcess)[-1] == i.StartProcess(2, restore=True)
    assert session.events("process.state")[-1]["state"] == "restoring"


def test_what_an_old_process_says_counts_no_more() -> None:
    session = Script().started()
    session.execute()
    session.apply(i.Restart())
    seq = session.session.fold.seq
    session.apply(i.HostSaid(1, h.Stream(1, "stdout", "late")))
    session.apply(i.ProcessEnded(1, ExitInfo(0, None, "exited", "")))
    session.apply(i.ProcessReady(1, 5))
    session.apply(i.Usage(1, 10**6, 2**40))
    assert session.session.fold.seq == seq
    assert not session.asked(i.KillProcess)


def test_an_interrupt_is_sent_at_each_press_and_told_when_it_is_not_obeyed() -> None:
    session = Script().started()
    session.execute()
    session.apply(i.Interrupt(None))
    session.apply(i.Interrupt("e1"))
    assert session.asked(i.SendInterrupt) == [i.SendInterrupt(1, 1, 5.0)] * 2
    session.apply(i.Tick(), after=0.3)
    assert session.events("process.state")[-1]["reason"] is None
    session.apply(i.Tick(), after=0.3)
    session.apply(i.Tick(), after=0.3)
    told = [e for e in session.events("process.state") if e["reason"] == "interrupting"]
    assert [e["grace_s"] for e in told] == [5.0]
    session.apply(i.Tick(), after=5)
    assert [kill.cause for kill in session.asked(i.KillProcess)] == ["interrupt-ignored"]
    session.died("interrupt-ignored")
    assert session.events("execution.finished")[-1]["status"] == "interrupted"


def test_an_interrupt_for_another_execution_or_for_none_does_nothing() -> None:
    session = Script().started()
    session.apply(i.Interrupt(None))
    session.execute()
    session.apply(i.Interrupt("other"))
    assert not session.asked(i.SendInterrupt)


def test_the_time_limit_interrupts_and_the_status_says_timeout() -> None:
    session = Script(replace(LIMITS, wall_s=2.0)).started()
    session.execute()
    session.apply(i.Tick(), after=1.9)
    assert not session.asked(i.SendInterrupt)
    session.apply(i.Tick(), after=0.2)
    assert len(session.asked(i.SendInterrupt)) == 1
    session.finish("interrupted")
    assert session.events("execution.finished")[-1]["status"] == "timeout"


def test_the_processor_limit_counts_from_the_execution_on() -> None:
    session = Script(replace(LIMITS, cpu_s=1.0)).started()
    session.apply(i.Usage(1, 50.0, 1))
    session.execute()
    session.apply(i.Usage(1, 50.0, 1))
    session.apply(i.Usage(1, 50.9, 1), after=0.95)
    assert not session.asked(i.SendInterrupt)
    session.apply(i.Usage(1, 51.1, 1), after=0.2)
    assert len(session.asked(i.SendInterrupt)) == 1


def test_too_much_memory_kills_the_process() -> None:
    session = Script().started()
    session.apply(i.Usage(1, 0.0, 2**29 + 100 * 2**20))
    assert not session.asked(i.KillProcess)
    session.apply(i.Usage(1, 0.0, 2**29 + 201 * 2**20))
    assert [kill.cause for kill in session.asked(i.KillProcess)] == ["memory"]


def test_input_is_answered_by_number_and_only_once() -> None:
    session = Script().started()
    session.execute()
    session.said(h.InputRequest(1, 44, "who? ", False))
    assert session.session.fold.inputs[0].request == 1
    session.apply(i.AnswerInput(1, "me"))
    assert session.asked(i.SendInput) == [i.SendInput(1, 44, "me")]
    assert session.events("input.answered")[0]["text"] == "me"
    with pytest.raises(Refused, match="conflict"):
        session.apply(i.AnswerInput(1, "again"))
    with pytest.raises(Refused, match="bad_request"):
        session.apply(i.AnswerInput(2, "what?"))


def test_a_password_is_in_no_event() -> None:
    session = Script().started()
    session.execute()
    session.said(h.InputRequest(1, 1, "Password: ", True))
    session.apply(i.AnswerInput(1, "hunter2"))
    assert session.asked(i.SendInput)[0].text == "hunter2"
    assert "hunter2" not in str(session.events())


def test_a_cancelled_input_is_closed() -> None:
    session = Script().started()
    session.execute()
    session.said(h.InputRequest(1, 9, "?", False))
    session.said(h.InputCancelled(1, 9))
    assert session.events("input.answered")[0]["cancelled"] is True
    assert session.session.fold.inputs == ()


def test_a_restart_forgets_the_namespace_and_keeps_the_numbers() -> None:
    session = Script().started()
    session.execute("x = 1", "a")
    session.said(h.VariablesChanged(1, False, [was_set("x", 1)]))
    session.finish()
    session.apply(i.Restart())
    assert session.session.fold.variables == {}
    assert session.events("state.reset")[-1]["reason"] == "restarted"
    assert session.dumps()[-1].data == b""
    assert session.asked(i.EndProcess)
    assert session.asked(i.StartProcess)[-1].restore is False
    session.ready()
    session.execute("2", "b")
    assert session.events("execution.started")[-1]["number"] == 2
    session.died()
    session.execute("3", "c")
    assert session.asked(i.StartProcess)[-1].restore is True


def test_a_process_that_died_before_anything_ran_is_replaced_by_an_empty_one() -> None:
    session = Script().started()
    session.died()
    session.execute()
    assert session.asked(i.StartProcess)[-1].restore is False


def test_sleeping_and_waking_is_told_as_restored_and_dying_as_recovered() -> None:
    for end, reason in ((i.Sleep("idle"), "restored"), (None, "recovered")):
        session = Script().started()
        session.execute("x = 1")
        session.said(h.VariablesChanged(1, False, [was_set("x", 1)]))
        session.finish()
        session.apply(end) if end else session.died()
        session.apply(i.Wake())
        told = told_variable(variable("x"))
        entry = RestoreEntry(name="x", verdict="restored")
        session.apply(i.Restored(session.session.generation, (told,), (entry,)))
        reset = session.events("state.reset")[-1]
        assert reset["reason"] == reason
        assert session.session.fold.variables["x"].execution == "e1"
        assert session.events("process.state")[-1]["state"] == "idle"


def test_no_process_to_be_had_is_told_and_what_waits_is_cancelled() -> None:
    session = Script()
    session.execute()
    session.apply(i.StartFailed(1, "pool_exhausted", "8 of 8 lent."))
    assert session.events("execution.finished")[0]["status"] == "cancelled"
    assert session.events("process.state")[-1]["exit"]["cause"] == "pool_exhausted"


def test_a_session_read_from_the_journal_ends_what_the_server_left_open() -> None:
    before = Script().started()
    before.apply(i.Join("p1", "Ada", "owner"))
    before.execute("a", "a")
    before.execute("b", "b")
    before.said(h.InputRequest(1, 1, "?", False))
    after = Script()
    after.session = replace(after.session, fold=before.session.fold)
    after.apply(i.Found())
    assert after.types() == [
        "participant.left", "input.answered", "execution.finished", "execution.finished",
        "process.state",
    ]  # fmt: skip
    assert [e["status"] for e in after.events("execution.finished")] == ["died", "cancelled"]
    assert {one.execution for one in after.stored_executions()} == {"a", "b"}
    again = after.session.fold.seq
    after.apply(i.Found())
    assert after.session.fold.seq == again


def test_what_is_told_of_the_mirror_is_in_the_picture_of_who_comes_later() -> None:
    session = Script()
    assert session_state(session.session.fold).mirror is None
    session.apply(i.MirrorTold("disconnected", 7))
    assert session.events() == [{"state": "disconnected", "behind_by": 7}]
    assert session.types() == ["mirror.state"]
    assert session_state(session.session.fold).mirror == MirrorState(
        state="disconnected", behind_by=7
    )
    assert session.refolded() == session.session.fold


def test_a_server_without_a_mirror_takes_back_what_was_told_of_one() -> None:
    session = Script()
    session.apply(i.Found())
    assert session.types() == []
    session.apply(i.MirrorTold("behind", 7))
    session.apply(i.Found(is_mirrored=True))
    assert session.types() == ["mirror.state"]
    session.apply(i.Found())
    assert session.events("mirror.state")[-1] == {"state": "off", "behind_by": 0}
    assert session_state(session.session.fold).mirror is None
    session.apply(i.Found())
    assert len(session.types()) == 2


def test_guests_are_numbered_and_names_can_change() -> None:
    session = Script()
    session.apply(i.Join("p1", None, "owner"))
    session.apply(i.Join("p2", None, "viewer"))
    session.apply(i.Leave("p1"))
    session.apply(i.Join("p3", None, "viewer"))
    names = {one.name for one in session.session.fold.participants.values()}
    assert names == {"guest-1", "guest-2"}
    session.apply(i.Join("p2", "Ada", "viewer"))
    session.apply(i.Join("p2", None, "viewer"))
    assert session.session.fold.participants["p2"].name == "Ada"
    seq = session.session.fold.seq
    session.apply(i.Leave("nobody"))
    assert session.session.fold.seq == seq


def test_changes_of_variables_come_in_bounded_pieces() -> None:
    session = Script().started()
    session.execute()
    changes = [was_set(f"v{n}", 1) for n in range(450)]
    session.said(h.VariablesChanged(1, True, list(changes)))
    pieces = session.events("variables.changed")
    assert sum(len(piece["changes"]) for piece in pieces) == 450
    assert max(len(piece["changes"]) for piece in pieces) <= 100
    assert {change["execution"] for piece in pieces for change in piece["changes"]} == {"e1"}
    session.said(h.VariablesChanged(0, False, [h.DeleteChange("v0", None, 0)]))
    assert "v0" not in session.session.fold.variables


def test_a_change_has_the_author_of_its_execution_or_of_the_edit_that_made_it() -> None:
    session = Script().started()
    session.execute(author="Ada")
    for edit, name, author in ((1, "x", "Ben"), (2, "y", "Cleo"), (3, "x", "Dan"), (4, "z", "Eve")):
        session.apply(i.Edit(edit, name, author))
    session.apply(i.EditRefused(4))
    by_hand = [was_set(name) for name in ("x", "y", "x", "z", "x")]
    session.said(h.VariablesChanged(1, True, [was_set("x", 1), *by_hand]))
    told = session.events("variables.changed")[0]["changes"]
    assert [one["author"] for one in told] == ["Ada", "Ben", "Cleo", "Dan", None, None]
    assert [one["execution"] for one in told] == ["e1", *[None] * 5]
    assert session.session.edits == ()


def test_a_value_larger_than_the_contract_says_is_not_passed_on() -> None:
    session = Script().started()
    large = was_set("x", 0, value=["y" * 1000] * 100)
    session.said(h.VariablesChanged(0, False, [large]))
    assert session.session.fold.variables["x"].variable.value is None


def test_the_newest_picture_of_the_namespace_is_stored() -> None:
    session = Script().started()
    entry = h.DumpEntry("x", True, None, "value")
    session.said(Dumped(3, 0, b"data", [entry]))
    assert session.dumps()[0].data == b"data"
    assert session.dumps()[0].entries[0]["name"] == "x"


def test_a_destroyed_session_says_so_last() -> None:
    session = Script().started()
    session.execute()
    session.apply(i.Destroy("done"))
    assert session.types()[-1] == "session.destroyed"
    assert session.session.fold.destroyed
    assert session.asked(i.EndProcess)
