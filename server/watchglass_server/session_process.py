"""The session's process: started, restored, stopped, dead; and the variables it tells of. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from watchglass_server import host_messages as h
from watchglass_server import host_protocol
from watchglass_server import notifications as n
from watchglass_server.exit_info import ExitInfo
from watchglass_server.fields import FinalStatus, ProcessStatus, ResetReason
from watchglass_server.pictures import ExitInfo as ExitPicture
from watchglass_server.session_inputs import (
    Edit,
    EditRefused,
    EndProcess,
    Found,
    ProcessEnded,
    ProcessReady,
    Restart,
    Restored,
    Sleep,
    StartFailed,
    StartProcess,
    Store,
    StoreSession,
)
from watchglass_server.session_queue import (
    begin_next,
    cancel_queue,
    close_input,
    finish_running,
    store_executions,
)
from watchglass_server.session_state import Phase, Session, Step
from watchglass_server.session_usage import charge_death
from watchglass_server.session_variables import admit, admit_all, bounded_variable, told_variable
from watchglass_server.session_watches import send, suspect, unseen
from watchglass_sync.records import DumpRecord

CHANGES_PER_EVENT = 100
EDITS_KEPT = 100

_SERVER_DIED = ExitPicture(
    code=None, cause="server", message="The server ended without stopping this session."
)


def start(step: Step) -> None:
    """Get a process, unless there is one or one is on its way."""
    session = step.session
    if session.phase is not Phase.NONE:
        return
    fold = session.fold
    ran = fold.last_number - len(fold.queue)
    restore = bool(fold.variables) or ran > fold.base_number
    slept = fold.process.state == "hibernated" and fold.process.exit is None
    why = "woken" if slept else "recovery"
    generation = session.generation + 1
    step.change(phase=Phase.STARTING, generation=generation)
    state: ProcessStatus = "restoring" if restore else "starting"
    step.record(n.ProcessStateNotification(state=state, reason=why if restore else None))
    step.act(StartProcess(generation, restore))


def ready(step: Step, event: ProcessReady) -> None:
    """The process is there and needs nothing more."""
    if not _is_current(step, event.generation):
        return
    step.change(phase=Phase.READY, memory_bytes=event.memory_bytes, watcher=event.watcher)
    _go_on(step)


def restored(step: Step, event: Restored) -> None:
    """The process has what could be brought back: tell what became of each variable."""
    if not _is_current(step, event.generation):
        return
    step.change(phase=Phase.READY, watcher=event.watcher)
    variables, sizes = admit_all(
        step.session.limits, [bounded_variable(one) for one in event.variables]
    )
    step.change(told=sizes)
    clean = step.session.fold.process.reason == "woken"
    reason: ResetReason = "restored" if clean else "recovered"
    step.record(
        n.StateResetNotification(
            reason=reason,
            variables=variables,
            watches=list(step.session.fold.watches),
            restore=list(event.restore),
            left_out=len(sizes.left_out) or UNSET,
        )
    )
    _go_on(step)


def _go_on(step: Step) -> None:
    if step.session.fold.watches:
        send(step)
    begin_next(step)
    if step.session.running is None:
        known = step.session
        step.record(
            n.ProcessStateNotification(
                state="idle", memory_bytes=known.memory_bytes, watcher=known.watcher
            )
        )
    step.act(StoreSession())


def start_failed(step: Step, event: StartFailed) -> None:
    """There is no process: what waits for one will not run."""
    if not _is_current(step, event.generation):
        return
    exit_info = ExitPicture(code=None, cause=event.code, message=event.message)
    # With no process free it sleeps on, and the next call tries again.
    _gone(step, exit_info, "died", "hibernated" if event.code == "pool_exhausted" else "dead")


def ended(step: Step, event: ProcessEnded) -> None:
    """The process is gone, by itself or because it had to be."""
    if not _is_current(step, event.generation):
        return
    charge_death(step)
    running = step.session.running
    status: FinalStatus = "died"
    if running is not None and running.ending is not None:
        status = running.ending.status
    _gone(step, exit_picture(event.exit), status)


def _gone(
    step: Step, exit_info: ExitPicture, status: FinalStatus, state: ProcessStatus = "dead"
) -> None:
    _close_all_inputs(step)
    finish_running(step, status)
    cancel_queue(step)
    if step.session.phase is Phase.READY:
        suspect(step)
    step.change(phase=Phase.NONE, memory_bytes=None, edits=())
    step.record(n.ProcessStateNotification(state=state, reason=exit_info.cause, exit=exit_info))
    step.act(StoreSession())


def restart(step: Step, command: Restart) -> None:
    """End the process and start an empty one; nothing of the old namespace comes back."""
    _end_process(step, "interrupted")
    step.act(Store(DumpRecord(step.session.fold.last_number, b"", [])))
    watches = [unseen(watch) for watch in step.session.fold.watches]
    step.record(
        n.StateResetNotification(reason="restarted", variables=[], watches=watches, restore=[])
    )
    generation = step.session.generation + 1
    step.change(phase=Phase.STARTING, generation=generation, told=None)
    step.record(n.ProcessStateNotification(state="starting", reason="restart"))
    step.act(StartProcess(generation, restore=False))
    step.act(StoreSession())


def sleep(step: Step, command: Sleep) -> None:
    """Stop the process and keep the state."""
    had_process = step.session.phase is not Phase.NONE
    _end_process(step, "interrupted")
    if had_process or step.session.fold.process.state not in ("dead", "hibernated"):
        step.record(n.ProcessStateNotification(state="hibernated", reason=command.reason))
    step.act(StoreSession())


def end_process(step: Step) -> None:
    """Stop the process for good."""
    _end_process(step, "interrupted")


def _end_process(step: Step, status: FinalStatus) -> None:
    _close_all_inputs(step)
    charge_death(step)
    finish_running(step, status)
    cancel_queue(step)
    store_executions(step)
    if step.session.phase is not Phase.NONE:
        step.act(EndProcess(step.session.generation))
        # What the old process still says comes under a number that is no longer ours.
        generation = step.session.generation + 1
        step.change(phase=Phase.NONE, generation=generation, memory_bytes=None, edits=())


def found(step: Step, event: Found) -> None:
    """After a start of the server: end in the record what the last server left open."""
    fold = step.session.fold
    for participant in fold.participants.values():
        step.record(
            n.ParticipantNotification(
                participant=participant.participant, name=participant.name, role=participant.role
            ),
            "participant.left",
        )
    for request in fold.inputs:
        close_input(step, request.request, None)
    running = fold.running
    if running is not None:
        _finish_found(step, running.execution, "died")
    cancel_queue(step)
    if fold.process.state not in ("hibernated", "dead"):
        step.record(n.ProcessStateNotification(state="dead", reason="server", exit=_SERVER_DIED))
        step.act(StoreSession())
    if fold.mirror is not None and not event.is_mirrored:
        step.record(n.MirrorStateNotification(state="off", behind_by=0))


def _finish_found(step: Step, execution: str, status: FinalStatus) -> None:
    step.record(
        n.ExecutionFinishedNotification(execution=execution, status=status, duration_ms=None)
    )
    step.touch(execution)
    store_executions(step)


# --- what it tells of its namespace


def variables(step: Step, event: h.VariablesChanged) -> None:
    """Tell everybody of changes, a bounded number an event, as far as the limits go."""
    authors = authors_of(step.session, event.changes)
    told = [
        told_change(step.session, change, _author(step, change, authors))
        for change in event.changes
    ]
    changes, sizes = admit(step.session, told)
    step.change(told=sizes)
    left_out = event.left_out + len(sizes.left_out)
    news = UNSET if left_out == step.session.fold.variables_left_out else left_out
    for first in range(0, max(len(changes), news is not UNSET), CHANGES_PER_EVENT):
        step.record(
            n.VariablesChangedNotification(
                changes=changes[first : first + CHANGES_PER_EVENT],
                running=event.running,
                left_out=news,
            )
        )


def told_change(
    session: Session, change: h.SetChange | h.DeleteChange, author: str | None
) -> n.VariableChange:
    """A change as clients see it."""
    variable = change.variable if isinstance(change, h.SetChange) else None
    return n.VariableChange(
        op="delete" if variable is None else "set",
        name=change.name,
        variable=None if variable is None else told_variable(variable),
        execution=session.numbers.get(change.request_id),
        line=change.line,
        author=author,
    )


def authors_of(
    session: Session, changes: Sequence[h.SetChange | h.DeleteChange]
) -> dict[int, str | None]:
    """Who runs the executions that made the changes; looked up once for each of them."""
    authors: dict[int, str | None] = {}
    for number in {change.request_id for change in changes}:
        known = session.fold.execution(session.numbers.get(number, ""))
        authors[number] = None if known is None else known.author
    return authors


def _author(
    step: Step, change: h.SetChange | h.DeleteChange, authors: dict[int, str | None]
) -> str | None:
    if change.request_id in step.session.numbers:
        return authors[change.request_id]
    return _editor(step, change.name)


def edit(step: Step, event: Edit) -> None:
    """Note who is about to change a variable."""
    step.change(edits=(*step.session.edits[-EDITS_KEPT:], event))


def edit_refused(step: Step, event: EditRefused) -> None:
    """No change will come of it."""
    step.change(edits=tuple(one for one in step.session.edits if one.edit != event.edit))


def _editor(step: Step, name: str) -> str | None:
    """Whoever edited that variable: each edit is told once, in the order they were asked for."""
    edits = step.session.edits
    found = next((one for one in edits if one.name == name), None)
    if found is None:
        return None
    step.change(edits=tuple(one for one in edits if one is not found))
    return found.author


def dumped(step: Step, event: host_protocol.Dumped) -> None:
    """Keep the newest picture of the namespace."""
    entries = [msgspec.to_builtins(entry) for entry in event.entries]
    step.act(Store(DumpRecord(event.number, event.data, entries)))


def exit_picture(exit_info: ExitInfo) -> ExitPicture:
    """How a process ended, as clients are told."""
    return ExitPicture(code=exit_info.exitcode, cause=exit_info.cause, message=exit_info.message)


def _close_all_inputs(step: Step) -> None:
    for request in list(step.session.inputs):
        close_input(step, request, None)


def _is_current(step: Step, generation: int) -> bool:
    return generation == step.session.generation and step.session.phase is not Phase.NONE
