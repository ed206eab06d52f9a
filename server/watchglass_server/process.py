"""Server ⇄ Node host: one Node child and its Pyodide; spawn, read, write, signal, kill."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from watchglass_server.child import Child, ChildExit
from watchglass_server.errors import (
    InvalidState,
    ProcessDied,
    ProcessStartError,
    QueryError,
    QueryTimeout,
)
from watchglass_server.exit_info import ExitInfo, describe_exit
from watchglass_server.host_link import HostLink
from watchglass_server.host_messages import Fatal, Finished, InterruptAck, Ready
from watchglass_server.host_protocol import (
    HostEvent,
    HostProtocol,
    HostProtocolError,
    HostState,
    Reply,
    in_ascii,
)
from watchglass_server.priority import give_way
from watchglass_server.process_config import ProcessConfig, ProcessLimits
from watchglass_server.process_stats import ProcessStats, read_stats

__all__ = [
    "ExitInfo",
    "ProcessConfig",
    "ProcessDied",
    "ProcessLimits",
    "ProcessStartError",
    "ProcessStats",
    "PyodideProcess",
    "QueryError",
    "QueryTimeout",
]

RESEND_S: Final = 0.1
MAX_WAITING_QUERIES: Final = 256
# What a process may still take after its socket closed, its socket after it ended, and both after
# it said that it is lost.
END_GRACE_S: Final = 2.0
DRAIN_S: Final = 1.0
LAST_WORD_S: Final = 0.3
# What Node and Pyodide hold beside Python's memory, a little less than was measured.
OWN_RSS_BYTES: Final = 96 * 2**20


class PyodideProcess:
    """One Node child with one interpreter in it. `async with` starts and stops it.

    Calls to a process that has just died go nowhere: the end of `events` tells of it.
    """

    def __init__(self, config: ProcessConfig) -> None:
        self.config = config
        self.exit: ExitInfo | None = None
        self._protocol = HostProtocol(config.output_bytes)
        self._link: HostLink | None = None
        self._child: Child | None = None
        self._ready: asyncio.Future[Ready] | None = None
        self._end: asyncio.Task[ExitInfo] | None = None
        self._queries: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._finished: asyncio.Future[None] | None = None
        self._heard: asyncio.Future[None] | None = None
        self._said: tuple[str, str] | None = None
        self._decided: tuple[str, str] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    def __repr__(self) -> str:
        state = self.exit.cause if self.exit else self._protocol.state.value
        return f"<PyodideProcess {self._child.pid if self._child else None} {state}>"

    @property
    def ready(self) -> Ready:
        """What the process said when it was ready."""
        if self._ready is None or not self._ready.done():
            raise InvalidState("the process is not ready; await start() first")
        return self._ready.result()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._started()[0].pid

    @property
    def running(self) -> int | None:
        """The request id of the execution that runs."""
        return self._protocol.running

    @property
    def is_ending(self) -> bool:
        """Whether it has said its last: what is still told to it goes nowhere."""
        return self._protocol.state in (HostState.BROKEN, HostState.CLOSED)

    # --- life

    async def start(self) -> Ready:
        """Start the process and wait until it is ready. Raises ProcessStartError."""
        if self._end is not None:
            raise InvalidState("a process is started once; make another one")
        self._ready = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self.config.start_timeout):
                await self._spawn()
                return await asyncio.shield(self._ready)
        except TimeoutError:
            seconds = self.config.start_timeout
            self.kill("timeout", f"The process was not ready within {seconds:g} s.")
            raise ProcessStartError(await self.wait()) from None
        except OSError as error:
            self.exit = _never_started(f"{self.config.node} cannot be started: {error}.")
            raise ProcessStartError(self.exit) from error
        except BaseException:
            if self._child is not None:
                await self.stop(grace=0)
            raise

    async def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            ours.setblocking(False)
            theirs.setblocking(False)  # the host polls it while Python runs
            launcher = self.config.launcher
            argv = self._argv(launcher.number_inside(theirs))
            child = await launcher.start(argv, self.config.reach, theirs)
            give_way(child.pid)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        link = HostLink(self._protocol, self._take, self._broken)
        self._child, self._link = child, link
        self._end = asyncio.create_task(self._watch_end(child, link), name=f"end of {child.pid}")
        await asyncio.get_running_loop().create_unix_connection(lambda: link, sock=ours)

    def _argv(self, number: int) -> list[str]:
        config = self.config
        settings: dict[str, object] = {
            "fd": number,
            "pyodide_dir": str(config.pyodide_dir),
            "monitor_dir": str(config.monitor_dir),
            "image": str(config.image) if config.image else None,
            "memory_bytes": config.memory_bytes,
            "output_bytes": config.output_bytes,
            "poll_ms": config.poll_ms,
            "variables": config.variables,
        }
        return config.command("main.mjs", settings)

    async def wait(self) -> ExitInfo:
        """Wait until the process has ended and everything it said was read."""
        if self.exit is not None:
            return self.exit
        if self._end is None:
            raise InvalidState("the process was never started")
        return await asyncio.shield(self._end)

    async def stop(self, grace: float = 2.0) -> ExitInfo:
        """Close the socket, which ends the process; kill it when it does not."""
        if self.exit is not None:
            return self.exit
        child, link = self._started()
        self._decide("shutdown", "The process was stopped.")
        link.abort()
        try:
            await asyncio.wait({child.exited}, timeout=grace)
        finally:
            child.kill()
        return await self.wait()

    def kill(self, cause: str, message: str) -> None:
        """End the process now; `cause` and `message` go into its ExitInfo."""
        child, _ = self._started()
        self._decide(cause, message)
        child.kill()

    def broke_protocol(self, how: str) -> None:
        """End the process now, for it said what it may not say."""
        self.kill("protocol", f"The process broke the protocol and was ended: {in_ascii(how)}.")

    def stats(self, *, pss: bool = False) -> ProcessStats | None:
        """Return processor time and memory; None when it has ended, or off Linux."""
        return None if self.exit else read_stats(self.pid, pss=pss)

    # --- conversation

    def execute(
        self, request_id: int, number: int, code: str, *, store_history: bool = True
    ) -> None:
        """Run code; `events` tell the rest. One at a time, with growing ids."""
        if not self.is_ending:
            self._write(
                self._protocol.execute(request_id, number, code, store_history=store_history)
            )
            self._finished = asyncio.get_running_loop().create_future()

    async def interrupt(self, request_id: int, *, grace: float) -> bool:
        """Raise KeyboardInterrupt in that execution; return whether it ended within the grace.

        Resent until the process has heard it. False: it swallowed the interrupt, or hangs in C.
        """
        finished = self._finished
        if finished is None or self.running != request_id:
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace):
                if self._heard is None:
                    await self._press(request_id, finished)
                await asyncio.shield(finished)
        return finished.done()

    async def _press(self, request_id: int, finished: asyncio.Future[None]) -> None:
        self._heard = heard = asyncio.get_running_loop().create_future()
        try:
            for attempt in itertools.count(1):
                if self.is_ending:
                    return
                self._write(self._protocol.interrupt(request_id, attempt))
                await asyncio.wait(
                    {heard, finished}, timeout=RESEND_S, return_when=asyncio.FIRST_COMPLETED
                )
                if heard.done() or finished.done():
                    return
        finally:
            self._heard = None

    def reply_input(self, request: int, text: str | None) -> bool:
        """Answer an input request, None for its end; False when nobody waits for it any more."""
        data = None if self.is_ending else self._protocol.reply_input(request, text)
        if data is not None:
            self._write(data)
        return data is not None

    def configure(self, *, poll_ms: int, output_bytes: int, variables: int) -> None:
        """Change the settings of the running process."""
        if not self.is_ending:
            self._write(
                self._protocol.configure(
                    poll_ms=poll_ms, output_bytes=output_bytes, variables=variables
                )
            )

    async def query(
        self, op: str, args: Mapping[str, Any], *, timeout: float, blob: bytes | None = None
    ) -> Mapping[str, Any]:
        """Ask the process. Raises QueryError, QueryTimeout, ProcessDied."""
        if self.is_ending:
            raise ProcessDied(await self.wait())
        if len(self._queries) >= MAX_WAITING_QUERIES:
            raise QueryError("busy", "The process has many questions to answer.", "Try later.", {})
        request_id, frames = self._protocol.query(op, args, blob)
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._queries[request_id] = answer
        try:
            async with asyncio.timeout(timeout):
                await self._started()[1].write_slowly(frames)
                return await answer
        except TimeoutError:
            raise QueryTimeout(
                f"the process did not answer {op!r} within {timeout:g} s; "
                "interrupt what runs, or ask again later"
            ) from None
        finally:
            del self._queries[request_id]
            if not answer.cancel() and not answer.cancelled():
                answer.exception()  # looked at: an answer that came in the last moment is no leak

    async def events(self) -> AsyncIterator[list[HostEvent]]:
        """Yield what happens, in batches, until the process has ended. For one consumer.

        While it works on a batch, reading pauses when another is full, and the process waits.
        """
        _, link = self._started()
        while batch := await link.take():
            yield batch
        await self.wait()

    # --- inside

    def _started(self) -> tuple[Child, HostLink]:
        if self._child is None or self._link is None:
            raise InvalidState("the process was never started; await start() first")
        return self._child, self._link

    def _write(self, data: bytes) -> None:
        self._started()[1].write(data)

    def _decide(self, cause: str, message: str) -> None:
        # Its own last word came first, and so did a decision before this one.
        if self._said is None and self._decided is None:
            self._decided = cause, message

    def _take(self, events: Sequence[HostEvent]) -> list[HostEvent]:
        """Answer those who wait for an event, and return the events for `events`."""
        kept: list[HostEvent] = []
        for event in events:
            match event:
                case Ready():
                    if self._ready is not None and not self._ready.done():
                        self._ready.set_result(event)
                case Reply():
                    self._answer(event)
                case Fatal():
                    if self._decided is None:
                        self._said = event.cause, event.message
                    kept.append(event)
                    # Node may wait for a thread of its own for ever when it exits after that.
                    asyncio.get_running_loop().call_later(LAST_WORD_S, self._end_after_last_word)
                case _:
                    self._note(event)
                    kept.append(event)
        return kept

    def _end_after_last_word(self) -> None:
        if self.exit is None:
            self.kill("fatal", "The process did not end after its last word.")

    def _answer(self, reply: Reply) -> None:
        answer = self._queries.get(reply.request_id)
        if answer is None or answer.done():  # too late: it was given up
            return
        if isinstance(reply.result, QueryError):
            answer.set_exception(reply.result)
        else:
            answer.set_result(reply.result)

    def _note(self, event: HostEvent) -> None:
        if isinstance(event, InterruptAck) and self._heard is not None:
            if event.request_id == self.running and not self._heard.done():
                self._heard.set_result(None)
        elif isinstance(event, Finished):
            self._finish()

    def _finish(self) -> None:
        if self._finished is not None and not self._finished.done():
            self._finished.set_result(None)

    def _broken(self, error: HostProtocolError) -> None:
        self.broke_protocol(str(error))

    async def _watch_end(self, child: Child, link: HostLink) -> ExitInfo:
        ends: set[asyncio.Future[Any]] = {child.exited, link.closed}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({child.exited}, timeout=END_GRACE_S)
        if not child.exited.done():
            self.kill("protocol", "The process closed its connection and went on without it.")
        child_exit = await child.wait()
        link.drain()
        await asyncio.wait({link.closed}, timeout=DRAIN_S)
        link.abort()
        await link.closed
        return self._ended(child, child_exit)

    def _was_near_memory_limit(self, max_rss_bytes: int) -> bool:
        limit = self.config.memory_bytes
        return limit is not None and max_rss_bytes > 0.9 * limit + OWN_RSS_BYTES

    def _ended(self, child: Child, child_exit: ChildExit) -> ExitInfo:
        self.exit = describe_exit(
            child_exit.returncode,
            said=self._said,
            decided=self._decided,
            output=child.output,
            near_memory_limit=self._was_near_memory_limit(child_exit.max_rss_bytes),
            was_out_of_memory=child_exit.was_out_of_memory,
        )
        for answer in self._queries.values():
            if not answer.done():
                answer.set_exception(ProcessDied(self.exit))
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(ProcessStartError(self.exit))
            self._ready.exception()  # looked at: whoever started it may have given up
        self._finish()
        return self.exit


def _never_started(message: str) -> ExitInfo:
    return describe_exit(
        None, said=None, decided=("fatal", message), output="", near_memory_limit=False
    )
