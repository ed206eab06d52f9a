"""Node host → terminal: one script's output, input, limits and end."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import TextIO

from watchglass_server.errors import InvalidState, ProcessDied, QueryError, QueryTimeout
from watchglass_server.exit_info import ExitInfo
from watchglass_server.host_messages import (
    DisplayData,
    Error,
    Finished,
    InputRequest,
    PackageRequest,
    Stream,
)
from watchglass_server.host_protocol import HostEvent
from watchglass_server.process import PyodideProcess
from watchglass_server.subcommands.script import (
    FIRST_NUMBER,
    Script,
    exit_status,
    shown_traceback,
)
from watchglass_server.terminal_text import TerminalStream, harmless

INTERRUPT_GRACE_S = 5.0
WALL_GRACE_S = 2.0
TIMED_OUT = 124
INTERRUPTED = 130
OUT_OF_MEMORY = 137
PIPE_CLOSED = 141
WORDS = {
    "timeout": "the time limit is reached (--wall), and the script did not heed it",
    "memory": "the memory limit is reached (--memory)",
    "interrupt-ignored": "the script went on after Ctrl+C and was ended",
    "killed": "the script was ended",
    "stack": "the script recursed too deeply and its process died",
}
WATCH_S = 0.5
OUTSIDE_BYTES = 200 * 2**20
"""What a process may use beside its Python memory before it is taken for a leak."""


class ScriptRun:
    """One script in one process, from the first event to the exit status."""

    def __init__(self, process: PyodideProcess, script: Script) -> None:
        self._process = process
        self._script = script
        self._request_id = 0
        self._finished = asyncio.Event()
        self._error: Error | None = None
        self._status = "died"
        self._limit: int | None = None
        self._presses = 0
        streams = {"stdout": sys.stdout, "stderr": sys.stderr}
        self._shown = {
            name: TerminalStream(colours=True)
            for name, stream in streams.items()
            if stream.isatty()
        }

    async def run(self, prologue: Sequence[str], wall_s: float | None) -> int:
        """Run the prologue and the script; return the exit status."""
        loop = asyncio.get_running_loop()
        reading = asyncio.create_task(self._read_events())
        watching = asyncio.create_task(self._watch_memory())
        loop.add_signal_handler(signal.SIGINT, self._on_interrupt)
        try:
            for code in prologue:
                await self._execute(0, code, None)
            # A script shows no value of its last line, as a session would.
            await self._execute(FIRST_NUMBER, self._script.source + "\nNone\n", wall_s)
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            watching.cancel()
            reading.cancel()
            await asyncio.gather(watching, reading, return_exceptions=True)
        status = self._ended()
        for name, shown in self._shown.items():
            _write(sys.stderr if name == "stderr" else sys.stdout, shown.end())
        return status

    async def _execute(self, number: int, code: str, wall_s: float | None) -> None:
        if self._process.exit is not None:
            return
        self._request_id += 1
        self._status = "died"
        self._finished.clear()
        self._process.execute(self._request_id, number, code, store_history=number > 0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wall_s):
                await self._finished.wait()
                return
        self._limit = TIMED_OUT
        if not await self._process.interrupt(self._request_id, grace=WALL_GRACE_S):
            self._process.kill("timeout", "It went on after its time was up.")
        await self._finished.wait()

    async def _read_events(self) -> None:
        try:
            async for batch in self._process.events():
                for event in batch:
                    self._take(event)
                sys.stdout.flush()
        except BrokenPipeError:  # `watchglass run … | head`
            self._limit = PIPE_CLOSED
            # Python would try once more at its end, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._process.kill("killed", "Nobody reads its output any more.")
            await self._process.wait()
        finally:
            self._finished.set()

    def _take(self, event: HostEvent) -> None:
        match event:
            case Stream(name=name, text=text):
                self._print(name, text)
            case DisplayData(bundle=bundle):
                self._print("stdout", f"{bundle.get('text/plain', '')}\n")
            case Error() if event.request_id == self._request_id:
                self._error = event
            case Error():  # of a task that goes on: the script itself is not at its end
                self._show(event)
            case PackageRequest():
                self._refusing = asyncio.create_task(self._refuse_packages(event))
            case InputRequest():
                _Answer(event, self._process).start(asyncio.get_running_loop())
            case Finished(request_id=request_id, status=status):
                if request_id == self._request_id:
                    self._status = status
                    self._finished.set()
            case _:
                pass

    async def _refuse_packages(self, event: PackageRequest) -> None:
        lines = ["ERROR: `watchglass run` installs no packages; use %pip in a session of a server."]
        args = {"request": event.request, "lines": lines, "done": True, "ok": False}
        with contextlib.suppress(ProcessDied, QueryError, QueryTimeout, InvalidState):
            await self._process.query("package_lines", args, timeout=WATCH_S)

    def _on_interrupt(self) -> None:
        self._presses += 1
        if self._presses > 1:
            self._process.kill("killed", "Ctrl+C was pressed twice.")
        else:
            self._interrupting = asyncio.create_task(self._interrupt())

    async def _interrupt(self) -> None:
        self._limit = self._limit or INTERRUPTED
        if not await self._process.interrupt(self._request_id, grace=INTERRUPT_GRACE_S):
            self._process.kill("interrupt-ignored", "It went on after Ctrl+C.")

    async def _watch_memory(self) -> None:
        """What WebAssembly's own limit does not see: memory that JavaScript holds."""
        limit = self._process.config.memory_bytes
        while limit is not None:
            await asyncio.sleep(WATCH_S)
            stats = self._process.stats()
            if stats is not None and stats.rss_bytes > limit + OUTSIDE_BYTES:
                self._process.kill("memory", "It used more memory than --memory allows.")

    def _ended(self) -> int:
        sys.stdout.flush()
        if self._process.exit is not None and self._limit != PIPE_CLOSED:
            return self._died(self._process.exit)
        if self._limit == TIMED_OUT:
            print("watchglass: the time limit is reached (--wall)", file=sys.stderr)
            return TIMED_OUT
        if self._limit is not None and self._status != "ok":
            if self._error is not None:
                self._show(self._error)
            return self._limit
        if self._error is not None:
            return self._failed(self._error)
        return 0 if self._status == "ok" else INTERRUPTED

    def _died(self, exit_info: ExitInfo) -> int:
        words = WORDS.get(exit_info.cause, f"the process died: {exit_info.message}")
        print(f"watchglass: {words}", file=sys.stderr)
        if exit_info.cause == "memory":
            return OUT_OF_MEMORY
        return self._limit or 1

    def _failed(self, error: Error) -> int:
        status = exit_status(error.name, error.message)
        if error.name != "SystemExit":
            self._show(error)
        elif status == 1 and error.message != "1":
            self._print("stderr", error.message + "\n")
        return status

    def _show(self, error: Error) -> None:
        text = "\n".join(shown_traceback(error.traceback, self._script)) + "\n"
        self._print("stderr", text)

    def _print(self, name: str, text: str) -> None:
        """As it is into a file or a pipe; what a terminal would obey is taken out for one."""
        shown = self._shown.get(name)
        _write(sys.stderr if name == "stderr" else sys.stdout, shown.feed(text) if shown else text)


class _Answer:
    """A line of standard input for `input()`. Its thread must not keep the program from ending."""

    def __init__(self, request: InputRequest, process: PyodideProcess) -> None:
        self._request = request
        self._process = process

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Read in the background, answer on the loop."""
        sys.stdout.flush()
        threading.Thread(target=self._read, args=(loop,), daemon=True).start()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        prompt = self._request.prompt
        if sys.stdout.isatty():
            prompt = harmless(prompt, colours=False)
        line: str | None
        try:
            if self._request.password and sys.stdin.isatty():
                line = getpass.getpass(prompt)
            else:
                _write(sys.stdout, prompt)
                sys.stdout.flush()
                line = sys.stdin.readline() or None
        except EOFError:
            line = None
        text = None if line is None else line.removesuffix("\n")
        with contextlib.suppress(RuntimeError):  # the loop is closed: the script is at its end
            loop.call_soon_threadsafe(self._process.reply_input, self._request.request, text)


def _write(stream: TextIO, text: str) -> None:
    stream.buffer.write(text.encode("utf-8", "backslashreplace"))
    if stream is sys.stderr:
        sys.stdout.flush()
        stream.flush()
