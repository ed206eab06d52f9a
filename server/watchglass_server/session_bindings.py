"""Variables that follow rows: kept with the session, a bounded number. Pure."""

from __future__ import annotations

from watchglass_server import notifications as n
from watchglass_server.refusals import Refused, bad_request
from watchglass_server.session_inputs import Bind, Unbind
from watchglass_server.session_state import Step

MAX_BINDINGS = 100


def bind(step: Step, command: Bind) -> None:
    """Follow a row, instead of what the variable followed before."""
    known, name = step.session.fold.bindings, command.binding.name
    if known.get(name) == command.binding:
        return
    if name not in known and len(known) >= MAX_BINDINGS:
        raise Refused(
            "limit_exceeded",
            f"{len(known)} variables of this session follow rows already, as many as may.",
            "End one with session.unbind, or bind a whole row instead of its columns.",
        )
    bindings = {**known, name: command.binding}
    step.record(n.BindingsChangedNotification(bindings=list(bindings.values())))


def unbind(step: Step, command: Unbind) -> None:
    """Follow it no longer; the variable stays as it is."""
    known = step.session.fold.bindings
    if command.name not in known:
        names = ", ".join(f"'{name}'" for name in list(known)[:20]) or "none"
        raise bad_request(
            "name",
            f"The variable '{command.name[:100]}' follows no row.",
            f"Those that do: {names}.",
        )
    kept = [one for one in known.values() if one.name != command.name]
    step.record(n.BindingsChangedNotification(bindings=kept))
