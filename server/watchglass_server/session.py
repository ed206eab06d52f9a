"""One session's rules: (session, what happened) → (session, what to do). Pure.

Everything that clients see is a fold of the events that come out of here (session_fold.py); what
to do about the world is data (session_inputs.py), performed by live_session.py.
"""

from __future__ import annotations

from watchglass_server import host_messages as h
from watchglass_server import host_protocol
from watchglass_server import notifications as n
from watchglass_server import session_bindings as bindings
from watchglass_server import session_output as output
from watchglass_server import session_packages as packages
from watchglass_server import session_process as process
from watchglass_server import session_queue as queue
from watchglass_server import session_scripts as scripts
from watchglass_server import session_watches as watches
from watchglass_server.session_fold import Fold
from watchglass_server.session_inputs import (
    Action,
    AddWatch,
    AnswerInput,
    Bind,
    Destroy,
    Edit,
    EditRefused,
    Execute,
    Found,
    HostSaid,
    Input,
    Interrupt,
    Join,
    Leave,
    MirrorTold,
    Moment,
    Notice,
    PackagesGiven,
    PackagesReady,
    ProcessEnded,
    ProcessReady,
    RemoveWatch,
    Rename,
    Restart,
    Restored,
    ScriptChanged,
    ScriptMode,
    Sleep,
    StartFailed,
    StoreSession,
    Tick,
    Unbind,
    Usage,
    Wake,
)
from watchglass_server.session_state import Session, SessionLimits, Step

STORE_EVERY_S = 2.0


def new_session(session: str, name: str, limits: SessionLimits, moment: Moment) -> Session:
    """A session of which no event is recorded yet."""
    return Session(
        fold=Fold(session=session, name=name, created_at=moment.time, last_active_at=moment.time),
        limits=limits,
    )


def apply(session: Session, happened: Input, moment: Moment) -> tuple[Session, tuple[Action, ...]]:
    """Return the session after what happened, and what is to be done now.

    Raises Refused when a command cannot be; nothing has changed then.
    """
    step = Step(session, moment)
    _dispatch(step, happened)
    return step.session, tuple(step.actions)


def _dispatch(step: Step, happened: Input) -> None:
    match happened:
        case HostSaid():
            if happened.generation == step.session.generation:
                _host_said(step, happened)
        case Tick():
            _tick(step)
        case Usage():
            if happened.generation == step.session.generation:
                queue.watch_usage(step, happened)
        case Execute():
            if queue.execute(step, happened):
                process.start(step)
        case Interrupt():
            queue.interrupt(step, happened)
        case AnswerInput():
            queue.answer_input(step, happened)
        case ScriptChanged():
            scripts.changed(step, happened)
        case ScriptMode():
            scripts.set_mode(step, happened)
        case AddWatch():
            watches.add(step, happened)
        case RemoveWatch():
            watches.remove(step, happened)
        case Bind():
            bindings.bind(step, happened)
        case Unbind():
            bindings.unbind(step, happened)
        case Notice():
            output.notice(step, happened)
        case Edit():
            process.edit(step, happened)
        case EditRefused():
            process.edit_refused(step, happened)
        case Join():
            _join(step, happened)
        case Leave():
            _leave(step, happened)
        case Rename():
            step.record(n.SessionRenamedNotification(name=happened.name))
            step.act(StoreSession())
        case Destroy():
            process.end_process(step)
            step.record(n.SessionDestroyedNotification(reason=happened.reason))
        case Wake():
            process.start(step)
        case MirrorTold():
            step.record(
                n.MirrorStateNotification(state=happened.state, behind_by=happened.behind_by)
            )
        case _:
            _process_happened(step, happened)


def _process_happened(
    step: Step,
    happened: Restart
    | Sleep
    | Found
    | ProcessReady
    | StartFailed
    | Restored
    | PackagesReady
    | PackagesGiven
    | ProcessEnded,
) -> None:
    match happened:
        case Restart():
            process.restart(step, happened)
        case Sleep():
            process.sleep(step, happened)
        case Found():
            process.found(step, happened)
        case ProcessReady():
            process.ready(step, happened)
        case StartFailed():
            process.start_failed(step, happened)
        case Restored():
            process.restored(step, happened)
        case PackagesReady():
            if happened.generation == step.session.generation:
                packages.ready(step, happened)
        case PackagesGiven():
            if happened.generation == step.session.generation:
                packages.given(step, happened)
        case ProcessEnded():
            process.ended(step, happened)


def _host_said(step: Step, happened: HostSaid) -> None:
    match happened.event:
        case h.Stream() as event:
            output.stream(step, event)
        case h.StreamDropped() as event:
            output.stream_dropped(step, event)
        case h.DisplayData() | h.UpdateDisplayData() as event:
            output.display(step, event)
        case h.ExecuteResult() as event:
            output.result(step, event)
        case h.Error() as event:
            output.error(step, event)
        case h.InputRequest() as event:
            queue.input_requested(step, event)
        case h.InputCancelled() as event:
            queue.input_cancelled(step, event)
        case h.PackageRequest() as event:
            packages.requested(step, event)
        case h.PackageCancelled() as event:
            packages.cancelled(step, event)
        case h.VariablesChanged() as event:
            process.variables(step, event)
        case h.WatchesChanged() as event:
            watches.told(step, event)
        case host_protocol.Dumped() as event:
            process.dumped(step, event)
        case h.Finished() as event:
            queue.finished(step, event)
        case h.Ready() | h.InterruptAck() | h.Fatal() | host_protocol.Reply():
            pass  # for the process's own conversation; its end tells what matters here


def _tick(step: Step) -> None:
    queue.watch_time(step)
    output.tell_all_due(step)
    if step.session.unstored and step.moment.clock - step.session.stored_at >= STORE_EVERY_S:
        step.change(stored_at=step.moment.clock)
        queue.store_executions(step)


def _join(step: Step, happened: Join) -> None:
    known = step.session.fold.participants.get(happened.participant)
    name = happened.name or (known.name if known else _guest_name(step.session.fold))
    if known is not None and (known.name, known.role) == (name, happened.role):
        return
    if known is not None:
        _leave(step, Leave(happened.participant))
    step.record(
        n.ParticipantNotification(participant=happened.participant, name=name, role=happened.role),
        "participant.joined",
    )


def _guest_name(fold: Fold) -> str:
    taken = {participant.name for participant in fold.participants.values()}
    number = 1
    while f"guest-{number}" in taken:
        number += 1
    return f"guest-{number}"


def _leave(step: Step, happened: Leave) -> None:
    known = step.session.fold.participants.get(happened.participant)
    if known is not None:
        step.record(
            n.ParticipantNotification(
                participant=known.participant, name=known.name, role=known.role
            ),
            "participant.left",
        )
