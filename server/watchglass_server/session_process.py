"""The session's process: started, restored, stopped, dead; and the variables it tells of. Pure."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace as replace_fields

from watchglass_server import host_messages as h
from watchglass_server import host_protocol
from watchglass_server import notifications as n
from watchglass_server.exit_info import ExitInfo
from watchglass_server.fields import FinalStatus, ProcessStatus, ResetReason
from watchglass_server.measure import MAX_VALUE_BYTES, fits
from watchglass_server.pictures import ExitInfo as ExitPicture
from watchglass_server.pictures import Variable
from watchglass_server.session_inputs import (
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
from watchglass_server.session_output import execution_of
from watchglass_server.session_queue import (
    begin_next,
    cancel_queue,
    close_input,
    finish_running,
    store_executions,
)
from watchglass_server.session_state import Phase, Step
from watchglass_sync.records import DumpRecord

CHANGES_PER_EVENT = 100

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
    step.change(phase=Phase.READY, memory_bytes=event.memory_bytes)
    _go_on(step)


def restored(step: Step, event: Restored) -> None:
    """The process has what could be brought back: tell what became of each variable."""
    if not _is_current(step, event.generation):
        return
    step.change(phase=Phase.READY)
    clean = step.session.fold.process.reason == "woken"
    reason: ResetReason = "restored" if clean else "recovered"
    step.record(
        n.StateResetNotification(
            reason=reason,
            variables=[bounded_variable(one) for one in event.variables],
            watches=[],
            restore=list(event.restore),
        )
    )
    _go_on(step)


def _go_on(step: Step) -> None:
    begin_next(step)
    if step.session.running is None:
        memory = step.session.memory_bytes
        step.record(n.ProcessStateNotification(state="idle", memory_bytes=memory))
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
    step.change(phase=Phase.NONE, memory_bytes=None)
    step.record(n.ProcessStateNotification(state=state, reason=exit_info.cause, exit=exit_info))
    step.act(StoreSession())


def restart(step: Step, command: Restart) -> None:
    """End the process and start an empty one; nothing of the old namespace comes back."""
    _end_process(step, "interrupted")
    step.act(Store(DumpRecord(step.session.fold.last_number, b"", [])))
    step.record(n.StateResetNotification(reason="restarted", variables=[], watches=[], restore=[]))
    generation = step.session.generation + 1
    step.change(phase=Phase.STARTING, generation=generation)
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
    finish_running(step, status)
    cancel_queue(step)
    store_executions(step)
    if step.session.phase is not Phase.NONE:
        step.act(EndProcess(step.session.generation))
        # What the old process still says comes under a number that is no longer ours.
        step.change(phase=Phase.NONE, generation=step.session.generation + 1, memory_bytes=None)


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


def _finish_found(step: Step, execution: str, status: FinalStatus) -> None:
    step.record(
        n.ExecutionFinishedNotification(execution=execution, status=status, duration_ms=None)
    )
    step.touch(execution)
    store_executions(step)


# --- what it tells of its namespace


def variables(step: Step, event: h.VariablesChanged) -> None:
    """Tell everybody of changes, a bounded number an event."""
    changes = [_change(step, change) for change in event.changes]
    for first in range(0, len(changes), CHANGES_PER_EVENT):
        step.record(
            n.VariablesChangedNotification(
                changes=changes[first : first + CHANGES_PER_EVENT], running=event.running
            )
        )


def _change(step: Step, change: h.SetChange | h.DeleteChange) -> n.VariableChange:
    variable = change.variable if isinstance(change, h.SetChange) else None
    return n.VariableChange(
        op="delete" if variable is None else "set",
        name=change.name,
        variable=None if variable is None else told_variable(variable),
        execution=execution_of(step, change.request_id),
        line=change.line,
    )


def told_variable(variable: h.Variable) -> Variable:
    """A variable as clients see it."""
    return bounded_variable(
        Variable(
            name=variable.name,
            type=variable.type,
            module=variable.module,
            preview=variable.preview,
            length=variable.length,
            size_bytes=variable.size_bytes,
            shape=variable.shape,
            dtype=variable.dtype,
            expandable=variable.expandable,
            settable=variable.settable,
            version=variable.version,
            value=variable.value,
            hidden=variable.hidden,
            truncated=variable.truncated,
        )
    )


def bounded_variable(variable: Variable) -> Variable:
    """The same without its exact value, if that is larger than the contract says."""
    if fits(variable.value, MAX_VALUE_BYTES):
        return variable
    return replace_fields(variable, value=None)


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
