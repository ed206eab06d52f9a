"""(what is known of a session, event) → what is known of it: all that a joiner sees. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from watchglass_server import notifications as n
from watchglass_server import pictures as p
from watchglass_server.fields import ReloadMode, ResetReason, ScriptKind
from watchglass_server.measure import json_bytes
from watchglass_server.messages import EVENTS, Notification

EXECUTIONS_KEPT = 50
OUTPUTS_KEPT = 1000
VARIABLE_FIELDS_BYTES = 260
OUTPUT_BYTES_KEPT = 3 * 2**20


class SessionEvent(Struct, frozen=True, kw_only=True):
    """One entry of a session's record."""

    seq: int
    time: str
    type: str
    data: Notification


class BoundVariable(Struct, frozen=True, kw_only=True):
    """A variable, and the execution and line that last set it."""

    variable: p.Variable
    execution: str | None
    line: int | None


class LoadedScript(Struct, frozen=True, kw_only=True):
    """A file of the watched folder: what was loaded of it, by which number, how it reloads."""

    version: str
    kind: ScriptKind
    reload: ReloadMode
    number: int | None = None


class Fold(Struct, frozen=True, kw_only=True):
    """What the events of one session add up to."""

    session: str
    name: str
    created_at: str
    last_active_at: str
    seq: int = 0
    process: p.ProcessState = p.ProcessState(state="hibernated")
    executions: tuple[p.Execution, ...] = ()
    execution_count: int = 0
    last_number: int = 0
    # What ran up to this number was forgotten by a restart.
    base_number: int = 0
    variables: dict[str, BoundVariable] = {}
    variables_left_out: int = 0
    watches: tuple[p.Watch, ...] = ()
    packages: tuple[p.Package, ...] = ()
    # Variables that follow rows, by their names.
    bindings: dict[str, p.Binding] = {}
    participants: dict[str, p.Participant] = {}
    scripts: dict[str, LoadedScript] = {}
    inputs: tuple[p.InputRequest, ...] = ()
    input_count: int = 0
    reason: ResetReason | None = None
    restore: tuple[p.RestoreEntry, ...] = ()
    destroyed: bool = False
    mirror: p.MirrorState | None = None
    # The data directory whose rows in the mirror it was read from.
    resumed_from: str | None = None

    def watch(self, key: str) -> p.Watch | None:
        """The watch with this id."""
        return next((one for one in self.watches if one.watch == key), None)

    def execution(self, key: str) -> p.Execution | None:
        """The execution with this id, if it is among those that are kept here."""
        return next((one for one in self.executions if one.execution == key), None)

    @property
    def running(self) -> p.Execution | None:
        """The execution that runs."""
        return next((one for one in self.executions if one.status == "running"), None)

    @property
    def queue(self) -> list[p.Execution]:
        """Those that wait, the next first."""
        return [one for one in self.executions if one.status == "queued"]


def script_kind(known: LoadedScript | None, *, is_imported: bool) -> ScriptKind | None:
    """How a session has a file: what was loaded as a script stays one; None: it has it not."""
    if known is not None and known.kind == "script" and known.version:
        return "script"
    return "module" if is_imported else known.kind if known is not None else None


def script_numbers(known: Fold) -> dict[int, str]:
    """Which file an `In[number]` is the text of, as far as that is known."""
    found = {one.number: path for path, one in known.scripts.items() if one.kind == "script"}
    runs = ((one.number, one.script) for one in known.executions)
    found |= {number: run.path for number, run in runs if run and run.kind == "script"}
    return {number: path for number, path in found.items() if number is not None}


def fold(known: Fold, event: SessionEvent) -> Fold:
    """Return what is known after the event."""
    if event.seq != known.seq + 1:
        raise ValueError(f"event {event.seq} does not follow {known.seq}; load the ones between")
    known = replace(known, seq=event.seq)
    apply = _FOLDS.get(type(event.data))
    return apply(known, event, event.data) if apply else known


def decode_event(seq: int, time: str, type: str, data: Mapping[str, object]) -> SessionEvent:
    """An event as it was stored."""
    return SessionEvent(
        seq=seq, time=time, type=type, data=msgspec.convert(dict(data), EVENTS[type], strict=False)
    )


# --- executions


def _queued(known: Fold, event: SessionEvent, data: n.ExecutionQueuedNotification) -> Fold:
    execution = p.Execution(
        execution=data.execution,
        number=data.number,
        code=data.code,
        author=data.author,
        status="queued",
        queued_at=event.time,
        script=data.script,
    )
    return replace(
        known,
        scripts=_with_mode(known.scripts, data.script),
        executions=_trimmed((*known.executions, execution)),
        execution_count=known.execution_count + 1,
        last_number=max(known.last_number, data.number),
        last_active_at=event.time,
    )


def _with_mode(
    known: dict[str, LoadedScript], run: p.ScriptRun | UnsetType
) -> dict[str, LoadedScript]:
    """How it reloads counts at once, what is loaded only when it runs."""
    if isinstance(run, UnsetType):
        return known
    before = known.get(run.path, LoadedScript(version="", kind=run.kind, reload="ask"))
    return {**known, run.path: replace(before, kind=run.kind, reload=run.reload)}


def _trimmed(executions: tuple[p.Execution, ...]) -> tuple[p.Execution, ...]:
    """The newest, and all that are not finished."""
    surplus = len(executions) - EXECUTIONS_KEPT
    kept = []
    for one in executions:
        if surplus > 0 and one.finished_at is not None:
            surplus -= 1
        else:
            kept.append(one)
    return tuple(kept)


def variable_bytes(one: p.Variable) -> int:
    """About how large a variable is as JSON."""
    return (
        VARIABLE_FIELDS_BYTES
        + json_bytes(one.name)
        + json_bytes(one.type)
        + json_bytes(one.preview)
        + (json_bytes(one.value) if one.value is not None else 4)
    )


def _changed(known: Fold, key: str | None, change: Callable[[p.Execution], p.Execution]) -> Fold:
    executions = tuple(change(one) if one.execution == key else one for one in known.executions)
    return replace(known, executions=executions)


def _started(known: Fold, event: SessionEvent, data: n.ExecutionStartedNotification) -> Fold:
    def start(one: p.Execution) -> p.Execution:
        return replace(one, status="running", started_at=event.time)

    known = _changed(known, data.execution, start)
    run = data.script
    if isinstance(run, UnsetType):
        return known
    loaded = LoadedScript(version=run.version, kind=run.kind, reload=run.reload, number=data.number)
    if run.path in known.scripts:  # changed while it waited
        loaded = replace(loaded, reload=known.scripts[run.path].reload)
    return replace(known, scripts={**known.scripts, run.path: loaded})


def _finished(known: Fold, event: SessionEvent, data: n.ExecutionFinishedNotification) -> Fold:
    def finish(one: p.Execution) -> p.Execution:
        return replace(
            one, status=data.status, finished_at=event.time, duration_ms=data.duration_ms
        )

    known = _changed(known, data.execution, finish)
    return replace(known, executions=_trimmed(known.executions), last_active_at=event.time)


# --- outputs


def _output(known: Fold, key: str | None, output: p.Output) -> Fold:
    return _changed(known, key, lambda one: replace(one, outputs=_appended(one.outputs, output)))


def _appended(outputs: list[p.Output], output: p.Output) -> list[p.Output]:
    last = outputs[-1] if outputs else None
    if isinstance(output, p.StreamOutput) and isinstance(last, p.StreamOutput):
        if last.name == output.name:
            return [*outputs[:-1], replace(last, text=last.text + output.text)]
        return [*outputs, output]
    if isinstance(last, p.OmittedOutput) or _is_full(outputs, output):
        return _omitted(outputs, output)
    return [*outputs, output]


def _is_full(outputs: list[p.Output], output: p.Output) -> bool:
    if len(outputs) >= OUTPUTS_KEPT:
        return True
    size = sum(output_bytes(one) for one in (*outputs, output))
    return size > OUTPUT_BYTES_KEPT and not isinstance(output, p.StreamOutput)


def _omitted(outputs: list[p.Output], output: p.Output) -> list[p.Output]:
    last = outputs[-1] if outputs else None
    before, count, size = outputs, 0, 0
    if isinstance(last, p.OmittedOutput):
        before, count, size = outputs[:-1], last.outputs, last.bytes
    hint = "These outputs are in the events of the session: join with `since` to read them."
    return [
        *before,
        p.OmittedOutput(outputs=count + 1, bytes=size + output_bytes(output), hint=hint),
    ]


def output_bytes(output: p.Output) -> int:
    """About how large an output is as JSON."""
    match output:
        case p.StreamOutput(text=text):
            return len(text) + 50
        case p.DisplayOutput(bundle=bundle) | p.ResultOutput(bundle=bundle):
            return json_bytes(bundle) + 100
        case p.TruncatedOutput(tail=tail):
            return sum(len(part.text) for part in tail) + 100
        case p.ErrorOutput(traceback=lines):
            return sum(map(len, lines)) + 200
        case _:
            return 200


def _stream(known: Fold, event: SessionEvent, data: n.StreamNotification) -> Fold:
    return _output(known, data.execution, p.StreamOutput(name=data.name, text=data.text))


def _truncated(known: Fold, event: SessionEvent, data: n.StreamTruncatedNotification) -> Fold:
    output = p.TruncatedOutput(
        dropped_bytes=data.dropped_bytes,
        tail=data.tail,
        lost_bytes=data.lost_bytes,
        dropped_displays=data.dropped_displays,
    )

    def truncate(one: p.Execution) -> p.Execution:
        outputs = list(one.outputs)
        for place, old in enumerate(outputs):
            if isinstance(old, p.TruncatedOutput):
                outputs[place] = output
                return replace(one, outputs=outputs)
        return replace(one, outputs=[*outputs, output])

    return _changed(known, data.execution, truncate)


def _display(known: Fold, event: SessionEvent, data: n.DisplayDataNotification) -> Fold:
    return _output(
        known, data.execution, p.DisplayOutput(bundle=data.bundle, display_id=data.display_id)
    )


def _update_display(
    known: Fold, event: SessionEvent, data: n.UpdateDisplayDataNotification
) -> Fold:
    """Replace the bundle wherever that display is shown, as a notebook does."""

    def update(one: p.Execution) -> p.Execution:
        outputs: list[p.Output] = [
            replace(output, bundle=data.bundle) if _shows(output, data.display_id) else output
            for output in one.outputs
        ]
        return replace(one, outputs=outputs)

    executions = tuple(
        update(one) if any(_shows(output, data.display_id) for output in one.outputs) else one
        for one in known.executions
    )
    return replace(known, executions=executions)


def _shows(output: p.Output, display_id: str | None) -> bool:
    return (
        isinstance(output, p.DisplayOutput)
        and display_id is not None
        and output.display_id == display_id
    )


def _result(known: Fold, event: SessionEvent, data: n.ExecuteResultNotification) -> Fold:
    return _output(known, data.execution, p.ResultOutput(number=data.number, bundle=data.bundle))


def _error(known: Fold, event: SessionEvent, data: n.ErrorNotification) -> Fold:
    output = p.ErrorOutput(
        name=data.name, message=data.message, traceback=data.traceback, line=data.line
    )
    return _output(known, data.execution, output)


# --- input


def _input_requested(known: Fold, event: SessionEvent, data: n.InputRequestedNotification) -> Fold:
    output = p.InputOutput(
        request=data.request,
        prompt=data.prompt,
        password=data.password,
        text=None,
        state="waiting",
    )
    known = _output(known, data.execution, output)
    request = p.InputRequest(
        execution=data.execution,
        request=data.request,
        prompt=data.prompt,
        password=data.password,
    )
    return replace(known, inputs=(*known.inputs, request), input_count=data.request)


def _input_answered(known: Fold, event: SessionEvent, data: n.InputAnsweredNotification) -> Fold:
    def answer(one: p.Execution) -> p.Execution:
        outputs: list[p.Output] = [
            replace(output, text=data.text, state="cancelled" if data.cancelled else "answered")
            if isinstance(output, p.InputOutput) and output.request == data.request
            else output
            for output in one.outputs
        ]
        return replace(one, outputs=outputs)

    known = _changed(known, data.execution, answer)
    inputs = tuple(one for one in known.inputs if one.request != data.request)
    return replace(known, inputs=inputs)


# --- variables


def _variables(known: Fold, event: SessionEvent, data: n.VariablesChangedNotification) -> Fold:
    variables = dict(known.variables)
    for change in data.changes:
        if change.op == "set" and change.variable is not None:
            variables[change.name] = BoundVariable(
                variable=change.variable, execution=change.execution, line=change.line
            )
        else:
            variables.pop(change.name, None)
    left_out = known.variables_left_out if data.left_out is UNSET else data.left_out
    return replace(known, variables=variables, variables_left_out=left_out)


def _reset(known: Fold, event: SessionEvent, data: n.StateResetNotification) -> Fold:
    variables = {}
    for variable in data.variables:
        before = known.variables.get(variable.name)
        variables[variable.name] = BoundVariable(
            variable=variable,
            execution=before.execution if before else None,
            line=before.line if before else None,
        )
    restarted = data.reason == "restarted"
    return replace(
        known,
        variables=variables,
        variables_left_out=0 if data.left_out is UNSET else data.left_out,
        watches=tuple(data.watches),
        reason=data.reason,
        restore=tuple(data.restore),
        scripts={} if restarted else known.scripts,
        base_number=known.last_number if restarted else known.base_number,
    )


def _watches(known: Fold, event: SessionEvent, data: n.WatchesChangedNotification) -> Fold:
    return replace(known, watches=tuple(data.watches))


def _packages(known: Fold, event: SessionEvent, data: n.PackagesChangedNotification) -> Fold:
    return replace(known, packages=tuple(data.packages))


def _bindings(known: Fold, event: SessionEvent, data: n.BindingsChangedNotification) -> Fold:
    return replace(known, bindings={one.name: one for one in data.bindings})


# --- process, people, session


def _process(known: Fold, event: SessionEvent, data: n.ProcessStateNotification) -> Fold:
    process = p.ProcessState(
        state=data.state,
        reason=data.reason,
        exit=data.exit,
        memory_bytes=data.memory_bytes,
        watcher=data.watcher,
        grace_s=data.grace_s,
    )
    return replace(known, process=process)


def _participant(known: Fold, event: SessionEvent, data: n.ParticipantNotification) -> Fold:
    participants = dict(known.participants)
    if event.type == "participant.left":
        participants.pop(data.participant, None)
        return replace(known, participants=participants)
    participants[data.participant] = p.Participant(
        participant=data.participant, name=data.name, role=data.role
    )
    return replace(known, participants=participants, last_active_at=event.time)


def _renamed(known: Fold, event: SessionEvent, data: n.SessionRenamedNotification) -> Fold:
    return replace(known, name=data.name)


def _script_mode(known: Fold, event: SessionEvent, data: n.ScriptModeNotification) -> Fold:
    before = known.scripts.get(data.path, LoadedScript(version="", kind=data.kind, reload="ask"))
    return replace(known, scripts={**known.scripts, data.path: replace(before, reload=data.reload)})


def _mirror(known: Fold, event: SessionEvent, data: n.MirrorStateNotification) -> Fold:
    if data.state == "off":
        return replace(known, mirror=None)
    return replace(known, mirror=p.MirrorState(state=data.state, behind_by=data.behind_by))


def _destroyed(known: Fold, event: SessionEvent, data: n.SessionDestroyedNotification) -> Fold:
    return replace(known, destroyed=True)


_FOLDS: dict[type, Callable[[Fold, SessionEvent, Any], Fold]] = {
    n.ExecutionQueuedNotification: _queued,
    n.ExecutionStartedNotification: _started,
    n.ExecutionFinishedNotification: _finished,
    n.StreamNotification: _stream,
    n.StreamTruncatedNotification: _truncated,
    n.DisplayDataNotification: _display,
    n.UpdateDisplayDataNotification: _update_display,
    n.ExecuteResultNotification: _result,
    n.ErrorNotification: _error,
    n.InputRequestedNotification: _input_requested,
    n.InputAnsweredNotification: _input_answered,
    n.VariablesChangedNotification: _variables,
    n.StateResetNotification: _reset,
    n.WatchesChangedNotification: _watches,
    n.PackagesChangedNotification: _packages,
    n.BindingsChangedNotification: _bindings,
    n.ProcessStateNotification: _process,
    n.ParticipantNotification: _participant,
    n.SessionRenamedNotification: _renamed,
    n.SessionDestroyedNotification: _destroyed,
    n.ScriptModeNotification: _script_mode,
    n.MirrorStateNotification: _mirror,
}
