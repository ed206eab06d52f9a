"""`%pip` in a session: who asks, whether that was typed and is allowed, what came of it. Pure.

A request comes out of a process in which any code may run. So it counts only as what the running
execution's own text says: a line that its author typed, with exactly these words, and with the
rights of that author. Whatever else runs in the process can ask for nothing more.
"""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as with_fields

from watchglass_server import host_messages as h
from watchglass_server import notifications as n
from watchglass_server.measure import well_formed
from watchglass_server.package_policy import permission
from watchglass_server.pictures import Package
from watchglass_server.pip_command import (
    PipCommand,
    PipRefused,
    project_of,
    read_command,
    typed_commands,
)
from watchglass_server.session_inputs import (
    AnswerPackages,
    CancelPackages,
    InstallPackages,
    KillProcess,
    PackagesGiven,
    PackagesReady,
    StoreSession,
)
from watchglass_server.session_state import Pip, Step

REQUESTS = 30
REQUESTS_MOST = 10 * REQUESTS  # whoever goes on in spite of that means harm
REQUESTS_IN_S = 60.0
PACKAGES_MOST = 300


def requested(step: Step, event: h.PackageRequest) -> None:
    """The process asks for packages: decide, and have it done."""
    since = step.moment.clock - REQUESTS_IN_S
    asked_at = tuple(one for one in step.session.pip.asked_at if one > since)
    if len(asked_at) >= REQUESTS_MOST:
        words = f"The process asked for packages more than {REQUESTS_MOST} times in a minute."
        step.act(KillProcess(step.session.generation, "protocol", words))
        return
    pip = replace(step.session.pip, asked_at=(*asked_at, step.moment.clock))
    step.change(pip=pip)
    try:
        command = _checked(step, event)
        if command.verb == "uninstall":
            _uninstall(step, event, command)
        else:
            _install(step, event, command)
    except PipRefused as why:
        _answer(step, event.request, (f"ERROR: {why}",), ok=False)


def _checked(step: Step, event: h.PackageRequest) -> PipCommand:
    session, running = step.session, step.session.running
    if running is None or running.number != event.request_id:
        raise PipRefused("Packages are installed by the code that runs, not by a task of it.")
    if session.pip.request is not None:
        raise PipRefused("This session is installing something already: wait for its end.")
    if len(session.pip.asked_at) > REQUESTS:
        raise PipRefused(f"More than {REQUESTS} times in a minute: wait a while, then try again.")
    execution = session.fold.execution(running.execution)
    words = tuple(event.words)
    if execution is None or words not in set(typed_commands(execution.code)):
        raise PipRefused(
            "Only what stands in the code itself is installed: type the line `%pip install NAME`, "
            "with the name in it."
        )
    return read_command(words)


def _install(step: Step, event: h.PackageRequest, command: PipCommand) -> None:
    session = step.session
    assert session.running is not None
    is_owner = session.running.execution in session.by_owner
    allowed = permission(session.policy, command, is_owner=is_owner)
    if not allowed.index and not allowed.folder:
        raise PipRefused(allowed.why_not)
    pip = replace(session.pip, request=event.request, number=event.request_id, command=command)
    step.change(pip=pip)
    step.act(InstallPackages(session.generation, event.request, command, allowed))


def _uninstall(step: Step, event: h.PackageRequest, command: PipCommand) -> None:
    names = {project_of(one) for one in command.requirements}
    known = {one.name: one for one in step.session.fold.packages}
    gone = [known[name] for name in sorted(names & known.keys())]
    lines = [
        f"WARNING: Skipping {name} as it is not installed." for name in sorted(names - known.keys())
    ]
    if gone:
        _record(step, [one for one in step.session.fold.packages if one not in gone])
        lines += [f"Successfully uninstalled {one.name}-{one.version}" for one in gone]
        lines.append("What was imported from it stays until the session is restarted.")
    shown = () if command.quiet else tuple(lines)
    _answer(step, event.request, shown, ok=True, removed=tuple(one.name for one in gone))


def ready(step: Step, event: PackagesReady) -> None:
    """The packages are in the process, or will not be."""
    pip = step.session.pip
    if pip.request != event.request or pip.command is None:
        return
    step.change(pip=Pip(asked_at=pip.asked_at))
    if event.failure is not None:
        _answer(step, event.request, (f"ERROR: {well_formed(event.failure)}",), ok=False)
        return
    replaced = {one.name for one in event.packages}
    kept = [one for one in step.session.fold.packages if one.name not in replaced]
    if len(kept) + len(event.packages) > PACKAGES_MOST:
        words = f"ERROR: A session has {PACKAGES_MOST} packages at most: uninstall some."
        _answer(step, event.request, (words,), ok=False)
        return
    before = {one.name: one.version for one in step.session.fold.packages}
    if event.packages:
        _record(step, [*kept, *event.packages])
    shown = () if pip.command.quiet else _success(before, event.packages)
    _answer(step, event.request, shown, ok=True)


def _success(before: dict[str, str], packages: tuple[Package, ...]) -> tuple[str, ...]:
    if not packages:
        return ()
    names = " ".join(sorted(f"{one.name}-{one.version}" for one in packages))
    lines = [f"Successfully installed {names}"]
    if any(one.name in before for one in packages):
        lines.append("Restart the session to use the new version of what is imported already.")
    return tuple(lines)


def cancelled(step: Step, event: h.PackageCancelled) -> None:
    """The code was interrupted while it waited."""
    pip = step.session.pip
    if (pip.request, pip.number) == (event.request, event.request_id):
        forget(step)


def forget(step: Step) -> None:
    """Nobody waits for packages any more."""
    pip = step.session.pip
    if pip.request is not None:
        step.change(pip=Pip(asked_at=pip.asked_at))
        step.act(CancelPackages(step.session.generation))


def given(step: Step, event: PackagesGiven) -> None:
    """A new process has the packages again, or some of them not."""
    before = step.session.fold.packages
    after = [_after(one, event.missing.get(one.name)) for one in before]
    if after == list(before):
        return
    _record(step, after, by_code=False)
    for one in after:
        if one.why is not None and one not in before:
            words = f"%pip: {one.name} {one.version} is missing now: {one.why}\n"
            step.record(n.StreamNotification(execution=None, name="stderr", text=words))


def _after(package: Package, why: str | None) -> Package:
    if why is None:
        return with_fields(package, state="installed", why=None)
    return with_fields(package, state="missing", why=well_formed(why)[:1000])


def _record(step: Step, packages: list[Package], *, by_code: bool = True) -> None:
    running = step.session.running
    step.record(
        n.PackagesChangedNotification(
            packages=sorted(packages, key=lambda one: one.name),
            execution=running.execution if by_code and running is not None else None,
        )
    )
    step.act(StoreSession())


def _answer(
    step: Step, request: int, lines: tuple[str, ...], *, ok: bool, removed: tuple[str, ...] = ()
) -> None:
    step.act(AnswerPackages(step.session.generation, request, lines, ok, removed))
