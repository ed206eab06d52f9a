"""Watches: added, removed, sent to the process; what they give, and when that is an alert. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from watchglass_server import host_messages as h
from watchglass_server import notifications as n
from watchglass_server.pictures import Variable, Watch, WatchAlert
from watchglass_server.refusals import Refused
from watchglass_server.session_inputs import AddWatch, RemoveWatch, SendWatches
from watchglass_server.session_output import execution_of
from watchglass_server.session_state import Phase, Step
from watchglass_server.session_variables import bounded_variable, told_variable

# Every change tells all of them.
VALUE_BYTES = 1024
SUSPENDED = "The process ended before this gave anything: add it again to try it again."


def add(step: Step, command: AddWatch) -> None:
    """Follow an expression, once."""
    known = step.session.fold.watches
    same = [watch for watch in known if _is_same(watch, command)]
    if same:
        if same[0].suspended:
            _put(step, {same[0].watch: unseen(same[0])})
            send(step)
        return
    if len(known) >= h.MAX_WATCHES:
        raise Refused(
            "limit_exceeded",
            f"This session has {len(known)} watches already, as many as it may.",
            "Remove one with watch.remove, or watch a tuple of several values.",
        )
    added = Watch(watch=command.watch, expression=command.expression, condition=command.condition)
    step.record(n.WatchesChangedNotification(watches=[*known, added]))
    send(step)


def _is_same(watch: Watch, command: AddWatch) -> bool:
    return (watch.expression, watch.condition) == (command.expression, command.condition)


def remove(step: Step, command: RemoveWatch) -> None:
    """Follow it no longer."""
    kept = [watch for watch in step.session.fold.watches if watch.watch != command.watch]
    if len(kept) == len(step.session.fold.watches):
        return
    step.record(n.WatchesChangedNotification(watches=kept))
    send(step)


def send(step: Step) -> None:
    """Tell the process, if there is one, what to follow."""
    session = step.session
    if session.phase is Phase.READY:
        sent = tuple(watch for watch in session.fold.watches if not watch.suspended)
        step.act(SendWatches(session.generation, sent))


def unseen(watch: Watch) -> Watch:
    """The same watch, of which nothing is known in a namespace that is empty again."""
    return Watch(
        watch=watch.watch,
        expression=watch.expression,
        condition=watch.condition,
        version=watch.version,
    )


def suspect(step: Step) -> None:
    """The process is gone: what it never came to an end with may be why, and is left alone."""
    unended = {
        watch.watch: replace(watch, error=SUSPENDED, suspended=True, version=watch.version + 1)
        for watch in step.session.fold.watches
        if watch.variable is None and watch.error is None
    }
    if unended:
        _put(step, unended)


def _put(step: Step, changed: dict[str, Watch]) -> None:
    watches = [changed.get(watch.watch, watch) for watch in step.session.fold.watches]
    step.record(n.WatchesChangedNotification(watches=watches, changed=list(changed)))


def told(step: Step, event: h.WatchesChanged) -> None:
    """Record what gives something else than before, and the conditions that turned true."""
    execution = execution_of(step, event.request_id)
    raised = WatchAlert(time=step.moment.time, execution=execution, line=event.line)
    watches = {watch.watch: watch for watch in step.session.fold.watches}
    changed: dict[str, Watch] = {}
    for value in event.watches:
        before = watches.get(value.watch)
        if before is None:
            continue  # it was removed, and the process did not know that yet
        after = _after(before, value, raised)
        if after != before:
            changed[value.watch] = watches[value.watch] = after
    if not changed:
        return
    step.record(
        n.WatchesChangedNotification(
            watches=list(watches.values()),
            changed=list(changed),
            execution=execution,
            line=event.line,
        )
    )
    for watch in changed.values():
        if watch.alert is raised:
            _alert(step, watch, raised)


def _after(before: Watch, value: h.WatchValue, raised: WatchAlert) -> Watch:
    """The watch with what it gives now: the same, when that is what it gave before."""
    after = replace(
        before,
        variable=_variable(value, before.version),
        error=value.error,
        met=value.met,
        condition_error=value.condition_error,
    )
    if after == before:
        return before
    version = before.version + 1
    return replace(
        after,
        variable=_variable(value, version),
        version=version,
        alert=raised if value.met and not before.met else before.alert,
    )


def _variable(value: h.WatchValue, version: int) -> Variable | None:
    if value.variable is None:
        return None
    return replace(bounded_variable(told_variable(value.variable), VALUE_BYTES), version=version)


def _alert(step: Step, watch: Watch, raised: WatchAlert) -> None:
    if watch.condition is None or watch.variable is None:
        return  # only a process that lies says so
    step.record(
        n.WatchAlertNotification(
            watch=watch.watch,
            expression=watch.expression,
            condition=watch.condition,
            variable=watch.variable,
            execution=raised.execution,
            line=raised.line,
        )
    )
