"""Files of the watched folder in one session: loaded, changed on the disk, reloaded. Pure."""

from __future__ import annotations

from watchglass_server import notifications as n
from watchglass_server.fields import ScriptKind
from watchglass_server.pictures import ScriptRun
from watchglass_server.scripts import Script
from watchglass_server.session_fold import script_kind
from watchglass_server.session_inputs import Execute, ScriptChanged, ScriptMode
from watchglass_server.session_queue import cancel, execute
from watchglass_server.session_state import Phase, Step

AUTHOR = "watch"


def changed(step: Step, happened: ScriptChanged) -> None:
    """Tell a session that uses the file, and reload it if the session has said so."""
    known = step.session.fold.scripts.get(happened.path)
    if known is None and not happened.is_imported:
        return
    kind = script_kind(known, is_imported=happened.is_imported) or "module"
    script = happened.script
    version = script.version if script is not None else None
    step.record(n.ScriptChangedNotification(path=happened.path, version=version, kind=kind))
    _cancel_waiting(step, happened.path)
    if script is None or known is None or known.reload == "ask" or known.version == version:
        return
    if kind == "script" or happened.is_imported:
        _reload(step, happened.execution, script, kind)


def _cancel_waiting(step: Step, path: str) -> None:
    """A reload of ours that has not begun would run a text that is an old one by now."""
    for waiting in step.session.fold.queue:
        if waiting.author == AUTHOR and waiting.script and waiting.script.path == path:
            cancel(step, waiting.execution)


def _reload(step: Step, execution: str, script: Script, kind: ScriptKind) -> None:
    session = step.session
    # A session that sleeps is not woken for this: it is reloaded when somebody wakes it.
    if session.phase is not Phase.NONE and len(session.fold.queue) < session.limits.max_queue:
        run = ScriptRun(path=script.path, version=script.version, kind=kind, reload="auto")
        # Its text is the server's own: it was read from the folder of who started it.
        execute(step, Execute(execution, script.code(kind), AUTHOR, run, by_owner=True))


def set_mode(step: Step, command: ScriptMode) -> None:
    """From now on the file is reloaded by itself, or offered."""
    known = step.session.fold.scripts.get(command.path)
    if (known.reload if known is not None else "ask") != command.reload:
        step.record(
            n.ScriptModeNotification(path=command.path, kind=command.kind, reload=command.reload)
        )
