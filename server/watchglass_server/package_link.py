"""One session's packages ⇄ its process: installed when code asks, given again to a new process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Protocol

from watchglass_server import session_inputs as i
from watchglass_server.errors import InvalidState, ProcessDied, QueryError, QueryTimeout
from watchglass_server.packages import Asked, InstallFailed, Packages
from watchglass_server.pictures import Package
from watchglass_server.process import PyodideProcess
from watchglass_server.session_state import Session

_log = logging.getLogger(__name__)

GIVE_S = 60.0
TELL_S = 20.0
TELL_EVERY_S = 0.1
LINES_WAITING = 500

_PROCESS_ERRORS = (ProcessDied, QueryError, QueryTimeout, InvalidState)


class Installing(Protocol):
    """The session that wants packages, as far as this knows it."""

    @property
    def session(self) -> str: ...

    @property
    def state(self) -> Session: ...

    @property
    def packages(self) -> Packages: ...

    def apply(self, *happened: i.Input) -> None: ...

    def own(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]: ...


class PackageLink:
    """A session's hold on what it installs: one thing at a time."""

    def __init__(self, live: Installing) -> None:
        self._live = live
        self._task: asyncio.Task[None] | None = None

    def perform(
        self,
        process: PyodideProcess | None,
        action: i.InstallPackages | i.AnswerPackages | i.CancelPackages,
    ) -> None:
        """Do what the session asks for."""
        match action:
            case i.CancelPackages():
                if self._task is not None:
                    self._task.cancel()
            case i.InstallPackages() if process is not None:
                self._task = self._live.own(self._install(process, action), "install")
            case i.AnswerPackages(request=request, lines=lines, ok=ok, removed=removed):
                if process is not None:
                    outcome = {"done": True, "ok": ok, "removed": list(removed)}
                    telling = self._tell(process, request, lines, outcome)
                    self._live.own(telling, "packages")

    async def give_again(self, process: PyodideProcess, generation: int) -> None:
        """Give a process that just started what the session has installed."""
        missing: dict[str, str] = {}
        for package in self._live.state.fold.packages:
            try:
                await self._give(process, package)
            except InstallFailed as error:
                missing[package.name] = str(error)
            except QueryError as error:
                missing[package.name] = error.message
            except (ProcessDied, QueryTimeout, InvalidState) as error:
                _log.warning("session %s: its packages: %s", self._live.session, error)
                return
        self._live.apply(i.PackagesGiven(generation, missing))

    # --- inside

    async def _install(self, process: PyodideProcess, action: i.InstallPackages) -> None:
        progress = _Progress()
        shown = self._live.own(self._show(process, action.request, progress), "install: progress")
        failure: str | None = None
        packages: Sequence[Package] = ()
        try:
            asked = Asked(action.command, action.permission, self._live.state.fold.packages)
            tell = _silent if action.command.quiet else progress.tell
            packages = await self._live.packages.install(asked, tell)
            for package in packages:
                await self._give(process, package)
        except InstallFailed as error:
            failure = str(error)
        except _PROCESS_ERRORS as error:
            failure = f"The session could not take the packages: {error}"
        except Exception as error:
            _log.exception("session %s: its packages", self._live.session)
            failure = f"The server failed ({error.__class__.__name__}); its log says more."
        finally:
            progress.is_over = True
        await asyncio.wait({shown})
        outcome = () if failure else tuple(packages)
        self._live.apply(i.PackagesReady(action.generation, action.request, outcome, failure))

    async def _give(self, process: PyodideProcess, package: Package) -> None:
        data = await self._live.packages.wheel(package)
        args = {"name": package.name, "filename": package.filename}
        await process.query("package", args, timeout=GIVE_S, blob=data)

    async def _show(self, process: PyodideProcess, request: int, progress: _Progress) -> None:
        while not progress.is_over:
            await asyncio.sleep(TELL_EVERY_S)
            await self._tell(process, request, progress.take(), {})

    async def _tell(
        self,
        process: PyodideProcess,
        request: int,
        lines: Sequence[str],
        outcome: Mapping[str, Any],
    ) -> None:
        if not lines and not outcome:
            return
        args = {"request": request, "lines": list(lines), "done": False, **outcome}
        try:
            await process.query("package_lines", args, timeout=TELL_S)
        except _PROCESS_ERRORS as error:
            _log.info("session %s: it was not told of packages: %s", self._live.session, error)


class _Progress:
    """Lines that wait to be shown."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self.is_over = False

    def tell(self, line: str) -> None:
        if len(self._lines) < LINES_WAITING:
            self._lines.append(line)

    def take(self) -> list[str]:
        lines, self._lines = self._lines, []
        return lines


def _silent(_: str) -> None:
    pass
