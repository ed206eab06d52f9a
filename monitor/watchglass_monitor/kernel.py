"""Node host ⇄ REPL: the entries that the host calls, and the life of one execution."""

import asyncio
import gc
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from types import FrameType

from watchglass_monitor.display import Publication, set_publisher
from watchglass_monitor.eventloop import Schedule
from watchglass_monitor.execution import Cell, Namespace
from watchglass_monitor.feed import Feed
from watchglass_monitor.frames import Frames, RunningLine, frames, running_line, running_stack
from watchglass_monitor.host import Host, Message, encode
from watchglass_monitor.interrupts import Interrupts, is_inside
from watchglass_monitor.ipython_names import IPythonFinder
from watchglass_monitor.keeping import Keeper
from watchglass_monitor.live import LIVE_MS, Live
from watchglass_monitor.native_fingerprint import choose_native
from watchglass_monitor.output import Output
from watchglass_monitor.ownership import OWNER, Ownership
from watchglass_monitor.packages import Packages
from watchglass_monitor.prompt import Prompt
from watchglass_monitor.queries import Queries, Session, names_to_keep
from watchglass_monitor.repl import PyodideREPL
from watchglass_monitor.reserve import Reserve
from watchglass_monitor.suspension import Suspender
from watchglass_monitor.task_errors import TaskErrors
from watchglass_monitor.tracebacks import file_name
from watchglass_monitor.variables import VariableMonitor
from watchglass_monitor.watcher import tell_lines_of
from watchglass_monitor.watches import Watches
from watchglass_monitor.worker import Worker

ERROR_TEXT_S = 2.0
SOON_MS = 2.0  # from a store until it is told, where code waits: what it stores next comes with it
LATER_MS = 20.0  # until what a look has left out is looked at, where code waits
UNFINISHED_MS = 5.0  # between two looks at the rest of very many variables, while nothing runs


@dataclass(eq=False)
class Execution:
    """The execution that runs."""

    request_id: int
    number: int
    store_history: bool
    started: float
    task: "asyncio.Task[None] | None" = None
    interrupted: bool = False


class Kernel:
    """One session's kernel, attached to its host."""

    def __init__(self, host: Host, loop: asyncio.AbstractEventLoop, namespace: Namespace) -> None:
        self.output = Output()
        self.ownership = Ownership(host.own, self.output.flush)
        self.interrupts = Interrupts(host, self.ownership)
        self.suspender = Suspender(host, self.ownership, self.interrupts)
        self.prompt = Prompt(host, self.suspender, self.interrupts, self.publish)
        fingerprints = choose_native(host.fingerprints())
        self.monitor = VariableMonitor(
            namespace, native=host.watcher(), fingerprints=fingerprints, most=host.variables
        )
        self.packages = Packages(host, self.suspender, self.interrupts, self.publish)
        self.repl = PyodideREPL(namespace, self.publish, self.monitor.snapshot, self.packages.pip)
        self.live = Live(self.monitor, self.send, self._line, host.pace)
        self.feed = Feed(self.monitor, self.send, self.live)
        limit = self.interrupts.time_limit
        self.watches = Watches(namespace, self.repl.context, limit, self.send)
        self.keeper = Keeper(
            host,
            namespace,
            lambda: names_to_keep(namespace),
            self.monitor.versions,
            self.interrupts.time_limit,
            self.send,
        )
        self.task_errors = TaskErrors(self.ownership, self.repl.show_error)
        self.schedule = Schedule(loop, host, self.ownership, self.task_errors.report)
        self.queries = Queries(self._session(host))
        self.execution: Execution | None = None
        self.last = (0, 0)  # number and request id of the last execution
        self._reserve = Reserve()
        self._host = host
        self._loop = loop
        self._steps_seen = 0
        self.enter: Callable[[], None] = _nothing
        self._wire()

    def _wire(self) -> None:
        self.suspender.before = self._before_waiting
        self.schedule.after = self._credit
        self.interrupts.serve = self.queries.serve
        self.interrupts.tick = self._show_running
        self.interrupts.is_main = self._is_main
        self.task_errors.is_lost_interrupt = self.interrupts.is_lost
        self.prompt.is_refused = lambda: self.watches.evaluating
        self.watches.changes = self._changes
        self.queries.is_idle = lambda: self.execution is None
        self.queries.last = lambda: self.last
        self.queries.owner = self._owner
        self.queries.frames = self._frames
        self.task_errors.running = self._running_id

    def _session(self, host: Host) -> Session:
        return Session(
            host=host,
            repl=self.repl,
            monitor=self.monitor,
            prompt=self.prompt,
            interrupts=self.interrupts,
            ownership=self.ownership,
            keeper=self.keeper,
            send=self.send,
            feed=self.feed,
            live=self.live,
            watches=self.watches,
            packages=self.packages,
        )

    def install(self) -> None:
        """Take over the interpreter: its loop, its streams, the names at the prompt."""
        self.schedule.install()
        self.task_errors.install(self._loop)
        self.output.install()
        self.repl.install()
        self.interrupts.arm()
        IPythonFinder.install()
        set_publisher(self._display)
        self.monitor.start()

    @property
    def python(self) -> str:
        """The version of this interpreter."""
        return platform.python_version()

    @property
    def rung(self) -> str:
        """How changes of variables are noticed."""
        return self.monitor.rung

    def _running_id(self) -> int | None:
        return self.execution.request_id if self.execution is not None else None

    def _is_main(self) -> bool:
        """Whether the code that runs is the execution itself, not one of its callbacks."""
        task = self.execution.task if self.execution is not None else None
        if task is None:
            return self.ownership.is_main
        # A task is also current when it has just been suspended, and asyncio makes the call that
        # will wake it: an exception there would leave it asleep for ever.
        return asyncio.current_task(self._loop) is task and is_inside(
            sys._getframe(), {Kernel._run_async.__code__}
        )

    def _credit(self, owner: int) -> None:
        if owner != self._running_id():
            self.feed.credit(owner)

    def send(self, message: Message) -> None:
        """Send a message as it is."""
        self._host.send(encode(message))

    def publish(self, message: Message) -> None:
        """Send a message of the execution whose code runs."""
        self.output.flush()
        self.send({"request_id": OWNER.get(), **message})

    def _display(self, publication: Publication) -> None:
        if self.watches.evaluating:
            return
        kind = "update_display_data" if publication.update else "display_data"
        fields = {"bundle": publication.bundle, "display_id": publication.display_id}
        self.publish({"type": kind, **fields})

    def worker(self) -> Worker:
        """One more stack to run the entries on."""
        entries = self.execute, self.serve, self.interrupt, self.tick, self.step
        return Worker({each.__name__: each for each in entries}, self.suspender.run_sync)

    # The entries: the stack that one runs on may be suspended; the next runs on another one then.

    def execute(self, request_id: int, number: int, code: str, store_history: bool) -> None:
        """Run an execution, or begin to, when it awaits."""
        execution = Execution(request_id, number, store_history, perf_counter())
        self.execution = execution
        self.enter()
        self.interrupts.arm()
        self.output.install()
        tell_lines_of(file_name(number))
        self.monitor.start()
        self.feed.begin()
        self.repl.begin(request_id, number, code, store_history=store_history)
        self.repl.context.run(self._run, execution, code)

    def serve(self) -> None:
        """Answer what has come while nothing ran."""
        self.enter()
        self.queries.serve()

    def interrupt(self) -> None:
        """An interrupt came while the running execution waits for something."""
        self.enter()
        execution = self.execution
        if execution is None or self._host.pressed() != execution.request_id:
            return
        if self.suspender.interrupt(execution.request_id):
            return
        if execution.task is not None:
            execution.interrupted = self._cancel(execution.task)

    def tick(self) -> float:
        """Look at variables from time to time; how many milliseconds until the next time."""
        self.enter()
        if self.execution is not None:
            self._show_running(waits=True)
            return self._again_ms(LATER_MS)
        number, owner = self.last
        again = wait = 0.0
        with self._reserve.as_needed():
            self.feed.show(owner, running=False)
            again = self.watches.when_idle(owner)
            wait = self.keeper.when_idle(number, owner, self.feed.total)
        if self.schedule.steps != self._steps_seen:
            self._steps_seen = self.schedule.steps
            return self._poll_ms()
        self.monitor.rest()
        if self.monitor.unfinished or self.monitor.owes or self.feed.unsent:
            return UNFINISHED_MS
        return min(again or wait, wait or again)

    def step(self) -> None:
        """Turn the event loop once."""
        self.enter()
        self.monitor.wake()
        self.schedule.step()
        self._host.wake(self._again_ms(SOON_MS))

    # One execution

    def _run(self, execution: Execution, code: str) -> None:
        error: BaseException | None = None
        try:
            with self.ownership.running(execution.request_id, is_main=True):
                self.interrupts.safe_point()
                cell = self.repl.compile(execution.number, code)
                if cell.is_async:
                    self._begin_task(execution, cell)
                else:
                    self._host.begin()
                    self._show(execution, cell, self.repl.run(cell))
        except BaseException as exc:
            error = exc
        if execution.task is None:
            self._end(execution, error)
        elif error is not None:  # an interrupt, just when the task had been made
            execution.interrupted = True
            execution.task.cancel()

    def _begin_task(self, execution: Execution, cell: Cell) -> None:
        coroutine = self._run_async(execution, cell)
        task = self._loop.create_task(coroutine, context=self.repl.context)
        execution.task = task
        task.add_done_callback(lambda task: self._end_task(execution, task))

    async def _run_async(self, execution: Execution, cell: Cell) -> None:
        self._show(execution, cell, await self.repl.run_async(cell))

    def _end_task(self, execution: Execution, task: "asyncio.Task[None]") -> None:
        error: BaseException | None
        if task.cancelled():
            error = _cancellation(task)
            if execution.interrupted:
                error = KeyboardInterrupt().with_traceback(error.__traceback__)
        else:
            error = task.exception()
        self.ownership.leave()
        self._end(execution, error)

    def _show(self, execution: Execution, cell: Cell, value: object) -> None:
        self.repl.show_result(cell, execution.number, value, store_history=execution.store_history)

    def _end(self, execution: Execution, error: BaseException | None) -> None:
        duration_ms = (perf_counter() - execution.started) * 1000
        status = "ok"
        if error is not None:
            if isinstance(error, MemoryError):
                self._reserve.free()
            status = "interrupted" if isinstance(error, KeyboardInterrupt) else "error"
            self._show_error(error, execution.number)
            error.__traceback__ = None  # or it would keep the frames' variables alive
        self.task_errors.settle(execution.request_id)
        self.last = (execution.number, execution.request_id)
        with self._reserve.as_needed():
            self.monitor.wake()
            self.feed.finish(execution.request_id)
            self.watches.finish(execution.request_id)
            self.keeper.at_end(execution.number, execution.request_id, self.feed.total)
        if isinstance(error, MemoryError):
            gc.collect()  # what failed to be stored is in cycles with its traceback
        self.execution = None
        self._host.finish(status, duration_ms)
        self._host.wake(self._host.poll_ms())
        self.queries.serve_waiting()

    def _show_error(self, error: BaseException, number: int) -> None:
        with self.interrupts.time_limit(ERROR_TEXT_S):
            self.repl.show_error(error, number)

    def _show_running(self, *, waits: bool = False) -> None:
        """A safe point of running code, or a moment while it waits."""
        self.output.flush()
        self.monitor.wake()
        self.feed.show(self._owner(), running=True, waits=waits)
        self.watches.show(self._owner())

    def _before_waiting(self) -> None:
        self.schedule.arm()
        self._host.wake(self._again_ms(SOON_MS))

    def _again_ms(self, least: float) -> float:
        """How soon is looked again while code waits: when what it has stored may be told."""
        return min(self._poll_ms(), max(least, self.feed.due_s() * 1000))

    def _changes(self) -> object:
        return self.feed.total, self.schedule.steps, self.last

    def _poll_ms(self) -> float:
        """How often is looked at what tells nothing by itself."""
        polled = self._host.poll_ms()
        return min(LIVE_MS, polled) if self.live.on else polled

    def _stack(self) -> list[FrameType]:
        """The frames of the running execution, the innermost first."""
        execution = self.execution
        if execution is None:
            return []
        coroutine = execution.task.get_coro() if execution.task is not None else None
        return running_stack(self.suspender.waiting_frames(execution.request_id), coroutine)

    def _line(self) -> RunningLine | None:
        return running_line(self._stack(), self.execution.number) if self.execution else None

    def _frames(self) -> Frames:
        return frames(self._stack())

    def _owner(self) -> int:
        """Whose the changes of this moment are: of the code that runs, or that ran last."""
        owner = self.ownership.current
        if owner is None:
            owner = self._running_id()
        return self.last[1] if owner is None else owner

    def _cancel(self, task: "asyncio.Task[None]") -> bool:
        """Interrupt code that awaits, by way of the user's SIGINT handler if there is one."""
        try:
            self.interrupts.deliver()
        except KeyboardInterrupt:
            task.cancel()
            return True
        return False


def _cancellation(task: "asyncio.Task[None]") -> BaseException:
    try:
        task.result()
    except asyncio.CancelledError as exc:
        return exc
    return asyncio.CancelledError()


def _nothing() -> None:
    pass
