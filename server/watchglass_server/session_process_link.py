"""One session ⇄ its process: gets one, brings back what was kept, listens, asks, lets it go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol, TypeVar, get_args

from watchglass_server import session_inputs as i
from watchglass_server.errors import (
    AnswerError,
    InvalidState,
    PoolClosed,
    PoolTimeout,
    ProcessDied,
    ProcessStartError,
    QueryError,
    QueryTimeout,
    TooManyRequests,
)
from watchglass_server.fields import ErrorCode
from watchglass_server.host_answers import VariableAnswer, read_answer
from watchglass_server.host_messages import Finished, Live
from watchglass_server.host_protocol import HostEvent
from watchglass_server.manager import PyodideManager
from watchglass_server.package_link import PackageLink
from watchglass_server.packages import Packages
from watchglass_server.pictures import Watch
from watchglass_server.process import PyodideProcess
from watchglass_server.refusals import Refused, process_gone
from watchglass_server.restoring import Memory, bring_back, nothing_back, remember
from watchglass_server.session_inputs import Restored
from watchglass_server.session_state import Phase, Session, SessionLimits
from watchglass_server.session_variables import told_variable
from watchglass_sync.journal import Journal
from watchglass_sync.restore import Restorer

_log = logging.getLogger(__name__)

READY_TIMEOUT_S = 60.0
DUMP_TIMEOUT_S = 20.0
DUMP_APPLIED_S = 0.5
PING_TIMEOUT_S = 10.0
WATCHES_TIMEOUT_S = 60.0
LENT_DEAD = 3
EVENTS_AT_ONCE = 50
RESTORE_TRIES = 2
VIEW_TIMEOUT_S = 30.0
LOOK_AGAIN = "Look at the variables again."
# What a process may say of a question. That a token is wrong, or a session gone, only we can say.
AnswerCode = Literal[
    "bad_request",
    "variable_not_found",
    "not_settable",
    "conflict",
    "not_available",
    "too_large",
    "busy",
    "limit_exceeded",
    "timeout",
    "internal",
]
T = TypeVar("T")
LOOK_AWAY: dict[str, Any] = {"on": False, "windows": []}


class Living(Protocol):
    """The session that holds a process, as far as its link knows it."""

    @property
    def session(self) -> str: ...

    @property
    def state(self) -> Session: ...

    @property
    def journal(self) -> Journal: ...

    @property
    def manager(self) -> PyodideManager: ...

    async def lend(self, limits: SessionLimits) -> PyodideProcess: ...

    @property
    def restorer(self) -> Restorer: ...

    @property
    def packages(self) -> Packages: ...

    @property
    def is_failed(self) -> bool: ...

    def apply(self, *happened: i.Input) -> None: ...

    def measure(self) -> int | None: ...

    def shown(self, picture: Live) -> None: ...

    async def durable(self) -> None: ...

    async def until(self, holds: Callable[[Session], bool], timeout: float) -> bool: ...

    async def restored(self) -> None: ...

    def own(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]: ...


class ProcessLink:
    """A session's hold on its process."""

    def __init__(self, live: Living) -> None:
        self._live = live
        self._process: PyodideProcess | None = None
        self._generation = 0
        self._dumps = 0
        # Its end is no end of the session's process yet: the start goes on with another one.
        self._starting: PyodideProcess | None = None
        self._view: dict[str, Any] | None = None
        self._packages = PackageLink(live)

    @property
    def process(self) -> PyodideProcess | None:
        """The process that is there now."""
        return self._process

    def perform(self, action: i.Action) -> None:
        """Do to the process what the session asks for."""
        match action:
            case i.StartProcess(generation=generation, restore=restore):
                self._live.own(self._start(generation, restore), "start")
            case i.EndProcess():
                self._let_go()
            case i.KillProcess(cause=cause, message=message):
                self.kill(cause, message)
            case i.SendExecute(number=number, code=code):
                if self._process is not None:
                    self._process.execute(number, number, code)
            case i.SendInterrupt(number=number, grace=grace):
                if self._process is not None:
                    self._live.own(self._interrupt(self._process, number, grace), "interrupt")
            case i.SendInput(request=request, text=text):
                if self._process is not None:
                    self._process.reply_input(request, text)
            case i.SendWatches(watches=watches):
                if self._process is not None:
                    self._live.own(self._tell_watches(self._process, watches), "watches")
            case i.InstallPackages() | i.AnswerPackages() | i.CancelPackages():
                self._packages.perform(self._process, action)
            case _:
                raise TypeError(f"{action} is not for the process")

    def kill(self, cause: str, message: str) -> None:
        """End the process at once, if there is one."""
        if self._process is not None and self._process.exit is None:
            self._process.kill(cause, message)

    def look(self, wanted: dict[str, Any] | None) -> None:
        """Have the process show more than it records, now and after it was replaced; None: no."""
        if wanted != self._view:
            self._view = wanted
            self._tell_view()

    def adopt(self, process: PyodideProcess, generation: int) -> None:
        """Take a process that is there already, for a session that is new."""
        self._attach(process, generation)
        self._tell_ready(process, generation)

    async def end(self) -> None:
        """Give the process back and wait until it has ended."""
        process, self._process = self._process, None
        if process is not None:
            await self._release(process)

    # --- starting

    def _tell_ready(self, process: PyodideProcess, generation: int) -> None:
        said = process.ready
        self._live.apply(i.ProcessReady(generation, said.memory_bytes, said.rung))

    async def _start(self, generation: int, restore: bool) -> None:
        try:
            if restore:
                await self._live.durable()
                memory = await remember(self._live.state.fold, self._live.journal)
                await self._start_restored(generation, memory)
            elif (process := await self._acquire(generation)) is not None:
                await self._packages.give_again(process, generation)
                self._tell_ready(process, generation)
        except (PoolTimeout, TooManyRequests, PoolClosed) as error:
            self._live.apply(i.StartFailed(generation, "pool_exhausted", f"{error}."))
        except ProcessStartError as error:
            self._live.apply(i.StartFailed(generation, "process_died", str(error)))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            _log.exception("session %s: no process", self._live.session)
            words = f"The process could not be started ({error.__class__.__name__})."
            self._live.apply(i.StartFailed(generation, "internal", words))

    async def _acquire(self, generation: int) -> PyodideProcess | None:
        """A process of our own; None when the session does not want this one any more."""
        process = await self._living()
        if generation != self._live.state.generation:
            await self._release(process)
            return None
        self._attach(process, generation)
        return process

    async def _living(self) -> PyodideProcess:
        """One that answers: a process that died while it waited may still be in the pool."""
        tries = 0
        while True:
            tries += 1
            process = await self._live.lend(self._live.state.limits)
            try:
                await process.query("ping", {}, timeout=PING_TIMEOUT_S)
            except (ProcessDied, QueryError, QueryTimeout, InvalidState) as error:
                _log.warning("session %s: a process was lent dead: %s", self._live.session, error)
                await self._release(process)
                if tries == LENT_DEAD:
                    raise ProcessStartError(await process.wait()) from error
            else:
                return process

    async def _start_restored(self, generation: int, memory: Memory) -> None:
        """With what was kept; if that kills the process, with nothing, so that work can go on.

        A process that was killed meanwhile by somebody else costs one more try and no variable.
        """
        failure: Exception | None = None
        deaths = 0
        while (process := await self._acquire(generation)) is not None:
            await self._packages.give_again(process, generation)
            if failure is not None and not 0 < deaths < RESTORE_TRIES:
                nothing = nothing_back(memory, generation, str(failure))
                self._live.apply(replace(nothing, watcher=process.ready.rung))
                return
            outcome = await self._brought_back(process, memory, generation)
            if isinstance(outcome, Restored):
                self._live.apply(replace(outcome, watcher=process.ready.rung))
                await self._live.restored()
                return
            _log.warning("session %s: restoring failed: %s", self._live.session, outcome)
            if generation != self._live.state.generation:
                return
            failure = outcome
            deaths += isinstance(outcome, ProcessDied)
            await self.end()

    async def _brought_back(
        self, process: PyodideProcess, memory: Memory, generation: int
    ) -> Restored | Exception:
        self._starting = process
        try:
            restored = await bring_back(process, self._live.restorer, memory, generation)
        except AnswerError as error:
            process.broke_protocol(f"to 'restore' it answered what is no answer: {error}")
            return ProcessDied(await process.wait())
        except (ProcessDied, QueryError, QueryTimeout, InvalidState) as error:
            return error
        finally:
            self._starting = None
        if self._process is not process:  # its end was noticed before its last answer was
            return ProcessDied(await process.wait())
        return restored

    def _attach(self, process: PyodideProcess, generation: int) -> None:
        self._process = process
        self._generation = generation
        self._live.measure()
        self._live.own(self._listen(process, generation), "listen")
        if self._view is not None:
            self._tell_view()

    def _tell_view(self) -> None:
        if self._process is not None:
            self._live.own(self._ask_view(self._process, self._view), "view")

    async def _ask_view(self, process: PyodideProcess, view: dict[str, Any] | None) -> None:
        try:
            await process.query("view", view or LOOK_AWAY, timeout=VIEW_TIMEOUT_S)
        except (ProcessDied, QueryError, QueryTimeout, InvalidState) as error:
            # What is recorded comes all the same; the next view is asked for anew.
            _log.info("session %s: it shows nothing live: %s", self._live.session, error)

    # --- listening

    async def _listen(self, process: PyodideProcess, generation: int) -> None:
        journal = self._live.journal
        async for batch in process.events():
            for first in range(0, len(batch), EVENTS_AT_ONCE):
                if self._process is not process or self._live.is_failed:
                    break
                self._take_safely(process, batch[first : first + EVENTS_AT_ONCE], generation)
                await journal.room()
                # Others have their turn, however many small things this process says.
                await asyncio.sleep(0)
            self._dumps += 1
        exit_info = await process.wait()
        if self._process is process:
            self._process = None
            if not self._live.is_failed and process is not self._starting:
                self._live.apply(i.ProcessEnded(generation, exit_info))
        await self._release(process)

    def _take_safely(
        self, process: PyodideProcess, batch: Sequence[HostEvent], generation: int
    ) -> None:
        try:
            self._take(batch, generation)
        except Exception:
            _log.exception("session %s: an event of its process", self._live.session)
            process.kill("internal", "The server could not go on with this process.")

    def _take(self, batch: Sequence[HostEvent], generation: int) -> None:
        recorded = [event for event in batch if not isinstance(event, Live)]
        if any(isinstance(event, Finished) for event in recorded):
            self._live.measure()  # so that each execution is charged with its own time
        if recorded:
            self._live.apply(*(i.HostSaid(generation, event) for event in recorded))
        for event in batch:
            if isinstance(event, Live):
                self._live.shown(event)

    async def _interrupt(self, process: PyodideProcess, number: int, grace: float) -> None:
        # Whether it was obeyed is seen by its end; that the grace is over, by the session's clock.
        await process.interrupt(number, grace=grace)

    async def _tell_watches(self, process: PyodideProcess, watches: Sequence[Watch]) -> None:
        listed = [
            {"watch": one.watch, "expression": one.expression, "condition": one.condition}
            for one in watches
        ]
        try:
            await process.query("watches", {"watches": listed}, timeout=WATCHES_TIMEOUT_S)
        except QueryTimeout:
            pass  # it is in a long call of C, and hears of them after that
        except (QueryError, ProcessDied, InvalidState) as error:
            _log.warning("session %s: its watches: %s", self._live.session, error)

    # --- letting go

    def _let_go(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._live.own(self._release(process), "release")

    async def _release(self, process: PyodideProcess) -> None:
        # InvalidState: the pool took it back itself, for it died, or the pool was closed.
        with contextlib.suppress(InvalidState):
            await self._live.manager.release(process)

    async def save(self) -> None:
        """Have the process write what is to be kept, before it is stopped."""
        process = self._process
        if process is None:
            return
        heard = self._dumps
        try:
            await process.query("dump", {}, timeout=DUMP_TIMEOUT_S)
        except (QueryError, QueryTimeout, ProcessDied, InvalidState) as error:
            _log.warning("session %s: the last picture: %s", self._live.session, error)
            return
        # The dump came before the answer, but may still wait for our listening task.
        for _ in range(int(DUMP_APPLIED_S / 0.01)):
            if self._dumps > heard:
                return
            await asyncio.sleep(0.01)

    # --- asking

    async def ask(
        self,
        op: str,
        args: Mapping[str, Any],
        timeout: float,
        read: Callable[[Mapping[str, Any]], T],
    ) -> T:
        """Ask the process, waking it if it sleeps; `read` takes its answer. Raises Refused."""
        process = await self._ready_process()
        try:
            try:
                return read(await process.query(op, args, timeout=timeout))
            except QueryError as error:
                raise refusal_of(error) from error
        except AnswerError as error:
            said = f"to {op!r} it answered what is no answer: {error}"
            process.broke_protocol(said)
            raise process_gone("The process broke the protocol and was ended.") from error
        except QueryTimeout:
            raise Refused(
                "timeout",
                f"The process did not answer within {timeout:g} s.",
                "Interrupt what runs, or try again later.",
            ) from None
        except (ProcessDied, InvalidState) as error:
            raise process_gone(f"The process ended before it answered: {error}") from error

    async def _ready_process(self) -> PyodideProcess:
        live = self._live
        wake(live)
        if live.state.phase is Phase.NONE:
            exit_info = live.state.fold.process.exit
            why = f": {exit_info.message}" if exit_info else "."
            raise process_gone(f"The session has no process{why}")
        if not await live.until(lambda s: s.phase is not Phase.STARTING, READY_TIMEOUT_S):
            raise Refused("timeout", "The process is not ready yet.", "Try again in a while.")
        if self._process is None or live.state.phase is not Phase.READY:
            raise process_gone("The process ended before it was ready.")
        return self._process


def wake(live: Living) -> None:
    """Give a sleeping session a process; one whose process died waits for an `execute`."""
    process = live.state.fold.process
    asleep = process.state == "hibernated" or process.reason == "server"
    if live.state.phase is Phase.NONE and asleep:
        live.apply(i.Wake())


def refusal_of(error: QueryError) -> Refused:
    """What the caller is told. Raises AnswerError."""
    code: ErrorCode = "internal"
    if error.code in get_args(AnswerCode):
        code = error.code  # type: ignore[assignment]
    variable = None
    if "variable" in error.detail:
        variable = told_variable(read_answer(error.detail, VariableAnswer).variable)
    return Refused(code, error.message[:2000], error.hint[:2000] or LOOK_AGAIN, variable=variable)
